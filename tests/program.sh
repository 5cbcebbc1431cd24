#!/bin/sh
# The example program as a user meets it: program.sh COMPRESS. Prints a line per test.
set -u
program=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
failed=0

result() { # name, 0 for ok
  if [ "$2" = 0 ]; then echo "ok program_$1"; else echo "FAIL program_$1"; sed 's/^/  /' out err 2>/dev/null | head -n 20; failed=1; fi
}
refuses() { # name, pattern of the message, arguments: exit status 2, one line on stderr, no new file
  name=$1 pattern=$2
  shift 2
  files=$(ls)
  "$program" "$@" >out 2>err
  [ $? = 2 ] && [ "$(wc -l <err)" = 1 ] && grep -q -- "^compress: .*$pattern" err && [ ! -s out ] && [ "$files" = "$(ls)" ]
  result "$name" $?
}
touch out err

"$program" --help >out 2>err && grep -q -- '--model cylinder' out && grep -q -- '--csv points.csv' out && grep -q -- '--idx t10k' out && [ ! -s err ]
result help $?
"$program" --version >out 2>err && grep -q 'invman.h [0-9]' out
result version $?

"$program" --p 64 --h 100 --test-size 500 >out 2>err && grep -q '^status *done: every margin' out && grep -q '^Lambda\*  *[0-9]' out &&
  grep -q '^train error *0.0000' out && grep -q '^test error *0\.[0-9]' out && grep -q '^t\*/h *[0-9]' out && [ ! -s err ]
result stripe $?
"$program" --model cylinder --p 64 --h 100 --jsonl run.jsonl --every 3 >out 2>err && grep -q '^cylinder, d = 3, p = 64' out
result cylinder $?
awk '!/^{"step": [0-9]+, "t": [0-9.e+-]+, "dt": [0-9.e+-]+, "loss": [0-9.e+-]+, "test_error": [0-9.]+, "lambda": [0-9.e+-]+, "sliding": [0-9]+, "unsatisfied": [0-9]+}$/ { exit 1 }
  END { exit !(NR > 5 && /"unsatisfied": 0}/) }' run.jsonl
result jsonl $?

# A run that is stopped, saved and resumed ends as the one that is not.
"$program" --p 50 --h 60 --t-max 3000 --save a.flow >out 2>err && grep -q '^status *stopped.*: t_max or s_max is reached' out &&
  grep -q '^t/h *50$' out && "$program" --p 50 --h 60 --resume a.flow --save b.flow >out 2>err && grep -q '^status *done' out && [ -s b.flow ]
result save_and_resume $?

# Own points: the second input decides, the first is noise; only it is left.
awk 'BEGIN { srand(1); print "a,b,y"; for (i = 0; i < 200; i++) { a = rand() - 0.5; b = rand() - 0.5; print a "," b "," (b > 0 ? 1 : -1) } }' >points.csv
"$program" --csv points.csv --h 200 --p 100 >out 2>err && grep -q '^csv, d = 2, p = 100' out && grep -A1 'share of first-layer energy' out | grep -q '^x2 *0\.[89]' &&
  grep -q '^test error.*(100 points)' out && ! grep -q Lambda out
result csv $?
"$program" --csv points.csv --h 100 --p 200 --d-par 1 >out 2>err && grep -q '^Lambda_max' out && ! grep -q '^test error' out
result csv_all_points $?

# Images of 2 x 2 pixels: bright on the left is even.
awk 'BEGIN { printf "\\0\\0\\10\\3\\0\\0\\0\\100\\0\\0\\0\\2\\0\\0\\0\\2"; for (i = 0; i < 64; i++) { b = 100 + i; printf "\\%o\\%o\\%o\\%o", i % 2 ? 7 : b, i % 2 ? b : 9, 50 + i % 7, 60 } }' >images.oct
awk 'BEGIN { printf "\\0\\0\\10\\1\\0\\0\\0\\100"; for (i = 0; i < 64; i++) printf "\\%o", i % 2 }' >labels.oct
printf "$(cat images.oct)" >images
printf "$(cat labels.oct)" >labels
"$program" --idx images labels --h 100 --pgm kept.pgm >out 2>err && grep -q '^images, d = 4, p = 32' out && grep -q '^pixel 0,[01]' out &&
  [ "$(head -c 11 kept.pgm | tr '\n' ' ')" = 'P5 2 2 255 ' ] && [ "$(wc -c <kept.pgm)" = 15 ]
result images $?

refuses unknown_flag 'unknown' --alhpa 1
refuses unknown_flag_with_value '--alhpa: unknown option' --alhpa 1 --p 3
refuses missing_value '--p: unknown, or its value is missing' --p
refuses stray_word "'stripe' is not an option" stripe
refuses not_a_number "--p: '4x' is not a whole number" --p 4x
refuses negative "--h: '-4' is not a whole number" --h -4
refuses p_zero '--p must be at least 1' --p 0
refuses d_zero '--d must be at least 1' --d 0
refuses alpha_zero '--alpha must be positive' --alpha 0
refuses alpha_nan '--alpha must be positive and finite' --alpha nan
refuses tol_too_large '--tol must be at most 1' --tol 2
refuses unknown_model "'torus' is neither" --model torus
refuses d_par 'd_par exceeds d' --model cylinder --d 3 --d-par 4
refuses two_sources 'give one of' --model stripe --csv points.csv
refuses d_of_a_file '--d: the file sets' --csv points.csv --d 3
refuses overflow 'overflows' --d 4294967296 --p 4294967296
refuses csv_missing 'none.csv: the file cannot be read' --csv none.csv
printf '1,2,1\n1,2,-1\n3,nope,1\n' >bad.csv
refuses csv_malformed 'bad.csv: csv: a field is not a number (line 3)' --csv bad.csv
printf '1,2,1\n1,3,1\n' >ones.csv
refuses csv_one_class 'ones.csv: flow: all labels are equal' --csv ones.csv --p 2
refuses csv_too_few 'only 200 points' --csv points.csv --p 201
refuses idx_missing 'nothing: images: the file cannot be read' --idx nothing labels
head -c 200 images >short
refuses idx_no_labels 'nothing: labels: the file' --idx images nothing
refuses idx_truncated 'short: images: the file is truncated (byte 200)' --idx short labels
refuses idx_swapped 'labels: images: not (n' --idx labels images
refuses idx_labels 'labels: not (n) (byte 3)' --idx images images
refuses idx_one_file '--idx needs two files' --idx images
head -c 1000 a.flow >cut.flow
refuses resume_truncated 'cut.flow: .*(byte' --p 50 --h 60 --resume cut.flow
refuses resume_other_data 'a.flow: .*other training data' --p 51 --h 60 --resume a.flow
refuses resume_other_h 'made with --h 60' --p 50 --h 61 --resume a.flow
refuses jsonl_nowhere 'no/where.jsonl: cannot be created' --p 20 --h 20 --jsonl no/where.jsonl
refuses save_nowhere 'no/where.flow: cannot be created' --p 20 --h 20 --save no/where.flow
"$program" --p 1000 --h 30000 --every 100000 --save int.flow >out 2>err & # a minute, if it were not interrupted
until [ -s out ]; do sleep 0.1; done
sleep 0.5
kill -INT $!
wait $!
[ $? = 0 ] && grep -q '^status *stopped.*the progress callback asked' out && [ -s int.flow ]
result interrupted $?
if [ -c /dev/full ]; then
  "$program" --p 20 --h 20 >/dev/full 2>err
  [ $? = 2 ] && grep -q 'cannot be written' err
  result full_disk $?
else
  echo "skip program_full_disk: no /dev/full"
fi
exit $failed
