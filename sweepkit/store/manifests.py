"""Manifests of checkpoints: each holds the SHA-256 of every file of a checkpoint and of itself.

    <folder>/100-1f0c93ab/    the arrays at step 100, under a name that the manifest knows
    <folder>/100.json         the manifest: that name, the checksums, the run's config, the leaves, versions

Nothing here reads an array, so a folder is checked without the library that writes them.
"""

from collections.abc import Mapping
import hashlib
import json
from pathlib import Path
import re
from typing import Any

from sweepkit.points import content_hash
from sweepkit.store.files import CheckpointError

SCHEMA_VERSION = 1

MANIFEST = re.compile(r"([0-9]+)\.json")
_SAVED = re.compile(r"[0-9]+-[0-9a-f]{8}")
ARRAYS = re.compile(r"[0-9]+-[0-9a-f]{8}(\..*)?")  # with a suffix while Orbax is writing it
TEMPORARY = re.compile(r"\.[0-9]+\.json\.[0-9]+\.tmp")


def checksums(folder: Path) -> dict[str, str]:
  files = sorted(path for path in folder.rglob("*") if not path.is_dir())
  return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def encode(manifest: Mapping[str, Any]) -> bytes:
  return json.dumps({**manifest, "sha256": content_hash(manifest)}, indent=1).encode()


def paths(folder: Path) -> list[Path]:
  """The paths of all manifests, newest first."""
  found = [(int(match[1]), path) for path in folder.glob("*") if (match := MANIFEST.fullmatch(path.name))]
  return [path for _, path in sorted(found, reverse=True)]


def check(path: Path) -> dict[str, Any] | str:
  """The manifest of an intact checkpoint, or a sentence that says what is wrong with it.

  Raises:
    CheckpointError: if it is of another schema.
  """
  try:
    content = path.read_bytes()
    manifest = json.loads(content)
    del manifest["sha256"]
    # Not one byte may differ from what was written, not even in white space.
    if content != encode(manifest) or path.name != f"{manifest['step']}.json":
      raise ValueError
  except (OSError, ValueError, KeyError, TypeError):
    return f"{path} is truncated or altered; its checkpoint is passed over."
  if manifest.get("schema_version") != SCHEMA_VERSION:
    raise CheckpointError(
      f"{path} has schema version {manifest.get('schema_version')!r}, but this version reads {SCHEMA_VERSION}; "
      "use another folder."
    )
  if not _SAVED.fullmatch(str(manifest.get("arrays"))):
    return (
      f"{path} names {manifest.get('arrays')!r} as its arrays, which is not allowed; its checkpoint is passed over."
    )
  arrays = path.parent / manifest["arrays"]
  if not arrays.is_dir():
    return f"{arrays} is missing; checkpoint {path} is passed over."
  if links := [entry for entry in (path, arrays, *arrays.rglob("*")) if entry.is_symlink()]:
    return f"{links[0]} is a symbolic link, which is not followed; checkpoint {path} is passed over."
  try:
    found, written = checksums(arrays), manifest["files"]
  except OSError as error:
    return f"{error.filename or arrays} cannot be read ({error.strerror}); checkpoint {path} is passed over."
  wrong = [
    f"{arrays / name} {'is missing' if name not in found else 'is truncated or altered'}"
    for name in written
    if found.get(name) != written[name]
  ] + [f"{arrays / name} does not belong there" for name in found if name not in written]
  return f"{' and '.join(wrong)}; checkpoint {path} is passed over." if wrong else manifest


def inspect(folder: Path) -> tuple[list[int], list[str]]:
  """The steps of all intact checkpoints, newest first, and a sentence for every other one; nothing is changed.

  Raises:
    CheckpointError: if one is of another schema.
  """
  found = [(int(path.stem), check(path)) for path in paths(folder)]
  problems = [manifest for _, manifest in found if isinstance(manifest, str)]
  return [step for step, manifest in found if not isinstance(manifest, str)], problems
