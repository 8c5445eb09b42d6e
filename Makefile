# Needs Python 3.11 or newer (with its venv module), make and a package index. Everything else goes into $(VENV).
#
#   make test PYTHON=python3.13 VENV=.venv-3.13       the same on another Python, beside the first

PYTHON ?= python3
VENV ?= .venv
DEMO_ARGS ?=
# make demo NODES=3: a cluster, of which one server is taken away and comes back emptied while requests run.
NODES ?= 1
TESTS ?= tests
TEST_ARGS ?=
# Two workers, a file at a time: a file's servers are started once. More workers than cores only make timers late.
# In order: the files that take long come first, the many short ones fill what is left.
WORKERS ?= 2
# make lock UPGRADE=--upgrade takes the newest of everything; without it only what pyproject.toml asks for moves.
UPGRADE ?=

BIN := $(VENV)/bin
LOCKS := deploy/locks
# The stamp is named for what was installed: another lock or pyproject.toml is another name, and installs again.
STAMP := $(VENV)/.installed-$(shell cat $(LOCKS)/dev.txt pyproject.toml | cksum | cut -d ' ' -f 1)
UV := $(shell command -v uv 2>/dev/null)
PIP = $(BIN)/python -m pip --quiet --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help demo test lint bench vectors lock soak weights clean

help:  ## say what can be made
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1@\2/p' $(MAKEFILE_LIST) | while IFS=@ read -r name text; do \
		printf '%-13s %s\n' "$$name" "$$text"; done

demo: $(STAMP)  ## a hub and its agencies on this machine, one enquiry from question to answers
	@$(BIN)/broker demo --nodes $(NODES) $(DEMO_ARGS)

test: $(STAMP)  ## every test but the long runs
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(TEST_ARGS) $(TESTS)

soak: $(STAMP)  ## the long runs of the chaos and load suites
	$(BIN)/python -m pytest -m soak $(TEST_ARGS) $(TESTS)

lint: $(STAMP)  ## style, types and who may import whom
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache --no-logo

bench: $(STAMP)  ## ratios against a raw baseline of the same run
	$(BIN)/python -m tests.benchmarks

vectors: $(STAMP)  ## write every generated file and table again
	$(BIN)/python -m schemas.vectors
	$(BIN)/python -m tests.documents
	$(BIN)/python -m broker.policy.table > broker/policy/README.md
	$(BIN)/python -m tests.architecture.threats

# Settings of this machine (a local index, a folder of wheels) must not decide what everybody gets.
COMPILE = env -u UV_FIND_LINKS -u UV_INDEX -u UV_DEFAULT_INDEX -u UV_INDEX_URL -u UV_EXTRA_INDEX_URL \
	$(BIN)/uv pip compile --quiet --no-config --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-annotate --no-header $(UPGRADE) pyproject.toml

# Every extra that the product runs with; `training` is for whoever learns weights, and is not locked.
EXTRAS := agent sql postgres websocket hub keyring

lock: $(STAMP)  ## resolve the dependencies again: versions and hashes, no addresses
	$(COMPILE) $(EXTRAS:%=--extra %) --group dev --output-file $(LOCKS)/dev.txt
	$(COMPILE) --extra agent --constraints $(LOCKS)/dev.txt --output-file $(LOCKS)/agent.txt
	$(COMPILE) --extra hub --constraints $(LOCKS)/dev.txt --output-file $(LOCKS)/hub.txt

# Splink is 240 MB that nothing else needs: it gets an environment of its own.
weights: $(STAMP)  ## learn again what matching weighs by: the weights, Splink's scores of a fixture, its outcomes
	$(PYTHON) -m venv build/training
	build/training/bin/python -m pip --quiet install -e '.[training]'
	$(BIN)/python -m tests.support.labelled build/labelled
	build/training/bin/python -m agents.training build/labelled \
		--fixture tests/unit/agents/runtime/matching/splink_scores.json --outcomes tests/benchmarks/matching_splink.json

clean:  ## remove environments, caches and what the programs wrote here
	rm -rf $(VENV) .venv-* .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist build
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# uv installs the lock in a third of pip's time. Where it is not there already it comes out of the lock by pip; a machine
# on which it finds no index (it does not read pip's settings) goes on with pip alone.
$(STAMP): | $(BIN)/python
	@rm -f $(VENV)/.installed-*
	@echo 'installing the locked dependencies into $(VENV)'
ifndef UV
	@sed -n '/^uv==/,/[^\\]$$/p' $(LOCKS)/dev.txt > $(VENV)/uv.txt
	@$(PIP) install --require-hashes -r $(VENV)/uv.txt
endif
	@$(or $(UV),$(BIN)/uv) pip install --quiet --python $(BIN)/python --compile-bytecode --require-hashes \
		-r $(LOCKS)/dev.txt 2>$(VENV)/uv.log || $(PIP) install --require-hashes -r $(LOCKS)/dev.txt
	@$(or $(UV),$(BIN)/uv) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e . \
		2>>$(VENV)/uv.log || $(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo 'needtoknow needs Python 3.11 or newer: make PYTHON=python3.11 ...' >&2; exit 1; }
ifdef UV
	@$(UV) venv --quiet --seed --python $(PYTHON) $(VENV)
else
	@$(PYTHON) -m venv $(VENV)
endif
