#!/bin/sh
# The example programs as a user meets them: program.sh BUILD, the directory where they are. Prints a line per test.
set -u
bin=$(cd "$1" && pwd) || exit 1
program=$bin/compress
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
  [ $? = 2 ] && [ "$(wc -l <err)" = 1 ] && grep -q -- "^$(basename "$program"): .*$pattern" err && [ ! -s out ] && [ "$files" = "$(ls)" ]
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
until [ -s out ] || ! kill -0 $!; do sleep 0.1; done
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
# ---- kernel: frozen kernels of the start and of the end
program=$bin/kernel
row() { # words of the line of `out` that begins with so many words of the name: row NAME COLUMN
  awk -v name="$1" -v column="$2" 'index($0, name) == 1 { split(substr($0, length(name) + 1), w); print w[column]; exit }' out
}
holds() { awk "BEGIN { exit !($1) }"; } # an inequality between numbers

"$program" --help >out 2>err && grep -q -- '--kernel-size N' out && grep -q -- '--phi phi.csv' out && [ ! -s err ]
result kernel_help $?
"$program" --version >out 2>err && grep -q '^kernel, invman.h [0-9]' out
result kernel_version $?

OMP_NUM_THREADS=1 "$program" --p 300 --h 500 --test-size 3000 --phi phi.csv >out 2>err && [ ! -s err ] && cp out one && cp phi.csv one.csv &&
  grep -q '^stripe, d = 5, p = 300, h = 500, alpha = 1e-06, seed 1; the kernels learn from 300 other points$' out &&
  grep -q '^phi.csv is written$' out && [ "$(ls phi.csv*)" = phi.csv ]
result kernel_stripe $?
holds "0 < $(row 'the network' 1) && $(row 'the network' 1) < 0.05 && $(row 'its kernel at the end' 1) <= $(row 'its kernel at the start' 1) &&
  $(row 'its last layer at the end' 1) <= $(row 'its kernel at the start' 1) && $(row 'the kernel of infinite width' 1) < 0.12 && $(row 'its kernel at the start' 1) < 0.12"
result kernel_end_beats_start $?
# The norm is that of the kernel; relative to its diagonal, K/h at the start is near its limit. Points of five dimensions are.
holds "0.5 < $(row 'its kernel at the start' 3) / $(row 'the kernel of infinite width' 3) && $(row 'its kernel at the start' 3) / $(row 'the kernel of infinite width' 3) < 2 &&
  $(row 'its kernel at the start' 2) > 100 * $(row 'the kernel of infinite width' 2) && 4 < $(row 'the kernel of infinite width' 4) && $(row 'the kernel of infinite width' 4) < 9"
result kernel_norms $?
awk '/^the first 10 eigenvectors/ { on = 1 } on && $1 ~ /^[0-9]+$/ { n++; if (NF != 10 || $1 != n) exit 1
    for (i = 2; i <= 10; i++) { if ($i < 0 || $i > 1) exit 1; if (i % 3 == 1) omega[i] += $i; if (i % 3 == 0 && ($i < 0.02 || $i > 0.15)) exit 1 }
    if (n == 1 && !($5 > 0.4 && $5 > 4 * $6 && $2 < 0.25 && $8 > 0.4)) exit 1 }
  END { exit !(n == 10 && omega[4] <= 1 && omega[7] <= 1 && omega[10] <= 1 && omega[10] > omega[4]) }' out
result kernel_eigenvectors $?
awk -F, 'NR == 1 { if ($0 != "kernel,phi_1,phi_2,label") exit 1; next }
  NF != 4 || ($4 != 1 && $4 != -1) { exit 1 }
  { n[$1]++; a[$1] += $2 * $2; b[$1] += $3 * $3; c[$1] += $2 * $3; y[$1] = y[$1] $4 }
  END { for (k in n) { if (n[k] != 300 || y[k] != y["end"]) exit 1; d = a[k] / 300 - 1; e = b[k] / 300 - 1; if (d * d > 1e-20 || e * e > 1e-20 || c[k] * c[k] > 1e-16) exit 1 }
    exit !(NR == 901 && ("start" in n) && ("end" in n) && ("last" in n)) }' phi.csv
