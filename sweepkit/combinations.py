"""Combinations of the values of a launch: its seeds, and settings that go together instead of crossing (`--zip`)."""

from collections.abc import Mapping, Sequence
import re

from sweepkit.options import UsageError
from sweepkit.points import Brought
from sweepkit.settings import Settings, Value, dimension
from sweepkit.words import number

MOST_SEEDS = 2**32
MOST_SHOWN = 24  # values of an axis; of a longer one the ends are shown


def parse_seeds(text: str) -> int | tuple[int, ...]:
  """Returns the number of seeds (`8` for 0 … 7), or chosen seeds (`[3,7]`, or `3,7` for several).

  Raises:
    UsageError: if it is neither.
  """
  whole = text.strip()
  inner = whole[1:-1] if whole[:1] + whole[-1:] == "[]" else whole
  chosen = [int(item) for item in inner.split(",") if re.fullmatch(r" *\d+ *", item)]
  is_list = inner != whole or "," in inner
  if len(chosen) != len(inner.split(",")) or (not is_list and not chosen[0]) or max(chosen) >= MOST_SEEDS:
    raise UsageError(
      f"--seeds: {text!r} is not allowed; it must be a number of seeds from 1 on, such as 8 for the seeds 0 … 7, "
      "or chosen seeds in brackets, such as [3,7]."
    )
  return tuple(dict.fromkeys(chosen)) if is_list else chosen[0]


def parse_zip(texts: Sequence[str], settings: Settings) -> list[list[str]]:
  """Returns the groups of settings that go together, by flag.

  Raises:
    UsageError: for a name that is not a setting or that comes twice, or for a name alone.
  """
  groups = [[name.strip() for name in text.split(",")] for text in texts]
  named = [name for group in groups for name in group]
  for group, text in zip(groups, texts, strict=True):
    if unknown := [name for name in group if name not in settings]:
      raise UsageError(f"--zip: {unknown[0]!r} is not a setting; the settings are {', '.join(settings)}.")
    if len(group) < 2:
      raise UsageError(f"--zip: {text!r} goes together with nothing; name two settings or more, such as a,b.")
  if twice := [name for name in named if named.count(name) > 1]:
    raise UsageError(f"--zip: {twice[0]!r} is named twice; a setting goes together with one group.")
  return groups


def zipped_dimensions(
  groups: Sequence[Sequence[str]], settings: Settings, axes: Mapping[str, Sequence[Value]], brought: Brought
) -> list[list[str]]:
  """Returns the groups by dimension.

  Args:
    groups: as `parse_zip` returns them.
    settings: those of the experiment.
    axes: the values of the settings that every point has.
    brought: the settings that only some points have.

  Raises:
    UsageError: if the settings of a group have different numbers of values, or if one of them brings others.
  """
  own = [of for by in brought.values() for of in by.values()] or [{}]
  for group in groups:
    names = [dimension(name, settings) for name in group]
    if bringing := [flag for flag, name in zip(group, names, strict=True) if name in brought]:
      raise UsageError(f"--zip: {bringing[0]!r} has values that bring settings of their own; it can only cross others.")
    for grid in ({**axes, **of} for of in own):
      lengths = {name: len(grid[name]) for name in names if name in grid}
      if len(set(lengths.values())) > 1:
        said = " and ".join(f"{name} has {length}" for name, length in lengths.items())
        raise UsageError(f"--zip: {said} values; settings that go together have equally many.")
  return [[dimension(name, settings) for name in group] for group in groups]


def described(
  axes: Mapping[str, Sequence[Value]], brought: Brought, zipped: Sequence[Sequence[str]], seeds: int | Sequence[int]
) -> list[str]:
  """Returns lines that say which values are combined, and how."""
  own = {f"{name} of {value}": axis for by in brought.values() for value, of in by.items() for name, axis in of.items()}
  lines = [f"  {name} ({number(len(values))}): {_listed(values)}" for name, values in {**axes, **own}.items()]
  lines += [f"  {' and '.join(group)} go together" for group in zipped]
  many, chosen = (seeds, f"0 … {seeds - 1}") if isinstance(seeds, int) else (len(seeds), _listed(seeds))
  return [*lines, f"  seed ({number(many)}): {chosen}"]


def _listed(values: Sequence[Value]) -> str:
  shown = [*map(str, values)] if len(values) <= MOST_SHOWN else [*map(str, values[:3]), "…", *map(str, values[-2:])]
  return ", ".join(shown)
