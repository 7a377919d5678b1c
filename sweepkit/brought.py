"""Settings that come with a value of another setting, such as the options of an object of the user (`Setting.brings`).

Only the points with this value have them. A launch completes its experiment with them before it reads its flags.
"""

from collections.abc import Iterable, Mapping, Sequence
import dataclasses

from absl import flags

from sweepkit import options
from sweepkit.experiment import Experiment
from sweepkit.options import UsageError
from sweepkit.points import Brought
from sweepkit.settings import Setting, Settings, Value, dimension, parse_axis


def completed(experiment: Experiment, argv: Iterable[str]) -> Experiment:
  """Returns the experiment with the settings that the values of its flags bring.

  Raises:
    UsageError: for a value that is not allowed, if such a setting has the name of another flag, or if two values bring it with
      different types.
  """
  settings = dict(experiment.measure.settings)
  bringing = [name for name, setting in settings.items() if setting.brings is not None]
  if not bringing:
    return experiment
  parsed = options.define(experiment)
  try:
    parsed([experiment.name, *argv], known_only=True)
  except (flags.Error, OSError):
    return experiment  # they are refused when all flags are read
  for name in bringing:
    try:
      brought = [
        (value, _brought_by(settings[name], value)) for value in parse_axis(name, str(parsed[name].value), settings)
      ]
    except ValueError as error:
      raise UsageError(f"--{name}: {str(error).rstrip('.')}.") from None
    for value, own in ((value, own) for value, of in brought for own in of.items()):
      _add(settings, parsed, f"--{name}: {value!r}", *own)
  return dataclasses.replace(experiment, measure=dataclasses.replace(experiment.measure, settings=settings))


def _brought_by(setting: Setting, value: Value) -> Settings:
  return {} if setting.brings is None else setting.brings(value)


def _add(settings: dict[str, Setting], parsed: flags.FlagValues, whose: str, name: str, setting: Setting) -> None:
  known = settings.get(name)
  if name in parsed and (known is None or not known.absent):
    raise UsageError(f"{whose} has an option {name!r}, which is the name of another flag; rename the option.")
  if known is not None and known.kind is not setting.kind:
    raise UsageError(f"{whose} and another value have options {name!r} of different types; rename one of them.")
  # What one value cannot trace, no value traces: they share the flag.
  shared = setting._replace(absent=setting.default) if known is None else known
  settings[name] = shared._replace(traced=shared.traced and setting.traced)


def brought_axes(
  parsed: flags.FlagValues, settings: Settings, axes: Mapping[str, Sequence[Value]], zipped: Sequence[str] = ()
) -> Brought:
  """Returns the values of the settings that others bring, of each value its own: those asked for, or else the default.

  Args:
    parsed: the flags.
    settings: those of the completed experiment.
    axes: the values of the settings that every point has.
    zipped: settings that go together with others, whose values may repeat.

  Raises:
    UsageError: for a value that is not allowed.
  """
  found: dict[str, dict[Value, dict[str, Sequence[Value]]]] = {}
  for name, setting in settings.items():
    for value in axes[dimension(name, settings)] if setting.brings is not None else ():
      brought = _brought_by(setting, value)
      for own, one in brought.items():
        text = str(parsed[own].value) if parsed[own].present else one.default
        try:
          values = parse_axis(own, text, brought, own in zipped)
        except ValueError as error:
          raise UsageError(f"--{own}: {str(error).rstrip('.')}.") from None
        found.setdefault(dimension(name, settings), {}).setdefault(value, {})[own] = values
  return found
