"""Checkpoints of a run: Orbax writes the arrays, a manifest vouches for every byte (`manifests.py`). Only this file knows Orbax.

    <folder>/100-1f0c93ab/    what Orbax wrote at step 100: a flat dict, the path of a leaf in the tree -> its array
    <folder>/100.json         the manifest: the directory's name and the SHA-256 of every file in it, the run's config, the
                              leaves with dtypes and shapes, versions, and the SHA-256 of the manifest itself
    <folder>/.lock            held by the process that writes here

Orbax returns an array with a flipped byte without an error, so nothing is read before its checksum matches. The manifest is
written last and atomically: a checkpoint exists when its manifest does, and the directory's random suffix lets the same step
be saved again without touching the old one first. Nothing is pickled.
"""

from collections.abc import Mapping
import functools
from importlib import metadata
import json
import logging
import os
from pathlib import Path
import platform
import re
import secrets
import shutil
import sys
from typing import Any

import jax
from jax import numpy as jnp
import numpy as np

from sweepkit.store import manifests
from sweepkit.store.files import CheckpointError, temporary, write_atomically, writing

# Orbax reports every phase of a save to absl's logger, and its failures with one traceback per thread, though they arrive as
# exceptions too. Other records pass.
logging.getLogger("absl").addFilter(lambda record: f"{os.sep}orbax{os.sep}" not in record.pathname)


def _is_key(leaf: Any) -> bool:
  return hasattr(leaf, "dtype") and jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key)


def _named(tree: Any) -> dict[str, Any]:
  """Path in the tree -> leaf. A path starts with `tree`, so that the path of a lone array is not empty."""
  return {f"tree{jax.tree_util.keystr(path)}": leaf for path, leaf in jax.tree_util.tree_leaves_with_path(tree)}


def _describe(leaf: Any) -> str:
  """Dtype and shape of a leaf, such as float32[3,64]."""
  dtype = leaf.dtype if hasattr(leaf, "dtype") else np.asarray(leaf).dtype
  return f"{dtype}[{','.join(map(str, np.shape(leaf)))}]"


def _to_numpy(name: str, leaf: Any) -> np.ndarray:
  array = np.asarray(jax.random.key_data(leaf) if _is_key(leaf) else leaf)
  if not (jnp.issubdtype(array.dtype, jnp.number) or array.dtype == bool):
    raise CheckpointError(
      f"{name} is {type(leaf).__name__} {leaf!r}; a checkpoint holds numbers, booleans and keys only."
    )
  return array


def _from_numpy(array: np.ndarray, leaf: Any) -> Any:
  """The array as what `leaf` is: a number of Python or NumPy, a NumPy array, a key array or a JAX array."""
  if isinstance(leaf, np.ndarray):
    return array
  if isinstance(leaf, np.generic):
    return array[()]
  if isinstance(leaf, bool | int | float | complex):
    return array.item()
  with jax.enable_x64(True):  # 64 bits stay 64 bits, whatever the caller's precision
    made = jnp.array(array)
    return jax.random.wrap_key_data(made, impl=jax.random.key_impl(leaf)) if _is_key(leaf) else made


def _reason(error: Exception) -> str:
  """Returns the reason of a failed save: the message of the system, or else the first line of the error."""
  if isinstance(cause := error.__cause__ or error, OSError) and cause.strerror:
    return cause.strerror
  if said := re.search(r"([A-Z][\w ,]+) \[os_error_code=", str(error)):
    return said[1]
  return str(error).strip().partition("\n")[0] or type(error).__name__


@functools.cache
def _ignore_writes_after_a_failure() -> None:
  """Drops what TensorStore would print, once for each write that ends after the write that failed has closed Orbax's loop."""
  report = sys.unraisablehook

  def hook(unraisable: Any) -> None:
    is_late = isinstance(unraisable.exc_value, RuntimeError) and str(unraisable.exc_value) == "Event loop is closed"
    if not is_late:
      report(unraisable)

  sys.unraisablehook = hook


