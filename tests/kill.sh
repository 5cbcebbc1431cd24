#!/bin/sh
# kill.sh BIN [N]: programs killed by SIGKILL at N random moments (50) and started again end as undisturbed ones do.
# BIN holds kill (tests/kill.c), learning_curve and mnist. Prints a line per test.
set -u
. "$(dirname "$0")/limit.sh"
bin=$(cd "$1" && pwd) || exit 1
N=${2:-50} failed=0
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1

result() { # name, 0 for ok, what to say
  if [ "$2" = 0 ]; then echo "ok $1 ($3)"; else echo "FAIL $1: $3"; sed 's/^/  /' err | head -n 5; failed=1; fi
}
delays() { # seed, longest in seconds: the moments, the same every time
  awk -v seed="$1" -v most="$2" -v n=$((20 * N)) 'BEGIN { srand(seed); for (i = 0; i < n; i++) printf "%.4f\n", most * rand() }' >delays
}
kill_after() { # seconds, command: its status is in $status, 137 where the kill hit
  delay=$1
  shift
  : >began
  "$@" >out 2>err &
  { sleep "$delay"
    kill -KILL $!
    wait $!; } 2>/dev/null
  status=$?
}

# ---- a flow, saved after every step

"$bin/kill" whole.net whole.flow >out 2>err || result kill_flow 1 "the undisturbed run failed"
delays 1 0.15
kills=0 within=0 ends=0 why=
while [ "$kills" -lt "$N" ] && [ -z "$why" ] && read -r delay <&3; do
  kill_after "$delay" "$bin/kill" end.net state.flow
  case $status in
  137) # of a save that was cut off, the temporary file is left; it may stay
    kills=$((kills + 1))
    [ -z "$(find . -name 'state.flow.tmp*' -newer began)" ] || within=$((within + 1)) ;;
  0) # done before the kill: once more from the start
    ends=$((ends + 1))
    cmp -s end.net whole.net || why="other bits after $kills kills"
    rm -f end.net state.flow ;;
  *) why="not resumed after $kills kills" ;;
  esac
done 3<delays
if [ -z "$why" ]; then
  "$bin/kill" end.net state.flow >out 2>err || why="not resumed at the end"
  cmp -s end.net whole.net || why=${why:-other bits at the end}
fi
[ "$kills" -ge "$N" ] || why=${why:-only $kills kills hit}
[ -z "$why" ]
result kill_flow $? "${why:-$kills kills, $within of them within a save, $((ends + 1)) ends}"

# ---- learning_curve: a line of results is whole and stays, and the curve ends the same

curve() { "$bin/learning_curve" --p 16,32,64 --seeds 1:4 --h 100 --test-size 200 --methods feature,lazy,ntk-end --out "$1.jsonl" --csv "$1.csv"; }
lines_stay() { # what was there is there still, and nothing is torn or there twice
  [ -e end.jsonl ] || : >end.jsonl
  [ -z "$(tail -c 1 end.jsonl)" ] && ! grep -qv '^{"model": .*"status": "[^"]*"}$' end.jsonl && [ -z "$(sort end.jsonl | uniq -d)" ] &&
    head -c "$(wc -c <before.jsonl)" end.jsonl | cmp -s - before.jsonl && cp end.jsonl before.jsonl
}
same_curve() { sort end.jsonl >a && sort whole.jsonl | cmp -s a - && cmp -s end.csv whole.csv; }
curve whole >out 2>err || result kill_curve 1 "the undisturbed run failed"
delays 2 0.25
kills=0 ends=0 kept=0 why=
: >before.jsonl
while [ "$kills" -lt "$N" ] && [ -z "$why" ] && read -r delay <&3; do
  kill_after "$delay" "$bin/learning_curve" --p 16,32,64 --seeds 1:4 --h 100 --test-size 200 --methods feature,lazy,ntk-end \
    --out end.jsonl --csv end.csv
  known=$(wc -l <before.jsonl)
  lines_stay || why="a line is torn, twice there or lost after $kills kills"
  case $status in
  137)
    kills=$((kills + 1))
    kept=$((kept + $(wc -l <before.jsonl) - known)) ;;
  0)
    ends=$((ends + 1))
    same_curve || why=${why:-another curve after $kills kills}
    rm -f end.jsonl end.csv
    : >before.jsonl ;;
  *) why="not resumed after $kills kills" ;;
  esac
