# racelog: `make race` to see it, `make test` to check it. Both make their own environment in .venv.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SOURCES := $(shell find racelog recorder player cards -name '*.py' -o -name '*.rlog' -o -name '*.ttf' 2>/dev/null)
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
PYTEST := $(BIN)/python -m pytest -q

.PHONY: help race test check format bench test-engines soak clean

help: ## list what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

race: $(if $(wildcard $(VENV)/.dev),$(VENV)/.dev,$(VENV)/.user) ## install racelog into .venv and watch a demo race
	@$(BIN)/racelog record

test: check ## every check, then every test (the closing line is pytest's own)
	@$(PYTEST) -n 3

check: $(VENV)/.dev ## format, lint, types and import contracts
	@echo '==> ruff format --check' && $(BIN)/ruff format --check --quiet .
	@echo '==> ruff check' && $(BIN)/ruff check --quiet .
	@echo '==> mypy --strict' && $(BIN)/mypy
	@echo '==> import contracts' && $(BIN)/lint-imports --no-cache --no-logo > $(VENV)/imports.txt \
		|| { cat $(VENV)/imports.txt; exit 1; }

format: $(VENV)/.dev ## rewrite the sources as `make check` wants them
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

bench: $(VENV)/.bench ## measure against the budgets in docs/benchmarks.md (minutes, on a quiet machine)
	@$(BIN)/python -m pytest tests/bench -q -s --timeout=0 -p no:randomly

test-engines: $(VENV)/.dev ## race real engines, vLLM included (downloads gigabytes)
	@$(PYTEST) --timeout=3600 -m 'engine or engine_vllm' tests

soak: $(VENV)/.dev ## search for counterexamples: 2,000 examples a property, damage at every byte, 1,000 kills, a race of half an hour
	@HYPOTHESIS_PROFILE=soak $(PYTEST) --timeout=1800 tests/core tests/faults tests/docs
	@$(BIN)/python -m tests.soak.sweeps
	@$(BIN)/python -m tests.soak.fault_table
	@$(BIN)/python -m tests.soak.kill_seal 1000
	@$(BIN)/python -m tests.soak.kill_recorder 1000
	@$(BIN)/python -m tests.soak.long_race --minutes 30

clean: ## remove everything that was made
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "racelog needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1). Try: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	@echo '==> making $(VENV)'
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
		echo "$(PYTHON) cannot make a virtual environment; on Debian: apt install python3-venv" >&2; exit 1; }

$(VENV)/.user: pyproject.toml $(SOURCES) | $(VENV)/bin/python
	@echo '==> installing racelog into $(VENV)'
	@$(PIP) install .
	@touch $@

$(VENV)/.bench: pyproject.toml $(VENV)/.dev
	@$(PIP) install --group bench
	@touch $@

# pip reads dependency groups since 25.1.
$(VENV)/.dev: pyproject.toml | $(VENV)/bin/python
	@echo '==> installing racelog and its development tools into $(VENV)'
	@$(PIP) install --upgrade 'pip>=25.1'
	@$(PIP) install --editable . --group dev
	@touch $@
