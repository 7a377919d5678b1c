# make paper   the environment, the sweeps, the figures, the claims ledger
# make test    the environment, the default tests
PYTHON ?= python3
VENV ?= .venv
RESULTS ?= results
FIGURES ?= figures
LEDGER ?= docs
RUN = $(VENV)/bin/python
EXPERIMENTS = recurrent_gain tanh_saturation forget_bias zero_or_one \
              mean_field lyapunov phase_gates phase_input activation_choice transient_growth one_unit identities

.PHONY: paper sweeps figures test test-slow check env clean

paper: sweeps figures
	@echo "The figures are in $(FIGURES)/, the judged claims in $(LEDGER)/claims.md, the numbers behind them in $(RESULTS)/."

sweeps: env
	@for experiment in $(EXPERIMENTS); do $(RUN) -m experiments.$$experiment --out=$(RESULTS) || exit $$?; done

figures: env
	$(RUN) -m analysis.paper --results=$(RESULTS) --out=$(FIGURES)
	$(RUN) -m analysis.claims --results=$(RESULTS) --out=$(LEDGER) $(if $(filter docs,$(LEDGER)),--readme=README.md)

test: env
	$(RUN) -m pytest -n auto --dist loadgroup -m "not slow" $(PYTEST_FLAGS)

test-slow: env
	$(RUN) -m pytest -n auto -m slow $(PYTEST_FLAGS)

check: env
	$(RUN) -m ruff format --check .
	$(RUN) -m ruff check .
	$(RUN) -m mypy

env: $(VENV)/.complete

$(VENV)/.complete: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)
	$(RUN) -m pip install --quiet --upgrade pip
	$(RUN) -m pip install --quiet --constraint constraints.txt --editable ".[dev]"
	@touch $@

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache build *.egg-info
