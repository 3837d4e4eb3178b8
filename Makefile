# make run    installs what is missing, builds, and shows a live picture at http://127.0.0.1:8080/
# make test   installs what is missing and runs all tests
# make deb    builds the Debian package below .build/package (ten minutes the first time)
# make test-deb  installs it in a bare Debian, shows a picture, upgrades and purges it; needs root
# make load   a crowd of misbehaving clients against the release build, once the tests have been installed
# make soak   half an hour of a camera that comes and goes, with what the server takes of memory, descriptors and disk
# make lint   checks the format of the sources
# make reference  writes the settings' tables of the handbook from the program's own list
# make tsan   runs what threads share under ThreadSanitizer, also in a server with real traffic, and fails on one report
#             (a quarter of an hour)
# make asan   runs what handles FFmpeg's memory under AddressSanitizer
# make fuzz   feeds damaged playlists, cameras' answers and recorded streams to builds with libFuzzer, damaged pictures,
#             bodies and requests to one with AddressSanitizer, and damaged files, fields and objects to the tests of what
#             reads them (an hour and more)
.PHONY: run build test test-swift test-http test-browser deb test-deb load soak lint reference tsan asan fuzz clean

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

# What the tests need is fetched while the compiler works.
test-swift:
	@bash .ci/setup.sh build
	@bash .ci/fetch-hls.sh $(HLS)
	python3 fixtures/make.py --check
	@bash .ci/setup.sh test & tools=$$!; \
	  echo swift build --build-tests; swift build --build-tests; built=$$?; wait $$tools && exit $$built
	swift test --skip-build --skip $(REALTIME)
	swift test --skip-build --filter $(REALTIME)

# Most wait most of the time, and three to a core leave it room. The marks are explained in the suites' pytest.ini.
BESIDE = --dist loadgroup --no-loadscope-reorder -n
test-http: test-swift
	$(PYTHON) -m pytest -q $(BESIDE) $$((3 * $$(nproc))) -m 'not calm and not greedy' Tests/http
	$(PYTHON) -m pytest -q $(BESIDE) 3 -m calm Tests/http
	$(PYTHON) -m pytest -q -m greedy Tests/http

test-browser: test-swift
	$(PYTHON) -m pytest -q -n 2 --dist loadfile -m 'not calm' Tests/browser
	$(PYTHON) -m pytest -q -m calm Tests/browser

# Swift's runtime is linked in; the machine that it is installed on needs no Swift.
DEB = .build/deb
deb:
	@bash .ci/setup.sh build
	@bash .ci/setup.sh deb
	@bash .ci/fetch-hls.sh $(HLS)
	swift build -c release --static-swift-stdlib --disable-index-store -debug-info-format none --scratch-path $(DEB) --product quietcam
	rm -rf .build/package
	Sources/quietcam/Packaging/build-deb.sh $(DEB)/release/quietcam $(DEB)/checkouts .build/package

test-deb: deb
	@bash .ci/setup.sh test
	$(PYTHON) -m pytest -q -rs Tests/package

# 5,000 idle connections, 500 trickling uploads and 500 readers that stop, while a viewer plays: are there stalls?
load: build
	QUIETCAM=.build/release/quietcam $(PYTHON) Tests/http/load.py

soak:
	$(PYTHON) Tests/http/soak.py --minutes 30

lint:
	@bash .ci/setup.sh swift
	swift format lint --strict --recursive --parallel Sources Tests Package.swift

reference:
	QUIETCAM_TEST_WRITE_REFERENCE=1 swift test --filter SettingsReferenceTests

# Every suite in which threads share something; the random histories are fewer, because each takes ten times as long.
TSAN = .build/tsan
tsan:
	@bash .ci/setup.sh build
	@bash .ci/setup.sh test
	@bash .ci/fetch-hls.sh $(HLS)
	swift build --build-tests --sanitize thread --scratch-path $(TSAN)
	QUIETCAM_MODEL_COUNT=24 TSAN_OPTIONS="exitcode=66 $(TSAN_OPTIONS)" \
	  swift test --skip-build --sanitize thread --scratch-path $(TSAN) \
	  --filter '^(Station|Origin|Packager|Picture|Media|Bucket|Access|Ingest)Tests' --skip 'LongRunTests|VeilSimilarityTests'
	TSAN_OPTIONS="exitcode=66 $(TSAN_OPTIONS)" QUIETCAM=$(TSAN)/debug/quietcam $(PYTHON) Tests/http/traffic.py

