"""Cells of the user under a portrait: any `Cell` runs, its options are axes, and it is measured as it is anywhere else."""

import math
from typing import Annotated, Literal

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments import adding, atlas, critical_gain, online_learning, recurrent_gain
from experiments.portrait import SETTINGS, draw, net_of
from experiments.portrait.own import TABLE, cell_of, settings_of_own
import recurrent_lab as rl
from recurrent_lab.options import own_options, shared_options
from sweepkit import Experiment, Measure, ResultsError, UsageError, plan, store, sweep

Time = Annotated[float, rl.Option("time constant", "steps", lambda tau: tau > 1, "above 1")]


def init(key, input_size, hidden_size, tau: Time = 4.0, share=0.5, units: int = 1, mode: Literal["a", "b"] = "a"):
  """Cuts the first units off by a shape, so that `share` cannot be traced."""
  off = int(share * hidden_size)
  return {"keep": (1 - 1 / jnp.asarray(tau)) * jnp.ones(hidden_size), "open": jnp.ones(hidden_size - off)}


def initial_state(params, batch_shape=()):
  return jnp.zeros((*batch_shape, *params["keep"].shape))


def step(params, state, x):
  new = params["keep"] * state + jnp.sum(x, axis=-1, keepdims=True)
  return new, new[..., : params["open"].shape[0]]


decay = rl.Cell(init, initial_state, step)
without_inputs = rl.Cell(init, initial_state, lambda params, state: (state, state))


def made(rate: float = 0.25, is_open: bool = True) -> rl.Cell:
  return rl.cells.leaky_rnn(rate) if is_open else decay


SMALL = {"hidden_size": 4, "input_size": 2, "seq_len": 12, "seeds": 1}


def last_output(static, key, values):
  params, xs, state, _ = draw(static, key, values)
  return {"last": jnp.sum(rl.unroll(cell_of(static), params, xs, state)[1][-1])}


LAST = Experiment("last_output", "The last output.", Measure(last_output, settings=SETTINGS, dims={"last": ()}))


def test_options_are_those_of_the_signature():
  assert shared_options(decay) == ()
  assert shared_options(rl.get_cell("leaky_rnn")) == rl.get_cell("leaky_rnn").options
  assert {name: (one.kind, one.default) for name, one in own_options(decay).items()} == {
    "tau": (float, 4.0),
    "share": (float, 0.5),
    "units": (int, 1),
    "mode": (str, "a"),
  }
  assert own_options(rl.stack(decay, rl.dropout(decay))) == own_options(decay)
  assert own_options(rl.stack(decay, rl.rnn())) == {}
  assert shared_options(rl.stack(rl.rnn(), decay)) == ()
  assert set(own_options(rl.get_cell("lru"))) == {
    "min_radius",
    "max_radius",
    "max_angle",
  }  # those of the lab's cells too
  assert TABLE.text(decay) == f"{__name__}:decay"
  name = TABLE.find(TABLE.text(decay))
  assert {name for name, one in settings_of_own(name).items() if one.traced} == {"tau"}
  assert settings_of_own(name, may_trace=False)["tau"].traced is False


def test_an_own_cell_decays_at_its_own_rate(tmp_path):
  """J = (1 - 1/τ) I, so the growth rate is ln(1 - 1/τ)."""
  data = sweep(critical_gain.EXPERIMENT, cells=decay, tau=[2, 4, 8], share=0.25, ws=1, **SMALL, out=tmp_path)
  assert data.cell.values.tolist() == ["decay"]
  rates = data.growth_rate.sel(norm="spectral").squeeze().transpose("tau").values
  np.testing.assert_allclose(rates, [math.log(1 - 1 / tau) for tau in (2, 4, 8)], rtol=1e-5)
  assert (data.tau.attrs["units"], data.tau.attrs["long_name"]) == ("steps", "time constant")


def test_a_number_that_one_cell_cannot_trace_is_traced_for_none(tmp_path):
  """Both cells have `share`, and one of them only computes with it."""
  other = rl.Cell(lambda key, i, h, share=0.5: {"keep": share * jnp.ones(h), "open": jnp.ones(h)}, initial_state, step)
  data = sweep(LAST, cells={"cut": decay, "computed": other}, share=[0.25, 0.5], **SMALL, out=tmp_path)
  assert settings_of_own("computed")["share"].traced
  assert not settings_of_own("cut")["share"].traced
  assert data.attrs["present"] == 4
  assert data["last"].sel(cell="computed").squeeze().notnull().sum() == 2
  np.testing.assert_array_equal(net_of(data.sel(cell="computed", share=0.25)).params["keep"], 0.25 * np.ones(4))


