#!/bin/sh
# What all example programs share: devices, files, signals, options: habits.sh BUILD. Device nodes are made here, where
# nothing is at stake.
set -u
. "$(dirname "$0")/limit.sh"
kind=habit
. "$(dirname "$0")/programs.sh"
points
noisy_images
awk 'BEGIN { for (i = 0; i < 15; i++) { for (j = 0; j < 15; j++) printf "%s%d", j ? "," : "", i == j; print "" } }' >one.csv

programs='learning_curve kernel figure_run figure_scan homogeneity_trap watch_compression compress diagnose mnist'
small() { # program: a run of a moment
  case $1 in
  learning_curve) echo learning_curve --p 16,32 --seeds 1:1 --h 20 --test-size 50 ;;
  kernel) echo kernel --p 32 --h 20 --test-size 50 ;;
  figure_run) echo figure_run fit --p 20 --h 20 --test-size 50 --out run_files ;;
  figure_scan) echo figure_scan lambda --p 16,32 --seeds 1:2 --h 20 ;;
  homogeneity_trap) echo homogeneity_trap --n 4 --tau-range 1:2:2 --draws 5 ;;
  watch_compression) echo watch_compression --p 20 --h 20 --kernel-n 10 --test-size 10 ;;
  compress) echo compress --p 20 --h 20 --test-size 50 ;;
  diagnose) echo diagnose --gram one.csv ;;
  mnist) echo mnist --images images --labels labels --h 1 --alpha 0.05 --p 20 --step-max 2 ;;
  esac
}
outputs='learning_curve:--out learning_curve:--csv kernel:--phi kernel:--spectrum watch_compression:--out compress:--jsonl compress:--save'
tables='figure_run:predictor.csv figure_scan:lambda_vs_p.csv figure_scan:runs.jsonl homogeneity_trap:depth.csv mnist:phi_20_1.csv mnist:net_20_1.conv'
run() { # program, more arguments, with $beside before it where it is to be interrupted
  p=$1
  shift
  # shellcheck disable=SC2046  # words
  "$bin"/$(small "$p") "$@"
}
same_but_named() { # two outputs: the same but for the seconds and the names of files that are written
  sed '/^seconds /d; /written/d; /^saved/d; /\.csv$/d; /^$/d' "$1" >a && sed '/^seconds /d; /written/d; /^saved/d; /\.csv$/d; /^$/d' "$2" | cmp -s a -
}

if mknod null c 1 3 2>/dev/null && mknod full c 1 7 2>/dev/null && : >null 2>/dev/null; then nodes=1; else nodes=; echo 'skip habit_devices: no device nodes can be made here'; fi

# What make asks the compiler writes no device: a compiler may replace what -o names.
printf '#!/bin/sh\nfor word; do echo "$word"; done >>"%s/words"\nexit 1\n' "$dir" >compiler && chmod +x compiler
MAKEFLAGS='' make -C "$root" -n help CC="$dir/compiler" >out 2>err && grep -q '^-fopenmp$' words && ! grep -q '^/dev/' words
result make_probe $?

# Help is within 100 columns, and made of the options: each of them refuses what is no value, by one line.
no_values() { # what an option calls its value
  case $1 in
  N | K | MB) echo 'x -1 1.5 99999999999999999999999' ;;
  A | X | T | S | C | G) echo 'x -1 nan 1e999' ;;
  A:B) echo 'x 5:1 1:x :' ;;
  N,N,...) echo 'x 1,,2 99999999999999999999999' ;;
  A,A,...) echo '1,,2 2,1 nan' ;;
  LOW:HIGH:N) echo '1:2 0:1:5 3:2:5 1:2:x' ;;
  M,... | *'|'*) echo 'x lazy,x |' ;;
  esac
}
for p in $programs; do
  modes=-
  [ $p != figure_run ] || modes='arrows neurons fit'
  [ $p != figure_scan ] || modes='lambda alpha'
  : >wrong
  for mode in $modes; do
    [ "$mode" != - ] || mode=
    "$bin/$p" $mode --help >help 2>err || echo help >>wrong
    awk 'length($0) > 100 { print "too wide: " $0 }' help >>wrong
    sed -n "s/^  \(--[a-z-]*\) \{0,1\}\([^ ]*\).*/\1@\2@$mode/p" help
  done | sort -u -t @ -k 1,2 | while IFS=@ read -r flag value mode; do
    [ "$flag" != --help ] || continue
    for word in $(no_values "$value") ''; do
      "$bin/$p" $mode "$flag=$word" >out 2>err
      status=$?
      [ $status = 2 ] && [ "$(wc -l <err)" = 1 ] && grep -q "^$p: $flag" err && [ ! -s out ] || echo "$mode $flag=$word: $status $(cat err)" >>wrong
    done
    [ -n "$value" ] || continue
    "$bin/$p" $mode "$flag" >out 2>err
    [ $? = 2 ] && grep -q "^$p: $flag.*missing\|two files" err || echo "$mode $flag: $(cat err)" >>wrong
  done
  cp wrong err
  [ ! -s wrong ]
  result "${p}_options" $?
