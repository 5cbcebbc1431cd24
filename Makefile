# invman.h is one header: nothing needs to be built. This builds the examples and runs the tests.
# cc and make are all it takes; OpenMP is used where the compiler has it.

CC      ?= cc
CXX     ?= c++
CFLAGS  ?= -O2
PREFIX  ?= /usr/local
MNIST   ?=
BLAS    ?= -lopenblas
PRESET  ?= quick
FIGURES = figure_run figure_scan learning_curve kernel mnist homogeneity_trap watch_compression
PYTHON  ?= $(shell for m in "numpy scipy torch sklearn" "numpy scipy" numpy; do for p in python3 /usr/bin/python3; do \
             $$p -c 'import importlib.util, sys; sys.exit(not all(map(importlib.util.find_spec, sys.argv[1:])))' $$m \
             2>/dev/null && echo $$p && exit; done; done)
HASH   := \#
PEERS   = $(if $(PYTHON),$(PYTHON) bench/peers.py build/bench build,@echo 'skip peers: python3-numpy is missing' $(HASH))
# A compiler replaces what -o names: the probe's program goes to a directory of its own.
OPENMP  := $(shell t=$$(mktemp -d) && printf 'int main(void){return 0;}' >$$t/probe.c && \
             $(CC) -fopenmp $$t/probe.c -o $$t/probe >/dev/null 2>&1 && echo -fopenmp; rm -rf "$$t")
VERSION := $(shell awk '/^\#define INVMAN_VERSION_M|^\#define INVMAN_VERSION_P/ { v = v dot $$3; dot = "." } END { print v }' invman.h)

# Threads that wait by sleeping do not suffer where the cores are busy with other things.
export OMP_WAIT_POLICY ?= passive
export MNIST

help: ## this list
	@echo "invman.h $(VERSION)"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

run: build/compress digits ## the paper's stripe; then digits, where MNIST=DIRECTORY holds the t10k files (.gz or not)
	build/compress --d 5 --p 411 --h 10000 --alpha 1e-6
ifneq ($(MNIST),)
	build/compress --idx build/digits/t10k-images-idx3-ubyte build/digits/t10k-labels-idx1-ubyte --p 1000 --h 1000 --pgm build/digits.pgm
else
	@echo; echo "skipped: digits. Give MNIST=DIRECTORY with t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte (.gz or not)."
endif

test: ## everything but the slow runs; ends with: N passed, 0 failed. T=lazy: one group, or the tests named so
	@$(MAKE) --no-print-directory $(if $(filter -j% --jobserver%,$(MAKEFLAGS)),,-j$(CORES)) tested 'GROUPS=$(or $(T),$(GROUPS))'
	@for group in $(or $(T),$(GROUPS)); do cat build/tests/$$group.log; done >build/test.log
	@awk '/^ok /{n++} /^skip /{s = s "\n  " $$0} \
	  /^FAIL /{f++; sub(":", "", $$2); g = $$2 ~ /^program/ ? "programs" : $$2 ~ /^habit_/ ? "habits" : $$2 ~ /^table_/ ? "tables" : $$2 ~ /^document/ ? "documents" : $$2 ~ /^compile/ ? "compile" : $$2; a = a "\n  make test T=" g} \
	  END { if (s) print "skipped:" s; if (a) print "failed; alone:" a; if (!n && !f) print "no test of this name has run"; print n+0 " passed, " f+0 " failed"; exit f > 0 || n == 0 }' build/test.log

