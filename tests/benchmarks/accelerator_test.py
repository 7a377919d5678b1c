"""An accelerator is found or refused, its numbers are judged, and the page says what was measured.

No test uses an accelerator. `accelerator_lowering_test.py` lowers the programs, and an exhaustive test runs the command on a CPU.
"""

from functools import partial
import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from benchmarks import accelerator, limits, problem, products, results, timing
from benchmarks.device import agreement, cases, found, page, sweep
from benchmarks.peers import lab
from experiments.portrait import draw, portrait_of
from experiments.recurrent_gain import EXPERIMENT
import recurrent_lab as rl
from sweepkit import runner
from sweepkit.execution import blocks
from sweepkit.measure import point_key
from sweepkit.points import static_part
from sweepkit.settings import traced_names

ROOT = Path(__file__).parents[2]


def machine(root, **files):
  """A file system that holds these files; __ in a name separates folders."""
  for name, text in files.items():
    path = root / name.replace("__", "/")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
  return root


NVIDIA = {"dev__nvidia0": "", "dev__nvidiactl": ""}
OPEN_DRIVER = "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  {}  Release Build\nGCC version: gcc 13.3.0\n"
PCI = "sys__bus__pci__devices__0__"


@pytest.mark.parametrize(
  ("files", "platform", "requirement"),
  [
    (NVIDIA | {"proc__driver__nvidia__version": OPEN_DRIVER.format("580.65.06")}, "cuda", "jax[cuda13]"),
    (NVIDIA | {"proc__driver__nvidia__version": OPEN_DRIVER.format("535.104.05")}, "cuda", "jax[cuda12]"),
    (NVIDIA, "cuda", "jax[cuda12]"),
    ({"dev__kfd": ""}, "rocm", "jax[rocm7-local]"),
    ({"dev__accel0": ""}, "tpu", "jax[tpu]"),
    ({f"{PCI}vendor": "0x1ae0\n", f"{PCI}device": "0x0063\n"}, "tpu", "jax[tpu]"),
  ],
)
def test_an_accelerator_is_found_with_what_it_needs(tmp_path, files, platform, requirement):
  assert found.find(root=machine(tmp_path, **files)) == (platform, requirement)


@pytest.mark.parametrize(
  "files",
  [
    {},
    {"dev__nvidiactl": ""},  # a container of a host whose GPU it may not use
    {"dev__accel__accel0": ""},  # a neural processor of a laptop
    {f"{PCI}vendor": "0x1ae0\n", f"{PCI}device": "0x0042\n"},  # a network card of Google
  ],
)
def test_a_machine_without_one_is_refused_in_one_sentence(tmp_path, files):
  with pytest.raises(found.NoAcceleratorError, match=r"^No accelerator was found: .* PLATFORM=cpu tries"):
    found.find(root=machine(tmp_path, **files))
  assert found.find("cpu", machine(tmp_path, **files)) == ("cpu", "jax")


def test_nothing_is_installed_or_measured_where_there_is_no_accelerator(tmp_path, monkeypatch, capsys):
  refuse = lambda wanted="": found.Found("cpu", "jax") if wanted == "cpu" else absent()

  def absent():
    raise found.NoAcceleratorError(found.NOTHING)

  monkeypatch.setattr(found, "find", refuse)
  assert found.main([]) == 2
  assert accelerator.main([f"--out={tmp_path}"]) == 2
  told = capsys.readouterr()
  assert not told.out
  assert told.err.splitlines() == [f"accelerator: {found.NOTHING}"] * 2
  assert not list(tmp_path.iterdir())
  recipe = (ROOT / "Makefile").read_text().partition("\naccelerator:\n")[2]
  assert recipe.index("benchmarks.device.found") < recipe.index("&& $(MAKE)") < recipe.index("pip install")


@pytest.mark.parametrize(
  ("flag", "sentence"),
  [
    ("--platform=metal", "'metal' is not a platform; the platforms are cuda, rocm, tpu, cpu."),
    ("--minutes=-1", "minutes"),
    ("now", "'now' is not a flag; the flags are --platform, --out and --minutes."),
  ],
)
def test_a_flag_that_cannot_be_used_stops_before_any_work(tmp_path, capsys, flag, sentence):
  assert accelerator.main([f"--out={tmp_path}", flag]) == 2
  error = capsys.readouterr().err
  assert sentence in error
  assert error.startswith("accelerator: ")
  assert not list(tmp_path.iterdir())


