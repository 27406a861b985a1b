# layerfs: `make demo` shows it working, `make test` proves it. Both install what they need on Debian and Ubuntu.

SWIFT ?= swift
PREFIX ?= /usr/local
# The release build links the Swift runtime in: it starts faster, and runs where Swift is not installed. It is stripped. Types are
# made without looking their conformances up, which is a third of what a start costs (docs/decisions/0027-what-a-start-costs.md).
RELEASE = $(SWIFT) build --configuration release --static-swift-stdlib --disable-local-rpath -Xlinker -s \
    -Xswiftc -Xfrontend -Xswiftc -disable-concrete-type-metadata-mangled-name-accessors
BINARY = .build/release/layerfs

.PHONY: build registry archives demo test faults sanitize check fmt bench bench-micro install clean

build: archives
	scripts/setup build
	$(RELEASE) --product layerfs

# The part that speaks to registries (push, pull, login …), a program of its own: the network takes minutes to compile.
registry: archives
	scripts/setup build
	$(RELEASE) --product layerfs-registry

# The C++ library, which only Swift's runtime uses, as the linker is to find it: to be linked in.
archives:
	mkdir -p .build/archives
	library=$$(clang -print-file-name=libstdc++.a 2>/dev/null || cc -print-file-name=libstdc++.a); \
	    case $$library in /*) ln -sf "$$library" .build/archives/ ;; esac

# The walk from `add bash` to a running root and an image, on this machine, in a temporary store.
demo: build
	scripts/demo $(BINARY)

# All tests, with the real counterparts: Docker, skopeo, umoci, podman, buildah, a registry and the file systems.
test:
	scripts/setup build counterparts
	scripts/test
	scripts/reliability --short .build/debug/layerfs

# Kills layerfs, lets calls fail, cuts the power: a sample. FAULTS=--long repeats every figure of docs/reliability.md.
FAULTS ?= --short
faults: build
	scripts/setup build counterparts
	scripts/reliability $(FAULTS) $(BINARY)

# The tests under ThreadSanitizer and AddressSanitizer, each in a build of its own. Swift's backtracer can hang under them.
SANITIZED ?= .
sanitize:
	scripts/setup build counterparts
	for sanitizer in thread address; do \
	    SWIFT_BACKTRACE=enable=no TSAN_OPTIONS=suppressions=$(CURDIR)/scripts/thread-sanitizer.supp \
	    ASAN_OPTIONS=detect_leaks=0 timeout 7200 \
	        $(SWIFT) test --sanitize $$sanitizer --scratch-path .build/$$sanitizer --filter '$(SANITIZED)' || exit 1; \
	done

FORMATTED = Package.swift Sources Tests benchmarks/micro/Package.swift benchmarks/micro/Benchmarks
# What CI checks beside the tests: the format, and that nothing warns.
check:
	$(SWIFT) format lint --recursive --strict $(FORMATTED)
	CI=1 $(SWIFT) build --build-tests

fmt:
	$(SWIFT) format --in-place --recursive $(FORMATTED)

# Beside the peers of the field, in turn, in one run; needs root, and a quiet machine. Writes docs/benchmarks.md with RESULTS=docs.
RESULTS ?= .build/benchmarks
bench: build
	scripts/setup build counterparts peers
	benchmarks/run $(BINARY) --file-system ext4 --disk --scale 10000,100000,1000000 --results $(RESULTS)

# The inner loops (hashing, parsing, packing, composing, the index) by themselves, in a release build; takes a minute once built. Its
# package is in no other build. See docs/micro-benchmarks.md.
bench-micro:
	scripts/setup build
	$(SWIFT) build --configuration release --package-path benchmarks/micro --product LayerFSBenchmarks
	benchmarks/micro/.build/release/LayerFSBenchmarks

install: build registry
	install -D -m 0755 -t $(DESTDIR)$(PREFIX)/bin $(BINARY) $(BINARY)-registry

clean:
	rm -rf .build benchmarks/micro/.build
