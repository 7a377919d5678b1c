"""The Python blocks of the README and the guides run, in order, as one program per page. Their commands and flags exist.

Commands are not run, because the shortest takes seconds and the longest hours. Only their flags are parsed.
"""

import importlib
import json
from pathlib import Path
import re
import runpy
import shlex
import subprocess
import sys
import tomllib
from types import ModuleType

from absl import flags
import pytest

from analysis import claims
from analysis.claims import pages
from sweepkit import runner
from sweepkit.exchange import configurations
from sweepkit.execution import tracking

ROOT = Path(__file__).parent.parent
README, CHINESE = ROOT / "README.md", ROOT / "README.zh-CN.md"
GUIDES = sorted((ROOT / "docs").glob("*.md"))
ROOMS = ("recurrent_lab", "sweepkit", "experiments", "analysis")
NOTEBOOKS = sorted((ROOT / "docs" / "notebooks").glob("*.md"))
CELL = "{code-cell} ipython3"  # run when the site is built, where an error fails the build
PROJECT = ROOT / "examples" / "own_project"  # what the pages copy to `my_project`
NOT_RUN = {"text", "{eval-rst}", "{toctree}"}  # trees, output, and what only the site's generator reads


def blocks(page, language="[^\n]*"):
  """(language, content) of the fenced blocks."""
  return re.findall(rf"^```({language})\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)


def commands(page):
  """One line each; a backslash joins what it ends to the next."""
  return [line for _, block in blocks(page, "sh") for line in block.replace("\\\n", " ").splitlines() if line.strip()]


@pytest.mark.parametrize("page", [p for p in [README, *GUIDES] if blocks(p, "python")], ids=lambda page: page.name)
def test_python_blocks_run(page, tmp_path, monkeypatch):
  (tmp_path / "results").symlink_to(ROOT / "results")  # what they read; what they write stays here
  monkeypatch.chdir(tmp_path)
  # A module, so that what a page defines can be looked up where it was defined.
  module = ModuleType(page.stem)
  monkeypatch.setitem(sys.modules, page.stem, module)
  exec(compile("\n".join(block for _, block in blocks(page, "python")), page.name, "exec"), module.__dict__)


def test_every_block_is_run_or_parsed_or_no_code():
  for page in (README, CHINESE, *GUIDES):
    assert {language for language, _ in blocks(page)} <= {"python", "sh"} | NOT_RUN, page.name
  for page in NOTEBOOKS:
    assert {language for language, _ in blocks(page)} <= {CELL, "sh"} | NOT_RUN, page.name


@pytest.mark.parametrize("page", [page for page in NOTEBOOKS if blocks(page, CELL)], ids=lambda page: page.name)
def test_cells_of_notebooks_are_formatted_and_use_what_they_define(page):
  cells = [re.sub(r"\A:tags:.*\n\n", "", code) for _, code in blocks(page, CELL)]
  # A semicolon at the end keeps a cell from showing its last value. A page imports where it first needs a name.
  program = "\n".join(re.sub(r";\n\Z", "\n", code) for code in cells)
  ruff = [sys.executable, "-m", "ruff"]
  run = lambda *words, code: subprocess.run(
    [*ruff, *words, "-"], input=code, text=True, capture_output=True, cwd=ROOT, check=False
  )
  found = run("check", "--quiet", "--stdin-filename=docs/notebooks/page.py", "--ignore=E402,B018,I001", code=program)
  assert found.returncode == 0, found.stdout
  for code in cells:
    code = re.sub(r";\n\Z", "\n", code)
    assert run("format", "--stdin-filename=docs/notebooks/page.py", code=code).stdout.strip() == code.strip()


class Parsed(BaseException):
  """Thrown by a command as soon as its flags are parsed; no command catches it."""


def check_flags(name, words, monkeypatch):
  """Raises if the module has other flags; runs it until it has parsed them."""

  def parse(values, argv):
    rest = original(values, argv)
    raise Parsed(rest)

  original = flags.FlagValues.__call__
  monkeypatch.setattr(flags.FlagValues, "__call__", parse)
  monkeypatch.setattr(sys, "argv", [name, *words])
  for loaded in (name, f"{name}.__main__", name.split(".")[0]):
    monkeypatch.delitem(sys.modules, loaded, raising=False)  # runpy warns of modules that are loaded
  with pytest.raises(Parsed):
    runpy.run_module(name, run_name="__main__", alter_sys=True)


def check(line, monkeypatch):
  words = shlex.split(line, comments=True)
  while words and re.fullmatch(r"[A-Z_]+=\S*", words[0]):
    words.pop(0)
  if not words:
    return
  if words[0] == "srun":
    words = words[next(i for i, word in enumerate(words) if i and not word.startswith("-")) :]
  if words[0] == "gcloud":  # what it runs on every host
    inner = next(word.removeprefix("--command=") for word in words if word.startswith("--command="))
    for part in inner.split("&&"):
      check(part, monkeypatch)
  elif words[0] == "make":
    for target in (word for word in words[1:] if "=" not in word):
      assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE), target
  elif words[:2] == ["pip", "install"]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    known = {re.match(r"[\w.-]+", text)[0] for part in (project["dependencies"], *extras.values()) for text in part}
    for word in (word for word in words[2:] if not word.startswith("-")):
      name, _, extra = word.removesuffix("]").partition("[")
      assert name in known | {".", "recurrent-lab"}, word
      assert extra in {"", *extras}, word
  elif words[0] in ("source", "cd"):
    assert words[1] in (".venv/bin/activate", "recurrent_lab", "../my_project"), line
    if words[1] == "../my_project":
      monkeypatch.chdir(PROJECT)
      monkeypatch.syspath_prepend(PROJECT)
  elif words[0] == "cp":
    assert words[1:] == ["-r", "examples/own_project", "../my_project"]
  elif words[0] == "python" and words[1].endswith(".py"):
    assert words[1:] == [words[1]]
    assert Path(words[1]).exists(), line
  else:
    assert words[:2] == ["python", "-m"], line
    check_module(words[2], words[3:], monkeypatch)