result kernel_phi $?
OMP_NUM_THREADS=2 "$program" --p 300 --h 500 --test-size 3000 --phi phi.csv >out 2>err && cmp -s out one && cmp -s phi.csv one.csv
result kernel_same_bits $?

"$program" --model cylinder --d 4 --p 64 --kernel-size 100 --h 100 --test-size 500 --t-max 1000 >out 2>err && grep -q '^cylinder, d = 4, p = 64.* 100 other points' out &&
  grep -q '^the network: stopped.*t_max' out && grep -q '^its kernel at the start  *0\.[0-9]' out
result kernel_cylinder $?
"$program" --csv points.csv --h 100 >out 2>err && grep -q '^csv, d = 2, p = 67, .* 67 other points$' out && holds "$(row 'its kernel at the end' 1) < 0.3"
result kernel_csv $?
# Every point twice; what is left for tests is nothing.
awk 'NR == 1 { print; next } NR <= 61 { print; print }' points.csv >twice.csv
"$program" --csv twice.csv --h 50 --p 40 --kernel-size 80 >out 2>err && grep -q '^the network  *-$' out && grep -q '^its kernel at the start  *-  *[0-9]' out &&
  grep -q '^its kernel at the start: [0-9]* points have an equal; the dimension' out
result kernel_no_test_points $?
# Equal points of opposite labels: no kernel separates them.
awk 'BEGIN { srand(2); for (i = 0; i < 60; i++) { y = i % 2 ? 1 : -1; x = rand(); if (i % 10 == 0) print "5,5," (i % 20 ? 1 : -1); else print x + y "," rand() "," y } }' >both.csv
"$program" --csv both.csv --h 50 --p 10 --kernel-size 50 >out 2>err
[ $? = 1 ] && grep -q '^its kernel at the start: at rest at a loss above zero' out && grep -q '^the kernel of infinite width  *-  *[0-9]' out
result kernel_not_separable $?
"$program" --idx images labels --h 50 --p 24 --kernel-size 24 >out 2>err && grep -q '^images, d = 4, p = 24' out && holds "$(row 'its kernel at the end' 1) < 0.5"
result kernel_images $?

refuses kernel_unknown_flag '--alhpa: unknown option' --alhpa 1
refuses kernel_missing_value '--kernel-size: unknown, or its value is missing' --kernel-size
refuses kernel_negative "--kernel-size: '-4' is not a whole number" --kernel-size -4
refuses kernel_alpha_zero '--alpha must be positive' --alpha 0
refuses kernel_unknown_model "'torus' is neither" --model torus
refuses kernel_d_par_of_a_file '--d-par: only a model' --csv points.csv --d-par 1
refuses kernel_two_sources 'give one of' --model stripe --csv points.csv
refuses kernel_few_labels '--kernel-size: of 8 points' --kernel-size 8
awk 'BEGIN { for (i = 0; i < 30; i++) print i ",1,1" }' >ones.csv
refuses kernel_one_class '--p: of 10 points 10 have the label +1' --csv ones.csv
refuses kernel_csv_missing 'none.csv: the file cannot be read' --csv none.csv
refuses kernel_too_few "points.csv: --kernel-size 150, but only 100 of 200 points are left" --csv points.csv --p 100 --kernel-size 150
refuses kernel_no_test_left "points.csv: --test-size 1, but only 0 of 200" --csv points.csv --p 100 --kernel-size 100 --test-size 1
refuses kernel_phi_nowhere 'no/where.csv: cannot be created' --phi no/where.csv

"$program" --d 1 --p 64 --h 100 --kernel-size 10000000 --test-size 10 >out 2>err # 800 TB
[ $? = 2 ] && grep -q '^memory: at most 7.63e+08 MB' out && grep -q '^kernel: out of memory' err
result kernel_memory $?
"$program" --p 1000 --h 30000 --phi int.csv >out 2>err & # a minute, if it were not interrupted
until [ -s out ] || ! kill -0 $!; do sleep 0.1; done
sleep 0.5
kill -INT $!
wait $!
[ $? = 0 ] && grep -q '^the network  *0\.[0-9]' out && grep -q '^its kernel at the end  *-  *-  *-  *-$' out && grep -q '^the network: stopped.*the progress callback' out &&
  grep -q '^stopped: ' out && grep -q '^int.csv is not written$' out && [ ! -e int.csv ] && [ ! -e int.csv.tmp ]
