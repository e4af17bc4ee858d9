# racelog: `make race` to see it, `make test` to check it. Both make their own environment in .venv, of the releases that
# .ci/locks/ pins with their hashes; the second time they need no network.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SOURCES := $(shell find racelog recorder player cards -name '*.py' -o -name '*.rlog' -o -name '*.ttf' -o -name '*.json' 2>/dev/null)
LOCKS := .ci/locks
PYTEST := $(BIN)/python -m pytest -q
SUITE := -m pytest -q -n 3 --dist worksteal
# racelog's own folder, as it is, with what is installed already and nothing fetched.
HERE := -m pip --disable-pip-version-check --quiet install --no-index --no-deps --no-build-isolation
# Images for containers set it. Tests start hundreds of processes, and each would compile racelog anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help race test test-lowest test-latest check format docs bench test-engines soak lock clean

help: ## list what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

race: $(if $(wildcard $(VENV)/.locked),$(VENV)/.locked,$(VENV)/.user) ## install racelog into .venv and watch a demo race
	@$(BIN)/racelog record

test: check ## every check, then every test (the closing line is pytest's own)
	@$(BIN)/python $(SUITE)

test-lowest: .venv-lowest/.locked ## every test with the oldest releases that pyproject.toml allows (Python 3.11)
	@.venv-lowest/bin/python $(SUITE)

test-latest: .venv-latest/bin/python ## every test with the newest releases there are today (asks the package index)
	@echo '==> installing the newest releases into .venv-latest'
	@.venv-latest/bin/python -m pip --disable-pip-version-check --quiet install --upgrade pip
	@.venv-latest/bin/python -m pip --quiet install --upgrade --upgrade-strategy eager --editable . --group test
	@.venv-latest/bin/python $(SUITE)

check: $(VENV)/.locked ## format, lint, types, import contracts and workflows
	@echo '==> ruff format --check' && $(BIN)/ruff format --check --quiet .
	@echo '==> ruff check' && $(BIN)/ruff check --quiet .
	@echo '==> mypy --strict' && $(BIN)/mypy
	@echo '==> import contracts' && $(BIN)/lint-imports --no-cache --no-logo > $(VENV)/imports.txt \
		|| { cat $(VENV)/imports.txt; exit 1; }
	@echo '==> zizmor' && $(BIN)/zizmor --offline --no-progress --quiet --persona pedantic .github

format: $(VENV)/.locked ## rewrite the sources as `make check` wants them
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

docs: $(VENV)/.locked ## draw the rooms and list them again, from the import contracts and the docstrings
	@$(BIN)/python docs/draw_rooms.py

bench: $(VENV)/.locked ## measure against the budgets in docs/benchmarks.md (minutes, on a quiet machine)
	@$(BIN)/python -m pytest tests/bench -q -s --timeout=0 -p no:randomly

test-engines: $(VENV)/.locked ## race real engines, vLLM included (downloads gigabytes)
	@$(PYTEST) --timeout=3600 -m 'engine or engine_vllm' tests

soak: $(VENV)/.locked ## search for counterexamples: 2,000 examples a property, damage at every byte, 1,000 kills, a race of half an hour
	@HYPOTHESIS_PROFILE=soak $(PYTEST) --timeout=1800 tests/core tests/faults tests/docs
	@$(BIN)/python -m tests.soak.sweeps
	@$(BIN)/python -m tests.soak.fault_table
	@$(BIN)/python -m tests.soak.kill_seal 1000
	@$(BIN)/python -m tests.soak.kill_recorder 1000
	@$(BIN)/python -m tests.soak.long_race --minutes 30

lock: .venv-lock/.locked ## pin the newest releases with their hashes in .ci/locks/, then run everything with them
	@sh .ci/lock .venv-lock/bin/uv
	@$(MAKE) test test-lowest test-latest

clean: ## remove everything that was made
	rm -rf .venv .venv-* build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# An environment is a folder beside the sources: .venv, .venv-lowest, .venv-latest, .venv-lock.
.PRECIOUS: %/bin/python
%/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "racelog needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1). Try: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	@echo '==> making $*'
	@$(PYTHON) -m venv $* || { rm -rf $*; \
		echo "$(PYTHON) cannot make a virtual environment; on Debian: apt install python3-venv" >&2; exit 1; }

$(VENV)/.user: $(LOCKS)/run.txt pyproject.toml $(SOURCES) | $(BIN)/python
	@echo '==> installing racelog into $(VENV)'
	@.ci/install $(BIN)/python $<
	@$(BIN)/python $(HERE) .
	@touch $@

$(VENV)/.locked: $(LOCKS)/dev.txt pyproject.toml | $(BIN)/python
	@echo '==> installing racelog and its development tools into $(VENV)'
	@.ci/install $(BIN)/python $<
	@$(BIN)/python $(HERE) --editable .
	@touch $@

.venv-lowest/.locked: $(LOCKS)/lowest.txt pyproject.toml | .venv-lowest/bin/python
	@.venv-lowest/bin/python -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || { rm -rf .venv-lowest; \
		echo "the oldest releases are made for Python 3.11. Try: make test-lowest PYTHON=python3.11" >&2; exit 1; }
	@echo '==> installing the oldest releases into .venv-lowest'
	@.ci/install .venv-lowest/bin/python $<
	@.venv-lowest/bin/python $(HERE) --editable .
	@touch $@

.venv-lock/.locked: $(LOCKS)/lock.txt | .venv-lock/bin/python
	@.ci/install .venv-lock/bin/python $<
	@touch $@