@pytest.mark.parametrize(
  ("flags", "message"),
  [
    (["--tau=1"], "--tau: 1.0 is not allowed; it must be above 1."),
    (["--mode=c"], "--mode: 'c' is not allowed; it must be one of a, b."),
    (["--units=1.5"], "--units: '1.5' is not a whole number."),
    (["--ws=2"], "Cell 'decay' has no ws, which is 2.0; it has none of these settings."),
    (["--gain=2"], "The values of --cells bring tau, share, units, mode."),
  ],
)
def test_what_an_own_cell_cannot_have_is_refused(flags, message):
  with pytest.raises(UsageError) as error:
    plan.parse(recurrent_gain.EXPERIMENT, [f"--cells={__name__}:decay", "--ws=1", *flags])
  assert message in str(error.value)


@pytest.mark.parametrize("study", [recurrent_gain, adding])
def test_a_step_that_takes_other_arguments_is_refused_by_every_sweep(study):
  with pytest.raises(UsageError, match=r"Cell .*without_inputs': .* takes 2 positional arguments but 3 were given"):
    plan.parse(study.EXPERIMENT, [f"--cells={__name__}:without_inputs"])


def test_a_function_that_makes_cells_has_its_arguments_as_settings():
  asked = plan.parse(
    recurrent_gain.EXPERIMENT, [f"--cells={__name__}:made", "--ws=1", "--rate=0.1,0.2", "--is_open=True"]
  )
  assert [cell_of(point) for point in asked.points[::8]] == [rl.cells.leaky_rnn(0.1), rl.cells.leaky_rnn(0.2)]
  with pytest.raises(UsageError, match=r"Cell 'made': rate is 2.0; it must lie in \(0, 1\]."):
    plan.parse(recurrent_gain.EXPERIMENT, [f"--cells={__name__}:made", "--ws=1", "--rate=2", "--is_open=True"])
  with pytest.raises(UsageError, match=r"Cell 'decay' is not allowed here; .* or declare its halves."):
    plan.parse(online_learning.EXPERIMENT, [f"--cells={__name__}:decay", "--ws=1"])
  with pytest.raises(
    UsageError, match="a function that makes cells has a default for every argument, but params has none"
  ):
    plan.parse(recurrent_gain.EXPERIMENT, [f"--cells={__name__}:step"])


def test_portraits_need_neither_a_probe_nor_an_output_of_every_unit():
  """The shapes that the whole portrait and the atlas declare are those of what they measure."""
  for study in (recurrent_gain.EXPERIMENT, atlas.EXPERIMENT):
    point = plan.parse(
      study, [f"--cells={__name__}:decay", "--ws=1", "--hidden_size=4", "--seq_len=8", "--seeds=1"]
    ).points[0]
    static = point.without("seed", "ws", "input_scale", "bias_scale", "bias", "forget_bias", "tau")
    traced = dict.fromkeys(("ws", "input_scale", "bias_scale", "bias", "forget_bias", "tau"), jnp.ones(()))
    found = jax.eval_shape(
      lambda key, static=static, run=study.measure.run, v=traced: run(static, key, v), jax.random.key(0)
    )
    labels = study.measure.coords(static)
    assert labels["gate"] == []
    assert {name: a.shape for name, a in found.items()} == {
      name: tuple(len(labels[axis]) for axis in axes) for name, axes in study.measure.dims.items()
    }


def test_the_net_of_a_stored_point_is_the_one_that_was_measured(tmp_path):
  """Its last output is the stored one, for a cell of the lab and for one with options of its own, in both precisions."""
  data = sweep(LAST, cells=[decay, "rnn"], tau=[2, 8], **SMALL, out=tmp_path)
  exact = sweep(LAST, cells=decay, **SMALL, out=tmp_path / "exact", x64=True)
  # The RNN has no τ; the dataset shows it at the default.
  points = [data.sel(cell="decay", tau=8), data.sel(cell="rnn", tau=4), exact]
  for point, precision in zip(points, (1e-5, 1e-5, 1e-12), strict=True):
    cell, params, xs, state = net_of(point)
    assert xs.shape == (12, 2)
    assert xs.dtype == (np.float64 if precision < 1e-6 else np.float32)
    with jax.enable_x64(precision < 1e-6):
      for x in xs:
        state, output = cell.step(params, state, x)
    np.testing.assert_allclose(np.asarray(output).sum(), point["last"].values.item(), rtol=precision)
  chosen = store.point_of(points[0])
  with pytest.raises(ResultsError, match=r"The selection holds 2 values of cell; select one, as by data.sel"):
    net_of(data.sel(tau=4))
  with pytest.raises(ValueError, match=r"'unknown' is a cell of your own; pass it too: net_of\(point, cell=unknown\)"):
    net_of({**chosen, "cell": "unknown"})
  assert net_of({**chosen, "cell": "under_another_name"}, cell=decay).cell is decay
