# make run    the demo: a simulated chain, a page with a moving wallet, no network and no keys
# make test   every Swift test, and the web client's where there is a Node 20 or later
# make check  format, walls between the rooms, sanitizers, a minute of fuzzing, a light round of conformance,
#             docs-test, operations-test, proxy-test, urlsession-test, browser-test
# make conformance        the Autobahn testsuite against both WebSocket roles, all 517 cases
# make conformance-light  373 of them, two minutes
# make browser-test       the pages in a real headless Chromium, against the demo
# make fuzz SECONDS=3600 [TARGET=frames]    the fuzzers, which share the time
# make sanitize-all                         every test under both sanitizers
# make docs-test        the documentation's lines with websocat and curl, against the demo
# make proxy-test       nginx and Caddy, as Operating.md configures them, in front of the demo
# make urlsession-test  the Swift client library as Apple's systems have it, against the demo
# make operations-test  backup and restore, exit codes, health check, and what docker/ describes
# make reference  the settings' tables of the documentation, from the code
# make bench  figures, in ratios to a bare send() loop
# make instructions   instructions of a frame, an echo, a subscribe, beside those that are kept
# All of them install what is missing first (.ci/setup).

SHELL := /bin/bash
PORT ?= 8080
SECONDS ?= 600

.PHONY: run serve test check format lint walls sanitize sanitize-all fuzz fuzz-smoke conformance conformance-light bench client-test browser-test docs-test instructions proxy-test operations-test urlsession-test reference setup clean

setup:
	@.ci/setup

run: setup
	swift build -c release --product walletpush
	.build/release/walletpush demo --port $(PORT)

serve: setup
	swift build -c release --product walletpush
	.build/release/walletpush serve

test: setup client-test
	.ci/test

client-test:
	.ci/test-client

browser-test: setup
	swift build -c release --product walletpush
	.ci/test-browser

docs-test: setup
	.ci/test-docs

proxy-test: setup
	.ci/test-proxies

urlsession-test: setup
	.ci/test-urlsession

operations-test: setup
	.ci/test-operations

check: setup lint walls
	.ci/check $(FIRST) address thread conformance fuzz
	export WALLETPUSH=.build/release/walletpush && .ci/test-docs && .ci/test-operations && .ci/test-proxies \
		&& .ci/test-urlsession && .ci/test-browser

format:
	swift format -i -r -p Package.swift Sources Tests

lint:
	swift format lint --strict -r -p Package.swift Sources Tests

walls:
	.ci/check-walls

# Memory everywhere; threads where there are several.
sanitize: setup
	.ci/sanitize address
	.ci/sanitize thread threaded

sanitize-all: setup
	.ci/sanitize address
	.ci/sanitize thread

fuzz: setup
	.ci/fuzz $(SECONDS) $(TARGET)

fuzz-smoke: setup
	.ci/fuzz 60

conformance: setup
	swift build -c release --product walletpush
	.ci/conformance

conformance-light: setup
	swift build -c release --product walletpush
	.ci/conformance light

instructions: setup
	.ci/instructions

settings := Sources/Server/Server.docc/Settings.md

reference: setup
	swift build --product walletpush
	.build/debug/walletpush check-config --reference > .build/settings.md
	sed -i -e '/^<!-- begin/,/^<!-- end/{//!d}' -e '/^<!-- begin/r .build/settings.md' $(settings)

bench: setup
	.ci/bench

clean:
	rm -rf .build .build-*