def _plain(config: Mapping[str, Any]) -> dict[str, Any]:
  """The config as JSON gives it back."""
  return json.loads(json.dumps(dict(config), allow_nan=False))


def code(folder: Path) -> str | None:
  """The code that the newest intact checkpoint was saved for; None if there is none, or it does not say."""
  manifests_found = (manifests.check(path) for path in manifests.paths(folder))
  return next((found["config"].get("code") for found in manifests_found if not isinstance(found, str)), None)


def _check_config(path: Path, stored: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
  """`_check_equal`, but for the code where either does not say which it is."""
  known = "code" in stored and "code" in wanted
  without = lambda config: {name: value for name, value in config.items() if known or name != "code"}
  _check_equal(path, without(stored), without(wanted))


def _check_equal(path: Path, stored: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
  """Raises a `CheckpointError` that names (up to four) values in which configs or leaves differ."""
  differs = lambda name: name not in stored or name not in wanted or stored[name] != wanted[name]
  if names := [name for name in {**wanted, **stored} if differs(name)]:
    more = f" (and {len(names) - 4} more differences)" if len(names) > 4 else ""
    theirs = " and ".join(f"{name} {stored[name]!r}" if name in stored else f"no {name}" for name in names[:4])
    ours = " and ".join(repr(wanted[name]) if name in wanted else f"no {name}" for name in names[:4])
    raise CheckpointError(f"{path} is a checkpoint of {theirs}, but this run has {ours}{more}; use another folder.")


def _remove_all_but(folder: Path, kept: list[dict[str, Any]]) -> None:
  """Removes every checkpoint but those of the manifests `kept`, and what incomplete saves left. Other files stay."""
  keep = {name for manifest in kept for name in (f"{manifest['step']}.json", manifest["arrays"])}
  entries = [path for path in folder.iterdir() if path.name not in keep]
  for path in sorted(entries, key=Path.is_dir):  # the manifests first: half removed is a leftover, not corrupted
    if path.is_dir():
      if manifests.ARRAYS.fullmatch(path.name):
        shutil.rmtree(path)
    elif manifests.MANIFEST.fullmatch(path.name) or manifests.TEMPORARY.fullmatch(path.name):
      path.unlink()


def _check_room(folder: Path, step: int, arrays: Mapping[str, np.ndarray]) -> None:
  """Reserves and releases the space of a checkpoint: on a full disk each thread of Orbax would print a failure.

  Raises:
    OSError: if there is not enough; nothing is left behind.
  """
  # Measured: the bytes themselves, 36 KiB for a single array, and 0.6 KiB for every other.
  needed = sum(array.nbytes for array in arrays.values()) + 2**10 * len(arrays) + 2**16
  place = temporary(folder / f"{step}.json")
  try:
    with open(place, "wb") as file:
      if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file.fileno(), 0, needed)
  finally:
    place.unlink(missing_ok=True)


def save(folder: Path, step: int, tree: Any, config: Mapping[str, Any], keep: int = 2) -> None:
  """Writes checkpoint `step` and returns when it is on disk; then removes all but the newest `keep` intact ones.

  A process that is killed at any moment leaves earlier checkpoints as they were, and perhaps a leftover that `restore`
  ignores and the next `save` removes. The caller holds the `lock`.

  Args:
    folder: made if it does not exist.
    step: 0 or more, and no less than that of any intact checkpoint in the folder; an equal one is replaced.
    tree: a pytree of arrays, typed keys and numbers.
    config: plain data that says which run this is; it has no NaN. Its `code`, if it has one, is that of the run.
    keep: 1 or more.

  Raises:
    CheckpointError: if a value is not allowed, or the folder belongs to a run with another config or is ahead of `step`;
      or if it cannot be written, as on a full disk.
  """
  step = int(step)
  if step < 0 or keep < 1:
    raise CheckpointError(f"step {step} and keep {keep} are not allowed; step must be 0 or more and keep 1 or more.")
  settings, leaves = _plain(config), _named(tree)
  arrays = {name: _to_numpy(name, leaf) for name, leaf in leaves.items()}
  filled = {name: array for name, array in arrays.items() if array.size}  # Orbax refuses arrays of size 0
  if not filled:
    raise CheckpointError(f"The tree for {folder} holds no values; give one with at least one array that is not empty.")
  with writing(folder, CheckpointError):
    folder.mkdir(parents=True, exist_ok=True)
  intact = [manifest for path in manifests.paths(folder) if not isinstance(manifest := manifests.check(path), str)]
  for manifest in intact:
    path = folder / f"{manifest['step']}.json"
    _check_config(path, manifest["config"], settings)
    if manifest["step"] > step:
      raise CheckpointError(f"{path} is ahead of step {step}; restore it, or use another folder.")
  _remove_all_but(folder, intact)  # before writing, so that leftovers of saves on a full disk do not pile up
  made: dict[str, Any] = {
    "schema_version": manifests.SCHEMA_VERSION,
    "step": step,
    "config": settings,
    "arrays": f"{step}-{secrets.token_hex(4)}",
    "leaves": {name: _describe(leaf) for name, leaf in leaves.items()},
    "versions": {"python": platform.python_version()}
    | {name: metadata.version(name) for name in ("jax", "jaxlib", "numpy", "orbax-checkpoint")},
  }
  try:
    _check_room(folder, step, filled)
    _ignore_writes_after_a_failure()
    import orbax.checkpoint as ocp

    with ocp.Checkpointer(ocp.PyTreeCheckpointHandler()) as orbax:
      orbax.save((folder / made["arrays"]).absolute(), args=ocp.args.PyTreeSave(filled))
    made["files"] = manifests.checksums(folder / made["arrays"])
    write_atomically(folder / f"{step}.json", manifests.encode(made))
  except Exception as error:  # a full disk raises exceptions of Orbax, of its stores or of the system
    raise CheckpointError(
      f"checkpoint {step} of {folder} cannot be written ({_reason(error)}); those before it are kept: make room and run it again."
    ) from error
  _remove_all_but(folder, [made, *(manifest for manifest in intact if manifest["step"] != step)][:keep])


def restore(folder: Path, like: Any, config: Mapping[str, Any]) -> tuple[int, Any, list[str]] | None:
  """The newest intact checkpoint: its step, its tree, and a sentence for every corrupted one that was passed over.

  The tree has the structure of `like`, and its leaves the kinds, dtypes and shapes of those of `like`, bit for bit as they
  were saved. Only a weak type becomes strong. None if the folder holds no checkpoint.

  Raises:
    CheckpointError: if the checkpoint is of another config or schema, or does not fit `like`; or if all are corrupted.
  """
  settings, leaves = _plain(config), _named(like)
  problems = []
  for path in manifests.paths(folder):
    manifest = manifests.check(path)
    if isinstance(manifest, str):
      problems.append(manifest)
      continue
    _check_config(path, manifest["config"], settings)
    _check_equal(path, manifest["leaves"], {name: _describe(leaf) for name, leaf in leaves.items()})
    import orbax.checkpoint as ocp

    with ocp.Checkpointer(ocp.PyTreeCheckpointHandler()) as orbax:
      arrays = orbax.restore((folder / manifest["arrays"]).absolute(), args=ocp.args.PyTreeRestore())
    # What is empty was not stored, and equals its counterpart in `like`.
    values = [_from_numpy(arrays[name], leaf) if name in arrays else leaf for name, leaf in leaves.items()]
    return manifest["step"], jax.tree.unflatten(jax.tree.structure(like), values), problems
  if problems:
    raise CheckpointError(f"{folder} holds no intact checkpoint; remove it to start again. {' '.join(problems)}")
  return None
