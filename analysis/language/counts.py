"""The n-grams beside which language figures show their cells: counted on the same text or task, or not shown."""

from pathlib import Path

import xarray as xr

from analysis.coverage import run_command
from analysis.selection import Unfit, only_axes
from analysis.style import THEORY

LOOK = THEORY | {"marker": "x", "markersize": 4}
SAME = ("corpus", "unit", "vocabulary", "length")  # settings that models and counts must share


def of_task(counts: xr.Dataset | None, task: str) -> xr.DataArray | None:
  """Returns the errors of the n-grams `[order, length, seed]` on a task; None if nothing was counted at all.

  Raises:
    Unfit: if they were counted on other tasks only; the sentence names the command that counts them on this one.
  """
  if counts is None:
    return None
  counts = only_axes(counts, "task", "order", "length").isel(cell=0)
  if task not in counts.task.values:
    command = run_command("ngram_tasks", Path(counts.attrs["source"]).parent, f"--task={task}")
    raise Unfit(counts, f"lacks {task} ({command})")
  return counts.test_error.sel(task=task).dropna("length", how="any").transpose("order", "length", "seed")


def of_text(counts: xr.Dataset | None, data: xr.Dataset) -> xr.DataArray | None:
  """Returns the n-grams' nats per token by order, on the text of the models in `data`; None if nothing was counted at all.

  Raises:
    Unfit: if they were counted on other texts only; the sentence names the command that counts them on this one.
  """
  if counts is None:
    return None
  text = {name: data[name].values.item() for name in SAME}
  chosen = counts
  for name, value in text.items():
    chosen = chosen.expand_dims(name) if name not in chosen.dims else chosen
    if value not in chosen[name].values:
      flags = [f"--{name}={value}" for name, value in text.items()]
      command = run_command("ngram", Path(counts.attrs["source"]).parent, *flags)
      raise Unfit(counts, f"lacks the text of {data.attrs['source']} ({command})")
    chosen = chosen.sel({name: value})
  return only_axes(chosen, "order").isel(cell=0).test_nats
