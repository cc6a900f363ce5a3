# `make setup` once, `make demo` for the main job, `make test` for all checks and tests.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

BIN := .venv/bin
LOCKS := requirements/bootstrap.txt requirements/dev.txt
# Half as many again as cores: a good part of the tests waits for processes that start or end.
WORKERS ?= $(shell echo $$(( ($$(nproc) * 3 + 1) / 2 )))

.PHONY: help setup demo example test check unit coverage lock format bench bench-serving docs clean

help:  ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: .venv/.ready  ## Make .venv with .venv/bin/mooring and everything that development needs

.venv/.ready: $(LOCKS) pyproject.toml scripts/setup.sh
	@bash scripts/setup.sh

demo: setup  ## From a registered model to its URL, and a version change under traffic, for real
	@$(BIN)/python -m demo

example: setup  ## The example project: from a push to training, a model and a server of its own
	@$(BIN)/python -m demo.example

test: check unit  ## All checks and all tests

check: setup  ## Format, lint, types, the arrows between the rooms
	@$(BIN)/ruff format --check --quiet . || { echo "run 'make format'"; exit 1; }
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

unit: setup  ## The tests alone (ARGS="tests/domain -k plan" for some of them)
	@$(BIN)/python -m scripts.unit -n $(WORKERS) --dist worksteal $(ARGS)

coverage: setup  ## The tests again, with the lines and branches that they reach (also in the processes they start)
	@$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -q --cov --cov-report=term:skip-covered $(ARGS)

bench: setup  ## Measure what the issues ask for, and print the tables of docs/benchmarks.md
	@$(BIN)/python -m bench $(ARGS)

bench-serving: setup  ## Measure `mooring serve` beside its peers (ARGS="--help" for parts; needs wrk)
	@$(BIN)/python -m bench.serving $(ARGS)

docs: setup  ## Make the references in docs/ anew from the code: settings, commands, fields of templates
	@$(BIN)/python -m scripts.reference

lock: setup  ## Resolve the dependencies anew
	@$(BIN)/uv pip compile pyproject.toml --group dev --upgrade --generate-hashes --python-version 3.11 \
		--no-emit-index-url --custom-compile-command "make lock" --quiet --output-file requirements/dev.txt
	@$(BIN)/uv pip compile requirements/bootstrap.in --upgrade --generate-hashes --python-version 3.11 \
		--no-emit-index-url --custom-compile-command "make lock" --quiet --output-file requirements/bootstrap.txt
	@for name in sdk2 sdk3 inference; do $(BIN)/uv pip compile requirements/$$name.in --upgrade --generate-hashes \
		--python-version 3.11 --no-emit-index-url --custom-compile-command "make lock" --quiet \
		--output-file requirements/$$name.txt; done
	@cd tests/clients/javascript && npm install --package-lock-only --ignore-scripts --silent \
		--omit-lockfile-registry-resolved

format: setup  ## Format and fix what can be fixed
	@$(BIN)/ruff format --quiet .
	@$(BIN)/ruff check --fix .

clean:  ## Remove what was made here
	rm -rf .venv .clients .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .coverage htmlcov
