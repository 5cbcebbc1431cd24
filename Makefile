# invman.h is one header: nothing needs to be built. This builds the examples and runs the tests.
# cc and make are all it takes; OpenMP is used where the compiler has it.

CC      ?= cc
CXX     ?= c++
CFLAGS  ?= -O2
PREFIX  ?= /usr/local
MNIST   ?=
BLAS    ?= -lopenblas
PRESET  ?= quick
FIGURES = figure_run figure_lambda figure_alpha learning_curve kernel
PYTHON  ?= $(shell for p in python3 /usr/bin/python3; do $$p -c 'import scipy' 2>/dev/null && echo $$p && break; done)
OPENMP  := $(shell printf 'int main(void){return 0;}' | $(CC) -fopenmp -x c - -o /dev/null 2>/dev/null && echo -fopenmp)
VERSION := $(shell awk '/^\#define INVMAN_VERSION_M|^\#define INVMAN_VERSION_P/ { v = v dot $$3; dot = "." } END { print v }' invman.h)

# Threads that wait by sleeping do not suffer where the cores are busy with other things.
export OMP_WAIT_POLICY ?= passive
export MNIST

help: ## this list
	@echo "invman.h $(VERSION)"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' Makefile

run: build/compress digits ## the paper's stripe; then digits, where MNIST=DIRECTORY holds the t10k files (.gz or not)
	build/compress --d 5 --p 411 --h 10000 --alpha 1e-6
ifneq ($(MNIST),)
	build/compress --idx build/mnist/t10k-images-idx3-ubyte build/mnist/t10k-labels-idx1-ubyte --p 1000 --h 1000 --pgm build/digits.pgm
else
	@echo; echo "skipped: digits. Give MNIST=DIRECTORY with t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte (.gz or not)."
endif

test: examples digits ## everything but the slow runs; ends with: N passed, 0 failed
	$(CC) $(CFLAGS) $(OPENMP) tests/test.c -o build/test -lm
	@{ MNIST=$(if $(MNIST),build/mnist) build/test build || [ $$? = 1 ] || echo 'FAIL the test program crashed'; \
	   CC='$(CC)' CXX='$(CXX)' tests/compile.sh; \
	   tests/program.sh build; } 2>&1 | tee build/test.log
	@awk '/^ok /{n++} /^FAIL /{f++} /^skip /{s = s "\n  " $$0} \
	  END { if (s) print "skipped:" s; print n+0 " passed, " f+0 " failed"; exit f > 0 || n == 0 }' build/test.log

quick: ## the fast tests alone, as the sanitizers run them
	@mkdir -p build
	$(CC) $(CFLAGS) -DTEST_QUICK tests/test.c -o build/quick -lm
	build/quick build

examples: build/compress build/minimal $(FIGURES:%=build/%) ## build them

figures: $(FIGURES:%=build/%) ## the paper's figures and a page of them, in build/figures; PRESET=paper: at its size, hours
	examples/figures/make.sh build $(PRESET)

build/%: examples/%.c invman.h
	@mkdir -p build
	$(CC) $(CFLAGS) $(OPENMP) -I. $< -o $@ -lm

digits: ## unpack the digits of MNIST=DIRECTORY
	@mkdir -p build/mnist
ifneq ($(MNIST),)
	@for f in t10k-images-idx3-ubyte t10k-labels-idx1-ubyte; do \
	  if [ -f '$(MNIST)'/$$f ]; then cp '$(MNIST)'/$$f build/mnist/$$f; \
	  else gzip -dc '$(MNIST)'/$$f.gz >build/mnist/$$f || exit 1; fi; done
endif

scaling: ## the paper's laws on fixed seeds, with intervals: a quarter of an hour on two cores
	@mkdir -p build
	$(CC) $(CFLAGS) $(OPENMP) -DTEST_SCALING tests/test.c -o build/scaling -lm
	build/scaling build

largest: ## the largest runs: Lambda* to p = 8192, lazy flow of 16384 points, end times at a tenth of the tolerances
	@mkdir -p build
	$(CC) $(CFLAGS) $(OPENMP) -DTEST_SLOW tests/test.c -o build/largest -lm
	build/largest build

bench-eigen: ## the eigensolver against LAPACK and ARPACK: no more than 2 and 1.5 times their time
	@mkdir -p build
	@if [ -z '$(PYTHON)' ]; then echo 'skip bench-eigen: python3-scipy is missing'; else \
	  $(CC) $(CFLAGS) $(OPENMP) bench/eigen.c -o build/bench-eigen -lm && \
	  $(PYTHON) bench/eigen.py build/bench-eigen build; fi

asan: ## the fast tests under the address sanitizer
	@mkdir -p build
	$(CC) -O1 -g -fsanitize=address -fno-omit-frame-pointer -DTEST_QUICK tests/test.c -o build/asan -lm
	ASAN_OPTIONS=allocator_may_return_null=1 build/asan build

ubsan: ## the fast tests under the undefined behaviour sanitizer
	@mkdir -p build
	$(CC) -O1 -g -fsanitize=undefined -fno-sanitize-recover=all -DTEST_QUICK tests/test.c -o build/ubsan -lm
	build/ubsan build

valgrind: ## the tests of memory under valgrind
	@mkdir -p build
	$(CC) -O1 -g -DTEST_QUICK tests/test.c -o build/valgrind -lm
	for t in data_ network_golden network_file margins flow_every flow_resumes flow_file flow_held flow_any eigen_memory bad_ model_over model_ends model_refused model_resumes; do \
	  valgrind -q --error-exitcode=1 --leak-check=full build/valgrind build $$t || exit 1; done

cxx: ## the fast tests as C++11
	@mkdir -p build
	$(CXX) -std=c++11 -O2 -DTEST_QUICK -x c++ tests/test.c -o build/cxx -lm
	build/cxx build

blas: ## the fast tests with matrix products by BLAS (OpenBLAS, or BLAS=-framework Accelerate), where it is installed
	@mkdir -p build
	@if echo '#include <cblas.h>' | $(CC) -E - >/dev/null 2>&1; then set -x; \
	  $(CC) $(CFLAGS) $(OPENMP) -DINVMAN_USE_CBLAS -DTEST_QUICK tests/test.c -o build/blas $(BLAS) -lm && build/blas build; \
	else echo 'skip blas: no <cblas.h> (Debian: libopenblas-dev)'; fi

strict: ## does the header compile everywhere without a warning?
	CC='$(CC)' CXX='$(CXX)' tests/compile.sh

install: ## copy the header to PREFIX/include
	install -d '$(DESTDIR)$(PREFIX)/include'
	install -m 644 invman.h '$(DESTDIR)$(PREFIX)/include/invman.h'

clean: ## remove build/
	rm -rf build

.PHONY: help run test quick examples figures digits scaling largest bench-eigen asan ubsan valgrind cxx blas strict install clean
