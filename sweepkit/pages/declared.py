"""Declarations of experiments, kept as data, so that a page of help or a list imports neither JAX nor the experiments.

A declaration is what `--help` and `--list` show of an experiment: its question, its defaults, and its settings with their texts.
It comes from the modules of the experiment, whose import includes that of JAX. A command that has imported them keeps it in the
cache folder of the user, beside the size and the times of change of every file that was imported. While these are the same, later
commands use it. After any change the modules are imported again.
"""

from collections.abc import Iterable, Mapping, Sequence
import contextlib
import hashlib
import json
import os
from pathlib import Path
import sys
import sysconfig
from typing import Any, cast

from sweepkit import listing, options, terminal
from sweepkit.code import loaded
from sweepkit.experiment import Experiment
from sweepkit.measure import Measure, Measured
from sweepkit.options import UsageError
from sweepkit.settings import Setting
from sweepkit.store.files import write_atomically
from sweepkit.store.places import user_cache

LIST = "--list"  # the name under which the declarations of a whole package are kept
_TEXTS = ("default", "help", "allowed", "traced", "units", "dimension", "is_axis", "symbol", "absent")
_KINDS = {kind.__name__: kind for kind in (str, int, float, bool)}
_FROM_FILES = ("flagfile", "config")  # flags that bring others
_packages: set[str] = set()  # those whose commands ask for declarations


def _as_data(experiment: Experiment) -> dict[str, Any]:
  measure = experiment.measure
  return {
    "module": experiment.module,
    "doc": experiment.doc,
    "defaults": dict(experiment.defaults),
    "seeds": experiment.seeds,
    "x64": experiment.x64,
    "seconds": experiment.seconds,
    "unused": list(experiment.unused),
    "group": measure.group,
    "settings": {
      name: {
        "kind": one.kind.__name__,
        "brings": one.brings is not None,
        **{text: getattr(one, text) for text in _TEXTS},
      }
      for name, one in measure.settings.items()
    },
  }


def _from_data(data: Mapping[str, Any]) -> Experiment:
  """Returns the experiment of a declaration, which can be shown and cannot be run."""
  rest = dict(data)
  settings = {name: _setting(one) for name, one in rest.pop("settings").items()}
  measure = Measured(settings=settings, dims={}, group=rest.pop("group"))
  return Experiment(measure=cast(Measure, measure), **rest)


def _setting(data: Mapping[str, Any]) -> Setting:
  texts = {text: data[text] for text in _TEXTS}
  setting = Setting(_KINDS[data["kind"]], check=lambda value: True, **texts)
  return setting._replace(brings=lambda value: {}) if data["brings"] else setting


def _path(package: str, name: str) -> Path:
  """The file that keeps a declaration. Environments and checkouts have files of their own."""
  module = sys.modules[package]
  place = "\n".join([str(module.__file__), sys.executable, sys.version, package])
  return user_cache() / "sweepkit" / "declared" / hashlib.sha256(place.encode()).hexdigest()[:16] / f"{name}.json"


def _stamp(path: str) -> list[int]:
  found = os.stat(path)
  return [found.st_size, found.st_mtime_ns, found.st_ctime_ns]


def _imported() -> dict[str, list[int]]:
  """Size and times of every file that this process has imported, without those of Python."""
  own = tuple(sysconfig.get_paths()[name] for name in ("stdlib", "platstdlib"))
  files = {str(module.__file__) for module in list(sys.modules.values()) if getattr(module, "__file__", None)}
  packages = sysconfig.get_paths()["purelib"], sysconfig.get_paths()["platlib"]
  return {file: _stamp(file) for file in sorted(files) if file.startswith(packages) or not file.startswith(own)}


def _read(package: str, name: str) -> Mapping[str, Any] | None:
  """Returns what is kept under a name; None if there is nothing, or a file has changed since."""
  try:
    kept = json.loads(_path(package, name).read_bytes())
    if kept["installed"] == loaded.installed() and all(_stamp(file) == stamp for file, stamp in kept["files"].items()):
      return cast(Mapping[str, Any], kept)
  except (OSError, ValueError, KeyError, TypeError, AttributeError):  # a file that is damaged is as good as none
    pass
  return None


def _keep(package: str, name: str, experiments: Iterable[Experiment], **rest: Any) -> None:
  start = loaded.process_start()
  with contextlib.suppress(OSError):
    files, path = _imported(), _path(package, name)
    newest = max(max(stamp[1:]) for stamp in files.values()) / 1e9
    if start is None or newest > start - 1:  # it may have changed after it was imported
      return
    path.parent.mkdir(parents=True, exist_ok=True)
    kept = {"files": files, "installed": loaded.installed(), "experiments": list(map(_as_data, experiments)), **rest}
    write_atomically(path, json.dumps(kept).encode())


def keep(experiment: Experiment) -> None:
  """Keeps the declaration of an experiment for later commands, if its package asks for it."""
  package, _, name = experiment.module.rpartition(".")
  if package in _packages and name and _find(package, name) is None:
    _keep(package, name, [experiment])


def _find(package: str, name: str) -> Experiment | None:
  for kept in filter(None, (_read(package, one) for one in (name, LIST))):
    for data in kept["experiments"]:
      if data["module"] == f"{package}.{name}":
        return _from_data(data)
  return None


def listed(package: Any, width: int | None) -> str:
  """Returns the listing of a package (`listing.listing`)."""
  name, there = package.__name__, listing.modules(package)
  kept = _read(name, LIST)
  if kept is not None and kept["modules"] == there:
    return listing.listing(map(_from_data, kept["experiments"]), kept["tools"], width)
  found, tools = listing.experiments(package).values(), listing.tools(package)
  _keep(name, LIST, found, modules=there, tools=tools)
  return listing.listing(found, tools, width)


def reply(package: str, name: str, arguments: Sequence[str]) -> int | None:
  """Prints the page of help, or refuses a flag that does not exist, from the declaration of an experiment.

  Args:
    package: that of the experiment, which is imported.
    name: the experiment.
    arguments: its flags.

  Returns:
    The exit code; None if the experiment has to be imported.
  """
  experiment = _find(package, name)
  if experiment is None:
    return None
  bringing = [flag for flag, setting in experiment.measure.settings.items() if setting.brings is not None]
  if {word.lstrip("-").partition("=")[0] for word in arguments} & {*bringing, *_FROM_FILES}:
    return None
  try:
    parsed, _ = options.read(experiment, arguments)
  except UsageError as error:
    print(f"{experiment.name}: {error}", file=sys.stderr)
    return 2
  if not parsed["help"].value:
    return None
  print(options.page(experiment, parsed))
  return 0


def answer(package: str) -> None:
  """Answers `python -m PACKAGE.NAME --help` while the package is imported, before the module NAME is.

  Raises:
    SystemExit: after an answer.
  """
  _packages.add(package)
  if sys.argv[:1] != ["-m"]:  # Python sets it so while it looks for the module of a command
    return
  arguments = sys.argv[1:]
  module = sys.orig_argv[: len(sys.orig_argv) - len(arguments)][-1].removeprefix("-m")
  parent, _, name = module.rpartition(".")
  if parent == package:
    with terminal.command():
      code = reply(package, name, arguments)
    if code is not None:
      raise SystemExit(code)