def check_module(name, words, monkeypatch):
  module = importlib.import_module(name)
  if hasattr(module, "EXPERIMENT"):
    # A file that an earlier command saves is not there, and neither is every tracker.
    monkeypatch.setattr(configurations, "_of_toml", lambda experiment, path: {})
    monkeypatch.setattr(tracking, "find_spec", lambda package: package)
    assert runner.parse(module.EXPERIMENT, words).points
  elif name == "sweepkit.slurm":
    cut = words.index("--")
    check_module(words[0], words[cut + 1 :], monkeypatch)
    check_flags(name, words[:cut], monkeypatch)
  elif name.startswith("examples."):
    assert callable(module.main)
    assert not words
  else:
    check_flags(name, words, monkeypatch)


@pytest.mark.parametrize("page", [README, *GUIDES, *NOTEBOOKS], ids=lambda page: page.name)
def test_commands_and_their_flags_exist(page, tmp_path, monkeypatch):
  monkeypatch.chdir(ROOT)
  for line in commands(page):
    if line.startswith("cd "):  # for all lines that follow
      check(line, monkeypatch)
      continue
    with monkeypatch.context() as patch:
      check(line, patch)


@pytest.mark.parametrize(
  "line", ["make papers", "python -m sweepkit.verify --in=results", "python -m experiments.adding --cell=gru"]
)
def test_a_command_that_does_not_exist_is_noticed(line, monkeypatch):
  with pytest.raises((AssertionError, SystemExit, runner.UsageError, pytest.fail.Exception)):
    check(line, monkeypatch)


def test_both_readmes_have_the_same_code_figure_and_guides():
  assert blocks(CHINESE) == blocks(README)
  links = [re.findall(r"\]\(([^)#]+)\)", page.read_text()) for page in (README, CHINESE)]
  english, chinese = ({link for link in found if not link.startswith("README")} for found in links)
  assert chinese == english
  for page in (README, CHINESE):
    missing = [link for link in english if not (ROOT / link).exists()]
    assert not missing, page.name


def test_links_between_guides_lead_somewhere():
  for page in [*GUIDES, *NOTEBOOKS]:
    for link in re.findall(r"\]\(((?!https?:)[^)#]+)", page.read_text()):
      assert (page.parent / link).exists(), f"{page.name}: {link}"


def test_what_troubleshooting_quotes_is_said():
  sources = " ".join(path.read_text() for room in ROOMS for path in (ROOT / room).rglob("*.py"))
  said = re.sub(r'"\s*\n\s*f?"', "", sources)  # a sentence over several lines
  quoted = re.findall(r"^\| `([^`]+)`", (ROOT / "docs" / "troubleshooting.md").read_text(), re.MULTILINE)
  assert len(quoted) > 8
  for message in quoted:
    for part in message.split("…"):
      assert part.strip() in said, message


def test_the_table_of_rooms_is_the_tree():
  """Every package of a room is named in it, and every module that it names exists."""
  page = (ROOT / "docs" / "architecture.md").read_text()
  room, named = "", {}
  for first, about in re.findall(r"^\| (`[a-z_/]+` )?\| (.*) \|$", page, re.MULTILINE):
    room = first.strip(" `/") or room
    named.setdefault(room, set()).update(re.findall(r"`([a-z_]+/?)`", about))
  for room in ROOMS:
    packages = {f"{path.parent.name}/" for path in (ROOT / room).glob("*/__init__.py")}
    modules = {path.stem for path in (ROOT / room).glob("*.py")}
    assert packages <= named[room] <= packages | modules, room


def test_the_library_stands_alone():
  """The library has no flags, files or plots, and nothing imports the examples."""
  forbidden = {"recurrent_lab": {"examples", "absl", "matplotlib", "tqdm", "xarray"}}
  for room in ROOMS:
    for path in (ROOT / room).rglob("*.py"):
      imports = re.findall(r"^\s*(?:from|import) ([a-z_]+)", path.read_text(), re.MULTILINE)
      assert not set(imports) & forbidden.get(room, {"examples"}), path


def test_other_libraries_stay_in_interop():
  """Only `interop` imports them: inside of functions, or in the module that is all about Flax."""
  others = {"flax", "haiku", "equinox", "torch", "keras", "safetensors"}
  interop = ROOT / "recurrent_lab" / "interop"
  for path in (path for room in ROOMS for path in (ROOT / room).rglob("*.py")):
    for indent, name in re.findall(r"^( *)(?:from|import) ([a-z_]+)", path.read_text(), re.MULTILINE):
      if name in others:
        assert path.is_relative_to(interop), path
        assert indent or path.name in ("linen.py", "nnx.py"), path


def test_the_ledger_in_the_readme_is_the_one_in_docs():
  ledger = json.loads((ROOT / "docs" / "claims.json").read_text())
  findings = {
    entry["number"]: claims.Finding(entry["measured"], entry["verdict"], entry.get("condition", "")) for entry in ledger
  }
  text = README.read_text()
  assert pages.embed(claims.INTRODUCTIONS, text, findings, {}) == text
