# `make demo` and `make test` need Python 3.11+ and make; everything else they set up in .venv.

# The first Python that really runs (a shim may not), is new enough and can make a venv.
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3 python; do \
	$$p -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' \
	>/dev/null 2>&1 && { echo $$p; break; }; done)

VENV    ?= .venv
BIN     := $(VENV)/bin
PIP     := $(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check
WORKERS ?= 2

DEMO_EXTRAS := onnx,boost,cli,plot
UNIT_EXTRAS := $(DEMO_EXTRAS),catboost,report,device,search,dask,test
TEST_EXTRAS := $(UNIT_EXTRAS),browser,lint,docs

# What `make test-versions` runs: the lowest versions on the oldest Python, the newest on all.
PYTHONS := 3.11 3.12 3.13 3.14

# Stamps: a second run installs nothing, a change of pyproject.toml installs again.
VENV_MADE  := $(VENV)/.made
DEMO_READY := $(VENV)/.demo-ready
TEST_READY := $(VENV)/.test-ready

BENCHMARKS := $(filter-out benchmarks/_%,$(wildcard benchmarks/*.py))
NOTEBOOKS  := $(wildcard notebooks/*.ipynb)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test test-browser test-mcu test-package test-versions lint format unit coverage \
	notebooks outputs figures docs bench clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(DEMO_READY) ## distil a forest, export it, compare the two
	$(BIN)/skdistill demo

# What runs in one process each is done side by side, after the tests that have workers of their own.
test: unit ## everything that has to hold
	$(MAKE) --jobs=$(WORKERS) --output-sync=target lint test-package test-browser notebooks

lint: $(TEST_READY) ## format, lint rules, types and the direction of imports
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

format: $(TEST_READY) ## reformat and apply the safe fixes
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

# One thread a worker: teachers and students would otherwise fight over the cores.
unit: $(TEST_READY) ## tests and doctests
	OMP_NUM_THREADS=1 NUMBA_NUM_THREADS=1 $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal

# Tracing takes its time, so this is apart. Compiled loops are not seen.
coverage: $(TEST_READY) ## unit with coverage, shown and as pages in build/coverage
	OMP_NUM_THREADS=1 NUMBA_NUM_THREADS=1 $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal \
		--cov --cov-report=term:skip-covered --cov-report=html:build/coverage

# A second opinion: Debian's gcc-arm-none-eabi, qemu-system-arm, gcc-avr, avr-libc and simavr.
test-mcu: $(TEST_READY) ## the emitted C on QEMU and simavr, as far as they are installed
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m mcu tests/mcu

# The wheel is built from the sdist, so that one install tries both.
test-package: $(TEST_READY) ## sdist and wheel in a clean environment
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m package tests/package

test-browser: docs ## report and pages in headless Chromium, where that is installed
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m browser tests/browser

# In environments of uv's own; pyproject.toml's bounds are what this has run.
test-versions: $(TEST_READY) ## unit at the lowest and the newest versions, Python by Python
	@$(PIP) uv
	@for run in $(firstword $(PYTHONS))/lowest-direct $(PYTHONS:=/highest); do \
		python=$${run%/*}; \
		$(BIN)/uv python find --quiet --no-project --no-python-downloads $$python >/dev/null 2>&1 \
			|| { echo "Python $$python is not here: left out"; continue; }; \
		echo "Python $$python, $${run#*/} versions"; \
		OMP_NUM_THREADS=1 $(BIN)/uv run --quiet --isolated --no-project --no-python-downloads \
			--python $$python --resolution $${run#*/} --with-editable '.[$(UNIT_EXTRAS)]' \
			python -m pytest -p no:cacheprovider -n $(WORKERS) --dist worksteal \
			|| failed="$$failed $$run"; \
	done; test -z "$$failed" || { echo "failed:$$failed" >&2; exit 1; }

notebooks: $(TEST_READY) ## execute notebooks/*.ipynb into build/notebooks
	rm -rf build/notebooks.new
	printf '%s\n' $(NOTEBOOKS) | OMP_NUM_THREADS=1 NUMBA_NUM_THREADS=1 xargs -P $(WORKERS) -n 1 $(BIN)/python \
		-m nbconvert --to notebook --execute --log-level ERROR --output-dir build/notebooks.new
	rm -rf build/notebooks && mv build/notebooks.new build/notebooks

outputs: $(TEST_READY) ## run the code of all pages and write what it prints below it
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.page_code

figures: $(TEST_READY) ## put benchmarks/results/*.json into tables and pictures of the pages
	$(BIN)/python benchmarks/_readme.py

# Notebooks are shown as `make notebooks` left them.
docs: $(TEST_READY) ## build docs/_build/html, warnings are errors
	$(BIN)/sphinx-build --quiet -W --keep-going -b html docs docs/_build/html

bench: $(TEST_READY) ## run benchmarks/*.py into benchmarks/results/*.json
	@mkdir -p benchmarks/results
	set -e; for b in $(BENCHMARKS); do \
		$(BIN)/python $$b --output benchmarks/results/$$(basename $$b .py).json; done

clean: ## remove .venv and whatever was built
	rm -rf $(VENV) build dist docs/_build docs/api docs/gallery .mypy_cache .ruff_cache .pytest_cache \
		.import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV_MADE):
	@test -n "$(PYTHON)" || { echo "skdistill needs Python 3.11 or newer with the venv module;" \
		"none was found. Install one, or name it: make PYTHON=/path/to/python3" >&2; exit 1; }
	$(PYTHON) -m venv --clear $(VENV)
	@touch $@

$(DEMO_READY): $(VENV_MADE) pyproject.toml
	@echo 'installing into $(VENV), which takes a minute or two the first time'
	@$(PIP) --editable '.[$(DEMO_EXTRAS)]'
	@touch $@

# The test environment holds the demo's, so one install serves both.
$(TEST_READY): $(VENV_MADE) pyproject.toml
	@echo 'installing into $(VENV), which takes a minute or two the first time'
	@$(PIP) --editable '.[$(TEST_EXTRAS)]'
	@touch $(DEMO_READY) $@
