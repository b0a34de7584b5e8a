# Tallywatt. `make` alone lists what there is to do.

PYTHON ?= python3
BIN := .venv/bin
UV := $(BIN)/uv pip

# Tests and demo start some hundred processes: where bytecode may not be kept, each of them compiles a thousand files anew.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help demo test coverage check simulate chaos outage fuzz pages bench format locale screenshots lock

help: ## List what there is to do
	@echo "Tallywatt: from the plug to the paid invoice."
	@echo
	@sed -n 's/^\([a-z]*\):[^#]*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{printf "%-18s %s\n", $$1, $$2}'
	@echo
	@echo "Start with: make demo"

demo: .venv/ready ## Play a day of real charging sessions, then keep serving (EXIT=1: stop at the end)
	@$(BIN)/tallywatt demo $(if $(EXIT),--exit)

test: .venv/ready ## Run the tests (a missing PostgreSQL or Chromium skips, by name)
	@$(BIN)/pytest -n auto $(if $(COVERAGE),--cov=$(COVERAGE) --cov-report=term)

coverage: ## The tests with every line counted, in twice the time
	@$(MAKE) --no-print-directory test COVERAGE=tallywatt

check: .venv/ready ## Format, lint, types, contracts between rooms, then the tests, each branch of rating counted: what CI runs
	@$(BIN)/ruff format --check --quiet . || { echo "Some files are not formatted: run 'make format'."; exit 1; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(MAKE) --no-print-directory test COVERAGE=tallywatt.rating

simulate: .venv/ready ## Play so many seeded days of faults against the whole house (RUNS=2000 FIRST=1)
	@$(BIN)/python -m tests.simulation --runs $(or $(RUNS),200) --first $(or $(FIRST),1)

chaos: .venv/ready ## Kill real processes while stations charge, and compare the books (SEED=1 MINUTES=60 ENGINE=postgresql)
	@$(BIN)/python -m tests.chaos --seed $(or $(SEED),1) --minutes $(or $(MINUTES),0) --engine $(or $(ENGINE),both)
	@$(MAKE) --no-print-directory fuzz

outage: .venv/ready ## Let one of two payment providers die in the middle of 500 sessions
	@TALLYWATT_SESSIONS=500 $(BIN)/pytest -q tests/workflows/test_route_payment.py

fuzz: .venv/ready ## Send any frames at a real socket, and any requests at the API (FRAMES=100000 SEED=1 EXAMPLES=30)
	@TALLYWATT_FUZZ_FRAMES=$(or $(FRAMES),100000) TALLYWATT_FUZZ_SEED=$(or $(SEED),1) $(BIN)/pytest -q tests/adapters/ocpp/test_fuzz.py
	@TALLYWATT_FUZZ_EXAMPLES=$(or $(EXAMPLES),30) $(BIN)/pytest -q --timeout 1800 tests/entrypoints/http/test_schemathesis.py

pages: .venv/ready ## Look at every page with every rule on every screen (needs Chromium)
	@TALLYWATT_EVERY_LOOK=1 $(BIN)/pytest -q -n auto tests/entrypoints/pages/test_every_page.py

bench: .venv/ready ## Measure, each figure beside what one would pick instead
	@$(BIN)/python -m benchmarks

format: .venv/ready ## Format the code and apply the safe fixes
	@$(BIN)/ruff check --fix --quiet . || true
	@$(BIN)/ruff format .

locale: .venv/ready ## Bring the catalogues of the languages up to date, and list what is to be translated
	@$(BIN)/python -m tallywatt.entrypoints.pages.extract

screenshots: .venv/ready ## Take the pictures of the documentation again (needs Chromium)
	@$(BIN)/python -m docs.screenshots

lock: .venv/ready ## Resolve the newest parts again and write the hashes
	@$(UV) compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-header --no-annotate pyproject.toml --extra adyen --extra mollie --extra stripe \
		--output-file requirements/run.txt
	@$(UV) compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-header --no-annotate pyproject.toml --all-extras --group dev --constraints requirements/run.txt --output-file requirements/dev.txt
	@echo uv | $(UV) compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-header --no-annotate - --output-file requirements/uv.txt

# pip fetches one pinned uv, and uv the rest: seconds instead of a minute, and every file is checked against its hash.
.venv/ready: requirements/dev.txt requirements/uv.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "Tallywatt needs Python 3.11 or newer, and '$(PYTHON)' is older or missing."; \
		echo "Install one (Debian, Ubuntu: apt install python3 python3-venv), or name it: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "This Python cannot make environments: its venv module is missing."; \
		echo "Debian, Ubuntu: apt install python3-venv"; exit 1; }
	@test -x $(BIN)/uv || echo "Setting up .venv (once) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@$(UV) install --quiet --python $(BIN)/python --require-hashes -r requirements/dev.txt
	@$(UV) install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@
