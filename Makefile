# `make study` runs the study of config.yaml; `make test` runs the tests; `make bench` measures the engine
# against other libraries. All make the environment first, in .venv, and do nothing twice; the other
# libraries are only there for the last two. Inside it (. .venv/bin/activate) plain `snakemake` is the study.
SHELL := /bin/bash
PYTHON ?= $(firstword $(foreach v,3.13 3.12 3.11,$(shell python$(v) --version >/dev/null 2>&1 && echo python$(v))) python3)
BIN := .venv/bin

.PHONY: study test bench lint

study: .venv/installed
	$(BIN)/snakemake $(TARGETS)

test: .venv/peers
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile

bench: .venv/peers
	$(BIN)/snakemake benchmarks

lint: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/snakemake --lint

.venv/installed: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "error: Python 3.11 or newer is needed (make PYTHON=/path/to/python3.11)")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	@touch $@

.venv/peers: .venv/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test,peers]'
	@touch $@
