#!/bin/sh
# count.sh PROGRAM COUNTS [--save]: the instructions that small jobs take, under valgrind, against the recorded ones. A
# line per job: ok, or FAIL where it takes 10 % more (half as many again for another compiler than the recorded one).
set -u
program=$1 counts=$2 save=${3-}
export OMP_NUM_THREADS=1
command -v valgrind >/dev/null || { echo "skip bench-count: valgrind is missing"; exit 0; }
directory=$(mktemp -d) || exit 1
trap 'rm -rf "$directory"' EXIT
compiler=$("$program" --compiler)
recorded=$(sed -n 's/^# compiler: //p' "$counts" 2>/dev/null)
allowed=1.1
[ "$compiler" = "$recorded" ] || allowed=1.5
[ -n "$save" ] || [ "$allowed" = 1.1 ] || echo "recorded with $recorded, this is $compiler: 1.5 times the count is allowed"

count() { # job, p, d, h: the instructions within perform()
  bits=$(timeout 120 valgrind --tool=callgrind --collect-atstart=no --toggle-collect=perform --callgrind-out-file="$directory/out" \
    "$program" --count "$1" --bits 256 --p "$2" --d "$3" --h "$4" 2>"$directory/log") || { cat "$directory/log"; return 1; }
  [ "$bits" = 256 ] || { echo "skip bench-count: the counts are of 256-bit vectors, there are $bits"; exit 0; }
  number=$(sed -n 's/^summary: *//p' "$directory/out")
}

jobs='eval 256 10 200
gradient 256 10 200
train 64 5 200
gram 128 10 200
infinite 128 10 0
lazy 256 5 0
eigh 128 0 0
top 256 5 0
conv-eval 8 0 2
conv-gradient 8 0 2'

failed=0
[ -z "$save" ] || printf '# Instructions of small jobs (job p d h count), by callgrind: make bench-count-save.\n# compiler: %s\n' \
  "$compiler" >"$directory/counts"
while read -r job p d h; do
  number=
  count "$job" "$p" "$d" "$h"
  if [ -n "$save" ] && [ -n "$number" ]; then echo "$job $p $d $h $number" | tee -a "$directory/counts"; continue; fi
  wanted=$(sed -n "s/^$job $p $d $h //p" "$counts")
  if [ -z "$number" ] || [ -z "$wanted" ]; then
    echo "FAIL count_$job: ${number:-nothing} counted, ${wanted:-nothing} recorded"
    failed=1
  elif awk "BEGIN { exit !($number <= $allowed * $wanted) }"; then echo "ok count_$job"
  else
    awk "BEGIN { printf \"FAIL count_$job: %.0f instructions, %.2f times the recorded %.0f\n\", $number, $number / $wanted, $wanted }"
    failed=1
  fi
done <<END
$jobs
END
[ -z "$save" ] || [ $failed != 0 ] || cp "$directory/counts" "$counts"
exit $failed