done
"$bin/learning_curve" --p 16,32 --seeds 1:1 --h 20 --test-size 50 >one 2>err && "$bin/learning_curve" --p=16,32 --seeds=1:1 --h=20 --test-size=50 >out 2>err && cmp -s one out &&
  "$bin/kernel" --idx=images labels --p 24 --kernel-size 24 --h 20 >out 2>err && grep -q '^images' out
result flag_equals $?
"$bin/kernel" --p "$(printf '3\n4')" >out 2>err
[ $? = 2 ] && [ "$(wc -l <err)" = 1 ]
result message_of_one_line $?

# What kernel keeps, diagnose and NumPy read.
run kernel --npy kept >out 2>err && [ "$(ls kept | tr '\n' ' ')" = 'K_end.npy K_start.npy y.npy ' ] && [ "$(wc -c <kept/K_end.npy)" = $((128 + 8 * 32 * 32)) ] &&
  "$bin/diagnose" --gram kept/K_end.npy --other kept/K_start.npy --labels kept/y.npy --json >out 2>err && is_json && grep -q '"points": 32' out &&
  ! grep -q 'differ by up to' out && holds "$(sed -n 's/.*"cka".*"value": \([0-9.]*\).*/\1/p' out) > 0.1"
result kernel_npy $?
if python3 -c 'import numpy' 2>/dev/null; then
  python3 -c "import numpy as n; K = n.load('kept/K_end.npy'); y = n.load('kept/y.npy'); assert K.shape == (32, 32) and abs(K - K.T).max() == 0 and set(y) == {-1, 1}" >out 2>err
  result kernel_npy_numpy $?
