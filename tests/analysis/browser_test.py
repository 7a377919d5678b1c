"""The report in headless Chromium: it fits, can be read by all, asks for nothing, prints, and its downloads arrive.

Needs `pip install ".[browser]"` and a Chromium on the path.
"""

import csv

import pypdf
import pytest

from analysis.report import __main__ as command
from analysis.report import assembly

axe = pytest.importorskip(
  "axe_playwright_python.sync_playwright", reason='axe-playwright-python is not installed: pip install ".[browser]"'
)
pytestmark = pytest.mark.slow
FEW = ("recurrent_gain", "product_by_lag", "tanh_slope", "vowels")  # narrow, wide, closed forms, not run


@pytest.fixture(scope="module")
def address(results, tmp_path_factory):
  out = tmp_path_factory.mktemp("report")
  few = [
    part._replace(figures=[spec for spec in part.figures if spec.name in FEW], pages=()) for part in assembly.PARTS
  ]
  with pytest.MonkeyPatch.context() as patch:
    patch.setattr(assembly, "PARTS", few)
    assert command.main([f"--results={results}", f"--out={out}"]) == 0
  return (out / "index.html").as_uri()


@pytest.fixture
def visit(browser, address):
  """Opens the report and returns it with the list of what it asks for."""
  opened = []

  def visit(width, scheme):
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    opened.append(page)
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address)
    return page, asked

  yield visit
  for page in opened:
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1300, 1400])
def test_it_fits_and_can_be_read_by_all(width, scheme, visit, address):
  page, asked = visit(width, scheme)
  assert page.evaluate("document.documentElement.scrollWidth") == width
  # What is wider scrolls in its own box, and figures are not shrunk until they cannot be read.
  assert page.evaluate("[...document.images].every(i => i.complete && i.naturalWidth > 0)")
  natural = "i.closest('.narrow') ? 326 : 672"  # pixels: one column and a page at 96 per inch
  assert page.evaluate(f"[...document.images].every(i => i.clientWidth >= {natural})")
  is_inside = "e => e.closest('.scroll') || e.getBoundingClientRect().right <= innerWidth"
  assert page.evaluate(f"[...document.querySelectorAll('main *')].every({is_inside})")
  violations = axe.Axe().run(page).response["violations"]
  assert not violations, [(found["id"], [node["html"] for node in found["nodes"]][:3]) for found in violations]
  background = page.evaluate("getComputedStyle(document.body).backgroundColor")
  assert (background == "rgb(255, 255, 255)") == (scheme == "light")
  assert [url for url in asked if not url.startswith("data:")] == [address]


def test_figures_are_as_wide_as_the_text_and_tables_are_whole_on_a_desk(visit):
  page, _ = visit(1300, "light")
  widths = "s => [...document.querySelectorAll(s)].map(e => Math.round(e.getBoundingClientRect().width))"
  (text,) = set(page.evaluate(widths, ".wide figcaption .finding"))
  assert set(page.evaluate(widths, ".wide .card")) == {text}
  assert page.evaluate("[...document.querySelectorAll('.scroll')].every(e => e.scrollWidth <= e.clientWidth)")
  assert not any(map(page.is_visible, [".hint"]))


def test_scrolling_shows_itself_on_a_phone(visit):
  page, _ = visit(400, "light")
  cut = page.locator(".wide .card")
  assert cut.count() > 0
  for i in range(cut.count()):
    assert cut.nth(i).evaluate("e => e.scrollWidth > e.clientWidth")
    assert cut.nth(i).locator("xpath=..").locator(".hint").is_visible()
  edge = "e => getComputedStyle(e).backgroundAttachment.split(', ')"
  tables = page.locator(".numbers.scroll")
  # The first two layers move with the table and cover the shadows at its ends.
  assert all(tables.nth(i).evaluate(edge) == ["local", "local", "scroll", "scroll"] for i in range(tables.count()))


def test_figures_stand_on_white_in_the_dark(visit):
  page, _ = visit(1400, "dark")
  cards = page.evaluate("[...document.querySelectorAll('.card')].map(e => getComputedStyle(e).backgroundColor)")
  assert set(cards) == {"rgb(255, 255, 255)"}


def test_keys_lead_past_the_contents(visit):
  page, _ = visit(400, "light")
  page.keyboard.press("Tab")
  assert page.evaluate("document.activeElement.className") == "skip"
  page.keyboard.press("Enter")
  page.keyboard.press("Tab")
  assert page.evaluate("document.activeElement.closest('main') !== null")


def test_it_prints(visit, tmp_path):
  page, _ = visit(1400, "dark")
  page.pdf(path=tmp_path / "report.pdf", prefer_css_page_size=True)
  pages = pypdf.PdfReader(tmp_path / "report.pdf").pages
  assert len(pages) >= 3
  assert [float(side) for side in pages[0].mediabox[2:]] == pytest.approx([595, 842], abs=1)  # A4
  text = "".join("".join(one.extract_text().split()) for one in pages)
  for words in (
    "Figure 1. Does the Jacobian product grow or vanish with the lag?",
    "The claims",
    "Provenance",
    "What is missing",
  ):
    assert "".join(words.split()) in text


def test_downloads_arrive(visit, tmp_path):
  page, _ = visit(1400, "light")
  links = page.locator("a[download]")
  assert links.count() == 3
  for i in range(links.count()):
    with page.expect_download() as started:
      links.nth(i).click()
    started.value.save_as(tmp_path / "numbers.csv")
    assert started.value.suggested_filename == links.nth(i).get_attribute("download")
    with open(tmp_path / "numbers.csv", newline="") as file:
      rows = list(csv.DictReader(file))
    assert len(rows) > 5
    assert all(float(row.get("seed 0") or row["value"]) is not None for row in rows)
