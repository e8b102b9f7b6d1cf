# Two commands on a machine with nothing but Python 3.11+ and make: `make demo` and `make test`.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
# What the service is compared with in `make bench`; no part of the product.
PEERS_VENV := .venv-peers
PEERS := $(PEERS_VENV)/.installed
# A path, or anything else that pytest takes: make test T=tests/unit
T ?=
# Cells of the crash matrix at once.
JOBS ?= 4
# Four processes, each with a PostgreSQL of its own, also on two cores: most tests wait more than they compute.
WORKERS := $(if $(T),-n 0,-n 4 --dist worksteal)

export UV_PYTHON_DOWNLOADS := never
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# uv does not read pip's configuration, so it is told the index that pip is configured with.
ifdef PIP_INDEX_URL
export UV_DEFAULT_INDEX ?= $(PIP_INDEX_URL)
endif

.DEFAULT_GOAL := help
.PHONY: help demo test check bench fuzz crash-matrix explore simulate simulate-mutations soak fmt lock clean docs setup container-test browser-test node-test long-test peers
.PHONY: check-code check-files check-lock check-migrations

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(INSTALLED) ## see the whole product at work, with nothing set up
	@$(BIN)/zenhire-sync demo

test: $(INSTALLED) ## all tests; T=path for some, TEST_POSTGRES=container|local|postgresql://... to choose the server
	$(BIN)/pytest $(WORKERS) $(T)

long-test: $(INSTALLED) ## the tests that take longer: samples of the crash matrix, the simulation, the soak
	$(BIN)/pytest -n 4 --dist worksteal -m long $(T)

browser-test: $(INSTALLED) ## look at the report in a real Chromium; TEST_BROWSER=path for one that is not on the PATH
	$(BIN)/pytest -n 0 -m browser $(T)

node-test: $(INSTALLED) ## run the example that is written for Node; needs Node 18 or newer and npm
	npm ci --prefix docs/examples --no-audit --no-fund --silent
	$(BIN)/pytest -n 0 -m node $(T)

container-test: $(INSTALLED) ## build the image and run it with compose; needs a Docker engine
	$(BIN)/pytest -n 0 -m container $(T)

fuzz: $(INSTALLED) ## mutated answers of the vendor's against every reader and decision; CASES=100000; SEED=7 for the same again; WRITE=1 writes docs/reliability.md
	$(BIN)/python -m tests.fuzz --cases $(or $(CASES),100000) $(if $(SEED),--seed $(SEED)) $(if $(WRITE),--write)

soak: $(INSTALLED) ## two replicas through kills, crashes and a storm; MINUTES=30; writes docs/reliability.md
	$(BIN)/python -m tests.soak --minutes $(or $(MINUTES),30)

crash-matrix: $(INSTALLED) ## crash a real replica at every boundary in every way; writes docs/reliability.md; JOBS=8 for more at once; ONLY=text for some
	$(BIN)/python -m tests.crash --jobs $(JOBS) $(if $(ONLY),--only "$(ONLY)")

simulate: $(INSTALLED) ## play SEEDS=1000 seeded runs of replicas, vendor and database; SEED=7 tells the story of one; WRITE=1 writes docs/reliability.md
	$(BIN)/python -m tests.simulation $(if $(SEED),--seed $(SEED),--seeds $(or $(SEEDS),1000) $(if $(WRITE),--write))

simulate-mutations: $(INSTALLED) ## take out the service's safeguards, one at a time, and see that simulated runs notice
	$(BIN)/python -m tests.simulation --mutations

explore: $(INSTALLED) ## walk through every order of two replicas, one invite and two faults; writes docs/reliability.md
	$(BIN)/python -m tests.exploration

docs: $(INSTALLED) ## write what documents take from settings and database: docs/settings.md, schema.md, security.md
	$(BIN)/python -m service.settings_table docs/settings.md
	$(BIN)/python -m tests.pages
	$(BIN)/python -m tests.roles

check: check-code check-files check-lock check-migrations ## lint, types, layers, container files, lock file, migrations

bench: $(INSTALLED) $(PEERS) ## measure every figure on this machine, alone and beside others, in an hour; writes docs/performance.md; ONLY="lags peers" for some, QUICK=1 to see that everything works: these write nothing
	$(BIN)/python -m benchmarks.whole $(if $(QUICK),--quick) $(if $(ONLY),--only $(ONLY)) $(if $(QUICK)$(ONLY),,--write)

peers: $(PEERS) ## install into .venv-peers what the service is compared with; `make bench` does it by itself

fmt: $(INSTALLED) ## format, and mend what can be mended
	$(BIN)/ruff check --fix --quiet . || true
	$(BIN)/ruff format .

lock: $(INSTALLED) ## resolve requirements.lock again from pyproject.toml
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python .ci/lock.py

clean: ## remove everything that was made here
	rm -rf $(VENV) $(PEERS_VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

check-code: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/pytest -q -n 0 tests/unit/test_house_rules.py

check-files: $(INSTALLED)
	$(BIN)/hadolint Dockerfile
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml

check-lock: $(INSTALLED)
	$(BIN)/python .ci/lock.py --check

check-migrations: $(INSTALLED)
	$(BIN)/zenhire-sync migrate --print-sql >$(VENV)/migrations.sql
	$(BIN)/squawk --config .squawk.toml $(VENV)/migrations.sql

setup: $(INSTALLED) ## install into .venv; the other targets do it by themselves

# The exact versions of the lock file, checked by their hashes. uv is ten times faster than pip and not needed.
$(INSTALLED): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "zenhire-sync needs Python 3.11 or newer, and $(PYTHON) is not; try: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 2; }
	@test -x $(BIN)/pip || { echo "Making $(VENV) ..."; $(PYTHON) -m venv $(VENV); }
	@echo "Installing the packages of requirements.lock into $(VENV) ..."
	@sed -n '/^uv==/,/[^\\]$$/p' requirements.lock >$(VENV)/uv.lock
	@if $(BIN)/pip install --quiet --require-hashes -r $(VENV)/uv.lock 2>/dev/null && \
		$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements.lock; \
	then :; else \
		echo "uv did not do it; trying pip, which takes longer ..."; \
		sed '/^uv==/,/[^\\]$$/d' requirements.lock >$(VENV)/others.lock; \
		$(BIN)/pip install --quiet --require-hashes -r $(VENV)/others.lock; \
	fi
	@$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(PEERS): benchmarks/peers/requirements.txt | $(INSTALLED)
	@echo "Installing the packages of $< into $(PEERS_VENV) ..."
	@test -x $(PEERS_VENV)/bin/pip || $(PYTHON) -m venv $(PEERS_VENV)
	@$(BIN)/uv pip sync --quiet --python $(PEERS_VENV)/bin/python $< 2>/dev/null || \
		$(PEERS_VENV)/bin/pip install --quiet -r $<
	@touch $@
