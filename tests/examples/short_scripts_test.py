"""The short examples run, print what they found, and find what is so."""

import math

import jax
import numpy as np
from pypdf import PdfReader
import pytest

from examples import figure_for_a_paper, onnx_model, portrait, reuse_a_cell, sweep_from_python
import recurrent_lab as rl
from recurrent_lab import theory
from sweepkit import store


def test_a_reused_cell_keeps_more_of_the_first_input_the_higher_its_forget_bias(capsys):
  norms = reuse_a_cell.main()
  share = norms[:, 0] / norms[:, -1]
  # The path through the cell alone keeps σ(b)^49 of it; gates and outputs differ by a factor that does not grow with b.
  sigmoid = 1 / (1 + np.exp(-reuse_a_cell.BIASES))
  kept = 49 * np.log(sigmoid)
  assert np.all(np.diff(np.log(share)) > 0.5 * np.diff(kept))
  assert len(capsys.readouterr().out.splitlines()) == 3


def test_the_portrait_of_a_leaky_integrator_agrees_with_itself(capsys):
  found = portrait.main()
  assert found.spectrum.residual < 1e-5
  lags = np.arange(10, portrait.STEPS)
  slopes = [np.polyfit(lags, norms[lags], 1)[0] for norms in (found.products, found.adjoints)]
  np.testing.assert_allclose(
    [found.growth.rate, *slopes], found.spectrum.exponents[0], atol=0.02
  )  # one number, three ways
  # J = (1 - α) I + α diag(tanh') W: on average a little beside the leak alone.
  assert np.mean(found.spectrum.exponents) == pytest.approx(math.log(1 - portrait.ALPHA), abs=0.1)
  assert 0 < found.tanh.mean_slope < 1
  assert "certificate" in capsys.readouterr().out


def test_a_sweep_from_python_crosses_where_theory_says_and_is_not_run_twice(tmp_path, capsys):
  crossing = sweep_from_python.main(tmp_path)
  assert crossing == pytest.approx(float(theory.driven_critical_gain(1.0)), rel=0.15)
  assert store.load_results(tmp_path / "growth").sizes["ws"] == 4
  assert sweep_from_python.main(tmp_path) == crossing
  assert "0 points to compute, 16 already done" in capsys.readouterr().err


def test_an_onnx_model_is_measured_node_by_node(tmp_path, capsys):
  rates = onnx_model.main([], tmp_path)
  params = onnx_model.remembering()
  xs = jax.random.normal(jax.random.key(0), (onnx_model.STEPS, 3))
  expected = rl.growth_rate(rl.product_log_norms(rl.lstm(), params, xs)).rate
  assert rates == {
    "LSTM_0 (LSTM, forward)": pytest.approx(float(expected), rel=1e-6)
  }  # what the file went through changes nothing
  assert onnx_model.main([str(tmp_path / "model.onnx")], tmp_path) == rates
  assert len(capsys.readouterr().out.splitlines()) == 2


def test_the_figure_is_a_column_wide_and_has_its_own_colours(tmp_path):
  pdf, _ = figure_for_a_paper.main(tmp_path)
  page = PdfReader(pdf).pages[0]
  assert float(page.mediabox.width) == pytest.approx(252 * 72 / 72.27, abs=0.5)
  drawn = page.get_contents().get_data().decode("latin-1")
  for color in figure_for_a_paper.COLORS.values():
    rgb = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    assert " ".join(f"{part:.10f}".rstrip("0").rstrip(".") for part in rgb) in drawn