def test_a_platform_that_does_not_start_is_reported_in_one_sentence(tmp_path, monkeypatch, capsys):
  monkeypatch.setattr(cases, "environment", lambda platform: {"JAX_PLATFORMS": "no_such_plugin"})
  assert accelerator.main(["--platform=rocm", f"--out={tmp_path}"]) == 2
  (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("accelerator: ")]
  assert "JAX does not start on rocm" in line
  assert not list(tmp_path.iterdir())


def test_processes_use_one_device_in_full_precision():
  given = {"CUDA_VISIBLE_DEVICES": "3,1", "TPU_VISIBLE_CHIPS": ""}
  cuda = found.environment("cuda", given)
  assert (cuda["CUDA_VISIBLE_DEVICES"], cuda["JAX_PLATFORMS"]) == ("3", "cuda")
  assert (
    found.environment("cuda", {})["CUDA_VISIBLE_DEVICES"] == found.environment("tpu", given)["TPU_VISIBLE_CHIPS"] == "0"
  )
  for platform in found.PLATFORMS:
    assert found.environment(platform, {})["JAX_DEFAULT_MATMUL_PRECISION"] == "highest"


def test_torch_takes_part_where_it_runs_and_the_reference_runs_on_a_cpu():
  (case,) = cases.cases("bptt --cells=lstm --shapes=3x5x2x4")
  on_gpu = {c.name: c for c in cases.placed(case, "bptt", cases.Place("cuda", has_torch=True)).contenders}
  assert on_gpu["torch"].arguments["device"] == "cuda"
  assert on_gpu["torch"].process != "device"
  reference = next(iter(on_gpu.values()))
  assert (reference.kind, reference.environment["JAX_PLATFORMS"], reference.process) == ("reference", "cpu", "")
  assert "torch" not in {c.name for c in cases.placed(case, "bptt", cases.Place("tpu", has_torch=False)).contenders}


def test_a_reference_runs_once_and_is_not_timed():
  one = lambda kind: timing.Contender(kind, "benchmarks.limits:product", {"size": 8}, kind)
  measured = timing.measure([one("reference"), one("lab")], rounds=2)
  assert measured["reference"] == {"kind": "reference", "facts": {"flops": 1024.0}}
  assert len(measured["lab"]["rounds"]) == 2


# Rounding errors of a sum of 256 terms in float32, and of factors with the 11 bits that a GPU multiplies by default.
FULL, SHORT = 256**0.5 * 2.0**-24, 2.0**-11


def rounded(params, size, rng):
  """Params with relative errors of this size."""
  return jax.tree.map(lambda a: a * (1 + size * rng.standard_normal(a.shape)).astype(np.float32), params)


def of_products(size, rng):
  rnn, (params, xs) = rl.get_cell("rnn"), products.nets("rnn", 32, 100, 4)
  norms = jax.jit(jax.vmap(lambda params: rl.product_log_norms(rnn, params, xs[0], norm="frobenius")))
  return agreement.compare("products", {"steps": 100}, norms(rounded(params, size, rng)), norms(params))


def of_gradients(size, rng):
  shape = problem.Shape(4, 30, 8, 32)
  params, xs = lab._net("lstm", shape)[1], jnp.asarray(problem.problem("lstm", shape).xs)
  gradient = jax.jit(jax.grad(lambda params: jnp.mean(rl.unroll(rl.get_cell("lstm"), params, xs)[1] ** 2)))
  flat = lambda tree: np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(tree)])
  return agreement.compare("bptt", {}, flat(gradient(rounded(params, size, rng))), flat(gradient(params)))


def of_spectra(size, rng):
  params, xs = products.nets("lstm", 32, 200, 4)
  exponents = jax.jit(jax.vmap(lambda params, xs: rl.lyapunov_spectrum(rl.get_cell("lstm"), params, xs).exponents))
  return agreement.compare("spectra", {"steps": 200}, exponents(rounded(params, size, rng), xs), exponents(params, xs))