fi
[ -z "$nodes" ] || { rm kept/* && mknod kept/K_start.npy c 1 7 && run kernel --npy kept >out 2>err; [ $? = 2 ] && [ "$(wc -l <err)" = 1 ] && [ -s kept/K_end.npy ] && grep -q '^the kernel of infinite' out; }
result kernel_npy_full $?

# The same file twice, by its name, by another name, by a link that leads to nothing yet; over a file that is read.
program=$bin/kernel
ln -s nothing_yet loop_a && ln -s ./loop_a loop_b && touch there && ln there there_too && ln -s there there_link && mkdir -p sub && ln -s . dot
for pair in 'x x' 'x ./x' 'x sub/../x' 'x dot/x' 'loop_a loop_b' 'loop_a nothing_yet' 'there ./there' 'there there_too' 'there_link there'; do
  # shellcheck disable=SC2086  # two words
  set -- $pair
  refuses "twice_$1_$(echo "$2" | tr ./ __)" 'are the same file' --phi "$1" --spectrum "$2" --h 10
done
refuses twice_input 'are the same file' --csv points.csv --phi ./points.csv
program=$bin/learning_curve
refuses twice_curve 'are the same file' --out both --csv both
program=$bin/compress
refuses twice_compress 'are the same file' --csv points.csv --jsonl d --save ./d
refuses twice_picture 'are the same file' --idx images labels --pgm labels
run kernel --phi /dev/null --spectrum /dev/null >out 2>err
result twice_null $?
# A directory is no file, an empty name none.
for output in $outputs; do
  program=$bin/${output%%:*} flag=${output#*:}
  refuses "directory_${output%%:*}_$flag" 'cannot be created: .*directory' "$flag" sub
  refuses "no_name_${output%%:*}_$flag" 'the name is empty' "$flag" ''
done

# What is written to a device, a FIFO or through a link is written to it, and it stays what it is.
whole() { # output: its file as it should be, in `whole_file`; compress' state apart, which is not looked into
  rm -f whole_file
  run "${1%%:*}" "${1#*:}" whole_file >one 2>err
}
mkfifo fifo
for output in $outputs; do
  p=${output%%:*} flag=${output#*:}
  whole "$output" && ln -sf pointed pointer && rm -f pointed && run "$p" "$flag" pointer >out 2>err && [ -L pointer ] && cmp -s pointed whole_file && same_but_named one out
  result "link_$p$flag" $?
  cat fifo >got &
  run "$p" "$flag" fifo >out 2>err
  status=$?
  if [ -p fifo ]; then : 0<>fifo; else kill $!; fi # whatever it did, the reader ends
  wait $!
  [ $status = 0 ] && [ -p fifo ] && cmp -s got whole_file && same_but_named one out
  result "fifo_$p$flag" $?
  run "$p" "$flag" /dev/stdout >out 2>err && { [ $flag = --save ] || ! grep -v -x -F -f out whole_file >lost; } &&
    ! sed '/^seconds /d; /whole_file/d' one | grep -v -x -F -f out >lost
  result "stdout_$p$flag" $?
  [ -n "$nodes" ] || continue
  run "$p" "$flag" null >out 2>err && [ -c null ] && same_but_named one out
  result "null_$p$flag" $?
  run "$p" "$flag" full >out 2>err
  [ $? = 2 ] && [ -c full ] && [ "$(wc -l <err)" = 1 ] && grep -q "^$p: full: .*cannot be written" err && same_but_named one out
  result "full_$p$flag" $?
done
# Of a directory's files one cannot be written: the others are, and everything is shown.
for output in $tables; do
  [ -n "$nodes" ] || break
  p=${output%%:*} file=${output#*:}
  rm -rf good bad && run "$p" --out good >one 2>err && mkdir bad && mknod "bad/$file" c 1 7
  run "$p" --out bad >out 2>err
  [ $? = 2 ] && grep -q "^$p: bad/$file: .*cannot be written" err && same_but_named one out && [ -c "bad/$file" ] &&
    for other in good/*; do [ "$(basename "$other")" = "$file" ] || [ "$p" = mnist ] || cmp -s "$other" "bad/$(basename "$other")" || exit 1; done
  result "full_${p}_$file" $?
done
run compress --jsonl run.jsonl >/dev/full 2>err
[ $? = 2 ] && grep -q 'the output cannot be written' err && grep -q '"unsatisfied": 0}' run.jsonl
result full_output_keeps_files $?

# Streams that are closed: nothing of what is shown lands in a file.
for output in $outputs; do
  p=${output%%:*} flag=${output#*:}
  [ $flag != --save ] || continue
  rm -f closed && whole "$output" && run "$p" "$flag" closed <&- >&- 2>&- && cmp -s closed whole_file
  result "closed_$p$flag" $?
done
run learning_curve --out closed.jsonl >&- 2>err && run learning_curve --out closed.jsonl >out 2>err && grep -q '; 4 of 4 results are known' out
result closed_output_reruns $?

# A disk that is full before the run, or fills up during it.
if mkdir -p disk && mount -t tmpfs -o size=64k none disk 2>/dev/null; then
  trap 'umount "$dir/disk"; rm -rf "$dir"' EXIT
  cat /dev/zero >disk/filler 2>/dev/null
  for output in $outputs; do
    program=$bin/${output%%:*}
    [ "$output" = learning_curve:--out ] || refuses "full_before_$output" 'cannot be \(created\|written\): .*full' "${output#*:}" disk/x
  done
  for p in figure_run figure_scan homogeneity_trap mnist; do
    run $p --out disk/there >out 2>err
    [ $? = 2 ] && [ "$(wc -l <err)" = 1 ] && [ ! -s out ] && grep -q 'cannot be' err
    result "full_before_$p" $?
    rm -rf disk/there
  done
  # Four thousand bytes are left: room for some results, none for all.
  rm disk/filler && head -c 61440 /dev/zero >disk/filler
  learn() { "$bin/learning_curve" --p 2,3,4,5,6,7,8 --seeds 1:5 --h 5 --test-size 5 "$@"; }
  learn --out lines.jsonl >one 2>err
  learn --out disk/lines.jsonl >out 2>err
  [ $? = 2 ] && [ "$(grep -c 'cannot be written' err)" = 1 ] && [ "$(wc -l <err)" = 1 ] && cmp -s one out && [ -s disk/lines.jsonl ] && [ -z "$(tail -c 1 disk/lines.jsonl)" ] &&
    head -c "$(wc -c <disk/lines.jsonl)" lines.jsonl | cmp -s - disk/lines.jsonl && [ "$(wc -l <disk/lines.jsonl)" -lt "$(wc -l <lines.jsonl)" ]
  result full_during_lines $?
  rm disk/lines.jsonl
  run kernel --phi big --spectrum spectrum_whole >one 2>err
  run kernel --phi disk/big --spectrum spectrum_beside >out 2>err
  [ $? = 2 ] && grep -q '^kernel: disk/big: cannot be written: .*full' err && cmp -s spectrum_whole spectrum_beside && same_but_named one out && [ "$(ls disk)" = filler ]
  result full_at_the_end $?
  umount disk
  trap 'rm -rf "$dir"' EXIT
else
  echo 'skip habit_full_disks: no disk can be mounted here'
fi

# SIGINT and SIGTERM alike; what was ignored at the start stays so.
for signal in INT TERM; do
  for p in homogeneity_trap figure_scan; do
    rm -rf early && : >out
    case $p in
    homogeneity_trap) $beside "$bin/$p" --n 64 --tau-range 0.5:30:40 --sweeps 100 --seeds 1:99 --out early >out 2>err & ;;
    figure_scan) $beside "$bin/$p" lambda --p 16,32,1000 --h 3000 --seeds 1:9 --out early >out 2>err & ;;
    esac
    sleep 0.7
    kill -$signal $!
    wait $!
    [ $? = 3 ] && [ ! -s err ] && grep -q '^stopped: [0-9]* of [0-9]* r' out &&
      case $p in
      homogeneity_trap) grep -q '^# interrupted' early/temperature.csv && well_made early/temperature.csv 'logits' 1 && grep -q '^random ' out ;;
      figure_scan) well_made early/lambda_vs_p.csv 'model' 1 && [ "$(grep '^stopped' out | cut -d' ' -f2)" = "$(wc -l <early/runs.jsonl)" ] ;;
      esac
    result "${p}_$signal" $?
  done
done
: >out
"$bin/learning_curve" --p 64,128 --seeds 1:2 --h 300 --test-size 100 >out 2>err & # as nohup starts it: SIGINT is ignored
until [ -s out ] || ! kill -0 $!; do sleep 0.02; done
kill -INT $!
wait $! && ! grep -q '^stopped' out
result ignored_signal_stays $?

# Progress, where stderr is no terminal: a line now and then, of whole runs none in a moment.
run learning_curve >one 2>err && [ ! -s err ] && run learning_curve --progress 0.0001 >out 2>err && cmp -s one out && [ -s err ] &&
  ! grep -v '^learning_curve: [0-9] of 4 known; p = .* % *\(  [0-9]* s left\)\{0,1\}$' err && run learning_curve --progress 0 >out 2>err && [ ! -s err ]
result progress_lines $?

# Names that are not UTF-8, quoted, with a line's end.
awk 'BEGIN { print "class"; for (i = 0; i < 15; i++) print i % 3 }' >three.csv
name=$(printf 'a\377"\\\303\n\303\251\355\240\200.csv')
cp one.csv "$name" 2>/dev/null || name=one.csv
run diagnose --gram "$name" --json >out 2>err && is_json && "$bin/diagnose" --gram "$name" --labels three.csv --json >out 2>err && is_json &&
  { ! command -v iconv >/dev/null || iconv -f UTF-8 -t UTF-8 out >/dev/null 2>&1; }
result diagnose_json_name $?

# On a terminal every line is within 100 columns.
if script -qec true /dev/null >/dev/null 2>&1; then
  for p in $programs; do
    # shellcheck disable=SC2046  # words
    script -qec "$bin/$(echo $(small $p))" /dev/null 2>&1 | tr '\r' '\n' >out
    [ -s out ] && awk 'length($0) > 100 { exit 1 }' out
    result "terminal_$p" $?
  done
else
  echo 'skip habit_terminal: no script (util-linux)'
fi
exit $failed
