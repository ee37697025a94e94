# The commands of this project. All need python3 (3.11 or later) with venv; the rest
# goes into .venv: `make test PYTHON=python3.12` makes it anew with another Python.

PYTHON ?= python3

# What `make demo` asks, whom and how; empty: the demo's own defaults.
ENDPOINT =
MAX_TOKENS =
MODEL =
PROMPT =
WEIGHTS =
export PROMPT

BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -qq
NO_INDEX := echo "error: pip could not install; see above. Check the network and pip's index." >&2

VENV := .venv/made-by-$(subst /,-,$(PYTHON))
INSTALLED := .venv/installed
TOOLS := .venv/tools

.PHONY: help demo test lint bench exactness cuts seams repetition soak clean

help:
	@echo 'make demo       a small model on this machine answers, cut and continued'
	@echo '                PROMPT="..." MAX_TOKENS=48 WEIGHTS=smollm2|qwen2.5-coder'
	@echo '                ENDPOINT=aws|http://... MODEL=...'
	@echo 'make test       all that CI runs: lint, types, tests with coverage'
	@echo 'make lint       ruff and mypy alone'
	@echo 'make bench      all benchmarks'
	@echo 'make exactness  how many continued answers equal the uncut ones'
	@echo '                WEIGHTS=smollm2|qwen2.5-coder'
	@echo 'make cuts       by which rule a cut behind whitespace goes on: WEIGHTS=...'
	@echo 'make seams      every cut of every text, through every bad habit'
	@echo 'make repetition how often real texts are taken for a model in a loop'
	@echo 'make soak       2,000 turns, 32 at once, with random faults: what is lost or leaked'
	@echo 'make clean      remove .venv and all caches of tools'

demo: $(INSTALLED)
	@$(BIN)/python -m langchain_bedrock_continue \
	    $(if $(ENDPOINT),--endpoint '$(ENDPOINT)') \
	    $(if $(MAX_TOKENS),--max-tokens '$(MAX_TOKENS)') \
	    $(if $(MODEL),--model '$(MODEL)') \
	    $(if $(WEIGHTS),--weights '$(WEIGHTS)') \
	    -- $${PROMPT:+"$$PROMPT"}

test: lint
	$(BIN)/python -m pytest --cov --cov-report=term

lint: $(TOOLS)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

bench: exactness

exactness: $(TOOLS)
	$(BIN)/python -m tests.benchmarks.exactness --weights $(or $(WEIGHTS),smollm2)

cuts: $(TOOLS)
	$(BIN)/python -m tests.benchmarks.cuts --weights $(or $(WEIGHTS),smollm2)

seams: $(TOOLS)
	$(BIN)/python -m tests.benchmarks.seams

repetition: $(TOOLS)
	$(BIN)/python -m tests.benchmarks.repetition

soak: $(TOOLS)
	$(BIN)/python -m tests.benchmarks.soak

clean:
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage* build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV):
	@'$(PYTHON)' -c '' 2>/dev/null || \
	    { echo 'error: $(PYTHON) does not run: install Python 3.11 or later, or name one: PYTHON=...' >&2; exit 1; }
	@'$(PYTHON)' -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo 'error: $(PYTHON) is too old: Python 3.11 or later is needed; name one: PYTHON=...' >&2; exit 1; }
	@'$(PYTHON)' -c 'import venv, ensurepip' 2>/dev/null || \
	    { echo 'error: $(PYTHON) has no venv: on Debian and Ubuntu, apt install python3-venv' >&2; exit 1; }
	@echo 'Making .venv'
	@'$(PYTHON)' -m venv --clear .venv
	@touch $@

# pip's --group came with 25.1; a new .venv has the pip of its Python's age.
$(INSTALLED): pyproject.toml $(VENV)
	@echo 'Installing the package and a local runtime into .venv, once'
	@$(PIP) install --upgrade 'pip>=25.1' && \
	    $(PIP) install --editable '.[local]' || \
	    { $(NO_INDEX); exit 1; }
	@touch $@

$(TOOLS): $(INSTALLED)
	@echo 'Installing the tools of tests, lint and types into .venv, once'
	@$(PIP) install --group test --group lint --group typing || \
	    { $(NO_INDEX); exit 1; }
	@touch $@
