"""Curves of the scaling benchmark, and their figure."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from analysis import style
from benchmarks.results import Result, exponent, timed

LOOKS = {"hidden": ("#0072B2", "s", "-"), "steps": ("#D55E00", "o", "--"), "points": ("#009E73", "^", "-.")}
TITLES = {"bptt": "Value and gradient, LSTM", "products": "Products by lag, RNN", "spectra": "Spectra, RNN"}


def curve(result: Result) -> tuple[list[int], list[float]]:
  """Increasing sizes, and the median seconds of each."""
  points = sorted((int(name), one["median"]) for name, one in timed(result, "lab"))
  return [size for size, _ in points], [seconds for _, seconds in points]


def _draw_work(panel: Any, work: str, results: Sequence[Result]) -> None:
  for r in results:
    (sizes, seconds), along = curve(r), r["settings"]["along"]
    color, marker, linestyle = LOOKS[along]
    label = f"{along}, exponent {exponent(sizes, seconds):.2f}"
    times = [1000 * value for value in seconds]
    panel.loglog(sizes, times, label=label, color=color, marker=marker, linestyle=linestyle)
  panel.set_title(TITLES[work], loc="left")
  panel.set(xlabel="size", ylabel="milliseconds")
  panel.legend(loc="upper center", bbox_to_anchor=(0.5, -0.28))  # below the panel, because curves fill every corner


def draw(results: Sequence[Result], out: Path) -> Path:
  """Writes growth.png, with a panel per work and a line per size that grows. Returns its path."""
  works = [work for work in TITLES if any(r["settings"]["work"] == work for r in results)]
  with style.settings():
    figure, axes = style.new_figure(style.PAGE, 2.9, columns=len(works))
    for panel, work in zip(axes[0], works, strict=True):
      _draw_work(panel, work, [r for r in results if r["settings"]["work"] == work])
    style.letter_panels(figure)
    out.mkdir(parents=True, exist_ok=True)
    path = out / "growth.png"
    figure.savefig(path, dpi=200, metadata={"Title": "growth", "Software": None})
  return path
