# The commands a person types. Each one is a line or two; what is longer lives in scripts/.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help run test bench check openapi

help: ## List these targets
	@sed -nE 's/^([a-z]+): ## (.*)/\1\t\2/p' $(MAKEFILE_LIST) | while IFS=$$'\t' read -r name text; do printf '  make %-9s %s\n' "$$name" "$$text"; done

run: ## Build in release mode and serve the demo organization
	cargo run --release --locked --quiet -p rollbook -- demo

test: ## Run every test: on SQLite in memory, on a SQLite file and on PostgreSQL, then the official clients
	@scripts/test

bench: ## Measure the program beside a bare server that sends the same bytes; ARGS="--help" tells more
	cargo build --release --locked --quiet -p rollbook -p rollbook-bench
	@scripts/with-postgres $(abspath $(or $(CARGO_TARGET_DIR),target))/release/rollbook-bench $(ARGS)

check: ## Formatting, lints and the rules for dependencies
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	cargo deny --version >/dev/null 2>&1 || cargo install cargo-deny --version 0.20.2 --locked --debug
	cargo deny --locked check --hide-inclusion-graph bans licenses sources

openapi: ## Write openapi.json and openapi-rollbook.json from the program
	UPDATE_DOCS=1 cargo test --locked --quiet -p rollbook-admin the_committed_documents
