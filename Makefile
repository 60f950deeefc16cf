.DEFAULT_GOAL := help
.PHONY: help setup demo test screenshots lint format lock clean

help: ## this list
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 13

setup: ## install what is missing; afterwards .venv/bin/demon is there
	@scripts/setup

demo: setup ## build the plugin, bounce the shipped loop through it in a host, draw the result (demo/out/)
	@scripts/demo

test: ## format, lint, types, Rust tests, plugin build, Python tests
	@scripts/setup --tests
	@scripts/test

screenshots: ## the pictures of docs/first-session.md, again, from Ardour's own windows
	@scripts/setup --tests
	@scripts/screenshots

lint: setup ## format, lint and types alone
	@scripts/lint

format: setup ## write the formatters' layout
	@scripts/lint --fix

lock: ## write requirements.lock from pyproject.toml
	@scripts/lock

clean: ## remove what setup, test and demo made in this folder (not the caches in ~/.cache/demon-bridge)
	rm -rf .venv demo/out build .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
