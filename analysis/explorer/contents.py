"""The numbers of the page: random nets in groups of equal sizes, each net with its curves, its spectra and its gates."""

from collections.abc import Iterable, Mapping, Sequence
import math
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from analysis.explorer import statistics
from analysis.explorer.nets import AXES, GATE_FIELDS, Net, nets
from analysis.figure import Datasets
from analysis.style import cell_style
from sweepkit.curves import crossings

SWEEPS = ("recurrent_gain", "tanh_saturation", "forget_bias", "critical_gain", "open_gates")
RECOMMENDED = "atlas"  # its nets start as their authors recommend, whatever their gain
SPECTRA = "lyapunov"
NORMS = ("spectral", "frobenius")
MOST_LAGS = 400  # more could not be told apart on a screen
CLIP = 1.0  # the norm to which the page clips

CURVE, RATE = 3, 6  # decimals of nats, and of nats per step

Json = dict[str, Any]


class Group(NamedTuple):
  """Nets that differ in nothing but the cell and the settings that a reader chooses.

  Attributes:
    recommended: whether they start as their authors recommend.
    settings: what they share.
    nets: at most one per cell and setting.
  """

  recommended: bool
  settings: Mapping[str, Any]
  nets: Mapping[tuple[Any, ...], Net]


def groups(data: Datasets) -> list[Group]:
  """Returns the groups of all sweeps that were run, the largest sequence first. Of equal settings the first sweep counts."""
  found: dict[tuple[Any, ...], dict[tuple[Any, ...], Net]] = {}
  for source in (*SWEEPS, RECOMMENDED):
    for net in nets(source, data[source]) if source in data else ():
      shared = tuple(sorted((k, v) for k, v in net.settings.items() if k not in ("cell", *AXES)))
      chosen = (net.cell, *(float(net.settings[axis]) for axis in AXES))
      found.setdefault((source == RECOMMENDED, shared), {}).setdefault(chosen, net)
  made = [Group(recommended, dict(shared), members) for (recommended, shared), members in found.items()]
  return sorted(made, key=lambda group: (group.recommended, -group.settings["seq_len"], -group.settings["hidden_size"]))