def of_portraits(size, rng):
  """Nets of gains on both sides of chaos."""
  points = runner.parse(EXPERIMENT, ["--cells=rnn", "--ws=0.5:3:6", "--hidden_size=32", "--seq_len=100"]).points
  traced = traced_names(EXPERIMENT.measure.settings)
  static, (seeds, words, values) = static_part(points[0], traced), blocks.traced_arguments(points, traced)
  sample = jax.vmap(partial(draw, static))(jax.vmap(point_key)(seeds, words), values)
  portrait = jax.jit(jax.vmap(partial(portrait_of, static)))
  other = sample._replace(params=rounded(sample.params, size, rng))
  return agreement.compare_sweep(*({k: np.asarray(v) for k, v in portrait(one).items()} for one in (other, sample)))


@pytest.mark.parametrize(
  "judge",
  [of_gradients, *(pytest.param(f, marks=pytest.mark.exhaustive) for f in (of_products, of_spectra, of_portraits))],
)
@pytest.mark.parametrize(("size", "holds"), [(FULL, True), (SHORT, False)])
def test_tolerances_allow_float32_and_nothing_coarser(size, holds, judge, rng):
  """Kernels that are rounded otherwise stand for products that are; errors are independent, as those of sums are."""
  judged = judge(size, rng)
  assert all(one.holds for one in judged) == holds, judged


def portraits(log_norm, singular_value, growth_rate):
  return {
    "log_norm": np.asarray(log_norm, float),
    "log_singular_value": np.asarray(singular_value, float),
    "growth_rate": np.asarray(growth_rate, float),
  }


def test_chaotic_points_of_a_sweep_are_compared_by_their_mean_growth_rate():
  lags = np.arange(11)
  norms = np.stack([[-0.5 * lags] * 2, [0.9 * lags] * 2])  # [calm, chaotic]
  values = np.array([[[0.0, -3.0, np.nan]], [[0.0, -1.0, np.nan]]])
  rates = np.array([[-0.5, -0.5], [0.9, 0.9]])
  cpu = portraits(norms, values, rates)
  same = agreement.compare_sweep(cpu, cpu)
  assert [one.difference for one in same] == [0, 0, 0]
  assert "1 points" in same[0].quantity
  holds = lambda *other: [one.holds for one in agreement.compare_sweep(portraits(*other), cpu)]
  calm, chaotic = np.array([1.0, 0]), np.array([0, 1.0])
  assert holds(norms + 5 * chaotic[:, None, None], values + 5 * chaotic[:, None, None], rates + 0.04) == [True] * 3
  assert holds(norms + 1e-3 * calm[:, None, None], values, rates + 0.06) == [False, True, False]
  assert holds(norms, values + 1e-3 * calm[:, None, None], rates) == [True, False, True]
  assert holds(norms, np.where(values == -3, -3.001, values), rates) == [True, True, True]  # e^{-3} 0.001 < 1e-4


@pytest.mark.parametrize(
  ("x", "y", "apart"),
  [(1, 3, 2), (np.nan, np.nan, 0), (-np.inf, -np.inf, 0), (np.nan, 1, np.inf), (1, -np.inf, np.inf)],
)
def test_numbers_that_are_not_finite_agree_with_themselves_alone(x, y, apart):
  assert agreement.differences([x], [y]) == [apart]


def test_what_does_not_fit_into_the_time_is_left_out_and_what_fails_does_not_stop_the_rest(monkeypatch):
  clock, done = [0.0], []

  def job(name, seconds, error=None):
    def run():
      clock[0] += seconds
      done.append(name)
      if error:
        raise timing.BenchmarkError(error)
      return [f"{name} differs"]

    return name, run

  monkeypatch.setattr(
    accelerator, "jobs", lambda session: [job("a", 30), job("b", 50, "b: no"), job("c", 1), job("d", 1)]
  )
  monkeypatch.setattr(accelerator.time, "monotonic", lambda: clock[0])
  left_out, disagreements = accelerator.measure_all(None, 100)
  assert done == ["a", "b"]
  assert disagreements == ["a differs"]
  assert left_out["b"] == "because it failed: b: no"
  assert left_out["c"] == left_out["d"] == "because the time was over."


def timed(kind, seconds, **facts):
  return {"kind": kind, **timing.summary([[seconds, seconds]] * 3), "facts": facts, "peak_bytes": 1}


