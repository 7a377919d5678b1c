"""Input that must be refused in one sentence: other schemas, and names that lead out of the results folder."""

from collections.abc import Callable, Sequence
import contextlib
import functools
import io
import json
from pathlib import Path
import shutil

import numpy as np

from reliability import contents, trials
from reliability.trials import Outcome
from sweepkit import merge, store, verify
from sweepkit.points import content_hash

CONTROL_CHARACTERS = ("a\nb", "a\0b", "a\x1b[2Jb", "a\x7fb")


def _to_schema_0(path: Path) -> None:
  """Changes a block or a checkpoint to schema 0, with a valid checksum."""
  meta = json.loads(path.read_text()) | {"schema_version": 0}
  del meta["sha256"]
  path.write_text(json.dumps(meta | {"sha256": content_hash(meta)}, indent=1))


def _without_checksums(journal: Path) -> None:
  """Changes a journal to the earlier form, whose rows have no checksum."""
  rows = [json.loads(line) for line in journal.read_text().splitlines()]
  rows = [{name: value for name, value in row.items() if name != "sha256"} for row in rows]
  journal.write_text("".join(json.dumps(row, separators=(",", ":")) + "\n" for row in rows))


def _error(action: Callable[[], object]) -> str:
  """Message of the `ResultsError` that an action raises, or "" if it raises none."""
  try:
    action()
  except store.ResultsError as error:
    return str(error)
  return ""


def _outcome(checks: Sequence[tuple[str, bool]], *, passes: bool = True) -> Outcome:
  """Result of a list of (what is tried, whether it ended as promised)."""
  failures = [what for what, is_right in checks if not is_right]
  return Outcome(len(checks), len(checks) - len(failures) if passes else 0, {}, failures)


def other_schemas(work: Path, tries: int, rng: np.random.Generator) -> Outcome:
  """Reads a block and a checkpoint of schema 0, and journals whose rows have no checksum."""
  for arguments in (trials.SHORT, trials.SHORT_TRAIN):
    for out in (work / "a", work / "b"):
      trials.in_process(arguments, out)
  wanted = contents.numbers(work / "a")
  checks = _schema_0_checks(work / "a")
  for path in (work / "b").rglob("*.jsonl"):
    _without_checksums(path)
  store.remove_block(next((work / "b" / trials.folder_of(trials.SHORT_TRAIN)).glob("*.json")))
  code, _ = trials.in_process(trials.SHORT_TRAIN, work / "b")
  states = lambda found: {name: value for name, value in found.items() if "dynamics" not in name}
  is_same = states(contents.numbers(work / "b")) == states(wanted)
  return _outcome([*checks, ("journals without checksums", code == 0 and is_same)])


def _schema_0_checks(out: Path) -> list[tuple[str, bool]]:
  block = next((out / trials.folder_of(trials.SHORT)).glob("*.json"))
  _to_schema_0(block)
  code, said = trials.in_process(trials.SHORT, out)
  checks = [("a block, by the launch", code == 2 and f"{block} has schema version 0" in said)]
  checks.append(("a block, by load_results", str(block) in _error(lambda: store.load_results(block.parent))))
  manifest = next(out.glob("*/runs/*/checkpoints/*.json"))
  _to_schema_0(manifest)
  code, said = trials.in_process(trials.SHORT_TRAIN, out)
  checks.append(("a checkpoint, by the launch", code == 2 and f"{manifest} has schema version 0" in said))
  named = sum("has schema version 0" in problem for problem in verify.check(out).problems)
  return [*checks, ("both, by verify", named == 2)]


def _called(main: Callable[[Sequence[str]], int], *argv: str) -> tuple[int, str]:
  """Runs the `main` of a command. Returns its exit code and its output."""
  said = io.StringIO()
  with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
    code = main(argv)
  return code, said.getvalue()


def _refuses(ended: tuple[int, str], text: str) -> bool:
  """Returns True if a command ended with code 2 and one sentence that holds `text`."""
  code, said = ended
  return code == 2 and text in said and "Traceback" not in said and len(said.splitlines()) == 1


def names(work: Path, tries: int, rng: np.random.Generator) -> Outcome:
  """Gives paths, `..`, control characters and links to launches, to `merge` and to `verify`."""
  away = work / "away"
  trials.in_process(trials.SHORT, away)
  checks = [*_flag_checks(), *_folder_checks(away, work), *_block_checks(away, work)]
  is_untouched = contents.is_intact(away) and not (work / "c" / trials.folder_of(trials.SHORT)).exists()
  return _outcome(checks, passes=is_untouched)


def _flag_checks() -> list[tuple[str, bool]]:
  checks = []
  for text in CONTROL_CHARACTERS:
    launched = trials.in_process(trials.SHORT, Path(text))
    checks.append((f"--out={text!r}", _refuses(launched, "is not allowed")))
    verified = _called(verify.main, f"--out={text}")
    checks.append((f"verify --out={text!r}", _refuses(verified, "is not allowed")))
  return checks


def _folder_checks(away: Path, work: Path) -> list[tuple[str, bool]]:
  name, linked, target = trials.folder_of(trials.SHORT), work / "linked", f"--out={work / 'c'}"
  linked.mkdir()
  (linked / name).symlink_to(away / name)
  launched, merged = trials.in_process(trials.SHORT, linked), _called(merge.main, str(linked), target)
  checks = [("a results folder that is a link out of --out", _refuses(launched, "leads out of"))]
  checks.append(("a folder in merge that is a link out of its source", _refuses(merged, "leads out of")))
  for number, bad in enumerate(("od\nd", "b\x1b[2J")):
    source = work / f"source {number}"
    shutil.copytree(away / name, source / bad)
    checks.append((f"a folder {bad!r} in merge", _refuses(_called(merge.main, str(source), target), "is not allowed")))
  return checks


def _block_checks(away: Path, work: Path) -> list[tuple[str, bool]]:
  block = next((away / trials.folder_of(trials.SHORT)).glob("*.json"))
  stored, checks = store.read_block(block), []
  for cell in ("../rnn", "/rnn", "r\nnn"):
    renamed = stored._replace(points=[point | {"cell": cell} for point in stored.points])
    error = _error(functools.partial(store.write_block, work / "c" / "d", renamed))
    checks.append((f"a cell {cell!r}", "is not allowed" in error))
  link = work / "e" / block.name
  link.parent.mkdir()
  link.symlink_to(block)
  return [*checks, ("a block that is a link", "leads out of" in _error(lambda: store.read_block(link)))]