# A group is a file of tests, the programs', whether the header compiles, or whether the documents are true. They run beside each other, those that take
# long first, and are shown in this order.
GROUPS := compile $(shell grep -o 'GROUP([a-z_]*),' tests/test.c | tr -d '(),' | sed 's/^GROUP//' | grep -vxE 'slow|scaling|whole') programs habits tables documents
CORES  := $(shell getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
tested: $(foreach group,programs habits compile tables images paper,$(patsubst %,build/tests/%.log,$(filter $(group),$(GROUPS)))) $(GROUPS:%=shown-%)
before :=
$(foreach group,$(GROUPS),$(eval shown-$(group): $(before) build/tests/$(group).log)$(eval before := shown-$(group)))
shown-%:
	@cat build/tests/$*.log

build/tests/programs.log: examples FORCE
	@mkdir -p build/tests && tests/program.sh build >$@ 2>&1 || :

build/tests/habits.log: examples FORCE
	@mkdir -p build/tests && tests/habits.sh build >$@ 2>&1 || :

build/tests/tables.log: examples FORCE
	@mkdir -p build/tests && tests/tables.sh build >$@ 2>&1 || :

build/tests/documents.log: examples FORCE
	@mkdir -p build/tests && tests/documents.sh build >$@ 2>&1 || :

build/tests/compile.log: FORCE
	@mkdir -p build/tests && CC='$(CC)' CXX='$(CXX)' tests/compile.sh >$@ 2>&1 || :

build/tests/%.log: build/test digits FORCE
	@mkdir -p build/tests/$* && { MNIST=$(if $(MNIST),build/digits) build/test build/tests/$* $* || [ $$? = 1 ] || \
	  echo 'FAIL $*: the test program crashed'; } >$@ 2>&1

quick: build/quick ## the fast tests alone, as the sanitizers run them
	@mkdir -p build/of_quick
	build/quick build/of_quick

examples: build/compress build/minimal build/own_model build/diagnose $(FIGURES:%=build/%) ## build them

figures: $(FIGURES:%=build/%) digits ## the paper's figures and a page of them, in build/figures; PRESET=paper: at its size, hours
	examples/figures/make.sh build $(PRESET)

build/quick: $(wildcard tests/*.[ch]) invman.h build/flags
	$(CC) $(CFLAGS) -DTEST_QUICK tests/test.c -o $@ -lm

build/test: $(wildcard tests/*.[ch]) invman.h build/flags
	$(CC) $(CFLAGS) $(OPENMP) tests/test.c -o $@ -lm

# Each example holds the implementation, so that `cc -O2 examples/NAME.c -lm` is enough. Here it is compiled once for all.
build/%: examples/%.c examples/tool.h examples/points.h build/invman.o
	$(CC) $(CFLAGS) $(OPENMP) -DINVMAN_NO_IMPLEMENTATION $< build/invman.o -o $@ -lm

build/invman.o: invman.h build/flags
	$(CC) $(CFLAGS) $(OPENMP) -DINVMAN_IMPLEMENTATION -x c -c invman.h -o $@

build/flags: FORCE # changes when they do
	@mkdir -p build && echo '$(CC) $(CFLAGS) $(OPENMP)' | cmp -s - $@ || echo '$(CC) $(CFLAGS) $(OPENMP)' >$@

digits: ## unpack the digits of MNIST=DIRECTORY
	@mkdir -p build/digits
ifneq ($(MNIST),)
	@for f in t10k-images-idx3-ubyte t10k-labels-idx1-ubyte train-images-idx3-ubyte train-labels-idx1-ubyte; do \
	  if [ -f '$(MNIST)'/$$f ]; then cp '$(MNIST)'/$$f build/digits/$$f; \
	  elif [ -f '$(MNIST)'/$$f.gz ]; then gzip -dc '$(MNIST)'/$$f.gz >build/digits/$$f || exit 1; \
	  else case $$f in t10k-*) echo "$(MNIST)/$$f is missing" >&2; exit 1;; esac; fi; done
endif

scaling: digits ## the paper's laws on fixed seeds, and whole what `make test` runs a part of: ten minutes on two cores
	@mkdir -p build/of_scaling
	$(CC) $(CFLAGS) $(OPENMP) -DTEST_SCALING tests/test.c -o build/scaling -lm
	MNIST=$(if $(MNIST),build/digits) build/scaling build/of_scaling

largest: ## the largest runs: Lambda* to p = 8192, lazy flow of 16384 points, end times at a tenth of the tolerances
	@mkdir -p build
	$(CC) $(CFLAGS) $(OPENMP) -DTEST_SLOW tests/test.c -o build/largest -lm
	build/largest build

bench: build/bench ## how fast the library is here: tables, and build/bench.json; BENCH='--quick --only kernels' or --help
	build/bench --json build/bench.json $(BENCH)

bench-peers: build/bench build/compress ## against PyTorch, SciPy, scikit-learn, where installed: build/peers.json
	$(PEERS) --json build/peers.json

bench-eigen: build/bench ## the eigensolver against LAPACK and ARPACK: no more than 2 and 1.5 times their time
	$(PEERS) --only eigen

bench-paths: build/bench build/bench-plain build/bench-native ## every vector width, plain C, and -march=native in turns
	$(PEERS) --only paths --json build/paths.json

bench-save: ## keep build/bench.json, peers.json and paths.json as this machine's results in bench/results
	@mkdir -p bench/results
	@slug=$$(build/bench --slug) && for f in bench peers paths; do \
	  if [ -f build/$$f.json ]; then cp build/$$f.json bench/results/$$slug-$$f.json && echo bench/results/$$slug-$$f.json; fi; done

bench-count: build/bench-count ## the instructions of small jobs under valgrind: no more than 10 % above the recorded ones
	bench/count.sh build/bench-count bench/counts.txt

bench-count-save: build/bench-count
	bench/count.sh build/bench-count bench/counts.txt --save

build/bench: BENCH_CC = $(CFLAGS) $(OPENMP)
build/bench-plain: BENCH_CC = $(CFLAGS) $(OPENMP) -DINVMAN_NO_SIMD
build/bench-native: BENCH_CC = $(CFLAGS) $(OPENMP) -march=native
build/bench-count: BENCH_CC = -O2
build/bench build/bench-plain build/bench-native build/bench-count: bench/bench.c invman.h
	@mkdir -p build
	$(CC) $(BENCH_CC) -DBENCH_FLAGS='"$(BENCH_CC)"' bench/bench.c -o $@ -lm

asan: ## the fast tests under the address sanitizer
	@mkdir -p build/of_asan
	$(CC) -O1 -g -fsanitize=address -fno-omit-frame-pointer -DTEST_QUICK tests/test.c -o build/asan -lm
	TEST_SLOWER=5 ASAN_OPTIONS=allocator_may_return_null=1 build/asan build/of_asan

ubsan: ## the fast tests under the undefined behaviour sanitizer
	@mkdir -p build/of_ubsan
	$(CC) -O1 -g -fsanitize=undefined -fno-sanitize-recover=all -DTEST_QUICK tests/test.c -o build/ubsan -lm
	TEST_SLOWER=5 build/ubsan build/of_ubsan

tsan: ## threads that race for the tasks, under the thread sanitizer
	@mkdir -p build
	$(CC) -O1 -g -fsanitize=thread -DPORTABLE_THREADS tests/portable.c -o build/tsan -lm -lpthread
	build/tsan >build/tsan.txt && cmp tests/golden/portable.txt build/tsan.txt

analyze: ## static analysis: gcc -fanalyzer, clang-tidy, cppcheck, each where it is installed
	@mkdir -p build && printf '%s\n' '#define INVMAN_IMPLEMENTATION' '#include "../invman.h"' >build/analyze.c
	@tests/analyze.sh build/analyze.c

coverage: ## what the tests run of the header, at least 95 % of its lines and 85 % of its branches; the rest in build/coverage
	@tests/coverage.sh build/coverage

valgrind: ## the tests of memory under valgrind
	@mkdir -p build/of_valgrind
	$(CC) -O1 -g -DTEST_QUICK tests/test.c -o build/valgrind -lm
	for t in data_ network_golden network_file margins flow_every flow_resumes flow_file flow_held flow_any eigen_memory bad_ model_over model_ends model_refused model_resumes diagnostics_memory; do \
	  TEST_SLOWER=60 valgrind -q --error-exitcode=1 --leak-check=full build/valgrind build/of_valgrind $$t || exit 1; done

fuzz: ## every reader and the calls under libFuzzer, SECONDS=60 each; what makes one fail is left in build/fuzz
	@CC='$(CC)' SEED='$(or $(SEED),0)' tests/fuzz/run.sh build/fuzz $(or $(SECONDS),60)

kill: build/kill build/learning_curve build/mnist ## programs killed at N=50 random moments and started again end in the same bits
	@tests/kill.sh build $(or $(N),50)

race: ## processes and threads save under one path while others read it, SECONDS=30: no read is broken, nothing is left
	@rm -rf build/race && mkdir -p build/race
	$(CC) -O1 -DRACE_MAIN -DRACE_THREADS tests/race.c -o build/race/race -lm -lpthread
	@mkdir build/race/files && build/race/race build/race/files $(or $(SECONDS),30)

build/kill: tests/kill.c invman.h
	@mkdir -p build
	$(CC) $(CFLAGS) $(OPENMP) $< -o $@ -lm

FLOATS = flush ftz daz up down zero
floats: build/quick ## the fast tests where numbers are flushed to zero, and that all ends where they are rounded otherwise
	@mkdir -p build/of_floats
	@for how in $(FLOATS); do TEST_SLOWER=2 timeout 7200 build/quick build/of_floats '' $$how >build/floats.log; status=$$?; \
	  sed "s/^\(ok\|FAIL\|skip\) /&$${how}_/" build/floats.log; \
	  [ $$status = 0 ] || { echo "FAIL floats_$$how: status $$status (124: it does not end)"; exit 1; }; done

cxx: ## the fast tests as C++11
	@mkdir -p build
	$(CXX) -std=c++11 -O2 -DTEST_QUICK -x c++ tests/test.c -o build/cxx -lm
	build/cxx build

blas: ## the fast tests with matrix products by BLAS (OpenBLAS, or BLAS=-framework Accelerate), where it is installed
	@mkdir -p build
	@if echo '#include <cblas.h>' | $(CC) -E - >/dev/null 2>&1; then set -x; \
	  $(CC) $(CFLAGS) $(OPENMP) -DINVMAN_USE_CBLAS -DTEST_QUICK tests/test.c -o build/blas $(BLAS) -lm && build/blas build; \
	else echo 'skip blas: no <cblas.h> (Debian: libopenblas-dev)'; fi

strict: ## does the header compile everywhere without a warning, and without each of its parts?
	ALONE=1 CC='$(CC)' CXX='$(CXX)' tests/compile.sh

portability: ## the same bits from every compiler, processor and system: installs (Debian) or skips what it needs
	tests/portability.sh --install

trust: ## all of the above checks at full length: half an hour of fuzzing, 50 kills
	$(MAKE) portability asan ubsan tsan valgrind analyze coverage
	$(MAKE) fuzz SECONDS=600
	$(MAKE) kill N=50
	$(MAKE) race SECONDS=30

# Before 1.0 a minor version may change the binary interface: its number is part of the shared library's name.
# SHARED is the library and goes to BINDIR; LINKED is the name that -linvman finds in LIBDIR.
LIBDIR    ?= $(PREFIX)/lib
ABI       := $(basename $(VERSION))
MACHINE   := $(shell $(CC) -dumpmachine 2>/dev/null)
PUBLIC     = -fPIC -fvisibility=hidden '-DINVMAN_API=__attribute__((visibility("default")))'
BINDIR     = $(LIBDIR)
LINK       = ln -sf $(SHARED)
ifneq ($(findstring mingw,$(MACHINE))$(findstring windows-gnu,$(MACHINE)),)
SHARED     = libinvman-$(ABI).dll
LINKED     = libinvman.dll.a
PUBLIC     = '-DINVMAN_API=__declspec(dllexport)' -Wl,--out-implib,build/$(LINKED)
BINDIR     = $(PREFIX)/bin
LINK       = install -m 644 build/$(LINKED)
else ifneq ($(findstring darwin,$(MACHINE)),)
SHARED     = libinvman.$(ABI).dylib
LINKED     = libinvman.dylib
PUBLIC    += -Wl,-install_name,@rpath/$(SHARED)
else
SHARED     = libinvman.so.$(ABI)
LINKED     = libinvman.so
PUBLIC    += -Wl,-soname,$(SHARED)
endif
# What .package/ leaves open. Places below PREFIX are given relative to it: what is installed may be moved.
FILL       = -e 's|@VERSION@|$(VERSION)|g' -e 's|@ABI@|$(ABI)|g' -e 's|@LIBRARY@|$(BINDIR:$(PREFIX)/%=%)/$(SHARED)|g' \
             -e 's|@LINKED@|$(LIBDIR:$(PREFIX)/%=%)/$(LINKED)|g'
CMAKE_DIR  = share/cmake/invman
FILLED     = share/pkgconfig/invman.pc $(CMAKE_DIR)/invman-config.cmake $(CMAKE_DIR)/invman-config-version.cmake

shared: build/$(SHARED) ## the shared library, with nothing but the public functions in it

build/$(SHARED): invman.h build/flags
	$(CC) $(CFLAGS) $(OPENMP) $(PUBLIC) -DINVMAN_IMPLEMENTATION -shared -x c invman.h -x none -o $@ $(LDFLAGS) -lm

install: ## the header, for pkg-config and CMake too, to PREFIX (/usr/local), below DESTDIR where that is given
	install -d '$(DESTDIR)$(PREFIX)/include' '$(DESTDIR)$(PREFIX)/share/pkgconfig' '$(DESTDIR)$(PREFIX)/$(CMAKE_DIR)'
	install -m 644 invman.h '$(DESTDIR)$(PREFIX)/include/invman.h'
	@for f in $(FILLED); do to='$(DESTDIR)$(PREFIX)'/$$f; echo "$$to"; \
	  sed $(FILL) .package/$${f##*/} >"$$to" && chmod 644 "$$to" || exit 1; done

install-shared: install shared ## the same and the shared library, to LIBDIR (PREFIX/lib)
	install -d '$(DESTDIR)$(BINDIR)' '$(DESTDIR)$(LIBDIR)'
	install -m 755 build/$(SHARED) '$(DESTDIR)$(BINDIR)/$(SHARED)'
	$(LINK) '$(DESTDIR)$(LIBDIR)/$(LINKED)'

uninstall: ## remove what these two have installed
	rm -f '$(DESTDIR)$(PREFIX)/include/invman.h' $(FILLED:%='$(DESTDIR)$(PREFIX)/%')
	rm -f '$(DESTDIR)$(BINDIR)/$(SHARED)' '$(DESTDIR)$(LIBDIR)/$(LINKED)'
	[ ! -d '$(DESTDIR)$(PREFIX)/$(CMAKE_DIR)' ] || rmdir '$(DESTDIR)$(PREFIX)/$(CMAKE_DIR)'

package: ## programs outside the tree, C and C++, find what is installed: by pkg-config, by CMake, by -linvman
	CC='$(CC)' CXX='$(CXX)' tests/package.sh

clean: ## remove build/
	rm -rf build

FORCE: # with this compiler and these flags

.PHONY: help run test quick examples figures digits scaling largest bench bench-peers bench-eigen bench-paths bench-save \
  bench-count bench-count-save floats asan ubsan tsan analyze coverage valgrind fuzz kill race cxx blas strict portability trust \
  shared install install-shared uninstall package \
  clean
