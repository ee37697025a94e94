# The commands of this project. All need python3 (3.11 or later) with venv; the rest
# goes into .venv: `make test PYTHON=python3.12` makes it anew with another Python.
# What goes there is locked in requirements/, by version and hash; `make lock` renews it.

PYTHON ?= python3

# What `make demo` asks, whom and how; empty: the demo's own defaults.
ENDPOINT =
MAX_TOKENS =
MODEL =
PROMPT =
WEIGHTS =
export PROMPT

# uv renews the lock, and installs the newest and the lowest; all else needs pip alone.
UV_VERSION := 0.13.9

BIN := .venv/bin
# One more than the cores: tests wait for sockets and timeouts a third of the time.
WORKERS = $(shell '$(PYTHON)' -c 'import os; print((os.cpu_count() or 1) + 1)')
PYTEST = -m pytest --numprocesses $(WORKERS) --dist loadgroup
PIP = $(BIN)/python -m pip --disable-pip-version-check -qq install
# A lock names all that is installed. Without --no-deps pip resolves again, and takes a
# newer release for a requirement with an extra, coverage[toml], which has no hash here.
LOCKED = $(PIP) --no-deps --require-hashes --only-binary :all: --requirement
FAILED = { echo "error: $(1) failed; see above. Check the network and $(1)'s index." >&2; exit 1; }

DEMO_LOCK := requirements/demo.txt
TEST_LOCK := requirements/test.txt
BENCH_LOCK := requirements/bench.txt
VENV := .venv/made-by-$(subst /,-,$(PYTHON))
INSTALLED := .venv/installed
TOOLS := .venv/tools
BENCH_TOOLS := .venv/bench-tools
UV := .venv-uv/bin/uv
UV_INSTALLED := .venv-uv/$(UV_VERSION)

.PHONY: help demo test properties coverage lint latest lowest lock peer sdks pictures notebooks \
    bench exactness cuts prices seams seams-real real-tools seams-refused repetition oracle soak clean

help:
	@echo 'make demo       ask a small local model; its answer is truncated and continued'
	@echo '                PROMPT="..." MAX_TOKENS=48 WEIGHTS=smollm2|qwen2.5-coder|qwen2.5-coder-1.5b'
	@echo '                ENDPOINT=aws|http://... MODEL=...'
	@echo 'make test       run all that CI runs: ruff, mypy, the tests'
	@echo 'make properties try the property tests with many random examples: EXAMPLES=1000'
	@echo 'make peer       run the tests of langchain-aws itself with this model in place'
	@echo 'make sdks       use the local endpoint with the AWS CLI, the SDKs, litellm, pydantic-ai, strands'
	@echo 'make notebooks  execute the notebooks and write their outputs: NAMES="quickstart ..."'
	@echo 'make pictures   draw the pictures of the README'
	@echo 'make coverage   the tests, with the lines and branches that they miss'
	@echo 'make lint       run ruff and mypy only'
	@echo 'make latest     test with the newest versions that pyproject.toml allows'
	@echo 'make lowest     test with the lowest versions of the direct dependencies'
	@echo 'make lock       update requirements/: the versions that the other commands install'
	@echo 'make bench      measure CPU, turns at once, gaps at seams and input prices beside'
	@echo '                the peers; write docs/plots. QUICK=1: fewer, into .bench'
	@echo '                ONLY="chunk segment growth seam at_once input_price"'
	@echo 'make exactness  count the continued answers that equal the untruncated ones'
	@echo '                WEIGHTS=smollm2|qwen2.5-coder|qwen2.5-coder-1.5b'
	@echo 'make cuts       compare rules for cuts after whitespace: WEIGHTS=...'
	@echo 'make prices     the price of the input of continued answers, by prompt_caching'
	@echo 'make seams      join texts cut at every place, continued with every habit'
	@echo 'make seams-real compare wordings of the user turn on a real model, then measure'
	@echo '                complete turns: WEIGHTS=smollm2|qwen2.5-coder|FILE.gguf'
	@echo '                HALF=report|choose WORDINGS=package,copy,...'
	@echo 'make real-tools count the exact tool calls of a real model that were truncated: WEIGHTS=...'
	@echo 'make seams-refused count the true continuations of real texts that are refused'
	@echo 'make repetition count the real texts that are mistaken for a repetition'
	@echo 'make oracle     compare with the wrapped model in random situations:'
	@echo '                SITUATIONS=2000 SEED=7'
	@echo 'make soak       run turns, 32 and 256 at once, with random faults, and cancel 1,000;'
	@echo '                find losses and leaks'
	@echo 'make clean      remove virtual environments, tool caches and build output'

