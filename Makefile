# make run    installs what is missing, builds, and shows a live picture at http://127.0.0.1:8080/
# make test   installs what is missing and runs all tests
# make load   a crowd of misbehaving clients against the release build, once the tests have been installed
# make lint   checks the format of the sources
.PHONY: run build test test-swift test-http test-browser load lint clean

HLS = Sources/Origin/Web/hls-1.6.15.mjs
PYTHON = .build/python/bin/python
# Suites that talk to a server of their own in real time, apart from those that take the whole machine.
REALTIME = 'FollowerTests|PusherTests|LiveSourceTests'

run: build
	.build/release/quietcam serve --demo

build:
	@bash .ci/setup.sh build
	@bash .ci/fetch-hls.sh $(HLS)
	swift build -c release --product quietcam

test: lint test-swift test-http test-browser

test-swift:
	@bash .ci/setup.sh build
	@bash .ci/setup.sh test
	@bash .ci/fetch-hls.sh $(HLS)
	python3 fixtures/make.py --check
	swift build --build-tests
	swift test --skip-build --skip $(REALTIME)
	swift test --skip-build --filter $(REALTIME)

test-http: test-swift
	$(PYTHON) -m pytest -q Tests/http

test-browser: test-swift
	$(PYTHON) -m pytest -q Tests/browser

# 5,000 idle connections, 500 trickling uploads and 500 readers that stop, while a viewer plays: are there stalls?
load: build
	QUIETCAM=.build/release/quietcam $(PYTHON) Tests/http/load.py

lint:
	@bash .ci/setup.sh swift
	swift format lint --strict --recursive --parallel Sources Tests Package.swift

clean:
	rm -rf .build $(HLS)
