"""Statistics of drawn weights: moments of the entries, and singular values by block of a gate."""

from collections.abc import Iterable, Mapping

import numpy as np

Fields = Mapping[str, np.ndarray]  # input_kernel [I, kH], recurrent_kernel [H, kH], bias [kH], maybe recurrent_bias [H]

INPUTS, UNITS = 24, 32  # differ, so that a scale by the wrong one of both is seen
DRAWS = 64
GATES = {1: "h", 3: "rzn", 4: "ifgo"}


def moments(values: np.ndarray) -> dict[str, float]:
  """Returns the mean, the mean square, the mean fourth power and the largest absolute value."""
  values = values.astype(np.float64)
  powers = {"mean": values.mean(), "mean square": (values**2).mean(), "fourth power": (values**4).mean()}
  return {**powers, "largest": np.abs(values).max()}


def spread(kernel: np.ndarray) -> dict[str, float]:
  """Returns the largest, the middle and the smallest singular value."""
  values = np.linalg.svd(kernel.astype(np.float64), compute_uv=False)
  return {"first σ": values[0], "middle σ": values[len(values) // 2], "last σ": values[-1]}


def statistics(fields: Fields) -> dict[str, float]:
  """Returns all statistics of one draw by name, such as `recurrent_kernel f mean square`."""
  units = fields["recurrent_kernel"].shape[0]
  gates = GATES[fields["recurrent_kernel"].shape[1] // units]
  found = {}
  for field, values in fields.items():
    names = gates if values.shape[-1] == len(gates) * units else "n"
    for gate, block in zip(names, np.split(values, len(names), axis=-1), strict=True):
      found.update({f"{field} {gate} {name}": value for name, value in moments(block).items()})
      if field == "recurrent_kernel":
        found.update({f"{field} {gate} {name}": value for name, value in spread(block).items()})
  both = np.concatenate([fields["input_kernel"], fields["recurrent_kernel"]])
  wholes = {"recurrent_kernel": fields["recurrent_kernel"], "both kernels": both}
  if len(gates) > 1:
    wholes.update(
      {f"both kernels {gate}": block for gate, block in zip(gates, np.split(both, len(gates), axis=1), strict=True)}
    )
  for name, kernel in wholes.items():
    found.update({f"{name} {value}": number for value, number in spread(kernel).items()})
  return {name: float(value) for name, value in found.items()}


def summary(draws: Iterable[Fields]) -> dict[str, tuple[float, float]]:
  """Returns the mean of every statistic over draws, and its standard error."""
  rows = [statistics(fields) for fields in draws]
  table = {name: np.array([row[name] for row in rows]) for name in rows[0]}
  return {name: (float(v.mean()), float(v.std(ddof=1) / np.sqrt(v.size))) for name, v in table.items()}
