# One definition of "good", everywhere: `make check`.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
DATA ?= data
PATIENTS ?= 200000
EXAMPLES ?= 2000

.DEFAULT_GOAL := help
.PHONY: help setup demo network test check lint types contracts laws language benchmarks wheel fix clean

help: ## what there is to type
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

setup: $(STAMP) ## a virtual environment with everything in it

$(STAMP): pyproject.toml constraints.txt
	@echo "making .venv and installing into it" >&2
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $(STAMP)

network: $(STAMP) ## build the demonstration network (200,000 patients)
	@$(BIN)/cohortium build --data $(DATA) --patients $(PATIENTS)

demo: network ## build the network, run the four-arm study, print the result
	@$(BIN)/cohortium run bclm --data $(DATA)

test: $(STAMP) ## the fast tests
	@$(BIN)/python -m pytest -q -n auto --dist worksteal -m "not laws"

lint: $(STAMP)
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .

types: $(STAMP)
	@$(BIN)/mypy

contracts: $(STAMP)
	@$(BIN)/lint-imports

check: lint types contracts ## format, lint, types, contracts, fast tests with coverage
	@$(BIN)/python -m pytest -q -n auto --dist worksteal -m "not laws" --cov --cov-report=term

laws: $(STAMP) ## the long laws; EXAMPLES=10000 for more
	@EXAMPLES=$(EXAMPLES) $(BIN)/python -m pytest -q -n auto --dist worksteal -m laws

language: $(STAMP) ## write docs/language.md from the drawn tables of tests/spec
	@$(BIN)/python -m tests.support.language_page

benchmarks: $(STAMP) ## measure; prints target, measured value and verdict
	@for script in build query everyday masking engines; do $(BIN)/python benchmarks/$$script.py; done

wheel: $(STAMP) ## build the wheel, install it elsewhere, ask it for help
	@rm -rf dist && $(BIN)/python -m pip wheel --quiet --no-deps -w dist .
	@$(PYTHON) -m venv dist/venv && dist/venv/bin/pip install --quiet -c constraints.txt dist/*.whl
	@cd dist && venv/bin/cohortium check bclm

fix: $(STAMP) ## format and mend what can be mended
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

clean: ## remove what was made
	rm -rf .venv data dist out .coverage* .mypy_cache .pytest_cache .ruff_cache .hypothesis
