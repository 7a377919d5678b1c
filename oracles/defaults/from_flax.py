"""Flax: the recurrent cells of linen and of NNX."""

from flax import linen, nnx
import jax
import jax.numpy as jnp
import numpy as np

from oracles.defaults.arrays import side_by_side
from oracles.defaults.statistics import Fields

PACKAGE = "flax"


def of_linen(kind: str):
  """Returns the draws of a cell of linen."""

  def draw(seed: int, inputs: int, units: int) -> Fields:
    cell = getattr(linen, kind)(units)
    x = jnp.zeros((1, inputs))
    params = cell.init(jax.random.key(seed), cell.initialize_carry(jax.random.key(0), x.shape), x)["params"]
    if kind == "SimpleCell":
      return {
        "input_kernel": np.asarray(params["i"]["kernel"]),
        "recurrent_kernel": np.asarray(params["h"]["kernel"]),
        "bias": np.asarray(params["i"]["bias"]),
      }
    gates = "rzn" if kind == "GRUCell" else "ifgo"
    fields = {
      "input_kernel": side_by_side([params[f"i{gate}"]["kernel"] for gate in gates]),
      "recurrent_kernel": side_by_side([params[f"h{gate}"]["kernel"] for gate in gates]),
      "bias": side_by_side([params[f"{'i' if gates == 'rzn' else 'h'}{gate}"]["bias"] for gate in gates]),
    }
    return {**fields, "recurrent_bias": np.asarray(params["hn"]["bias"])} if gates == "rzn" else fields

  return draw


def of_nnx(kind: str):
  """Returns the draws of a cell of NNX."""

  def draw(seed: int, inputs: int, units: int) -> Fields:
    cell = getattr(nnx, kind)(inputs, units, rngs=nnx.Rngs(seed))
    if kind == "LSTMCell":
      return {
        "input_kernel": side_by_side([getattr(cell, name).kernel[...] for name in ("ii", "if_", "ig", "io")]),
        "recurrent_kernel": side_by_side([getattr(cell, f"h{gate}").kernel[...] for gate in "ifgo"]),
        "bias": side_by_side([getattr(cell, f"h{gate}").bias[...] for gate in "ifgo"]),
      }
    biased = cell.dense_h if kind == "OptimizedLSTMCell" else cell.dense_i
    fields = {
      "input_kernel": np.asarray(cell.dense_i.kernel[...]),
      "recurrent_kernel": np.asarray(cell.dense_h.kernel[...]),
      "bias": np.asarray(biased.bias[...]),
    }
    # A GRU of NNX has no bias inside of the reset product.
    return {**fields, "recurrent_bias": np.zeros(units, np.float32)} if kind == "GRUCell" else fields

  return draw


KINDS = ("LSTMCell", "OptimizedLSTMCell", "GRUCell", "SimpleCell")
CLASSES = {f"flax.linen.{kind}": of_linen(kind) for kind in KINDS} | {
  f"flax.nnx.{kind}": of_nnx(kind) for kind in KINDS
}
