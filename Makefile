# The commands for people and CI. `make` without a target lists them.
# A fresh Debian needs Rust, a C compiler and make. `fuzz` also needs a C++ compiler; `check-api`,
# `generators`, `proof` and `deny` also need python3 with its venv module; `ci` needs all of them.

CARGO ?= cargo
PYTHON ?= python3
# The program that `openapi`, `configuration` and the checks run. `build` builds it.
TRAILKEEPER_BIN ?= $(CURDIR)/target/debug/trailkeeper

# Settings of `make run`: LISTEN=0.0.0.0:9000 DATABASE_URL=postgres://… DATA_DIR=…
# Only from the command line of make: many shells have a DATABASE_URL of another project.
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
.PHONY: help run build dist test statements lint doc format openapi configuration generate bench bench-server bench-parts measure-build measure-lto check-api schemathesis acceptance soak generators proof simulate fuzz deny ci clean

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## build and serve on http://127.0.0.1:8080 (LISTEN=, DATABASE_URL=, DATA_DIR=), with demo data in an empty database
	$(CARGO) run --release --locked -p trailkeeper -- serve --demo

build: ## build the program for development, and the fault proxy of its checks
	$(CARGO) build --locked -p trailkeeper -p trailkeeper-testkit --bins

dist: ## build the program for distribution, with link-time optimisation: target/dist/trailkeeper
	$(CARGO) build --profile dist --locked -p trailkeeper

test: ## run every test, on SQLite and on a PostgreSQL that it starts itself
	scripts/with-postgres $(CARGO) test --workspace --locked --no-fail-fast

statements: ## run every test, and check that each statement names the bucket of its tables
	@mkdir -p target
	TRAILKEEPER_TEST_STATEMENTS=$(CURDIR)/target/statements.ndjson $(MAKE) --no-print-directory test
	$(PYTHON) scripts/check_statements.py target/statements.ndjson

lint: ## check formatting and clippy; a warning is an error
	$(CARGO) fmt --all --check
	$(CARGO) fmt --manifest-path fuzz/Cargo.toml --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings

doc: ## build the documentation of the crates; a warning is an error
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps --locked

format: ## format the code
	$(CARGO) fmt --all
	$(CARGO) fmt --manifest-path fuzz/Cargo.toml

openapi: build ## write openapi/*.json from the code
	scripts/write-openapi

configuration: build ## write docs/configuration.md from the command line that the program declares
	$(TRAILKEEPER_BIN) config --markdown > docs/configuration.md.new
	mv docs/configuration.md.new docs/configuration.md

generate: openapi configuration ## write every generated file: OpenAPI, docs/configuration.md, signature vectors
	$(PYTHON) scripts/saasus_signature.py vectors > crates/auth/tests/saasus_signature_vectors.json

bench: bench-server bench-parts ## measure everything, as ratios to named baselines (EVENTS=5000000, GROWTH=1 for three sizes)

bench-server: ## measure the whole server, next to ClickHouse and another build (BASE=/path/to/trailkeeper; scripts/bench/run)
	CARGO=$(CARGO) PYTHON=$(PYTHON) scripts/bench/run

bench-parts: ## measure ingest, answers, sheets and runs in the process of the benchmark
	scripts/with-postgres $(CARGO) bench --locked -p trailkeeper --bench ingest
	$(CARGO) bench --locked -p trailkeeper --bench engine
	$(CARGO) bench --locked -p trailkeeper --bench storm
	$(CARGO) bench --locked -p trailkeeper-analytics --bench sheet_codec
	$(CARGO) bench --locked -p trailkeeper-postings --bench runs
	$(CARGO) bench --locked -p trailkeeper-storage --bench ids

measure-build: ## measure a cold build (PROFILE=release or dist)
	scripts/measure-build $(PROFILE)

measure-lto: ## measure what link-time optimisation brings at run time (ROUNDS=3, EVENTS=200000)
	scripts/with-postgres scripts/measure-lto

check-api: schemathesis acceptance ## check the running program from outside

schemathesis: build .venv/installed ## try to break every operation of the OpenAPI documents, on SQLite and PostgreSQL
	scripts/side-by-side ".venv/bin/python scripts/check_api.py" \
		"scripts/with-postgres .venv/bin/python scripts/check_api.py --database postgres --max-examples 8"

acceptance: build .venv/installed ## recount the answers of the program with other tools, on SQLite and PostgreSQL
	PYTHON=$(CURDIR)/.venv/bin/python scripts/with-postgres scripts/acceptance/run

soak: build ## repeat the faults of the database under load (MINUTES=30); memory must stay flat; then steps of the clock
	scripts/with-postgres scripts/acceptance/faults.py --minutes $(or $(MINUTES),30)
	scripts/with-postgres scripts/acceptance/clock_steps.py --database postgres --minutes 5

generators: build .generators/installed ## generate SDKs from openapi/*.json, compile and use them; lint the documents
	.generators/venv/bin/python scripts/check_generators.py

proof: build .generators/installed ## make the checks that take too long for CI: generated Rust clients, the API on a database with four buckets, kills amid large merges, restores of PostgreSQL, an upgrade (BASE=/path/to/older/trailkeeper EVENTS=file)
	CARGO=$(CARGO) .generators/venv/bin/python scripts/check_generators.py --proof
	TRAILKEEPER_TEST_BUCKETS=4 scripts/with-postgres $(CARGO) test --locked --no-fail-fast -p trailkeeper-http --tests
	$(CARGO) build --release --locked -p trailkeeper
	TRAILKEEPER_BIN=$(CURDIR)/target/release/trailkeeper scripts/with-postgres scripts/acceptance/prove $(BASE) $(EVENTS)
	TRAILKEEPER_BIN=$(CURDIR)/target/release/trailkeeper PYTHON=$(PYTHON) scripts/point-in-time

simulate: ## model the sizes of larger databases, and check the model against measured ones
	$(PYTHON) scripts/simulate/main.py

fuzz: ## fuzz every parser of untrusted input (SECONDS=600 TARGETS="events query")
	CARGO=$(CARGO) scripts/fuzz $(or $(SECONDS),6) $(TARGETS)

deny: ## check dependencies: licences, sources, banned crates, known vulnerabilities (ADVISORIES=required)
	PYTHON=$(PYTHON) ADVISORIES=$(ADVISORIES) scripts/deny

ci: ## run everything that CI runs
	.ci/run

.venv/installed: scripts/requirements.txt
	PYTHON=$(PYTHON) scripts/make-venv

.generators/installed: scripts/generators/requirements.txt scripts/generators/package-lock.json scripts/generators/install
	PYTHON=$(PYTHON) scripts/generators/install

clean: ## remove build results (not ./data)
	$(CARGO) clean
	rm -rf .venv .generators .bench fuzz/target fuzz/corpus fuzz/artifacts