done 3<delays
if [ -z "$why" ]; then
  curve end >out 2>err && lines_stay && same_curve || why="another curve at the end"
fi
[ "$kills" -ge "$N" ] || why=${why:-only $kills kills hit}
[ "$kept" -gt 0 ] || why=${why:-nothing stays of a killed run}
[ -z "$why" ]
result kill_curve $? "${why:-$kills kills, $kept results of killed runs, $((ends + 1)) ends}"

# ---- mnist: what has a row has everything, and the rows and networks end the same. Noisy pixels as those of tests/programs.sh.

awk 'BEGIN { printf "\\0\\0\\10\\4\\0\\0\\0\\240\\0\\0\\0\\3\\0\\0\\0\\24\\0\\0\\0\\14"; srand(1)
  for (i = 0; i < 160; i++) for (k = 0; k < 720; k++) printf "\\%o", 40 + int(60 * rand()) + (k % 240 < 120 == i % 2 ? 0 : 80) }' >images.oct
awk 'BEGIN { printf "\\0\\0\\10\\1\\0\\0\\0\\240"; for (i = 0; i < 160; i++) printf "\\%o", i % 2 }' >labels.oct
printf "$(cat images.oct)" >images
printf "$(cat labels.oct)" >labels
mkdir -p whole end
digits="--images images --labels labels --h 1 --alpha 0.05 --p 20,30 --seeds 1:3 --out"
rows_stay() { # whole rows, what was there is there still, and so are the network and the tables of each
  [ -e end/errors.csv ] || return 0
  [ -z "$(tail -c 1 end/errors.csv)" ] && awk -F, 'NR > 1 && NF != 18 { bad = 1 } END { exit bad }' end/errors.csv &&
    head -c "$(wc -c <before.csv)" end/errors.csv | cmp -s - before.csv && cp end/errors.csv before.csv || return 1
  for row in $(sed -n '3,$s/,/_/; 3,$s/,.*//p' end/errors.csv); do
    for file in "net_$row.conv" "phi_$row.csv" "spectrum_$row.csv"; do cmp -s "whole/$file" "end/$file" || return 1; done
  done
}
same_rows() { cut -d, -f1-3,5- whole/errors.csv >a && cut -d, -f1-3,5- end/errors.csv | cmp -s a -; } # all but the seconds
# shellcheck disable=SC2086  # $digits is a list of words
{
  "$bin/mnist" $digits whole >out 2>err || result kill_mnist 1 "the undisturbed run failed"
  delays 3 0.5
  kills=0 ends=0 kept=0 why=
  : >before.csv
  while [ "$kills" -lt "$N" ] && [ -z "$why" ] && read -r delay <&3; do
    kill_after "$delay" "$bin/mnist" $digits end
    known=$(wc -l <before.csv)
    rows_stay || why="a row is torn, lost or without its files after $kills kills"
    case $status in
    137)
      kills=$((kills + 1))
      kept=$((kept + $(wc -l <before.csv) - known)) ;;
    0)
      ends=$((ends + 1))
      same_rows || why=${why:-other rows after $kills kills}
      rm -f end/*
      : >before.csv ;;
    *) why="not resumed after $kills kills" ;;
    esac
  done 3<delays
  if [ -z "$why" ]; then
    "$bin/mnist" $digits end >out 2>err && rows_stay && same_rows || why="other rows at the end"
  fi
}
[ "$kills" -ge "$N" ] || why=${why:-only $kills kills hit}
[ "$kept" -gt 0 ] || why=${why:-nothing stays of a killed run}
[ -z "$why" ]
result kill_mnist $? "${why:-$kills kills, $kept rows of killed runs, $((ends + 1)) ends}"
exit $failed
