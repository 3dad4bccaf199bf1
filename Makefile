# demo, test, lint, bench, clean. Every target builds what it needs by itself, in .venv.
#
#   PYTHON       the Python that .venv is made with (3.10 or newer)     make test PYTHON=python3.12
#   WORKERS      processes that the tests run in                        make test WORKERS=8
#   PYTEST_ARGS  anything for pytest                                    make test PYTEST_ARGS="-k cli -x"
#
# On Linux pip takes PyTorch's CUDA build, which is large. The CPU build is enough:
#   PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu make test

PYTHON ?= python3
WORKERS ?= 2
PYTEST_ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.stamp

.DEFAULT_GOAL := help
.PHONY: help demo test lint bench clean

help:
	@sed -n '1s/^# /targets: /p' Makefile

demo: $(STAMP)
	$(BIN)/unstuck run -- $(BIN)/python examples/digits_stuck.py

test: $(STAMP)
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(PYTEST_ARGS)

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(STAMP)
	$(BIN)/python -m benchmarks

clean:
	rm -rf $(VENV) build dist unstuck-runs .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamp is older than a changed pyproject.toml or constraints.txt: then the environment is made again from nothing.
$(STAMP): pyproject.toml constraints.txt
	@command -v $(PYTHON) >/dev/null || { \
	  echo "unstuck needs Python 3.10 or newer, and there is no '$(PYTHON)' here. Name one: make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { \
	  echo "unstuck needs Python 3.10 or newer; '$(PYTHON)' is $$($(PYTHON) -V 2>&1). Name another: make PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv --clear $(VENV)
	PIP_CONSTRAINT=constraints.txt $(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@