def write(folder, benchmark, case, settings, contenders, **more):
  device = {"kind": "A100", "platform": "gpu", "devices": 1}
  bounds = {limits.PRODUCT: timed("limit", 1e-3, flops=1e9), cases.LOOP: timed("limit", 1e-3, steps=1000)}
  accelerator.command.keep(folder, benchmark, case, settings, "c", contenders | bounds, device=device, **more)


def test_the_page_shows_rates_shares_and_agreement(tmp_path):
  size = {"cell": "rnn", "hidden": 8, "steps": 100, "points": 64}
  differs = {"quantity": "log norm, nats", "difference": 1.0, "allowed": 1e-3}
  write(
    tmp_path, "products", "p", {"norm": "spectral", **size}, {"lab": timed("lab", 0.01, flops=1e9)},
    agreement=[differs], disagreements=["p: log norm, nats differs by 1.0e+00."],
  )  # fmt: skip
  shape = {"cell": "gru", "batch": 4, "steps": 100, "inputs": 2, "hidden": 8}
  peers = {"flax.linen": timed("jax", 0.04), "haiku": {"kind": "jax", "skipped": "haiku is not installed"}}
  write(tmp_path, "bptt", "b", shape, {"lab": timed("lab", 0.02, flops=1e9), **peers})
  cell = {"cell": "lstm", "n": 16, "points": 250, "flops": 1e9, "seconds": 2.5, "compile_seconds": 7.0}
  write(
    tmp_path,
    "sweep",
    "s",
    {"points": 250},
    {},
    cells=[cell],
    facts={"points": 250, "wall_seconds": 10, "points_per_second": 25},
  )
  write(
    tmp_path,
    page.RUN,
    "run",
    {"platform": "cuda"},
    {},
    seconds=61.0,
    left_out={"spectra --cells=rnn": "because the time was over."},
  )
  text = page.markdown(results.load(tmp_path))
  for words in (
    "Measured on 1 × A100 (cuda) in 61 s.",
    "- Left out: `spectra --cells=rnn`, because the time was over.",
    "| lstm | 16 | 250 | 2.5 | 100 | 0.0004 | 7 |",  # 4e8 FLOP/s of 1e12
    "| 6400 | 0.1 | 0.01 | – |",  # 64 points in 10 ms; 1e11 of 1e12 FLOP/s; 100 empty steps of 1 µs in 10 ms
    "| 20000 | 0.05 | 0.005 | 0.5 (0.5 – 0.5) | 0.5 (0.5 – 0.5) |",
    "Left out: haiku: haiku is not installed.",
    "| products | p | log norm, nats | 1.0e+00 | 1.0e-03 | no |",
    "- p: log norm, nats differs by 1.0e+00.",
  ):
    assert words in text
  assert page.NOT_RUN not in text
  assert page.ON_CPU not in text


def test_the_page_in_docs_is_written_from_the_files_beside_it():
  folder = ROOT / "docs/performance/accelerator"
  kept = results.load(folder) if folder.exists() else []
  assert (ROOT / "docs/performance-accelerator.md").read_text() == page.markdown(kept)
  assert (page.NOT_RUN in page.markdown(kept)) == (not kept)


@pytest.mark.exhaustive
def test_the_whole_command_runs_on_cpu_devices(tmp_path, capfd):
  """The device is a CPU like the reference, so that all numbers agree."""
  assert accelerator.main(["--platform=cpu", "--minutes=60", f"--out={tmp_path}"]) == 0
  kept = results.load(tmp_path / "performance/accelerator")
  assert sorted(r["benchmark"] for r in kept) == ["accelerator", "bptt", "products", "spectra", "sweep"]
  for r in kept:
    assert all(agreement.Agreement(**one).holds for one in r.get("agreement", []))
    assert "numbers" not in json.dumps(r["contenders"])
  (swept,) = (r for r in kept if r["benchmark"] == "sweep")
  assert [(row["cell"], row["points"]) for row in swept["cells"]] == [("gru", 6), ("rnn", 6)]
  assert len(swept["agreement"]) == 6
  text = (tmp_path / "performance-accelerator.md").read_text()
  assert page.ON_CPU in text
  assert "nan" not in text
  assert sweep.SMALL_SEEDS == 2
