.DEFAULT_GOAL := help
SHELL := /bin/bash

STUDY ?= claims
SCALE ?= demo
WORKERS ?= $(shell nproc)
PORT ?= 5000
PYTHON ?= python3

BIN := .venv/bin
HOME_FOLDER := $(or $(ABLATIONS_HOME),results)

.PHONY: help setup demo study report status ui test test-fast check bench clean

help: ## show this help
	@echo "make TARGET [STUDY=$(STUDY)] [SCALE=smoke|demo|standard|paper] [WORKERS=$(WORKERS)]"
	@echo
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12 | sed 's/^/  /'

setup: .venv/ready ## make .venv with the exact versions of constraints.txt
	@echo "Ready. Next: make demo, or make test."

.venv/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@

demo: .venv/ready ## run the claims study at demo scale and write its report (some six minutes)
	@$(MAKE) --no-print-directory study report STUDY=claims SCALE=demo

study: .venv/ready ## carry out STUDY at SCALE; goes on where it stopped
	$(BIN)/ablate run $(STUDY) --scale $(SCALE) --workers $(WORKERS)

report: .venv/ready ## write the HTML and PDF report of STUDY at SCALE
	$(BIN)/ablate report $(STUDY) --scale $(SCALE)
	@echo "Open the report above, or look at the runs behind it: make ui"

status: .venv/ready ## say how far STUDY is at SCALE
	$(BIN)/ablate status $(STUDY) --scale $(SCALE)

ui: .venv/ready ## open the MLflow UI on this machine (PORT=5000)
	$(BIN)/ablate ui --port $(PORT)

test: .venv/ready ## run every test
	$(BIN)/pytest -n $(WORKERS)
	@echo "All tests passed. Next: make demo, or make check before a commit."

test-fast: .venv/ready ## run the tests that need no training, server or browser
	$(BIN)/pytest -n $(WORKERS) -m 'not slow'
	@echo "Fast tests passed. Next: make test runs the slow ones too."

check: .venv/ready ## formatter, linter and strict types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	@echo "Clean. Next: make test"

bench: .venv/ready ## time layers and the suite against torch.nn, Python loops, JAX and a script (about 15 minutes)
	$(BIN)/python -m benchmarks

clean: ## remove .venv and caches; results stay
	rm -rf .venv build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@echo "Results are kept in $(HOME_FOLDER)/. Next: make setup"