result kernel_interrupted $?

# ---- learning_curve: test error against p
program=$bin/learning_curve
well_formed() { # file, lines: all of them whole
  awk '!/^{"model": "(stripe|cylinder)", "d": [0-9]+, "h": ([0-9]+|null), "alpha": ([0-9.e+-]+|null), "tol": ([0-9.]+|null), "lazy_h": ([0-9]+|null), "test_size": [0-9]+, "p": [0-9]+, "seed": [0-9]+, "method": "(feature|lazy|lazy-compressed|ntk-end)", "test_error": ([0-9.e-]+|null), "lambda_star": ([0-9.]+|null), "status": "[a-z0-9* :,-]+"}$/ { bad = 1 }
    END { exit bad || NR != '"$2"' }' "$1"
}
all=feature,lazy,lazy-compressed,ntk-end
curve() { "$program" --p 64,128 --seeds 1:2 --h 100 --test-size 500 --methods $all "$@"; } # a later option wins

"$program" --help >out 2>err && grep -q -- '--lazy-h N' out && grep -q -- '--out stripe.jsonl' out && [ ! -s err ]
result curve_help $?
"$program" --version >out 2>err && grep -q '^learning_curve, invman.h [0-9]' out
result curve_version $?
(export OMP_NUM_THREADS=1; curve --out curve.jsonl >out 2>err) && [ ! -s err ] && well_formed curve.jsonl 16 && grep -q '; 0 of 16 results are known' out
result curve_jsonl $?
cp curve.jsonl whole.jsonl
# Medians, slope and exponent are those of the file.
awk 'FNR == NR { split($0, w, "\""); match($0, /"p": [0-9]+/); p = substr($0, RSTART + 5, RLENGTH - 5); match($0, /"test_error": [0-9.e-]+/)
    method = $0; sub(/.*"method": "/, "", method); sub(/".*/, "", method); sum[method, p] += substr($0, RSTART + 14, RLENGTH - 14) / 2; next }
  NF == 1 { method = $1; n++ }
  $1 == 64 || $1 == 128 { d = $3 - sum[method, $1]; if (d * d > 1e-10 || $2 != 2) bad = 1; if ($1 == 64) slope = $4; rows++ }
  /^exponent/ { s = log(sum[method, 64] / sum[method, 128]) / log(2); if ((s - slope) ^ 2 > 1e-6 || (s - $2) ^ 2 > 1e-6) bad = 1
    if ($NF != (method == "lazy" ? "0.385" : "0.692")) bad = 1 }
  END { exit bad || n != 4 || rows != 8 }' curve.jsonl out
result curve_table $?
sed 1d out >first
(export OMP_NUM_THREADS=2; curve --out again.jsonl >out 2>err) && cmp -s again.jsonl curve.jsonl
result curve_same_bits $?
curve --out curve.jsonl >out 2>err && cmp -s curve.jsonl whole.jsonl && grep -q '; 16 of 16 results' out && sed 1d out | cmp -s first -
result curve_rerun $?
# Torn in the last line, and whole but for the line's end; Lambda* comes from the file.
head -c $(($(wc -c <whole.jsonl) - 40)) whole.jsonl >curve.jsonl
curve --out curve.jsonl >out 2>err && cmp -s curve.jsonl whole.jsonl && grep -q '; 15 of 16 results' out
result curve_torn $?
printf %s "$(head -n 10 whole.jsonl)" >curve.jsonl
curve --out curve.jsonl >out 2>err && cmp -s curve.jsonl whole.jsonl && grep -q '; 10 of 16 results' out
result curve_unended $?
# Other settings: their lines stay, and what does not depend on the setting is not computed again.
printf '{"p": 64}\n' | cat - whole.jsonl >curve.jsonl
cp curve.jsonl before.jsonl
curve --h 90 --methods feature,lazy --out curve.jsonl >out 2>err && grep -q '; 4 of 8 results' out && head -n 17 curve.jsonl | cmp -s - before.jsonl &&
  sed 1,17d curve.jsonl >new && well_formed new 4 && [ "$(grep -c '"h": 90' new)" = 4 ]
