"""Progress of a launch: a bar on a terminal, and in a log a plain line from time to time.

Both say the same: how much of it is done, how fast it goes, and how long it still takes.
"""

from collections.abc import Callable, Iterator
import contextlib
import sys
import time
from typing import Any

from tqdm import tqdm

from sweepkit.words import count, duration, number

LINE_SECONDS = 15  # between two lines of a log


def say(text: str) -> None:
  """A line on stderr, above the bars if there are any."""
  tqdm.write(text, file=sys.stderr)


def status(done: int, total: int, unit: str, rate: float | None, at_most: bool = False) -> str:
  """Such as `96 of 1 200 points, 2.7 points per second, 6 min 49 s left`; the rate is in units per second.

  With `at_most` it is `at most 6 min 49 s left`.
  """
  text = f"{number(done)} of {count(total, unit)}"
  if not rate:
    return text
  speed = f"{number(rate)} {unit}s per second" if rate >= 1 else f"{duration(1 / rate)} per {unit}"
  return f"{text}, {speed}, {'at most ' if at_most else ''}{duration((total - done) / rate)} left"


class _Bar(tqdm):
  """A bar with the words of the plain lines."""

  at_most = False

  @property
  def format_dict(self) -> dict[str, Any]:
    known = super().format_dict
    # tqdm's rate covers the last moments. Units that were done before this launch count for neither rate.
    run = known["n"] - known["initial"]
    rate = known["rate"] or (run / known["elapsed"] if known["elapsed"] and run else None)
    return known | {"status": status(known["n"], known["total"], known["unit"], rate, self.at_most)}


@contextlib.contextmanager
def progress(
  total: int, unit: str, initial: int = 0, inner: bool = False, at_most: bool = False
) -> Iterator[Callable[..., None]]:
  """Shows the progress of something while it runs.

  Args:
    total, unit: number and name of the units to do. Nothing is shown if there are none.
    initial: number of units that were done before.
    inner: whether another bar shows the whole of which this is a part.
    at_most: whether it may end before all units are done.

  Yields:
    `advance(n, label, note)`: n more units are done. The label names them, and the note is added to the status.
  """
  if sys.stderr.isatty():
    layout = "{desc}: {percentage:3.0f} %|{bar:20}| {status}{postfix}"
    shown = _Bar(
      total=total,
      initial=initial,
      unit=unit,
      bar_format=layout,
      position=int(inner),
      leave=False,
      disable=total <= initial,
      dynamic_ncols=True,
    )
    shown.at_most = at_most
    with shown as bar:

      def advance(n: int, label: str = "", note: str = "") -> None:
        if label:
          bar.set_description_str(label, refresh=n == 0)
        if note:
          bar.set_postfix_str(note, refresh=False)
        bar.update(n)

      yield advance
    return

  done, begin = initial, time.monotonic()
  last = begin
  name = ""

  def report(n: int, label: str = "", note: str = "") -> None:
    nonlocal done, last, name
    done, name, now = done + n, label or name, time.monotonic()
    if n and now - last >= LINE_SECONDS and done < total:
      last = now
      say(
        f"{name}: {status(done, total, unit, (done - initial) / (now - begin), at_most)}"
        + (f"; {note}" if note else "")
      )

  yield report
