"""Claims on gates and memory: whether the LSTM's factor is 0 or 1, what gates remember, and how far back an RNN reaches."""

from collections.abc import Sequence

import jax
import numpy as np
import xarray as xr

from analysis import wording
from analysis.claims.finding import CONDITIONAL, FAILS, HOLDS, Claim, Finding, of_cases, places
from analysis.figure import Datasets
from analysis.style import cell_style
import recurrent_lab as rl

FEW_STEPS = 20  # an RNN that reaches back fewer steps than these reaches back "a few steps"
BIASES = (0.0, 1.0, 2.0)
CELLS, CLOSED_AND_OPEN = ("rnn", "lstm", "gru"), (0.0, 4.0)  # forget biases between which the reach is compared


def zero_or_one(data: Datasets) -> Finding:
  """Holds if more than 90 % of the factors lie within 0.1 of 0 or 1 in all settings."""
  factors = data["zero_or_one"].isel(cell=0)
  share = (factors.share_near_zero + factors.share_near_one).squeeze(drop=True)
  mean = share.mean("seed")
  best = mean.where(mean == mean.max(), drop=True).squeeze()
  usual = share.sel(input_scale=1.0, forget_bias=0.0)
  close = mean.stack(setting=("forget_bias", "input_scale")).dropna("setting")
  good = close.where(close > 0.9, drop=True)
  named = [f"b_f = {float(one.forget_bias):g} and input scale {float(one.input_scale):g}" for one in good]
  return Finding(
    f"within 0.1 of 0 or 1: {wording.mean(usual)} of the factors at b_f = 0 and input scale 1; at best {float(mean.max()):.2f} "
    f"(b_f = {float(best.forget_bias):g}, scale {float(best.input_scale):g}), at worst {float(mean.min()):.2f}",
    *_of_settings(named, int(close.size)),
  )


def _of_settings(named: Sequence[str], tried: int) -> tuple[str, str]:
  """The verdict and its condition, given the settings in which more than 90 % of the factors are near 0 or 1."""
  if len(named) == tried:
    return HOLDS, ""
  if not named:
    return FAILS, ""
  said = f"more than 90 % of the factors are near 0 or 1 in {len(named)} of {tried} settings: {places(named)}"
  return CONDITIONAL, said


def _memory(data: Datasets, cell: str, bias: float) -> xr.DataArray:
  """The memory lengths `[seed]` of a cell at W_s = 1, in steps."""
  result = data["forget_bias"].memory_length.sel(cell=cell, norm="spectral", ws=1.0, forget_bias=bias)
  return result.squeeze(drop=True)


def lstm_remembers(data: Datasets) -> Finding:
  """Holds if the LSTM's memory is more than twice the RNN's in every seed, at all forget biases."""
  rnn = _memory(data, "rnn", 0.0)
  lengths = {bias: _memory(data, "lstm", bias) for bias in BIASES}
  longer = {f"at b_f = {bias:g}": bool((lstm > 2 * rnn).all()) for bias, lstm in lengths.items()}
  return of_cases(
    f"memory length in steps at W_s = 1: RNN {wording.mean(rnn)}; LSTM "
    + ", ".join(f"{wording.mean(length)} (b_f = {bias:g})" for bias, length in lengths.items())
    + "; at least twice the RNN's is asked for",
    longer,
  )


def _parameters(name: str) -> int:
  """The number of parameters of a cell with 16 inputs and 64 units, without drawing them."""
  drawn = jax.eval_shape(lambda key: rl.get_cell(name).init(key, 16, 64), jax.random.key(0))
  return sum(leaf.size for leaf in jax.tree.leaves(drawn))


def gru_is_simpler(data: Datasets) -> Finding:
  """Holds if the GRU has fewer parameters than the LSTM, and a memory length within a factor of 2 of the LSTM's."""
  gru, lstm = (_parameters(name) for name in ("gru", "lstm"))
  ratios = {bias: _memory(data, "gru", bias) / _memory(data, "lstm", bias) for bias in BIASES}
  alike = {f"at b = {bias:g}": bool(((ratio > 0.5) & (ratio < 2)).all()) for bias, ratio in ratios.items()}
  return of_cases(
    f"{gru / lstm:.2f} of the LSTM's parameters; ratio of memory lengths "
    + ", ".join(f"{wording.mean(ratio)} (b = {bias:g})" for bias, ratio in ratios.items())
    + "; alike means within a factor of 2",
    alike if gru < lstm else {"": False},
  )


def _reach(data: Datasets) -> tuple[xr.DataArray, int]:
  """The lag at which ‖∂L_T/∂S_k‖ has fallen to 1 % of its value at lag 0, and the largest lag, which stands for never."""
  adjoint = data["forget_bias"].log_adjoint_norm.sel(ws=1.0).squeeze(drop=True)
  most = adjoint.sizes["lag"] - 1
  small = adjoint - adjoint.isel(lag=0) < np.log(0.01)
  return xr.where(small.any("lag"), small.argmax("lag"), most), most


def few_steps_back(data: Datasets) -> Finding:
  """Holds if the gradient falls to 1 % within a few steps, for the RNN and for gated cells at both forget biases."""
  reach, most = _reach(data)
  at = lambda cell, bias: reach.sel(cell=cell, forget_bias=bias)
  is_few = lambda cell, bias: bool((at(cell, bias) < FEW_STEPS).all())
  steps = "; ".join(
    f"{cell_style(cell).label} {', '.join(wording.mean(at(cell, bias)) for bias in CLOSED_AND_OPEN)}" for cell in CELLS
  )
  told = f"steps until 1 % is left (b_f = 0, 4): {steps} (of {most} at most; few means fewer than {FEW_STEPS})"
  if not is_few("rnn", 0.0):
    return Finding(told, FAILS)
  gated = [(cell, bias) for cell in CELLS[1:] for bias in CLOSED_AND_OPEN]
  cases = {f"for the {cell_style(cell).label} at b_f = {bias:g}": is_few(cell, bias) for cell, bias in gated}
  return of_cases(told, {"for the RNN": True, **cases})


CLAIMS = (
  Claim(6, "The simplified LSTM's factor is 0 or 1.", "tanh′·σ(W_f X + b_f) ≈ 0 or 1", ("zero_or_one",), zero_or_one),
  Claim(7, "So the LSTM solves the vanishing gradient.", "∏ ∂S_j/∂S_{j-1} ≈ 1", ("forget_bias",), lstm_remembers),
  Claim(9, "The GRU is simpler and remembers alike.", "h = (1−z)⊗n + z⊗h", ("forget_bias",), gru_is_simpler),
  Claim(12, "In practice an RNN reaches back a few steps.", "‖∂L_T/∂S_k‖", ("forget_bias",), few_steps_back),
)