result curve_other_settings $?
for other in '--d 4' '--model cylinder' '--test-size 499' '--seeds 3:3' '--p 65' '--alpha 1e-5' '--tol 0.2' '--lazy-h 1'; do
  # shellcheck disable=SC2086  # $other is two words
  curve --d 5 --methods lazy-compressed --p 64 --seeds 1:1 $other --out curve.jsonl >out 2>err
  grep -q '; 0 of ' out || break
done
grep -q '; 0 of ' out
result curve_every_setting_counts $?
# Nested sets: alone, p = 128 gives the same line.
"$program" --p 128 --seeds 2:2 --h 100 --test-size 500 --methods ntk-end --out alone.jsonl >out 2>err && tail -n 1 whole.jsonl | cmp -s - alone.jsonl
result curve_nested $?
"$program" --model cylinder --lazy-h 100 --methods lazy --p 32,64,128 --seeds 5 --test-size 200 >out 2>err && grep -q '^exponent [0-9.-]*, 95 % interval [0-9.-]* to [0-9.-]*, predicted 0.429$' out
result curve_cylinder $?
curve --out curve.jsonl --csv curve.csv >out 2>err && grep -q '^model,d,method,p,seeds,error_median,error_q1,error_q3$' curve.csv &&
  [ "$(grep -c '^stripe,5,[a-z-]*,[0-9]*,2,[0-9.e-]*,[0-9.e-]*,[0-9.e-]*$' curve.csv)" = 8 ] && [ "$(grep -c '^# exponent ' curve.csv)" = 4 ]
result curve_csv $?
"$program" --p 2,16 --seeds 1:3 --h 30 --test-size 100 --out ones.jsonl >out 2>err
[ $? = 1 ] && grep -q '^feature, p = 2, seed 1: all labels are equal$' out && grep -q '^       2      0          -$' out && well_formed ones.jsonl 12 &&
  grep -q '"p": 2, "seed": 1, .*"test_error": null, .*"status": "all labels are equal"}' ones.jsonl
result curve_not_used $?

refuses curve_unknown_flag '--alhpa: unknown option' --alhpa 1
refuses curve_missing_value '--p: unknown, or its value is missing' --p
refuses curve_p "--p: '12x' is not a whole number" --p 4,12x
refuses curve_p_empty "--p: '' is not a whole number" --p 4,,8
refuses curve_p_order '--p: the values must increase' --p 64,32
refuses curve_seeds '--seeds: the last is smaller' --seeds 5:1
refuses curve_seeds_many '--seeds: more than' --seeds 1:99999999
refuses curve_method "--methods: 'lazzy' is none of" --methods feature,lazzy
refuses curve_model "'torus' is neither" --model torus
refuses curve_tol '--tol must be at most 1' --tol 2
refuses curve_no_perp 'lazy-compressed: of 2 inputs all' --model cylinder --d 2 --methods lazy-compressed
refuses curve_d '--d must be at least 2' --model cylinder --d 1
refuses curve_nowhere 'no/where.jsonl: cannot be written' --out no/where.jsonl
mkdir directory
refuses curve_directory 'directory: cannot be' --out directory
cp points.csv kept.csv
refuses curve_not_json 'points.csv: not a file of JSON lines (line 1)' --out points.csv
cmp -s points.csv kept.csv
result curve_not_json_untouched $?
printf '{"a": 1}\n{"other"' >other.jsonl
refuses curve_others_torn "other.jsonl: its last line is torn, and none" --out other.jsonl

