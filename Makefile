# The few verbs a newcomer types. All work is done by the scripts; each says at its head what it does.
.DEFAULT_GOAL := help
.PHONY: help run test cli check check-macos package lab-up lab-down bench

help: ## this list
	@sed -nE 's/^([a-z-]+): ## (.*)/  make \1\t\2/p' Makefile | expand -t 22

run: ## install what is missing and open the window (in the terminal where there is no display)
	@scripts/run.sh

test: ## install what is missing, start real engines, run every test
	@scripts/test.sh

cli: ## build the command line tool for use: target/release/silidock
	@scripts/probe.sh
	cargo build --release -p silidock

check: ## formatting, lints, types, generated files
	@scripts/check.sh

check-macos: ## type-check everything for Apple silicon, from any machine
	@scripts/check-macos.sh

package: ## what people install: .app and .dmg on a Mac, .deb on Linux
	@scripts/package.sh

lab-up: ## start the four engines of the tests with their content (root, Debian)
	@tests/lab/lab.sh up

lab-down: ## end them, leaving nothing behind
	@tests/lab/lab.sh down

bench: ## a scan against the Docker client's own lists, on 300 images and 50 containers
	@scripts/bench.sh
