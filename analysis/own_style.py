"""A user's own look: settings from a Matplotlib style file, over those of the lab."""

from collections.abc import Iterator, Sequence
import contextlib
from contextvars import ContextVar
import difflib
from pathlib import Path
import shutil
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text

from sweepkit.store import ResultsError

Settings = dict[Any, Any]  # by the names of Matplotlib

# Matplotlib leaves these out of styles too: they belong to the machine or to its windows, not to a figure.
_OF_THE_MACHINE = ("backend", "interactive", "toolbar", "webagg.", "tk.", "savefig.directory", "figure.raise_window")

_IN_USE: ContextVar[Settings] = ContextVar("_IN_USE", default={})  # noqa: B039 - it is never changed


def read(file: str | Path) -> Settings:
  """Returns the settings of a style file, or of a style that Matplotlib knows by name, such as `ggplot`.

  Raises:
    ResultsError: if there is no such file or style, or one of its lines is not a setting of Matplotlib.
  """
  path = Path(file)
  if not path.is_file():
    import matplotlib.style as named

    if str(file) not in named.library:
      near = difflib.get_close_matches(str(file), named.available, 1)
      hint = f"did you mean {near[0]}?" if near else f"Matplotlib has {', '.join(named.available[:4])}, …"
      raise ResultsError(f"--style: {file} is neither a file nor the name of a style; {hint}")
    found = dict(named.library[str(file)])
  else:
    found = _of_file(path)
  if found.get("text.usetex") and not shutil.which("latex"):
    raise ResultsError(f"--style: {file} sets text.usetex, which needs a command latex; there is none on the path.")
  # Files without a salt would hold other identifiers every time.
  left_out = (*_OF_THE_MACHINE, "svg.hashsalt")
  return {name: value for name, value in found.items() if not name.startswith(left_out)}


def _of_file(path: Path) -> Settings:
  try:
    lines = path.read_text(encoding="utf-8").splitlines()
  except (OSError, UnicodeDecodeError):
    raise ResultsError(f"--style: {path} cannot be read as text.") from None
  for number, line in enumerate(lines, 1):
    # Matplotlib warns of such lines and goes on without them.
    text = line.partition("#")[0].strip()
    name, colon, _ = text.partition(":")
    if text and (not colon or name.strip() not in mpl.rcParams):
      near = difflib.get_close_matches(name.strip(), [*mpl.rcParams], 1)
      hint = f"did you mean {near[0]}?" if near and colon else "a line is `name: value`."
      raise ResultsError(f"--style: line {number} of {path}, {text!r}, is not a setting of Matplotlib; {hint}")
  try:
    return dict(mpl.rc_params_from_file(path, fail_on_error=True, use_default_template=False))
  except Exception as error:
    reason = " ".join(str(error).split()).rstrip(".")
    raise ResultsError(f"--style: {path} holds a value that Matplotlib refuses ({reason}).") from None


@contextlib.contextmanager
def use(found: Settings) -> Iterator[None]:
  """Makes these settings those of the user within a `with`."""
  token = _IN_USE.set(found)
  try:
    yield
  finally:
    _IN_USE.reset(token)


def in_use() -> Settings:
  """Returns the settings of the user that are in use."""
  return _IN_USE.get()


def on_dark(figure: Figure) -> None:
  """Inverts the dark greys of lines and texts in a figure with a dark background, so that they can be seen."""
  if sum(mpl.colors.to_rgb(figure.get_facecolor())) > 1.5:
    return
  for artist in figure.findobj(lambda one: isinstance(one, Line2D | Text)):
    if isinstance(artist, Line2D | Text) and mpl.colors.is_color_like(artist.get_color()):
      red, green, blue = mpl.colors.to_rgb(artist.get_color())
      if red == green == blue < 0.5:
        artist.set_color(str(1 - red))


def colors() -> Sequence[str]:
  """Returns the colours that the user's own style gives to lines; empty if it gives none."""
  cycle = in_use().get("axes.prop_cycle")
  return cycle.by_key().get("color", ()) if cycle is not None else ()


# Matplotlib's diverging colours, whose middle is neutral; a reversed map has "_r" behind its name.
_SIGNED = {"PiYG", "PRGn", "BrBG", "PuOr", "RdGy", "RdBu", "RdYlBu", "RdYlGn", "Spectral", "coolwarm", "bwr", "seismic"}
_SIGNED |= {"berlin", "managua", "vanimo"}


def signed_colors() -> str | None:
  """Returns the colours that the user's own style gives to maps that change at 0, if its `image.cmap` diverges."""
  found = str(in_use().get("image.cmap", ""))
  return found if found.removesuffix("_r") in _SIGNED else None


def figure_size() -> tuple[float, float] | None:
  """Returns the width and height in inches that the user's own style gives to figures, if it gives one."""
  size = in_use().get("figure.figsize")
  return (float(size[0]), float(size[1])) if size is not None else None