"$program" --p 64,128,256 --seeds 1:6 --h 300 --test-size 500 --methods $all --out int.jsonl >out 2>err & # seconds, if it were not interrupted
until [ -s int.jsonl ] || ! kill -0 $!; do sleep 0.05; done
kill -INT $!
wait $!
[ $? = 0 ] && grep -q '^stopped: [0-9]* of 72 results are known$' out && known=$(($(wc -l <int.jsonl))) && grep -q "^stopped: $known of" out && well_formed int.jsonl "$known" && [ "$known" -lt 72 ] &&
  grep -q '^ntk-end$' out
result curve_interrupted $?
"$program" --p 64,128,256 --seeds 1:1 --h 300 --test-size 500 --methods $all --out int.jsonl >out 2>err &&
  "$program" --p 64,128,256 --seeds 1:1 --h 300 --test-size 500 --methods $all --out uncut.jsonl >out 2>err && grep '"seed": 1,' int.jsonl | sort | uniq -d | wc -l | grep -q '^ *0$' &&
  grep '"seed": 1,' int.jsonl | sort >a && sort uncut.jsonl | cmp -s a -
result curve_goes_on $?
"$program" --p 1000 --seeds 1:1 --h 30000 --methods feature --out none.jsonl >out 2>err & # a minute, within one result
until [ -s out ] || ! kill -0 $!; do sleep 0.1; done
sleep 0.5
kill -INT $!
wait $!
[ $? = 0 ] && grep -q '^stopped: 0 of 1 results' out && grep -q '^    1000      0          -$' out && [ ! -s none.jsonl ]
result curve_interrupted_within $?
if [ -c /dev/full ]; then
  "$program" --p 16 --seeds 1:1 --h 20 --test-size 50 --out /dev/full >out 2>err
  [ $? = 2 ] && grep -q '^learning_curve: /dev/full: cannot be written$' err
  result curve_full_disk $?
  for p in kernel learning_curve; do
    "$bin/$p" --p 32 --h 20 --test-size 50 >/dev/full 2>err
    [ $? = 2 ] && grep -q 'cannot be written' err
    result "$p"_full_output $?
  done
else
  echo "skip program_curve_full_disk: no /dev/full"
fi

# ---- the figures' programs

well_made() { # CSV, header, least number of rows: comments first, then the header, rows of as many fields
  awk -F, -v header="$2" -v least="$3" '/^#/ { if (rows) exit bad = 1; next } !fields { fields = NF; if (index($0, header) != 1) bad = 1; next }
    { rows++; if (NF != fields) bad = 1 } END { exit bad || rows < least }' "$1"
}
program=$bin/figure_run
"$program" --help >out 2>err && grep -q 'figure_run arrows|neurons|fit' out && [ ! -s err ]
result figure_run_help $?
"$program" --version >out 2>err && grep -q '^figure_run, invman.h [0-9]' out
result figure_run_version $?
refuses figure_run_alone 'usage: figure_run arrows|neurons|fit'
refuses figure_run_stray "'torus' is unknown; usage: figure_run arrows|neurons|fit" torus
for figure in arrows neurons fit; do
  "$program" $figure --help >out 2>err && grep -q "^figure_run $figure - " out && grep -q -- '--out' out && [ ! -s err ]
  result "figure_${figure}_help" $?
  refuses "figure_${figure}_unknown" 'unknown' $figure --otu x
  refuses "figure_${figure}_missing_value" '--p: unknown, or its value is missing' $figure --p
  refuses "figure_${figure}_h" '--h' $figure --h 0 --out f
  refuses "figure_${figure}_tol" '--tol must be at most 1' $figure --tol 2 --out f
done
refuses figure_arrows_model "'torus' is neither" arrows --model torus --out f
refuses figure_arrows_other "--middle: unknown option" arrows --middle 0.1 --out f
refuses figure_neurons_other "--model: unknown option" neurons --model stripe --out f
refuses figure_fit_other "--neurons: unknown option" fit --neurons 3 --out f
"$bin/figure_run" arrows --p 100 --h 200 --neurons 20 --out arrows >out 2>err && well_made arrows/arrows_stripe.csv 'stage' 60 &&
  well_made arrows/points_stripe.csv 'label' 100 && well_made arrows/arrows_stripe_verdict.csv 'stage' 3