demo: $(INSTALLED)
	@$(BIN)/python -m langchain_bedrock_continue \
	    $(if $(ENDPOINT),--endpoint '$(ENDPOINT)') \
	    $(if $(MAX_TOKENS),--max-tokens '$(MAX_TOKENS)') \
	    $(if $(MODEL),--model '$(MODEL)') \
	    $(if $(WEIGHTS),--weights '$(WEIGHTS)') \
	    -- $${PROMPT:+"$$PROMPT"}

test: lint
	$(BIN)/python $(PYTEST)

# Examples at random; `make test` tries the same few each time.
properties: $(TOOLS)
	EXAMPLES=$(or $(EXAMPLES),1000) $(BIN)/python $(PYTEST) -m hypothesis tests/unit_tests

# Another version of langchain-aws may differ in other tests.
peer: $(TOOLS)
	$(BIN)/python -m tests.peer

sdks: $(TOOLS)
	$(BIN)/python -m tests.sdks

notebooks: $(TOOLS)
	$(BIN)/python -m tests.support.notebooks $(NAMES)

pictures: $(TOOLS)
	$(BIN)/python -m tests.benchmarks.pictures

# Of its own: tracing every line makes the tests take 1.6 times as long.
coverage: $(TOOLS)
	$(BIN)/python $(PYTEST) --cov --cov-report=term

lint: $(TOOLS)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

# Without ruff, whose version is the same. On the lowest without mypy, too: the code is
# written for the types of the newest, and older ones know less.
latest: RESOLUTION := highest
lowest: RESOLUTION := lowest-direct
latest lowest: $(UV_INSTALLED)
	$(call new_venv,.venv-$@)
	@echo 'Installing the $@ versions that pyproject.toml allows into .venv-$@'
	@$(UV) pip install --python .venv-$@ --only-binary :all: --resolution $(RESOLUTION) \
	    --editable '.[local]' --group test --group typing || $(call FAILED,uv)
	$(if $(filter latest,$@),.venv-$@/bin/mypy)
	.venv-$@/bin/python $(PYTEST)

# The demo's lock is a part of the tests' lock.
COMPILE = $(UV) pip compile --quiet --python .venv-uv --upgrade \
    --universal --python-version 3.11 --only-binary :all: --generate-hashes \
    --no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock'
OF_DEMO = pyproject.toml --extra local --group build

lock: $(UV_INSTALLED)
	@$(COMPILE) $(OF_DEMO) --group test --group lint --group typing --output-file $(TEST_LOCK) || \
	    $(call FAILED,uv)
	@$(COMPILE) $(OF_DEMO) --constraint $(TEST_LOCK) --output-file $(DEMO_LOCK) || \
	    $(call FAILED,uv)
	@$(COMPILE) --group bench --constraint $(TEST_LOCK) --output-file $(BENCH_LOCK) || \
	    $(call FAILED,uv)

bench: $(BENCH_TOOLS)
	$(BIN)/python -m tests.benchmarks.costs \
	    $(if $(QUICK),--quick --into .bench,--into docs/plots) $(if $(ONLY),--only $(ONLY))

exactness: $(TOOLS)
	$(BIN)/python -m tests.benchmarks.exactness --weights $(or $(WEIGHTS),smollm2)

