"""The sweeps over gain, forget bias and timescale on the cards, with the mean field of the cells that have one."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import xarray as xr

from analysis.atlas._entries import NONE, NOT_MEASURED, Entry, entry
from analysis.atlas._kinds import label
from analysis.atlas._pictures import Picture, rates
from analysis.atlas._theory import mean_field
from analysis.atlas.critical_gain import crossings
from analysis.figure import Datasets
from analysis.selection import Unfit, only_axes
from analysis.wording import short

#: experiment -> its axis, and the title of its picture
AXES: Mapping[str, tuple[str, str]] = {
  "critical_gain": ("ws", "growth rate by gain (nats per step)"),
  "open_gates": ("forget_bias", "growth rate by forget bias, at gain 1 (nats per step)"),
  "timescales": ("timescale", "log₁₀ |growth rate| by log₂ timescale, at gain 1"),
}
#: Axis -> the range of its picture, where that is not the usual one.
REACH: Mapping[str, tuple[float, float]] = {"timescale": (-6, 1)}


class Sweep(NamedTuple):
  """The growth rates of the spectral norm along one axis, or their logarithms along that of a timescale."""

  axis: str
  title: str
  rate: xr.DataArray  # [cell, seed, axis], nats per step
  theory: xr.DataArray | None  # [cell, axis]


class Sweeps(NamedTuple):
  """All sweeps that were run, and why a theory is not shown."""

  found: Mapping[str, Sweep]
  notes: Sequence[str]

  def numbers(self, cell: str) -> dict[str, Entry]:
    """Returns the critical gain, the growth rate at gain 1 with Gaussian kernels, and its mean field."""
    if "critical_gain" not in self.found:
      return {}
    _, _, rate, theory = self.found["critical_gain"]
    if cell not in rate.cell or 1.0 not in rate.ws:
      return dict.fromkeys(("critical_gain", "gaussian", "mean_field"), NONE if 1.0 in rate.ws else NOT_MEASURED)
    one = rate.sel(cell=cell)
    at_one = entry(one.sel(ws=1.0, drop=True))
    has_theory = theory is not None and cell in theory.cell
    predicted = entry(theory.sel(cell=cell, ws=1.0, drop=True)) if has_theory and theory is not None else NONE
    return {"critical_gain": _critical(crossings(one), one.ws.values), "gaussian": at_one, "mean_field": predicted}

  def pictures(self, cell: str) -> list[Picture]:
    """Returns a picture for each sweep that has this cell."""
    return [
      rates(
        one.title,
        f"{one.title.partition(' (')[0]} of {label(cell)}",
        one.rate.sel(cell=cell),
        one.axis,
        one.theory.sel(cell=cell) if one.theory is not None and cell in one.theory.cell else None,
        REACH.get(one.axis, (-2, 1)),
      )
      for one in self.found.values()
      if cell in one.rate.cell
    ]


def _critical(found: xr.DataArray, gains: np.ndarray) -> Entry:
  """The critical gain `[seed]`; 0 stands for one below the gains of the sweep, and infinity for one above them."""
  if np.isfinite(found).all() and (found > 0).all():
    return entry(found)
  ordered = np.sort(found.values)
  low, middle, high = (float(ordered[i]) for i in (0, (ordered.size - 1) // 2, -1))
  text = lambda gain: (
    f"above {short(gains[-1])}" if np.isinf(gain) else short(gain) if gain else f"below {short(gains[0])}"
  )
  return Entry(middle, text(middle) if low == high else f"{text(middle)} ({text(low)} to {text(high)})")


def sweeps(datasets: Datasets) -> Sweeps:
  """Returns the sweeps that were run."""
  found, notes = dict[str, Sweep](), list[str]()
  for name, (axis, title) in AXES.items():
    if name not in datasets:
      continue
    data = only_axes(datasets[name], axis)
    try:
      theory = mean_field(datasets, axis, data)
    except Unfit as unfit:
      theory = None
      notes.append(str(unfit))
    rate = data.growth_rate.sel(norm="spectral", drop=True).transpose("cell", "seed", axis)
    if axis == "timescale":  # a rate in slower time is a line of slope -log₁₀ 2 in this picture
      rate = np.log10(np.abs(rate)).assign_coords(timescale=np.log2(rate.timescale))
    found[name] = Sweep(axis, title, rate, theory)
  return Sweeps(found, notes)