def clipped(log_adjoint: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
  """Clips the gradient with regard to all states S_0 … S_T, taken as one vector, to norm `CLIP`.

  Args:
    log_adjoint: `[seeds, lags]`, ln ‖∂L/∂S‖.

  Returns:
    `[seeds]`, ln of the norm of the whole gradient, and `[seeds, lags]`, ln ‖∂L/∂S‖ after clipping.
  """
  whole = 0.5 * np.logaddexp.reduce(2 * log_adjoint.astype(np.float64), axis=1)
  return whole, log_adjoint - np.maximum(whole - math.log(CLIP), 0)[:, None]


def _band(values: np.ndarray | None, decimals: int, every: int = 1) -> list[statistics.Numbers] | None:
  return None if values is None else [*statistics.band(values[:, ::every], decimals)]


def _norm(net: Net, norm: str, every: int) -> Json:
  """The numbers of one net that depend on the norm."""
  rate = net.along("growth_rate", norm=norm)
  if rate is None:  # it is not finite for any seed
    rate = np.full(net.seeds, np.nan)
  memory = net.along("memory_length", norm=norm)
  if memory is None:
    with np.errstate(divide="ignore"):
      memory = np.where(rate < 0, -1 / rate, np.where(np.isnan(rate), np.nan, np.inf))
  mean, low, high = statistics.band(rate[:, None], RATE)
  length, shortest, longest = statistics.band(memory[:, None], CURVE)
  return {
    "rate": [mean[0], low[0], high[0]],
    "rate_text": statistics.text(rate),
    "memory": [length[0], shortest[0], longest[0]],
    "memory_text": statistics.text(memory),
    "product": _band(net.along("log_norm", norm=norm), CURVE, every),
  }


def _gates(net: Net) -> Json:
  """The activity of every nonlinearity that the cell has, by name."""
  if "mean_value" not in net.arrays:
    return {}
  fields = [field for field in GATE_FIELDS if field in net.arrays]
  found = {}
  for gate in net.labels["gate"].tolist():
    values = {field: net.along(field, gate=gate) for field in fields}
    if values["mean_slope"] is not None:
      found[gate] = {
        field: [statistics.plain(one.mean(0, keepdims=True), 4)[0], statistics.text(one)]
        for field, one in values.items()
        if one is not None
      }
  return found


def _directions(values: np.ndarray) -> list[statistics.Numbers]:
  """The band of a spectrum, without the places that this cell does not have."""
  has = ~np.isnan(values).all(0)
  return [*statistics.band(values[:, has], RATE)]


def _spectra(net: Net, exponents: Net | None) -> list[Json]:
  """The singular values of the product per step, by lag, and the Lyapunov exponents."""
  found = []
  if "log_singular_value" in net.arrays:
    for lag in map(int, net.labels["sv_lag"]):
      values = net.along("log_singular_value", sv_lag=lag)
      if values is not None:
        found.append({"lag": lag, "values": _directions(values / lag), "seeds": net.seeds})
  source = net if "exponent" in net.arrays else exponents
  if source is not None and (values := source.along("exponent")) is not None:
    steps = int(source.settings["seq_len"])
    found.append({"lag": None, "values": _directions(values), "seeds": source.seeds, "steps": steps})
  return found


def net_json(net: Net, exponents: Net | None, every: int) -> Json:
  """Returns everything that the page shows of one net."""
  norms = [norm for norm in NORMS if norm in net.labels["norm"]]
  largest = net.along("largest_exponent")
  adjoint = net.along("log_adjoint_norm")
  made: Json = {
    "cell": net.cell,
    **{axis: float(net.settings[axis]) for axis in AXES},
    "source": net.source,
    "seeds": net.seeds,
    "norms": {norm: _norm(net, norm, every) for norm in norms},
    "exponent": None if largest is None else statistics.text(largest),
    "spectra": _spectra(net, exponents),
    "gates": _gates(net),
  }
  if adjoint is not None:
    whole, after = clipped(adjoint)
    made |= {
      "adjoint": _band(adjoint, CURVE, every),
      "clipped": _band(after, CURVE, every),
      "whole": statistics.text(whole),
    }
  return made


def group_json(group: Group, exponents: Mapping[tuple[Any, ...], Net]) -> Json:
  """Returns a group as the page holds it."""
  every = math.ceil(group.settings["seq_len"] / MOST_LAGS)
  made = [net_json(net, exponents.get(_driven(net)), every) for net in group.nets.values()]
  cells = list(dict.fromkeys(one["cell"] for one in made))
  return {
    "recommended": group.recommended,
    "settings": {name: group.settings[name] for name in ("hidden_size", "input_size", "seq_len", "input")},
    "others": {k: v for k, v in group.settings.items() if k in ("recurrent_init", "bias_scale", "bias")},
    "sources": list(dict.fromkeys(one["source"] for one in made)),
    "every": every,
    "cells": cells,
    "critical": {cell: critical(made, cell) for cell in cells},
    "nets": made,
  }


def critical(made: Sequence[Json], cell: str) -> float | None:
  """Returns the gain at which the growth rate of a cell first crosses 0, at forget bias 0 and input scale 1, or None."""
  line = sorted(
    (one["ws"], one["norms"]["spectral"]["rate"][0])
    for one in made
    if one["cell"] == cell and (one["forget_bias"], one["input_scale"]) == (0.0, 1.0) and "spectral" in one["norms"]
  )
  places = [place for place, _ in line]
  found = crossings(places, [math.nan if rate is None else rate for _, rate in line])
  return round(found[0].before, 3) if found and found[0].before == found[0].after else None


def _driven(net: Net) -> tuple[Any, ...]:
  """The settings of a net without the length and the precision of its run, in which spectra differ from the other sweeps."""
  return tuple(sorted((k, v) for k, v in net.settings.items() if k not in ("seq_len", "x64")))


def styles(cells: Iterable[str]) -> Json:
  """Returns the label, the colour and the dashes of every cell, which are those of the figures."""
  dashes = {"-": [], "--": [6, 3], "-.": [7, 3, 2, 3], ":": [2, 3]}
  looks = {cell: cell_style(cell) for cell in cells}
  return {
    cell: {"label": look.label, "color": look.color, "dash": dashes[look.linestyle]} for cell, look in looks.items()
  }


def all_of(data: Datasets) -> Json:
  """Returns the groups and the looks of their cells."""
  exponents: dict[tuple[Any, ...], Net] = {}
  if SPECTRA in data:
    exponents = {_driven(net): net for net in nets(SPECTRA, data[SPECTRA])}
  made = [group_json(group, exponents) for group in groups(data)]
  return {"groups": made, "cells": styles(dict.fromkeys(cell for group in made for cell in group["cells"]))}


def surface(data: xr.Dataset) -> list[Json]:
  """Returns, per forget bias and input scale, the shares of the simplified LSTM's factors near 0 and near 1."""
  return [
    {
      **{axis: float(net.settings[axis]) for axis in ("forget_bias", "input_scale")},
      "low": statistics.text(net.arrays["share_near_zero"]),
      "high": statistics.text(net.arrays["share_near_one"]),
    }
    for net in nets("zero_or_one", data)
  ]