cuts: $(TOOLS)
	$(BIN)/python -m tests.benchmarks.cuts --weights $(or $(WEIGHTS),smollm2)

prices: $(TOOLS)
	$(BIN)/python -m tests.benchmarks.prices
	$(BIN)/python -m tests.benchmarks.prices --prompts 12000 --size 512

seams: $(TOOLS)
	$(BIN)/python -m tests.benchmarks.seams

# Half of the prompts are there to choose a wording, half only to report figures.
SEAMS_REAL = $(BIN)/python -m tests.benchmarks.seams_real \
    --weights '$(or $(WEIGHTS),smollm2)' --half $(or $(HALF),report) \
    --answers .seams-real-$(notdir $(or $(WEIGHTS),smollm2)).json \
    --responses .seams-real-responses-$(notdir $(or $(WEIGHTS),smollm2)).jsonl

seams-real: $(TOOLS)
	$(SEAMS_REAL) --seams $(if $(WORDINGS),--wordings $(WORDINGS))
	$(SEAMS_REAL) --turns

real-tools: $(TOOLS)
	$(BIN)/python -m tests.benchmarks.real_tools --weights $(or $(WEIGHTS),qwen2.5-coder)

seams-refused: $(TOOLS)
	$(BIN)/python -m tests.benchmarks.seams_refused

repetition: $(TOOLS)
	$(BIN)/python -m tests.benchmarks.repetition

oracle: $(TOOLS)
	$(BIN)/python -m tests.benchmarks.oracle \
	    --situations $(or $(SITUATIONS),2000) --seed $(or $(SEED),1)

soak: $(TOOLS)
	$(BIN)/python -m tests.benchmarks.soak
	$(BIN)/python -m tests.benchmarks.soak --at-once 256 --turns 4096 --part 2048
	$(BIN)/python -m tests.benchmarks.storm

clean:
	rm -rf .venv .venv-* .bench .seams-real-* .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage* build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

define new_venv
@'$(PYTHON)' -c '' 2>/dev/null || \
    { echo 'error: $(PYTHON) does not run: install Python 3.11 or later, or name one: PYTHON=...' >&2; exit 1; }
@'$(PYTHON)' -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
    { echo 'error: $(PYTHON) is too old: Python 3.11 or later is needed; name one: PYTHON=...' >&2; exit 1; }
@'$(PYTHON)' -c 'import venv, ensurepip' 2>/dev/null || \
    { echo 'error: $(PYTHON) has no venv: on Debian and Ubuntu, apt install python3-venv' >&2; exit 1; }
@echo 'Making $(1)'
@'$(PYTHON)' -m venv --clear $(1)
endef

# With another lock .venv is made anew: nothing stays that the lock does not name.
$(VENV): $(DEMO_LOCK) $(TEST_LOCK)
	$(call new_venv,.venv)
	@touch $@

$(INSTALLED): pyproject.toml $(VENV)
	@echo 'Installing the package and a local runtime into .venv, once'
	@$(LOCKED) $(DEMO_LOCK) && \
	    $(PIP) --no-deps --no-build-isolation --editable . || $(call FAILED,pip)
	@touch $@

$(TOOLS): $(INSTALLED)
	@echo 'Installing the tools of tests, lint and types into .venv, once'
	@$(LOCKED) $(TEST_LOCK) && $(BIN)/python -m pip --disable-pip-version-check -q check || \
	    $(call FAILED,pip)
	@touch $@

# Beside the tests' tools: the versions that both locks name are the same.
$(BENCH_TOOLS): $(TOOLS) $(BENCH_LOCK)
	@echo 'Installing what draws the plots into .venv, once'
	@$(LOCKED) $(BENCH_LOCK) || $(call FAILED,pip)
	@touch $@

$(UV_INSTALLED):
	$(call new_venv,.venv-uv)
	@$(PIP) uv==$(UV_VERSION) || $(call FAILED,pip)
	@touch $@
$(UV_INSTALLED): BIN := .venv-uv/bin
