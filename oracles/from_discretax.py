"""discretax: state space layers in JAX. Their inputs and outputs have one size, so inputs are filled up with zeros to H."""

from collections.abc import Callable, Mapping
from functools import reduce
from importlib import import_module
from typing import Any

import jax
import jax.numpy as jnp

from oracles.oracle import Oracle, by_jax

PACKAGE = "discretax"
SKIP = "The layer's skip connection D x is set to 0, for the lab has none."

Weights = Callable[[Mapping[str, Any]], Mapping[str, Any]]


def mixer(path: str, weights: Weights, *, projected: bool = False, **options: Any) -> Any:
  """Returns the run of a layer of sequences.

  Args:
    path: module and class of the layer.
    weights: `params by field -> arrays of the layer by their path`.
    projected: whether the layer sees the inputs times the lab's input kernel, instead of the inputs filled up.
    **options: those of the layer.
  """
  import equinox as eqx

  module, name = path.split(".")
  kind = getattr(import_module(f"discretax.sequence_mixers.{module}"), name)

  def outputs(params: Mapping[str, Any], xs: Any) -> Any:
    size = params["output_kernel" if "output_kernel" in params else "input_kernel"].shape[1]
    inputs = xs @ params["input_kernel"] if projected else jnp.pad(xs, ((0, 0), (0, size - xs.shape[1])))
    layer = kind(size, key=jax.random.key(0), **options)
    for field, value in weights(params).items():
      layer = eqx.tree_at(lambda layer, field=field: reduce(getattr, field.split("."), layer), layer, value)
    return layer(inputs, key=jax.random.key(0))

  return by_jax(outputs)


def written(columns: Any, size: int) -> list[Any]:
  """Returns the blocks of an input kernel, transposed and filled up with zeros, `[H, H]` each."""
  return [
    jnp.pad(block.T, ((0, 0), (0, size - block.shape[0])))
    for block in jnp.split(columns, columns.shape[1] // size, axis=1)
  ]


def read(rows: Any) -> tuple[Any, Any]:
  """Returns Re C and Im C from the rows Re C, -Im C, transposed."""
  real, imag = jnp.split(rows, 2)
  return real.T, -imag.T


def lru(p: Mapping[str, Any]) -> Mapping[str, Any]:
  size = p["log_decay"].shape[0]
  b_real, b_imag = written(p["input_kernel"], size)
  c_real, c_imag = read(p["output_kernel"])
  logs = {"nu_log": p["log_decay"], "theta_log": p["log_angle"], "gamma_log": p["log_scale"]}
  return {**logs, "B_re": b_real, "B_im": b_imag, "C_re": c_real, "C_im": c_imag, "D": jnp.zeros(size)}


def s4d(p: Mapping[str, Any]) -> Mapping[str, Any]:
  of_kernel = {
    "C": p["output_real"] + 1j * p["output_imag"],
    "log_dt": p["log_step"],
    "log_a_real": p["log_decay"],
    "A_imag": p["frequency"],
  }
  return {f"kernel.{name}": value for name, value in of_kernel.items()}


def s5(p: Mapping[str, Any]) -> Mapping[str, Any]:
  size = p["log_decay"].shape[0]
  return {
    "Lambda_re": -jnp.exp(p["log_decay"]),
    "Lambda_im": p["frequency"],
    "B": jnp.stack(written(p["input_kernel"], size), axis=-1),
    "C": jnp.stack(read(p["output_kernel"]), axis=-1),
    "D": jnp.zeros(size),
    "log_step": p["log_step"][:, None],
  }


def lin_oss(p: Mapping[str, Any]) -> Mapping[str, Any]:
  size = p["stiffness"].shape[0]
  (b,) = written(p["input_kernel"], size)
  complex_of = lambda real: jnp.stack([real, jnp.zeros_like(real)], axis=-1)
  matrices = {"B": complex_of(b), "C": complex_of(p["output_kernel"].T), "D": jnp.zeros(size)}
  return {**matrices, "A_diag": p["stiffness"], "steps": p["step_logit"]}


REAL = "B and C are complex; their imaginary parts are set to 0, as in the paper."

ORACLES = (
  Oracle("lru", PACKAGE, "LRUSequenceMixer", mixer("lru.LRUSequenceMixer", lru, state_dim=4), (SKIP,)),
  Oracle(
    "s4d",
    PACKAGE,
    "S4DSequenceMixer",
    mixer("s4d.S4DSequenceMixer", s4d, projected=True, state_dim=16),
    ("It convolves by a fast Fourier transform, without the paper's skip connection.",),
  ),
  Oracle(
    "s5",
    PACKAGE,
    "S5SequenceMixer",
    mixer("s5.S5SequenceMixer", s5, state_dim=8),
    (SKIP, "It learns Re Λ and clips it at -1e-4; the lab's Re Λ is -e^a."),
  ),
  Oracle(
    "lin_oss",
    PACKAGE,
    "LinOSSSequenceMixer(discretization='IM')",
    mixer("linoss.LinOSSSequenceMixer", lin_oss, state_dim=4, discretization="IM", damping=False),
    (SKIP, REAL),
  ),
  Oracle(
    "lin_oss_mixed",
    PACKAGE,
    "LinOSSSequenceMixer(discretization='IMEX')",
    mixer("linoss.LinOSSSequenceMixer", lin_oss, state_dim=4, discretization="IMEX", damping=False),
    (SKIP, REAL, "Its default has damping; this is the form without, which is that of the first paper."),
  ),
)
