"""Values of a program or of a file as the texts of flags."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from sweepkit.experiment import Experiment
from sweepkit.named import Named
from sweepkit.options import UsageError
from sweepkit.settings import decimal_texts


def flag_text(value: Any) -> str:
  """A setting of a program as the text of its flag; computed numbers become the decimals that were meant."""
  is_many = isinstance(value, Iterable) and not isinstance(value, str) and getattr(value, "shape", None) != ()
  values = list(value) if is_many else [value]
  plain = [one.item() if hasattr(one, "dtype") else one for one in values]
  if not any(isinstance(one, float) for one in plain):
    return ",".join(map(str, plain))
  dtypes = [one.dtype for one in values if hasattr(one, "dtype")]
  digits = min((np.finfo(dtype).precision for dtype in dtypes if np.issubdtype(dtype, np.floating)), default=15)
  return ",".join(
    decimal_texts(plain, digits) if all(isinstance(one, int | float) for one in plain) else map(str, plain)
  )


def flags_of(experiment: Experiment, name: str, value: Any) -> list[str]:
  """The flags of a setting, whose values may be objects of the user. Groups of settings that go together are several flags.

  Raises:
    UsageError: for an object of the user that cannot be a value of this setting.
  """
  setting = experiment.measure.settings.get(name)
  is_many = isinstance(value, Iterable) and not isinstance(value, str) and getattr(value, "shape", None) != ()
  if name == "seeds" and is_many:
    return [f"--seeds=[{flag_text(value)}]"]
  if name == "zip" and is_many:
    groups = list(value)
    return [f"--zip={flag_text(group)}" for group in ([groups] if groups and isinstance(groups[0], str) else groups)]
  if setting is None or not isinstance(setting.table, Named):
    return [f"--{name}={flag_text(value)}"]
  try:
    return [f"--{name}={setting.table.text(value)}"]
  except ValueError as error:
    raise UsageError(f"--{name}: {error}") from None
