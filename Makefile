# Two commands do everything: `make run` and `make test`. They need Python >= 3.11, make and git, nothing else.

PYTHON ?= $(shell for python in python3.13 python3.12 python3.11 python3; do \
	$$python -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo $$python && break; done)
BIN := .venv/bin
# A lock is complete: pip shall install it, not look again for what would do.
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps
WORKERS ?= 2


.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help run demo migrate test lint types contracts units coverage prove prove-crash prove-swap prove-move prove-release bench supabase-up fmt env-example lock clean

help: ## Say what there is to make
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 22

run: .venv/.installed ## Start everything on http://127.0.0.1:8000: database, demo data, API and worker
	@$(BIN)/guildhall serve --demo

demo: .venv/.installed ## Play the whole customer journey on a throw-away instance, and check every step
	@$(BIN)/guildhall demo

migrate: .venv/.installed ## Bring the database to the newest schema
	@$(BIN)/guildhall migrate

test: lint types contracts units coverage ## Everything that proves it: lint, types, import contracts, tests, coverage

lint: .venv/.installed-dev ## Check style and formatting
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: .venv/.installed-dev ## Check types, strictly
	@$(BIN)/mypy

contracts: .venv/.installed-dev ## Check who imports whom
	@$(BIN)/lint-imports --config importlinter.cfg

units: .venv/.installed-dev build/s3/.installed ## Run the tests
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --cov --cov-report=term $(ARGS)

coverage: ## Refuse a domain of which less than 95 % of the branches were run
	@$(BIN)/coverage report --include='src/domain/*' --fail-under=95

PROOF := PYTHONPATH=src $(BIN)/python -m tests.proof

prove: .venv/.installed-dev ## Simulate, race, fuzz and mutate: every campaign in about half an hour; ARGS="stories model" for some
	@$(PROOF) $(ARGS)

prove-crash: .venv/.installed-dev ## Kill API, worker and database 200 times under load, in about 30 minutes
	@$(PROOF).crashes $(ARGS)

prove-swap: .venv/.installed-dev ## Hold a Supabase project against PostgreSQL: who sees what in a million cases, the model, the whole journey
	@$(PROOF) swap

prove-move: .venv/.installed-dev ## Move a town of 100,000 rows and 1,000 files between PostgreSQL and Supabase and back, killing the mover 50 times
	@$(PROOF).moving $(ARGS)

prove-release: .venv/.installed-dev ## Simulate 10,000 seeds of 400 steps, as before every release
	@$(PROOF).simulation --seeds 10000 --steps 400 --jobs $(WORKERS) $(ARGS)

bench: .venv/.installed-dev ## Measure the house beside a floor, an ORM, Django and Fastify
	@$(BIN)/python -m benchmarks $(ARGS)

supabase-up: .venv/.installed ## Start a house on PostgREST, as on a Supabase project, at http://127.0.0.1:8001 (needs Docker)
	@$(BIN)/python deploy/project_keys.py build/supabase
	@docker compose --env-file build/supabase/keys.env --profile supabase up --build

fmt: .venv/.installed-dev ## Format the code
	@$(BIN)/ruff check --fix --quiet . ; $(BIN)/ruff format .

env-example: .venv/.installed ## Write .env.example anew from the settings
	@$(BIN)/python -m entrypoints.settings > .env.example

# --- The environment ---------------------------------------------------------------------------------------------------

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "Guildhall needs Python 3.11 or newer with its venv module (Debian: apt install python3-venv)."; exit 1; }
	@echo "Making .venv with $(PYTHON)"
	@$(PYTHON) -m venv .venv

.venv/.installed: requirements.lock pyproject.toml | .venv/bin/python
	@echo "Installing what requirements.lock names"
	@$(PIP) -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

# Without build isolation what is built from source is built with the locked setuptools, installed the step before.
.venv/.installed-dev: requirements-dev.lock .venv/.installed
	@echo "Installing what requirements-dev.lock names"
	@$(PIP) --no-build-isolation -r requirements-dev.lock
	@$(BIN)/python -m pip check
	@touch $@

# A real S3 for the tests, in an environment of its own: what it needs does not go together with what we need.
build/s3/.installed: tests/contracts/s3.lock | .venv/bin/python
	@echo "Installing what tests/contracts/s3.lock names"
	@$(BIN)/python -m venv build/s3
	@build/s3/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r $<
	@touch $@

# --- The locks ---------------------------------------------------------------------------------------------------------

UV ?= $(shell command -v uv || echo $(BIN)/uv)
COMPILE = $(UV) pip compile --quiet --no-config --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-annotate --no-header pyproject.toml --group build

lock: $(UV) ## Lock the newest versions that pyproject.toml allows; UPGRADE=--upgrade moves the others too
	@$(COMPILE) $(UPGRADE) --output-file requirements.lock
	@$(COMPILE) $(UPGRADE) --group dev --constraint requirements.lock --output-file requirements-dev.lock
	@printf 'moto[s3]\nflask\nflask-cors\n' | $(UV) pip compile --quiet --no-config --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header $(UPGRADE) \
		--output-file tests/contracts/s3.lock -

$(BIN)/uv: .venv/.installed
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv

clean: ## Remove caches and reports; the environment (.venv) and your data (.guildhall) stay
	@rm -rf .coverage .coverage.* htmlcov .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	@find src tests alembic -name __pycache__ -type d -prune -exec rm -rf {} +
