"""The words that a figure carries about its seeds, its notes and its source; and its files, the same bytes when drawn twice."""

from collections.abc import Sequence
from pathlib import Path
import textwrap

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from sweepkit.store.files import make_folder, writing
from sweepkit.words import FEW

SMALL, SMALLEST = 6.0, 4.5  # points: the size of notes, and of the source
LINE, LAST = 7, 5  # points: the height of a line of each
PER_INCH, SMALLEST_PER_INCH = 24, 30  # characters of each size

# How a figure shows its seeds -> what it says of them, for at least five seeds and for fewer.
OVER_SEEDS = {
  "band": ("mean of {}; bands: 95 % interval of the mean", "mean of {}; thin lines: single seeds"),
  "bars": ("mean of {}; bars: 95 % interval of the mean", "mean of {}"),
  "marks": ("mean of {}; bars: 95 % interval of the mean", "all of {}"),
  "mean": ("mean of {}",) * 2,
  "all": ("all of {}",) * 2,
  "seeds": ("median of {}; thin lines: single seeds",) * 2,
  "pooled": ("values of {} together",) * 2,
  "": ("{}",) * 2,
}


def over_seeds(how: str, seeds: str) -> str:
  """Returns `mean of 8 seeds; bands: 95 % interval of the mean`.

  Args:
    how: a key of `OVER_SEEDS`.
    seeds: their number, such as `8 seeds` or `2 to 3 seeds`.
  """
  most = int("".join(character for character in seeds.split(" to ")[-1] if character.isdigit()))
  if most < 2:
    return seeds
  many, few = OVER_SEEDS[how]
  return (many if most >= FEW else few).format(seeds)


def sign(figure: Figure, source: str, notes: Sequence[str] = (), statement: str = "") -> None:
  """Prints the source in small type at the bottom, and above it what a reader needs: a statement, and notes in red."""
  width, points = figure.get_figwidth(), 72 * figure.get_figheight()
  unbroken = source.replace("; ", ";\u00a0").replace(" seed", "\u00a0seed")
  below = textwrap.wrap(f"from {unbroken}", int(width * SMALLEST_PER_INCH), break_on_hyphens=False)
  told, warned = (
    [line for text in texts for line in textwrap.wrap(text, int(width * PER_INCH), break_on_hyphens=False)]
    for texts in ([statement], notes)
  )
  # One line holds both where they fit beside each other.
  is_beside = len(below) == len(told) == 1 and not warned
  is_beside &= len(statement) / PER_INCH + len(below[0]) / SMALLEST_PER_INCH < width - 0.2
  text, red = mpl.rcParams["text.color"], "#A40E26"
  above = [] if is_beside else [*((line, text, "left") for line in told), *((line, red, "right") for line in warned)]
  room = max(0.03, (LAST * len(below) + LINE * len(above) + 1.5 + 2 * is_beside) / points)
  figure.set_layout_engine(ConstrainedLayoutEngine(rect=(0, room, 1, 1 - room)))  # leaves lines for all of it
  place = {"left": 0.005, "right": 0.995}
  put = lambda height, line, side, **look: figure.text(
    place[side], 0.004 + height / points, line, ha=side, va="bottom", **look
  )
  for i, line in enumerate(reversed(below)):
    put(LAST * i, line, "right", fontsize=SMALLEST, alpha=0.55)
  for i, (line, color, side) in enumerate(reversed(above)):
    put(LAST * len(below) + LINE * i, line, side, fontsize=SMALL, color=color, alpha=0.8)
  if is_beside:
    put(0, told[0], "left", fontsize=SMALL, alpha=0.8)


def save(figure: Figure, name: str, source: str, out: Path) -> list[Path]:
  """Writes `<name>.pdf` and `<name>.png` with `source` in their metadata, and returns their paths.

  Raises:
    ResultsError: if they cannot be written.
  """
  make_folder(out)
  paths = [out / f"{name}.pdf", out / f"{name}.png"]
  with writing(out):
    figure.savefig(paths[0], metadata={"Title": name, "Subject": f"Drawn from {source}", "CreationDate": None})
    figure.savefig(paths[1], metadata={"Title": name, "Source": source, "Software": None})
  return paths


def recorded_source(path: Path) -> str:
  """Returns the source that `save` recorded in a PNG; empty if there is no such file or no source in it."""
  from PIL import Image

  try:
    with Image.open(path) as image:
      return str(image.info.get("Source", ""))
  except (OSError, SyntaxError):  # no file, or no image
    return ""
