"""What must be refused or told: points that are not finite, other schemas, names that lead elsewhere."""

from collections.abc import Callable, Sequence
import contextlib
import io
import json
from pathlib import Path
import shutil
from unittest import mock

import numpy as np

from benchmarks import trials
from benchmarks.trials import Outcome
from sweepkit import merge, store, verify
from sweepkit.execution import devices
from sweepkit.points import content_hash


def points_that_are_not_finite(work: Path, tries: int, rng: np.random.Generator) -> Outcome:
  """Points whose nets overflow among others that do not."""
  name, out, cache = "activation_choice", work / "out", work / "cache"
  gains = ",".join(f"{gain:.3g}" for gain in [0.5, *(10 ** rng.uniform(15, 35, 1))])
  words = (
    name,
    "--cells=rnn_relu",
    "--hidden_size=8",
    "--input_size=2",
    "--seq_len=60",
    f"--seeds={tries}",
    "--ws=" + gains,
  )
  ended = trials.succeed([*words, f"--out={out}"], cache)
  status = store.load_results(out / name).status.squeeze().values
  kept = int(np.sum(status[1] == store.STATUS.index("nonfinite")))
  others = int(np.sum(status[0] == store.STATUS.index("ok")))
  is_told = f"Not finite, and stored with that status: {kept} points" in ended.said
  return Outcome(
    tries,
    kept if is_told and others == tries else 0,
    f"stored with the status nonfinite and counted at the end of the launch, exit code {ended.code}; the {others} finite "
    "points of the same sweep are ok",
  )


def _reschema(path: Path) -> None:
  """Makes a block or a checkpoint one of schema 0, checksum and all."""
  meta = json.loads(path.read_text()) | {"schema_version": 0}
  del meta["sha256"]
  path.write_text(json.dumps(meta | {"sha256": content_hash(meta)}, indent=1))


def other_schemas(work: Path, tries: int, rng: np.random.Generator) -> Outcome:
  """A block and a checkpoint of schema 0, and journals whose rows have no checksum."""
  results: list[bool] = []
  for arguments in (trials.SHORT, trials.SHORT_TRAIN):
    for out in (work / "a", work / "b"):
      trials.in_process(arguments, out)
  wanted = trials.numbers(work / "a")
  block = next((work / "a" / trials.SHORT[0]).glob("*.json"))
  _reschema(block)
  code, said = trials.in_process(trials.SHORT, work / "a")
  results.append(code == 2 and f"{block} has schema version 0" in said)
  try:
    store.load_results(block.parent)
    results.append(False)
  except store.SchemaError as error:
    results.append(str(block) in str(error))
  manifest = next((work / "a").glob("*/runs/*/checkpoints/*.json"))
  _reschema(manifest)
  code, said = trials.in_process(trials.SHORT_TRAIN, work / "a")
  results.append(code == 2 and f"{manifest} has schema version 0" in said)
  results.append(sum("has schema version 0" in problem for problem in verify.check(work / "a").problems) == 2)
  for path in (work / "b").rglob("*.jsonl"):
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    rows = [{name: value for name, value in row.items() if name != "sha256"} for row in rows]
    path.write_text("".join(json.dumps(row, separators=(",", ":")) + "\n" for row in rows))
  store.remove_block(next((work / "b" / trials.SHORT_TRAIN[0]).glob("*.json")))
  code, _ = trials.in_process(trials.SHORT_TRAIN, work / "b")
  states = lambda found: {name: value for name, value in found.items() if "dynamics" not in name}
  results.append(code == 0 and states(trials.numbers(work / "b")) == states(wanted))
  return Outcome(
    len(results),
    sum(results),
    "a block and a checkpoint of schema 0 are refused by name, by the launch, by `load_results` and by "
    "`sweepkit.verify`; journals without checksums are read, and runs resume from them",
  )


