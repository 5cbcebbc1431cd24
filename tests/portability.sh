#!/bin/sh
# The same bits everywhere: tests/portable.c, compiled and run in many ways, prints what tests/golden/portable.txt says.
# portability.sh [--install]: installs (Debian) what is missing first. A tool that is missing is skipped by name.
set -u
cd "$(dirname "$0")/.." || exit 1
out=build/portable
golden=tests/golden/portable.txt
mkdir -p "$out"

if [ "${1:-}" = --install ] && command -v apt-get >/dev/null; then
  missing=
  for pair in clang:clang tcc:tcc musl-gcc:musl-tools i686-linux-gnu-gcc:gcc-i686-linux-gnu \
    aarch64-linux-gnu-gcc:gcc-aarch64-linux-gnu s390x-linux-gnu-gcc:gcc-s390x-linux-gnu qemu-s390x:qemu-user \
    x86_64-w64-mingw32-gcc:gcc-mingw-w64-x86-64 wine:wine; do
    command -v "${pair%%:*}" >/dev/null || missing="$missing ${pair##*:}"
  done
  # shellcheck disable=SC2086
  [ -z "$missing" ] || { echo "installing:$missing"; apt-get update -qq; DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $missing; } \
    >"$out/install.log" 2>&1 || echo "could not install:$missing (see $out/install.log)"
fi

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
native i386 i686-linux-gnu-gcc -O2 -msse2 -mfpmath=sse -static
compile arm64 aarch64-linux-gnu-gcc -O2 -static && agree arm64 qemu-aarch64 "$out/arm64"
compile s390x_big_endian s390x-linux-gnu-gcc -O2 -static && agree s390x_big_endian qemu-s390x "$out/s390x_big_endian"
compile windows.exe x86_64-w64-mingw32-gcc -O2 && agree windows env WINEDEBUG=-all WINEPREFIX="$PWD/$out/wine" wine "$out/windows.exe"

# Files on Windows.
if ! command -v x86_64-w64-mingw32-gcc >/dev/null || ! command -v wine >/dev/null; then echo "skip windows_files: no compiler or no wine"
elif x86_64-w64-mingw32-gcc -O1 -Wall -Wextra tests/windows.c -o "$out/files.exe" -lm 2>"$out/files.log" && [ ! -s "$out/files.log" ] &&
  rm -rf "$out/files" && mkdir "$out/files" && prefix=$PWD/$out/wine &&
  (cd "$out/files" && WINEDEBUG=-all WINEPREFIX="$prefix" wine ../files.exe) 2>/dev/null >"$out/files.log"; then echo "ok windows_files"
else echo "FAIL windows_files"; sed 's/^/  /' "$out/files.log" | head -n 20; fi
exit 0
