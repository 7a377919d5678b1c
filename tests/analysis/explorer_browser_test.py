"""The explorer in headless Chromium: its controls are driven, and the numbers that it shows are read back against the results.

Needs `pip install ".[browser]"` and a Chromium on the path.
"""

import re

import numpy as np
import pytest

from analysis.explorer import __main__ as command
from sweepkit.store import load_results

axe = pytest.importorskip(
  "axe_playwright_python.sync_playwright", reason='axe-playwright-python is not installed: pip install ".[browser]"'
)
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def address(results, tmp_path_factory):
  out = tmp_path_factory.mktemp("explorer")
  assert command.main([f"--results={results}", f"--out={out}"]) == 0
  return (out / "explore.html").as_uri()


@pytest.fixture
def visit(browser, address):
  """Opens the page; at the end, nothing else was asked for and no script has failed."""
  opened, asked, failed = [], [], []

  def visit(hash="", width=1400, scheme="light"):
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme, locale="en-GB")
    opened.append(page)
    page.on("request", lambda request: asked.append(request.url.partition("#")[0]))
    page.on("pageerror", lambda error: failed.append(error))
    page.goto(f"{address}#{hash}")
    page.wait_for_selector("html[data-ready]")
    return page

  yield visit
  for page in opened:
    page.close()
  assert not failed
  assert {url for url in asked if not url.startswith("data:")} == {address}


def number(text):
  return float(text.replace("−", "-"))


def seeds_of(text):
  return [number(part) for part in text.split(", ")]


def table_of(page, chart):
  """The rows of the table below a chart, which is opened as a reader would."""
  details = page.locator(f"details:has(#{chart}-table)")
  if details.get_attribute("open") is None:
    details.locator("summary").click()
  page.wait_for_selector(f"#{chart}-table tbody tr")
  rows = page.evaluate(
    f"[...document.querySelectorAll('#{chart}-table tbody tr')].map(r => [...r.cells].map(c => c.innerText))"
  )
  return np.array([[np.nan if text == "–" else number(text) for text in row] for row in rows])


@pytest.mark.parametrize(("scheme", "language", "widths"), [("light", "zh", (400, 1400)), ("dark", "en", (1400, 400))])
def test_it_fits_and_can_be_read_by_all(scheme, language, widths, visit):
  page = visit(f"language={language}&step=4", widths[0], scheme)
  for width in widths:
    page.set_viewport_size({"width": width, "height": 900})
    page.wait_for_function("document.documentElement.scrollWidth === innerWidth")
    is_inside = "e => e.closest('.scroll, .side') || e.getBoundingClientRect().right <= innerWidth"
    page.wait_for_function(f"[...document.querySelectorAll('main *')].every({is_inside})")
    for chart in ("product", "growth", "spectrum", "memory"):
      assert page.locator(f"#{chart}-chart canvas").count() == 1
      assert page.get_attribute(f"#{chart}-chart", "aria-label")
  assert page.get_attribute("html", "lang") == {"en": "en", "zh": "zh-Hans"}[language]
  violations = axe.Axe().run(page).response["violations"]
  assert not violations, [(found["id"], [node["html"] for node in found["nodes"]][:3]) for found in violations]
  background = page.evaluate("getComputedStyle(document.body).backgroundColor")
  assert (background == "rgb(255, 255, 255)") == (scheme == "light")


@pytest.mark.parametrize("norm", ["spectral", "frobenius"])
def test_controls_show_what_was_measured(norm, visit, results):
  data = load_results(results / "recurrent_gain").squeeze().sel(norm=norm)
  page = visit()
  page.check(f"input[name=norm][value={norm}]")
  for cell in data.cell.values.tolist():
    page.select_option("#cell", cell)
    page.focus("#ws")
    page.keyboard.press("Home")  # W_s = 0 of the sweep of forget biases
    for ws in data.ws.values.tolist():
      page.keyboard.press("ArrowRight")
      one = data.sel(cell=cell, ws=ws)
      assert number(page.inner_text("#ws-value")) == ws == number(page.get_attribute("#ws", "aria-valuetext"))
      np.testing.assert_allclose(seeds_of(page.inner_text("#rate")), one.growth_rate, rtol=6e-3)
      assert f"{page.inner_text('#rate')} nats per step" in page.inner_text("#growth-says")
      np.testing.assert_allclose(seeds_of(page.inner_text("#exponent")), one.largest_exponent, rtol=6e-3)
    rows = table_of(page, "product")
    np.testing.assert_array_equal(rows[:, 0], data.lag)
    curve = one.log_norm
    for column, expected in enumerate((curve.mean("seed"), curve.min("seed"), curve.max("seed")), 1):
      np.testing.assert_allclose(rows[:, column], expected, atol=6e-4)
    rows = {row[0]: row[1] for row in table_of(page, "growth")}
    for ws in data.ws.values.tolist():
      assert rows[ws] == pytest.approx(float(data.growth_rate.sel(cell=cell, ws=ws).mean()), abs=1e-6)
    gates = page.evaluate(
      "[...document.querySelectorAll('#gates tbody tr')].map(r => [...r.cells].map(c => c.innerText))"
    )
    for gate, mean, *_ in gates:
      np.testing.assert_allclose(seeds_of(mean), one.mean_value.sel(gate=gate), rtol=6e-3)


