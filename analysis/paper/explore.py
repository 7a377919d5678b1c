"""The explorer of random nets, as a page beside the report: see `analysis.explorer`."""

from pathlib import Path

from analysis.explorer import assembly
from analysis.figure import Datasets
from analysis.study import PageSpec


def content(datasets: Datasets) -> str:
  """Returns the page of the folder that these results come from."""
  sources = [Path(data.attrs["source"]).parent for data in datasets.values()]
  return assembly.page(datasets, sources[0] if sources else Path("results"))


WEB_PAGE = PageSpec(
  name="explore",
  title="Choose a net and see",
  about="a page that answers with the mouse, and tells the story of the introductions in six steps, in English and Chinese.",
  reads=(),
  overlays=assembly.READS,
  content=content,
)
