"""The tables of `docs/interop.md` are those that the kept numbers give, and leave out no format and no cell."""

from oracles import formats
from recurrent_lab.interop import LAYOUTS
from recurrent_lab.interop.modules.finding import SUFFIXES


def test_the_page_has_the_tables_as_they_are():
  """If this fails, `python -m oracles.page` writes them."""
  assert "\n".join([formats.HEADING, "", *formats.lines()]) in formats.PAGE.read_text()


def test_every_format_and_every_cell_has_a_row():
  assert set(formats.FILES) == set(SUFFIXES)
  said = "\n".join(formats.lines())
  assert not [kind for kind in LAYOUTS if f"`{kind}`" not in said]