# FFmpeg's own libraries are not instrumented; what is found are uses of memory that it has given back, and ours.
# LeakSanitizer cannot run where processes may not be traced.
ASAN = .build/asan
asan:
	@bash .ci/setup.sh build
	@bash .ci/setup.sh test
	swift build --build-tests --sanitize address --scratch-path $(ASAN)
	ASAN_OPTIONS="detect_leaks=0 $(ASAN_OPTIONS)" \
	  swift test --skip-build --sanitize address --scratch-path $(ASAN) --filter '^(Picture|Media|Ingest|Playlist|Packager)Tests'

# Swift's own backtraces would end the process before libFuzzer has written down the bytes that ended it.
# Each part says what it did; how much: make fuzz PLAYLISTS=60 ANSWERS=60 STREAMS=60 (seconds) PICTURES=10000
# BODIES=10000 REQUESTS=1000 READERS=2 (times the samples of make test)
FUZZ = .build/fuzz
PLAYLISTS = 600
ANSWERS = 600
STREAMS = 600
PICTURES = 400000
BODIES = 3000000
REQUESTS = 20000
READERS = 50
fuzz:
	@bash .ci/setup.sh build
	@bash .ci/setup.sh test
	@bash .ci/fetch-hls.sh $(HLS)
	swift build -c release --sanitize fuzzer -Xswiftc -DLIBFUZZER --scratch-path $(FUZZ)/playlists --product PlaylistFuzz
	mkdir -p $(FUZZ)/playlist-corpus
	SWIFT_BACKTRACE=enable=no $(FUZZ)/playlists/release/PlaylistFuzz -max_total_time=$(PLAYLISTS) -timeout=10 -max_len=4096 -print_final_stats=1 \
	  -dict=Tests/PlaylistFuzz/hls.dict -artifact_prefix=$(FUZZ)/playlist- $(FUZZ)/playlist-corpus Tests/PlaylistFuzz/seeds
	swift build -c release --sanitize fuzzer -Xswiftc -DLIBFUZZER --scratch-path $(FUZZ)/playlists --product AnswerFuzz
	mkdir -p $(FUZZ)/answer-corpus
	SWIFT_BACKTRACE=enable=no $(FUZZ)/playlists/release/AnswerFuzz -max_total_time=$(ANSWERS) -timeout=10 -max_len=4096 -print_final_stats=1 \
	  -dict=Tests/AnswerFuzz/http.dict -artifact_prefix=$(FUZZ)/answer- $(FUZZ)/answer-corpus Tests/AnswerFuzz/seeds
	swift build -c release --sanitize fuzzer -Xswiftc -DLIBFUZZER --scratch-path $(FUZZ)/playlists --product StreamFuzz
	mkdir -p $(FUZZ)/stream-corpus
	SWIFT_BACKTRACE=enable=no $(FUZZ)/playlists/release/StreamFuzz -max_total_time=$(STREAMS) -timeout=10 -max_len=4096 -print_final_stats=1 \
	  -artifact_prefix=$(FUZZ)/stream- $(FUZZ)/stream-corpus Tests/StreamFuzz/seeds
	swift build --build-tests
	QUIETCAM_FUZZ_TIMES=$(READERS) swift test --skip-build --filter '(Foreign[A-Za-z]*|DateMap|LoopRecording)Tests'
	swift build -c release --sanitize address --scratch-path $(FUZZ)/build --product Fuzz
	swift build -c release --sanitize address --scratch-path $(FUZZ)/build --product quietcam
	$(PYTHON) Tests/Fuzz/corpus.py $(FUZZ)/corpus
	$(FUZZ)/build/release/Fuzz pictures --corpus $(FUZZ)/corpus --count $(PICTURES) --progress $(FUZZ)/picture
	$(FUZZ)/build/release/Fuzz bodies --corpus $(FUZZ)/corpus --count $(BODIES) --progress $(FUZZ)/body
	QUIETCAM=$(FUZZ)/build/release/quietcam $(PYTHON) Tests/Fuzz/fuzz_requests.py $(FUZZ)/corpus --count $(REQUESTS)

clean:
	rm -rf .build $(HLS)