def test_a_lag_is_read_with_the_keyboard(visit, results):
  one = load_results(results / "recurrent_gain").squeeze().sel(norm="spectral", cell="rnn", ws=4)
  page = visit("ws=4&adjoint=true&clip=true")
  page.focus("#lag")
  page.keyboard.press("End")
  page.keyboard.press("ArrowLeft")
  product, adjoint = (float(values.sel(lag=11).mean()) for values in (one.log_norm, one.log_adjoint_norm))
  said = page.inner_text("#product-says").replace("−", "-")
  found = [float(text) for text in re.findall(r"= (-?[\d.]+\d)", said)]
  np.testing.assert_allclose(found, [product, adjoint], atol=6e-4)
  whole = 0.5 * np.log(np.exp(2 * one.log_adjoint_norm).sum("lag"))
  clipped = float((one.log_adjoint_norm.sel(lag=11) - whole).mean())
  assert float(re.search(r"clipping: (-?[\d.]+\d)", said)[1]) == pytest.approx(clipped, abs=6e-4)


def test_what_was_not_measured_together_moves_and_is_said(visit):
  page = visit("ws=4")
  page.focus("#forget_bias")
  page.keyboard.press("End")
  assert page.inner_text("#forget_bias-value") == "4"
  assert page.inner_text("#ws-value") == "1"
  assert "this changed too: Ws = 1" in page.inner_text("#note").replace("\n", "")
  assert page.is_checked("input[name=axis][value=forget_bias]")


def test_a_click_on_the_curve_chooses(visit):
  page = visit("ws=1")
  box = page.locator("#growth-chart .u-over").bounding_box()
  page.mouse.move(box["x"] + 0.97 * box["width"], box["y"] + 20)
  page.mouse.click(box["x"] + 0.97 * box["width"], box["y"] + 20)
  assert page.inner_text("#ws-value") == "4"
  assert (
    page.evaluate("new URLSearchParams(location.hash.slice(1)).get('ws')") == "4"
  )  # the address brings the view back


def test_the_story_sets_the_controls_in_both_languages(visit):
  page = visit()
  titles = page.locator("#steps button").all_inner_texts()
  assert len(titles) == 6
  wanted = [("rnn", "0.5"), ("rnn", "4"), ("rnn", "1"), ("rnn", "4"), ("lstm", "1"), ("lstm", "4")]
  page.locator("#steps button").first.press("Enter")
  for i, (cell, ws) in enumerate(wanted):
    assert page.inner_text("#step-title") == titles[i].partition(". ")[2]
    assert page.evaluate("document.activeElement.id") == "step-title"
    assert (page.input_value("#cell"), page.inner_text("#ws-value")) == (cell, ws)
    measured = page.inner_text("#step-measured")
    assert "{" not in measured
    assert i == 5 or page.inner_text("#rate") in measured or i == 3
    assert page.is_checked("#clip") == (i == 3)
    if i < 5:
      page.click("#step-next")
  assert page.is_disabled("#step-next")
  page.click("[data-language=zh]")
  assert page.inner_text("#step-title") == "说法与测量"
  assert page.get_attribute("html", "lang") == "zh-Hans"
  rows = page.locator("#claims tbody tr")
  assert rows.count() == 12
  assert all(
    re.search(r"[\u4e00-\u9fff]", text) for text in page.locator("#claims tbody td:nth-child(2)").all_inner_texts()
  )


def test_keys_lead_past_the_controls(visit):
  page = visit(width=400)
  page.keyboard.press("Tab")
  assert page.evaluate("document.activeElement.className") == "skip"
  page.keyboard.press("Enter")
  page.keyboard.press("Tab")
  assert page.evaluate("document.activeElement.closest('#charts') !== null")
