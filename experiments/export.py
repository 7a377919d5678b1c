"""Writes stored results for other programs: as NetCDF, Zarr or Parquet.

    python -m experiments.export --results=results/adding --format=netcdf --out=adding.nc
    python -m experiments.export --results=results/adding --format=parquet --out=adding.parquet
    python -m experiments.export --results=results/adding --format=parquet --values=loss,score --out=curves.parquet

NetCDF and Zarr hold the whole dataset with its names and units. Parquet holds a table with one row per point, in which numbers
with axes of their own are lists. Of the numbers that --values names, it holds one row per entry. In Python, sweepkit's `portable`
and `table` do the same. A file that is there already is never replaced.
"""

from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
import os
from pathlib import Path
import shutil
import sys
from typing import Any, NamedTuple

from absl import flags

from sweepkit import terminal
from sweepkit.store import ResultsError, files


class Format(NamedTuple):
  """A format of files.

  Attributes:
    package: what writes it.
    write: `(dataset, names of numbers, path)`.
  """

  package: str
  write: Callable[[Any, Sequence[str], Path], Any]


def _netcdf(data: Any, names: Sequence[str], path: Path) -> None:
  from sweepkit import portable

  portable(data[list(names)] if names else data).to_netcdf(path, engine="h5netcdf")


def _zarr(data: Any, names: Sequence[str], path: Path) -> None:
  from sweepkit import portable

  portable(data[list(names)] if names else data).to_zarr(path, zarr_format=2, mode="w-")


def _parquet(data: Any, names: Sequence[str], path: Path) -> None:
  from sweepkit import table

  table(data, *names).to_parquet(path)


FORMATS: Mapping[str, Format] = {
  "netcdf": Format("h5netcdf", _netcdf),
  "zarr": Format("zarr", _zarr),
  "parquet": Format("pyarrow", _parquet),
}


def export(results: Path, kind: str, out: Path, names: Sequence[str] = ()) -> None:
  """Writes the results of an experiment to a new file, or a new folder for Zarr, whole or not at all.

  Args:
    results: the folder of the experiment.
    kind: one of `FORMATS`.
    out: the file.
    names: the numbers to write; all if there are none.

  Raises:
    ResultsError: if there are no results or no such number, if the file is there already, or if it cannot be written.
  """
  if os.path.lexists(out):
    raise ResultsError(f"{out} is there already and is not replaced; choose another name.")
  if not out.parent.is_dir():
    raise ResultsError(f"There is no folder {out.parent} to write {out.name} into.")
  package, write = FORMATS[kind]
  if find_spec(package) is None:
    raise ResultsError(f'{package} is not installed; pip install ".[formats]" installs what writes {kind}.')
  from sweepkit import load_results  # after the flags are checked: it imports xarray

  data = load_results(results)
  if unknown := [name for name in names if name not in data.data_vars]:
    raise ResultsError(f"There is no number {unknown[0]!r}; there are {', '.join(map(str, data.data_vars))}.")
  prepared = files.temporary(out)
  try:
    with files.writing(out):
      write(data, names, prepared)
      if os.path.lexists(out):
        raise ResultsError(f"{out} was written by somebody else meanwhile, and is not replaced.")
      os.rename(prepared, out)
  finally:
    if prepared.is_dir():
      shutil.rmtree(prepared)
    prepared.unlink(missing_ok=True)


@terminal.command()
def main(argv: Sequence[str] | None = None) -> int:
  """Exports from the command line and returns an exit code."""
  values = flags.FlagValues()
  flags.DEFINE_string("results", None, "Folder of one experiment, such as results/adding.", flag_values=values)
  flags.DEFINE_enum("format", None, list(FORMATS), "Format of the file.", flag_values=values)
  flags.DEFINE_string("out", None, "The new file, or the new folder for Zarr.", flag_values=values)
  flags.DEFINE_list("values", [], "Numbers to write, such as loss,score; all by default.", flag_values=values)
  flags.DEFINE_boolean("help", False, "Print this and exit.", short_name="h", flag_values=values)
  try:
    rest = values(["export", *(sys.argv[1:] if argv is None else argv)])[1:]
    if values.help:
      print(f"{__doc__}\npython -m experiments.export [flags]\n{values.get_help()}")
      return 0
    if rest:
      raise ResultsError(f"{rest[0]!r} is not a flag; flags look like --results=results/adding.")
    if missing := [name for name in ("results", "format", "out") if values[name].value is None]:
      raise ResultsError(f"--{missing[0]}: it is missing; --help shows all flags.")
    out = Path(files.check_path(values.out))
    export(Path(files.check_path(values.results)), values.format, out, values["values"].value or ())
  except (flags.Error, ResultsError) as error:
    print(f"export: {error}", file=sys.stderr)
    return 2
  print(f"Written: {out}")
  return 0


if __name__ == "__main__":
  sys.exit(main())
