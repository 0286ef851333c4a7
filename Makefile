# make run    the demo: a simulated chain, a page with a moving wallet, no network and no keys
# make test   every test
# make check  format, walls between the rooms, sanitizers, a minute of fuzzing, a light round of conformance
# make conformance        the Autobahn testsuite against both WebSocket roles, all 517 cases
# make conformance-light  373 of them, two minutes
# make fuzz SECONDS=3600 [TARGET=frames]    the fuzzers, which share the time
# make sanitize-all                         every test under both sanitizers
# make bench  figures, in ratios to a bare send() loop
# All of them install what is missing first (.ci/setup).

SHELL := /bin/bash
PORT ?= 8080
SECONDS ?= 600

.PHONY: run serve test check format lint walls sanitize sanitize-all fuzz fuzz-smoke conformance conformance-light bench client-test setup clean

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

check: setup lint walls
	.ci/check address thread conformance fuzz

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

bench: setup
	.ci/bench

clean:
	rm -rf .build .build-*
