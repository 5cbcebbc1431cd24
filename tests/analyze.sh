#!/bin/sh
# Static analysis of the implementation, FILE.c, that includes it: no warning of gcc -fanalyzer, clang-tidy (.clang-tidy)
# and cppcheck.
set -u
LIMIT=3600
. "$(dirname "$0")/limit.sh"
file=$1
log=build/analyze.log
check() { # name, command that must say nothing
  name=$1
  shift
  command -v "$1" >/dev/null || { echo "skip analyze_$name: no $1"; return; }
  if "$@" >"$log" 2>&1 && ! grep -qE '(warning|error|performance|portability):' "$log"; then echo "ok analyze_$name"
  else
    echo "FAIL analyze_$name"
    grep -E '(warning|error|performance|portability):' "$log" | head -n 10
  fi
}
check gcc gcc -fanalyzer -O1 -c "$file" -o build/analyze.o
check clang_tidy clang-tidy --quiet "$file" -- -std=c99
check cppcheck cppcheck --enable=warning,performance,portability --suppress=missingIncludeSystem --std=c99 \
  -DINVMAN_IMPLEMENTATION --error-exitcode=1 -q invman.h
exit 0