def names(work: Path, tries: int, rng: np.random.Generator) -> Outcome:
  """Paths, `..`, control characters and links, given to launches, to `merge` and to `verify`."""
  away = work / "away"
  trials.in_process(trials.SHORT, away)
  block = next((away / trials.SHORT[0]).glob("*.json"))
  refusals: list[tuple[str, bool]] = []

  def refuses(what: str, code: int, said: str, text: str) -> None:
    refusals.append((what, code == 2 and text in said and "Traceback" not in said and len(said.splitlines()) == 1))

  def called(main: Callable[[Sequence[str]], int], *argv: str) -> tuple[int, str]:
    said = io.StringIO()
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
      code = main(argv)
    return code, said.getvalue()

  for text in ("a\nb", "a\0b", "a\x1b[2Jb", "a\x7fb"):
    code, said = trials.in_process(trials.SHORT, Path(text))
    refuses(f"--out={text!r}", code, said, "is not allowed")
    refuses(f"verify --out={text!r}", *called(verify.main, f"--out={text}"), "is not allowed")
  linked = work / "linked"
  linked.mkdir()
  (linked / trials.SHORT[0]).symlink_to(away / trials.SHORT[0])
  code, said = trials.in_process(trials.SHORT, linked)
  refuses("a results folder that is a link out of --out", code, said, "leads out of")
  refuses("the same in merge", *called(merge.main, str(linked), f"--out={work / 'c'}"), "leads out of")
  source = work / "source"
  for name in ("od\nd", "b\x1b[2J"):
    shutil.rmtree(source, ignore_errors=True)
    shutil.copytree(away / trials.SHORT[0], source / name)
    refuses(f"a folder {name!r} in merge", *called(merge.main, str(source), f"--out={work / 'c'}"), "is not allowed")
  for cell in ("../rnn", "/rnn", "r\nnn"):
    stored = store.read_block(block)
    points = [point | {"cell": cell} for point in stored.points]
    try:
      store.write_block(work / "c" / "d", stored._replace(points=points))
      refusals.append((f"a cell {cell!r}", False))
    except store.ResultsError as error:
      refusals.append((f"a cell {cell!r}", "is not allowed" in str(error)))
  link = work / "e" / block.name
  link.parent.mkdir()
  link.symlink_to(block)
  try:
    store.read_block(link)
    refusals.append(("a block that is a link", False))
  except store.ResultsError as error:
    refusals.append(("a block that is a link", "leads out of" in str(error)))
  is_untouched = not verify.check(away).problems and not (work / "c" / trials.SHORT[0]).exists()
  wrong = [what for what, is_refused in refusals if not is_refused]
  return Outcome(
    len(refusals),
    len(refusals) - len(wrong) if is_untouched else 0,
    "`..`, paths, control characters and links out of the folder, in flags, in cells' names and in folders to merge: one "
    "sentence, nothing read or written there" + "".join(f"; FAILED {what}" for what in wrong),
  )


def little_memory(work: Path, tries: int, rng: np.random.Generator) -> Outcome:
  """Calls of 40 points that fail, as XLA's do, above a number of points drawn anew for every launch."""
  arguments, collect, passed = [*trials.SHORT, "--chunk=40"], devices.collect, 0
  trials.in_process(arguments, work / "whole")
  wanted = trials.numbers(work / "whole")
  for number in range(tries):
    most, out = int(rng.integers(devices.TILE, 40)), work / f"folder {number}"

    def scarce(started: devices.Started, most: int = most) -> dict[str, np.ndarray]:
      if min(started.call, started.points) > most:
        raise RuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 1 bytes.")
      return collect(started)

    with mock.patch.object(devices, "collect", scarce):
      code, said = trials.in_process(arguments, out)
    metas = [store.read_meta(path) for path in store.block_paths(out / trials.SHORT[0])]
    is_recorded = any(meta["provenance"]["chunk_halvings"] for meta in metas)
    passed += code == 0 and "out of memory with" in said and is_recorded and trials.numbers(out) == wanted
  return Outcome(
    tries,
    passed,
    "the error was injected where XLA raises it; calls were halved until they fitted, which is told and recorded, and the sweep "
    "ended with the same bytes and exit code 0",
  )
