#!/bin/sh
# The same bits everywhere: tests/portable.c, compiled and run in many ways, prints what tests/golden/portable.txt says.
# portability.sh [--install | --only-install]: installs (Debian) what is missing first. A tool that is missing is skipped by name.
set -u
LIMIT=3600
. "$(dirname "$0")/limit.sh"
cd "$(dirname "$0")/.." || exit 1
out=build/portable
golden=tests/golden/portable.txt
mkdir -p "$out"

# i386: the compiler's own, or a cross compiler: Debian installs no other cross compiler beside the former's headers.
i386=
find_i386() {
  i386=
  for cc in 'gcc -m32' 'i686-linux-gnu-gcc -static'; do
    [ -n "$i386" ] || ! printf '#include <errno.h>\nint main(void) { return 0; }\n' | $cc -x c - -o "$out/runs" 2>/dev/null || i386=$cc
  done
}
command -v aarch64-linux-gnu-gcc >/dev/null && find_i386 # else what is installed takes the headers away

if [ -n "${1:-}" ] && command -v apt-get >/dev/null; then
  missing=
  for pair in clang:clang tcc:tcc musl-gcc:musl-tools qemu-i386:qemu-user \
    aarch64-linux-gnu-gcc:gcc-aarch64-linux-gnu s390x-linux-gnu-gcc:gcc-s390x-linux-gnu qemu-s390x:qemu-user \
    x86_64-w64-mingw32-gcc:gcc-mingw-w64-x86-64 wine:wine; do
    command -v "${pair%%:*}" >/dev/null || missing="$missing ${pair##*:}"
  done
  [ -n "$i386" ] || missing="$missing gcc-i686-linux-gnu g++-i686-linux-gnu"
  # shellcheck disable=SC2086
  [ -z "$missing" ] || { echo "installing:$missing"; apt-get update -qq; DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $missing; } \
    >"$out/install.log" 2>&1 || echo "could not install:$missing (see $out/install.log)"
fi
[ "${1:-}" != --only-install ] || exit 0
find_i386

compile() { # name, compiler and flags
  name=$1
  shift
  command -v "$1" >/dev/null || { echo "skip portable_$name: no $1"; return 1; }
  "$@" tests/portable.c -o "$out/$name" -lm 2>"$out/$name.log" && return 0
  echo "FAIL portable_$name: does not compile"
  head -n 5 "$out/$name.log"
  return 1
}
agree() { # name, command
  name=$1
  shift
  command -v "$1" >/dev/null || { echo "skip portable_$name: no $1"; return; }
  "$@" 2>/dev/null | tr -d '\r' >"$out/$name.txt"
  if cmp -s "$golden" "$out/$name.txt"; then echo "ok portable_$name"
  else
    echo "FAIL portable_$name"
    diff "$golden" "$out/$name.txt" | head -n 8
  fi
}
header() { # name, compiler and flags: the implementation compiles without a word
  name=$1
  shift
  "$@" -DINVMAN_IMPLEMENTATION -fsyntax-only invman.h >"$out/log" 2>&1 && [ ! -s "$out/log" ] && echo "ok portable_header_$name" && return
  echo "FAIL portable_header_$name"
  head -n 5 "$out/log"
}
native() { compile "$@" && agree "$1" "$out/$1"; }

for cc in gcc clang; do
  native ${cc}_O0 $cc -O0
  native ${cc}_O2 $cc -O2
  native ${cc}_O3_native $cc -O3 -march=native
  native ${cc}_plain_C_native $cc -O2 -march=native -DINVMAN_NO_SIMD
done
native gcc_O2_native gcc -O2 -march=native
if compile gcc_O2_openmp gcc -O2 -fopenmp; then
  for threads in 1 2 5; do agree openmp_$threads env OMP_NUM_THREADS=$threads "$out/gcc_O2_openmp"; done
  agree tasks_backwards "$out/gcc_O2_openmp" --backwards
  for bits in 256 128; do agree vectors_of_${bits}_bits "$out/gcc_O2_openmp" --bits $bits; done
fi
native tcc tcc
native musl musl-gcc -O2
# i386: with the x87's registers it compiles and evaluates; with SSE2's the bits are everybody's. Kernels without i386: qemu.
# shellcheck disable=SC2086
if [ -n "$i386" ]; then
  runner=$("$out/runs" 2>/dev/null; [ $? = 0 ] || echo qemu-i386)
  for std in c99 gnu99; do compile i386_$std $i386 -std=$std -O2 -msse2 -mfpmath=sse && agree i386_$std $runner "$out/i386_$std"; done
  for flags in '-std=c99' '-std=gnu99' '-std=c99 -msse2' '-std=gnu99 -mfpmath=387'; do
    header "i386 $flags" $i386 $flags -Wall -Wextra -x c
  done
  for std in c++11 gnu++17; do header "i386 -std=$std" $(echo "$i386" | sed 's/gcc/g++/') -std=$std -Wall -Wextra -x c++; done
  if $i386 -std=c99 -O1 -DTEST_QUICK tests/test.c -o "$out/i386_x87" -lm 2>"$out/log"; then
    for test in network_golden network_symmetries network_init; do $runner "$out/i386_x87" "$out" $test; done
  else echo 'FAIL portable_i386_x87: the tests do not compile'
  fi
else echo 'skip portable_i386: no gcc -m32, no i686-linux-gnu-gcc'
fi
compile arm64 aarch64-linux-gnu-gcc -O2 -static && agree arm64 qemu-aarch64 "$out/arm64"
compile s390x_big_endian s390x-linux-gnu-gcc -O2 -static && agree s390x_big_endian qemu-s390x "$out/s390x_big_endian"
if command -v x86_64-w64-mingw32-gcc >/dev/null; then
  header 'windows, after windows.h' x86_64-w64-mingw32-gcc -Wall -Wextra -include windows.h -x c
  header 'windows, after winsock2.h, strict' x86_64-w64-mingw32-gcc -std=c99 -Wall -include winsock2.h -include windows.h -x c
  x86_64-w64-mingw32-gcc -DINVMAN_IMPLEMENTATION -x c -c invman.h -o "$out/windows.o"
  for source in examples/*.c; do # without OpenMP, whose library has more of POSIX
    name=portable_windows_$(basename "$source" .c)
    if x86_64-w64-mingw32-gcc -DINVMAN_NO_IMPLEMENTATION -I. "$source" "$out/windows.o" -o "$out/example.exe" -lm 2>"$out/log"; then
      echo "ok $name"
    else echo "FAIL $name" && head -n 5 "$out/log"
    fi
  done
fi
compile windows.exe x86_64-w64-mingw32-gcc -O2 && agree windows env WINEDEBUG=-all WINEPREFIX="$PWD/$out/wine" wine "$out/windows.exe"

# Files on Windows.
if ! command -v x86_64-w64-mingw32-gcc >/dev/null || ! command -v wine >/dev/null; then echo "skip windows_files: no compiler or no wine"
elif x86_64-w64-mingw32-gcc -O1 -Wall -Wextra tests/windows.c -o "$out/files.exe" -lm 2>"$out/files.log" && [ ! -s "$out/files.log" ] &&
  rm -rf "$out/files" && mkdir "$out/files" && prefix=$PWD/$out/wine &&
  (cd "$out/files" && WINEDEBUG=-all WINEPREFIX="$prefix" wine ../files.exe) 2>/dev/null >"$out/files.log"; then echo "ok windows_files"
else echo "FAIL windows_files"; sed 's/^/  /' "$out/files.log" | head -n 20; fi
exit 0