result figure_arrows $?
"$bin/figure_run" neurons --p 300 --h 100 --neurons 20 --out neurons >out 2>err && well_made neurons/neuron_vs_ode.csv '' 10 &&
  well_made neurons/attractors.csv 'z' 3 && well_made neurons/pull.csv 'zeta' 100 && well_made neurons/trajectories.csv 'neuron' 100
result figure_neurons $?
"$bin/figure_run" fit --p 300 --h 100 --out fit >out 2>err && well_made fit/predictor.csv 'x_1' 50 && well_made fit/curves.csv '' 10 && well_made fit/times.csv '' 3
result figure_fit $?
"$bin/figure_run" fit --p 100 --h 50 --t-max 5 --out fit_short >out 2>err
[ $? = 1 ] && grep -q '^figure_run: t\* was not reached$' err && well_made fit_short/times.csv 'stage' 1
result figure_fit_short $?
for figure in arrows neurons fit; do
  : >out
  "$bin/figure_run" $figure --p 10000 --h 30000 --out int_$figure >out 2>err & # minutes, if it were not interrupted
  until [ -s out ] || ! kill -0 $!; do sleep 0.1; done
  sleep 0.5
  kill -INT $!
  wait $!
  [ $? = 0 ] && grep -q '^stopped: at t/tau = .* of 10000 points satisfied' out && [ ! -s err ] &&
    if [ $figure = neurons ]; then grep -q 'nothing is written$' out && [ -z "$(ls int_neurons)" ]
    else [ "$(cat int_$figure/*.csv | grep -c '^# interrupted at t/tau = ')" = "$(ls int_$figure | wc -l)" ] && ! cat int_$figure/*.csv | grep -q '^end,'; fi
  result "figure_${figure}_interrupted" $?
done
program=$bin/figure_scan
refuses figure_scan_no_scan 'usage: figure_scan lambda|alpha'
refuses figure_scan_unknown_scan 'usage: figure_scan lambda|alpha' beta --h 10
"$program" --help >out 2>err && grep -q 'figure_scan lambda' out && grep -q 'figure_scan alpha' out && [ ! -s err ]
result figure_scan_help $?
for scan in lambda alpha; do
  "$program" $scan --help >out 2>err && grep -q -- '--out' out && [ ! -s err ]
  result "figure_${scan}_help" $?
  refuses "figure_${scan}_unknown" 'unknown' $scan --otu x
  refuses "figure_${scan}_h" '--h' $scan --h 0 --out f
done
refuses figure_lambda_other_scans '--test-size: unknown option' lambda --test-size 10
refuses figure_alpha_other_scans '--model: unknown option' alpha --model stripe
refuses figure_alpha_list '--p: more than 1 value' alpha --p 64,128
"$program" lambda --d 3 --p 64,128,256 --seeds 1:4 --curve-p 64 --h 100 --out lambda >out 2>err &&
  well_made lambda/lambda_vs_p.csv 'model' 3 && well_made lambda/lambda_exponents.csv 'model' 2 && well_made lambda/lambda_vs_t.csv 'model' 10
result figure_lambda $?
cp -r lambda again && head -c -30 again/runs.jsonl >again/torn && mv again/torn again/runs.jsonl
"$program" lambda --d 3 --p 64,128,256 --seeds 1:4 --curve-p 64 --h 100 --out again >out 2>err && cmp -s lambda/lambda_exponents.csv again/lambda_exponents.csv &&
  cmp -s lambda/runs.jsonl again/runs.jsonl
result figure_lambda_goes_on $?
"$program" alpha --d 3 --p 60 --h 100 --seeds 1:2 --alpha-range 1e-8:1e6:5 --test-size 200 --out alpha >out 2>err &&
  well_made alpha/alpha_scan.csv 'alpha' 5 && [ "$(grep -c ',\(yes\|no\)$' alpha/alpha_verdict.csv)" -ge 4 ]
result figure_alpha $?
rm -r again && cp -r alpha again && head -c -30 again/runs.jsonl >again/torn && mv again/torn again/runs.jsonl
"$program" alpha --d 3 --p 60 --h 100 --seeds 1:2 --alpha-range 1e-8:1e6:5 --test-size 200 --out again >out 2>err && cmp -s alpha/alpha_scan.csv again/alpha_scan.csv &&
  cmp -s alpha/alpha_verdict.csv again/alpha_verdict.csv && grep -q '; 11 of 12 runs are known' out
result figure_alpha_goes_on $?

# ---- own_model, mnist

"$bin/own_model" >out 2>err && grep -q '^every margin has reached 1' out && [ ! -s err ]
result own_model $?

# Three channels of 20 x 12 noisy pixels; even images are brighter above. The label follows.
awk 'BEGIN { printf "\\0\\0\\10\\4\\0\\0\\0\\240\\0\\0\\0\\3\\0\\0\\0\\24\\0\\0\\0\\14"; srand(1)
  for (i = 0; i < 160; i++) for (k = 0; k < 720; k++) printf "\\%o", 40 + int(60 * rand()) + (k % 240 < 120 == i % 2 ? 0 : 80) }' >images.oct
awk 'BEGIN { printf "\\0\\0\\10\\1\\0\\0\\0\\240"; for (i = 0; i < 160; i++) printf "\\%o", i % 2 }' >labels.oct
printf "$(cat images.oct)" >images
printf "$(cat labels.oct)" >labels
program=$bin/mnist
digits="--images images --labels labels --h 1 --alpha 0.05"
"$program" --help >out 2>err && grep -q -- '--images FILE --labels FILE' out && [ ! -s err ]
result mnist_help $?
refuses mnist_no_files 'give --images and --labels'
refuses mnist_unknown 'unknown' $digits --otu x
refuses mnist_p '--p must be at least 12' $digits --p 3
refuses mnist_too_many 'images are left' $digits --p 100
refuses mnist_none_left 'no images are left to test with' $digits --p 80
refuses mnist_dynamics 'neither chain nor momentum' $digits --dynamics fast
refuses mnist_no_directory 'cannot be created' $digits --p 40 --out nowhere
mkdir -p digits
"$program" $digits --p 20,40 --seeds 1:2 --out digits >out 2>err && grep -q '^16 convolutions' out && grep -q '^means' out && [ ! -s err ] &&
  well_made digits/errors.csv 'p,seed' 4 && well_made digits/spectrum_40_2.csv 'kernel' 30 && well_made digits/phi_40_2.csv 'kernel' 120 &&
  awk -F, 'NR > 2 && !($5 == 1 && $6 > 0.998 && $7 < 0.5 && $9 < 0.5) { bad = 1 } END { exit bad }' digits/errors.csv
result mnist $?
sed '4d' digits/errors.csv >digits/torn && cp digits/errors.csv all.csv && mv digits/torn digits/errors.csv && rm digits/net_20_2.conv
"$program" $digits --p 20,40 --seeds 1:2 --out digits >out 2>err &&
  [ "$(cut -d, -f1-3,5- digits/errors.csv | sort)" = "$(cut -d, -f1-3,5- all.csv | sort)" ] && [ -s digits/net_20_2.conv ]
result mnist_goes_on $?
refuses mnist_other_options 'was made with other options or images' $digits --p 20 --out digits --tol 0.05
mkdir -p stopped whole
slow="--images images --labels labels --h 4 --alpha 0.05 --p 60 --kernel-size 20 --tol 0.01"
"$program" $slow --out whole >out 2>err
"$program" $slow --out stopped >out 2>err & # again and again, until it is done
for try in 1 2 3 4 5 6; do
  sleep 0.4
  kill -INT $! 2>/dev/null
  wait $!
  [ $? = 0 ] || break
  [ ! -s stopped/flow_60_1.flow ] || saved=1
  "$program" $slow --out stopped >out 2>err &
done
wait $! && [ "$saved" = 1 ] && [ ! -e stopped/flow_60_1.flow ] && cmp -s whole/net_60_1.conv stopped/net_60_1.conv && cmp -s whole/phi_60_1.csv stopped/phi_60_1.csv
result mnist_resumes $?
"$program" $digits --p 20 --dynamics momentum --step-max 50 >out 2>err && grep -q 'the network: step_max' out
result mnist_momentum $?
exit $failed
