#!/bin/sh
# run.sh DIRECTORY SECONDS: every target of fuzz.c for so long, two at a time; what makes one fail is left in DIRECTORY.
# SEED=N in the environment: the same inputs again; else others each time.
# First their corpus by the ordinary compiler. Prints a line per target.
set -u
dir=$1 seconds=$2 failed=0
targets="csv idx net flow conv api"
: "${CC:=cc}" "${CLANG:=clang}" "${TMPDIR:=/tmp}"
if [ -d /dev/shm ] && [ -w /dev/shm ]; then TMPDIR=/dev/shm; fi
TMPDIR=$(mktemp -d "$TMPDIR/fuzz.XXXXXX") || exit 1
trap 'rm -rf "$TMPDIR"' EXIT
export TMPDIR
mkdir -p "$dir"

$CC -O1 -DFUZZ_MAIN tests/fuzz/fuzz.c -o "$dir/corpus" -lm || exit 1
for name in $targets; do
  if "$dir/corpus" "$name" tests/fuzz/corpus/"$name"/* >"$dir/$name.log" 2>&1; then echo "ok fuzz_corpus_$name"
  else echo "FAIL fuzz_corpus_$name"; tail -n 5 "$dir/$name.log"; failed=1; fi
done

# Plain C: the sanitizers take minutes over the vectors, and the corpus has been through these.
sanitize="-O1 -g -fno-omit-frame-pointer -DINVMAN_NO_SIMD -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined -fno-sanitize-coverage=trace-cmp"
echo 'int LLVMFuzzerTestOneInput(const char *s, unsigned long n) { return s == 0 && n > 0; }' >"$dir/try.c"
# shellcheck disable=SC2086  # a list of words
if ! $CLANG $sanitize "$dir/try.c" -o "$dir/try" >/dev/null 2>&1; then
  echo "skip fuzz: no clang with libFuzzer"
  exit $failed
fi
# shellcheck disable=SC2086
$CLANG $sanitize tests/fuzz/fuzz.c -o "$dir/fuzz" -lm || { echo "FAIL fuzz_compile"; exit 1; }

fuzz() { # name
  mkdir -p "$dir/found/$1"
  FUZZ=$1 "$dir/fuzz" -seed="${SEED:-0}" -max_total_time="$seconds" -max_len=2048 -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 \
    -artifact_prefix="$dir/fail_$1_" "$dir/found/$1" tests/fuzz/corpus/"$1" >"$dir/$1.log" 2>&1
  status=$?
  done=$(sed -n 's/^stat::number_of_executed_units: *//p' "$dir/$1.log")
  if [ $status = 0 ]; then echo "ok fuzz_$1 ($done executions)"
  else echo "FAIL fuzz_$1"; grep -E 'ERROR|runtime error|not true|SUMMARY|Test unit' "$dir/$1.log" | sed 's/^/  /' | head -n 8; fi
}
some() { for name in "$@"; do fuzz "$name"; done; }
# shellcheck disable=SC2046,SC2086
{ set -- $targets
  some "$1" "$2" "$4" >"$dir/first" &
  some "$3" "$5" "$6"
  wait
  cat "$dir/first"; } >"$dir/lines"
cat "$dir/lines"
! grep -q '^FAIL' "$dir/lines" && [ $failed = 0 ]
