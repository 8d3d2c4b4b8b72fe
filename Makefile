# The commands that people and CI use. `make` alone lists them.
# A fresh Debian needs Rust, a C compiler and make; `fuzz` also a C++ compiler; `check-api` and `deny` also python3 with
# its venv module; `ci` all of them.

CARGO ?= cargo
PYTHON ?= python3
# The program that `openapi` and the checks run; built by `build`.
TRAILKEEPER_BIN ?= $(CURDIR)/target/debug/trailkeeper

# Settings of `make run`: LISTEN=0.0.0.0:9000 DATABASE_URL=postgres://… DATA_DIR=…
# From the command line alone: many shells have a DATABASE_URL that is another project's.
ifeq ($(origin LISTEN),command line)
export TRAILKEEPER_LISTEN = $(LISTEN)
endif
ifeq ($(origin DATABASE_URL),command line)
export TRAILKEEPER_DATABASE_URL = $(DATABASE_URL)
endif
ifeq ($(origin DATA_DIR),command line)
export TRAILKEEPER_DATA_DIR = $(DATA_DIR)
endif
export TRAILKEEPER_BIN

.DEFAULT_GOAL := help
.PHONY: help run build test lint format openapi configuration generate bench check-api schemathesis acceptance fuzz deny ci clean

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## build and serve on http://127.0.0.1:8080 (LISTEN=, DATABASE_URL=, DATA_DIR=), with demo data when empty
	$(CARGO) run --release --locked -p trailkeeper -- serve --demo

build: ## build the program for development
	$(CARGO) build --locked -p trailkeeper

test: ## every test, on SQLite and on a PostgreSQL that it starts itself
	scripts/with-postgres $(CARGO) test --workspace --locked --no-fail-fast

lint: ## formatting and clippy, without a single warning
	$(CARGO) fmt --all --check
	$(CARGO) fmt --manifest-path fuzz/Cargo.toml --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings

format: ## format the code
	$(CARGO) fmt --all
	$(CARGO) fmt --manifest-path fuzz/Cargo.toml

openapi: build ## write openapi/*.json from the code
	scripts/write-openapi

configuration: build ## write docs/configuration.md from the command line that the program declares
	$(TRAILKEEPER_BIN) config --markdown > docs/configuration.md.new
	mv docs/configuration.md.new docs/configuration.md

generate: openapi configuration ## every generated file: OpenAPI documents, docs/configuration.md, signature vectors
	$(PYTHON) scripts/saasus_signature.py vectors > crates/auth/tests/saasus_signature_vectors.json

bench: ## ingest, answers and sheets as ratios to named baselines (EVENTS=5000000, GROWTH=1 for three sizes)
	scripts/with-postgres $(CARGO) bench --locked -p trailkeeper --bench ingest
	$(CARGO) bench --locked -p trailkeeper --bench engine
	$(CARGO) bench --locked -p trailkeeper --bench storm
	$(CARGO) bench --locked -p trailkeeper-analytics --bench sheet_codec

check-api: schemathesis acceptance ## everything that checks the running program from outside

schemathesis: build .venv/installed ## try to break every documented operation, on SQLite and on PostgreSQL
	.venv/bin/python scripts/check_api.py
	scripts/with-postgres .venv/bin/python scripts/check_api.py --database postgres --max-examples 8

acceptance: build .venv/installed ## the checks that recount the answers with other tools, on SQLite and on PostgreSQL
	PYTHON=$(CURDIR)/.venv/bin/python scripts/with-postgres scripts/acceptance/run

fuzz: ## throw made-up input at every parser that strangers reach (SECONDS=600 TARGETS="events query")
	CARGO=$(CARGO) scripts/fuzz $(or $(SECONDS),12) $(TARGETS)

deny: ## licences, sources, banned crates and known vulnerabilities of the dependencies (ADVISORIES=required)
	PYTHON=$(PYTHON) ADVISORIES=$(ADVISORIES) scripts/deny

ci: ## what CI runs
	.ci/run

.venv/installed: scripts/requirements.txt
	PYTHON=$(PYTHON) scripts/make-venv

clean: ## remove what was built (not ./data)
	$(CARGO) clean
	rm -rf .venv fuzz/target fuzz/corpus fuzz/artifacts
