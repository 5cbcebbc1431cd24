#!/bin/sh
# Coverage of the header by the fast tests, coverage.sh DIRECTORY: at least 95 % of lines and 85 % of branches that are
# taken at least once. One vector width runs at a time, so that of the code for each width one copy is counted.
set -u
LIMIT=3600
. "$(dirname "$0")/limit.sh"
out=$1
mkdir -p "$out"
command -v gcov >/dev/null || { echo 'skip coverage: no gcov'; exit 0; }
rm -f "$out"/*.gcda "$out"/*.gcno "$out"/*.gcov
gcc -O1 --coverage -DINVMAN_NO_SIMD -DTEST_QUICK tests/test.c -o "$out/test" -lm || exit 1
TEST_SLOWER=5 "$out/test" "$out" >"$out/test.log" || { grep '^FAIL' "$out/test.log"; exit 1; }
gcov -b -o "$out" "$out"/*.gcda >"$out/summary.txt" 2>/dev/null
mv ./*.gcov "$out" 2>/dev/null
awk '/^File/ {in_it = index($0, "invman.h") > 0} in_it && /^Lines/ {split($0, a, /[:%]/); lines = a[2]}
  in_it && /^Taken/ {split($0, a, /[:%]/); taken = a[2]}
  END {printf "lines %s %%, branches %s %%\n", lines, taken
    print (lines >= 95 && taken >= 85 ? "ok" : "FAIL") " coverage_of_the_header"}' "$out/summary.txt"
grep '#####' "$out/invman.h.gcov" | sed 's/^ *#####: *//' >"$out/lines_never_run.txt"
exit 0
