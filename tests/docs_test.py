"""The Python blocks of the README and the guides run, in order, as one program a page; their commands parse."""

import importlib
import json
from pathlib import Path
import re
import shlex

import pytest

from analysis import claims
from experiments import runner

ROOT = Path(__file__).parent.parent


def blocks(page, language):
  return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)


PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "python")], ids=lambda page: page.name)
def test_python_blocks_run(page):
  exec(compile("\n".join(blocks(page, "python")), page.name, "exec"), {"__name__": page.stem})


@pytest.mark.parametrize("line", [line for block in blocks(ROOT / "README.md", "sh") for line in block.splitlines()])
def test_commands_of_the_readme_exist(line):
  words = shlex.split(line, comments=True)
  if words[0] == "make":
    assert re.search(rf"^{words[1]}:", (ROOT / "Makefile").read_text(), re.MULTILINE)
  else:
    assert words[:2] == ["python", "-m"]
    module = importlib.import_module(words[2])
    if hasattr(module, "EXPERIMENT"):
      assert runner.parse(module.EXPERIMENT, words[3:]).points
    else:
      assert callable(module.main)


def test_the_tree_in_the_readme_is_the_tree():
  tree = (ROOT / "README.md").read_text().split("## The tree")[1]
  named = set(re.findall(r"[a-z_0-9]+\.py", tree))
  for floor in ("recurrent_lab", "experiments", "analysis"):
    files = {path.name for path in (ROOT / floor).glob("*.py")} - {"__init__.py"}
    assert files <= named, f"{floor}: {files - named} are missing from the tree in README.md"


def test_the_library_stands_alone():
  """No flags, files or plots below: the floors only import downwards."""
  below = {
    "recurrent_lab": ("experiments", "analysis", "examples", "absl", "matplotlib", "tqdm", "xarray"),
    "experiments": ("analysis", "examples"),
    "analysis": ("examples",),
  }
  for floor, forbidden in below.items():
    for path in (ROOT / floor).rglob("*.py"):
      imports = re.findall(r"^\s*(?:from|import) ([a-z_]+)", path.read_text(), re.MULTILINE)
      assert not set(imports) & set(forbidden), path


def test_other_libraries_stay_in_interop():
  """Only `interop` imports them: inside of functions, or in the module that is all about Flax."""
  others = {"flax", "haiku", "equinox", "torch", "keras", "safetensors"}
  interop = ROOT / "recurrent_lab" / "interop"
  for path in (path for floor in ("recurrent_lab", "experiments", "analysis") for path in (ROOT / floor).rglob("*.py")):
    for indent, name in re.findall(r"^( *)(?:from|import) ([a-z_]+)", path.read_text(), re.MULTILINE):
      if name in others:
        assert path.is_relative_to(interop), path
        assert indent or path.name in ("linen.py", "nnx.py"), path


def test_the_ledger_in_the_readme_is_the_one_in_docs():
  ledger = json.loads((ROOT / "docs" / "claims.json").read_text())
  findings = {entry["number"]: claims.Finding(entry["measured"], entry["verdict"]) for entry in ledger}
  text = (ROOT / "README.md").read_text()
  assert claims.embed(text, findings) == text
