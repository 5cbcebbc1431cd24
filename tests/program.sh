#!/bin/sh
# The example programs one by one, as a user meets them: program.sh BUILD.
set -u
. "$(dirname "$0")/limit.sh"
kind=program
. "$(dirname "$0")/programs.sh"

"$program" --help >out 2>err && grep -q -- '--model cylinder' out && grep -q -- '--csv points.csv' out && grep -q -- '--idx t10k' out && [ ! -s err ]
result help $?
"$program" --version >out 2>err && grep -q 'invman.h [0-9]' out
result version $?

"$program" --p 64 --h 100 --test-size 500 >out 2>err && grep -q '^status *done: every margin' out && grep -q '^Lambda\*  *[0-9]' out &&
  grep -q '^train error *0.0000' out && grep -q '^test error *0\.[0-9]' out && grep -q '^t\*/h *[0-9]' out && [ ! -s err ]
result stripe $?
"$program" --model cylinder --p 64 --h 100 --jsonl run.jsonl --every 3 >out 2>err && grep -q '^cylinder, d = 3, p = 64' out
result cylinder $?
awk 'NR == 1 { if (!/^{"program": "compress", .*}$/) exit bad = 1; next }
  !/^{"step": [0-9]+, "t": [0-9.e+-]+, "t_over_h": [0-9.e+-]+, "t_over_tau": [0-9.e+-]+, "dt": [0-9.e+-]+, "loss": [0-9.e+-]+, "test_error": ([0-9.]+|null), "lambda": [0-9.e+-]+, "sliding": [0-9]+, "unsatisfied": [0-9]+}$/ { exit bad = 1 }
  END { exit bad || !(NR > 5 && /"unsatisfied": 0}/) }' run.jsonl
result jsonl $?

# A run that is stopped, saved and resumed ends as the one that is not.
"$program" --p 50 --h 60 --t-max 3000 --save a.flow >out 2>err && grep -q '^status *stopped.*: t_max or s_max is reached' out &&
  grep -q '^t/h *50$' out && "$program" --p 50 --h 60 --resume a.flow --save b.flow >out 2>err && grep -q '^status *done' out && [ -s b.flow ]
result save_and_resume $?

# Own points: the second input decides, the first is noise; only it is left.
points
"$program" --csv points.csv --h 200 --p 100 >out 2>err && grep -q '^csv, d = 2, p = 100' out && grep -A1 'share of first-layer energy' out | grep -q '^b *0\.[89]' &&
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
refuses csv_malformed "bad.csv: 'nope' is not a number (line 3, column 2)" --csv bad.csv
printf '1,2,1\n1,3,1\n' >ones.csv
refuses csv_one_class 'ones.csv: flow: all labels are equal' --csv ones.csv --p 2
refuses csv_too_few 'only 200 of 200 points' --csv points.csv --p 201
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
$beside "$program" --p 1000 --h 30000 --every 100000 --save int.flow >out 2>err & # a minute, if it were not interrupted
until [ -s out ] || ! kill -0 $!; do sleep 0.1; done
sleep 0.5
kill -INT $!
wait $!
[ $? = 3 ] && grep -q '^status *stopped.*: Ctrl-C' out && [ -s int.flow ]
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
# A few eigenvectors of the end's kernel tell what all of the start's do not; the first one knows the label of other points too.
awk '/^test error of the regression/ { on = 1; next } on && $1 == "r" { if (NF != 7 || $7 != 300) exit 1; next }
  on == 1 && /^its kernel at the start/ { start = $(NF - 3); all = $NF; if (NF != 11) exit 1; next } on == 1 && /^its kernel at the end/ { end = $(NF - 3); on = 2; next }
  on == 2 && /^its kernel at the end/ { bits = $(NF - 1); null = $NF; knew = $(NF - 3) } END { exit !(end < start && end < all && end > 0 && start < 0.5 && bits > 0.3 && bits > 4 * null && knew > 0.3) }' out
result kernel_regression $?

"$program" --model cylinder --d 4 --p 64 --kernel-size 100 --h 100 --test-size 500 --t-max 1000 >out 2>err && grep -q '^cylinder, d = 4, p = 64.* 100 other points' out &&
  grep -q '^the network: stopped.*t_max' out && grep -q '^its kernel at the start  *0\.[0-9]' out
result kernel_cylinder $?
"$program" --csv points.csv --h 100 >out 2>err && grep -q '^csv, d = 2, p = 67, .* 67 other points$' out && holds "$(row 'its kernel at the end' 1) < 0.3"
result kernel_csv $?
# Two different points: two eigenvectors have all of K, so that more of them predict every label, and the first one is certain.
awk 'BEGIN { for (i = 0; i < 90; i++) print (i % 3 ? "1,1" : "-1,-1") }' >pair.csv
"$program" --csv pair.csv --h 50 >out 2>err && grep -q '^r  *1  *3  *10  *30$' out && [ "$(grep -c '^its kernel at the .*  0\.[0-9]*  0\.0000  0\.0000  0\.0000$' out)" = 2 ] &&
  [ "$(grep -c '^its kernel at the [a-z]*  *0\.9183  *0\.[0-9]*  *0\.8366  *0\.[0-9]*$' out)" = 2 ] # the entropies of the labels
result kernel_two_points $?
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
kill -TERM $!
wait $!
[ $? = 3 ] && grep -q '^the network  *0\.[0-9]' out && grep -q '^its kernel at the end  *-  *-  *-  *-$' out && grep -q '^the network: stopped.*: the signal TERM' out &&
  grep -q '^stopped: ' out && grep -q '^int.csv is not written$' out && [ -z "$(ls int.csv* 2>/dev/null)" ]
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
"$program" --model cylinder --lazy-h 100 --methods lazy --p 32,64,128 --seeds 5 --test-size 200 >out 2>err && grep -q '^exponent [0-9.-]*, 95 % interval -inf to inf, predicted 0.429$' out
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
refuses curve_nowhere 'no/where.jsonl: cannot be created' --out no/where.jsonl
mkdir directory
refuses curve_directory 'directory: cannot be' --out directory
cp points.csv kept.csv
refuses curve_not_json 'points.csv: not a file of JSON lines (line 1)' --out points.csv
cmp -s points.csv kept.csv
result curve_not_json_untouched $?
printf '{"a": 1}\n{"other"' >other.jsonl
refuses curve_others_torn "other.jsonl: its last line is torn, and none" --out other.jsonl

$beside "$program" --p 64,128,256 --seeds 1:60 --h 300 --test-size 500 --methods $all --out int.jsonl >out 2>err & # a minute, if it were not interrupted
until [ -s int.jsonl ] || ! kill -0 $!; do sleep 0.05; done
kill -INT $!
wait $!
[ $? = 3 ] && grep -q '^stopped: [0-9]* of 720 results are known$' out && known=$(($(wc -l <int.jsonl))) && grep -q "^stopped: $known of" out && well_formed int.jsonl "$known" && [ "$known" -lt 720 ] &&
  grep -q '^ntk-end$' out
result curve_interrupted $?
"$program" --p 64,128,256 --seeds 1:1 --h 300 --test-size 500 --methods $all --out int.jsonl >out 2>err &&
  "$program" --p 64,128,256 --seeds 1:1 --h 300 --test-size 500 --methods $all --out uncut.jsonl >out 2>err && grep '"seed": 1,' int.jsonl | sort | uniq -d | wc -l | grep -q '^ *0$' &&
  grep '"seed": 1,' int.jsonl | sort >a && sort uncut.jsonl | cmp -s a -
result curve_goes_on $?
"$program" --p 1000 --seeds 1:1 --h 30000 --methods feature --out none.jsonl >out 2>err & # a minute, within one result
until [ -s out ] || ! kill -0 $!; do sleep 0.1; done
sleep 0.5
kill -TERM $!
wait $!
[ $? = 3 ] && grep -q '^stopped: 0 of 1 results' out && grep -q '^    1000      0          -$' out && [ ! -s none.jsonl ]
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
  signal=INT
  [ $figure != neurons ] || signal=TERM
  $beside "$bin/figure_run" $figure --p 10000 --h 30000 --out int_$figure >out 2>err & # minutes, if it were not interrupted
  until [ -s out ] || ! kill -0 $!; do sleep 0.1; done
  sleep 0.5
  kill -$signal $!
  wait $!
  [ $? = 3 ] && grep -q '^stopped: at t/tau = .* of 10000 points satisfied' out && [ ! -s err ] &&
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

noisy_images
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
refuses mnist_no_directory 'cannot be created' $digits --p 40 --out no/where
"$program" $digits --p 20,40 --seeds 1:2 --out digits >out 2>err && grep -q '^16 convolutions' out && grep -q '^means' out && [ ! -s err ] &&
  well_made digits/errors.csv 'p,seed' 4 && well_made digits/spectrum_40_2.csv 'kernel' 30 && well_made digits/phi_40_2.csv 'kernel' 120 &&
  awk -F, 'NR > 2 && !($5 == 1 && $6 > 0.998 && $7 < 0.5 && $9 < 0.5) { bad = 1 } END { exit bad }' digits/errors.csv
result mnist $?
sed '4d' digits/errors.csv >digits/torn && cp digits/errors.csv all.csv && mv digits/torn digits/errors.csv && rm digits/net_20_2.conv
"$program" $digits --p 20,40 --seeds 1:2 --out digits >out 2>err &&
  [ "$(cut -d, -f1-3,5- digits/errors.csv | sort)" = "$(cut -d, -f1-3,5- all.csv | sort)" ] && [ -s digits/net_20_2.conv ]
result mnist_goes_on $?
refuses mnist_other_options 'was made with other options or images' $digits --p 20 --out digits --tol 0.05
saved=
slow="--images images --labels labels --h 4 --alpha 0.05 --p 60 --kernel-size 20 --tol 0.004"
"$program" $slow --out whole >out 2>err
$beside "$program" $slow --out stopped >out 2>err & # again and again, later and later, until the flow has been interrupted
for delay in 0.05 0.1 0.2 0.4 0.8 1.6 3.2 6.4 12.8 25.6; do
  sleep $delay
  kill -INT $! 2>/dev/null
  wait $!
  [ $? != 3 ] || [ ! -s stopped/flow_60_1.flow ] || saved=1
  $beside "$program" $slow --out stopped >out 2>err &
  [ -z "$saved" ] || break
done
wait $! && [ "$saved" = 1 ] && [ ! -e stopped/flow_60_1.flow ] && cmp -s whole/net_60_1.conv stopped/net_60_1.conv && cmp -s whole/phi_60_1.csv stopped/phi_60_1.csv
result mnist_resumes $?
"$program" $digits --p 20 --dynamics momentum --step-max 50 >out 2>err && grep -q 'the network: step_max' out
result mnist_momentum $?

# ---- compress: the directions that the labels alone show
program=$bin/compress
"$program" --p 411 --h 20 --t-max 1 >out 2>err && grep -A2 '^informative directions by the labels alone, before training$' out | grep -q '^found  *1 of strength above 0\.[0-9]*, .*; sqrt(d/p) = 0.1103$' &&
  [ "$(grep -c '^strength ' out)" = 1 ] && grep -q '^strength  *0\.[67][0-9]*  [+-]\(1\.000\|0\.99[0-9]\) x1$' out && ! grep -q whitened out
result directions_stripe $?
"$program" --model cylinder --p 1000 --h 20 --t-max 1 >out 2>err && [ "$(grep -c '^strength .* x[12]' out)" = 2 ] && ! grep -q '^strength .*x3' out
result directions_cylinder $?
# The label is the sign of b = x2 - x1, of points that are stretched, moved and lie in two dimensions of four.
awk 'BEGIN { srand(3); for (i = 0; i < 400; i++) { a = 10 * rand(); b = rand() - 0.5; print a "," a + b "," 3 "," 2 * a "," (b > 0 ? 1 : -1) } }' >flat.csv
"$program" --csv flat.csv --p 200 --h 20 --t-max 1 >out 2>err && grep -q '^inputs  *centred and whitened.*; 2 without variance left out$' out && grep -q '^found  *1 of' out &&
  awk '/^strength/ { for (i = 3; i < NF; i += 2) w[substr($(i + 1), 2)] = $i; a = w[1] + w[2] + 2 * w[4]; exit !(a * a < 0.01 && w[2] * w[2] > 0.5) } END { exit !w[2] }' out
result directions_csv $?
# Inputs that are not 0 in three points of 400, or differ from another in three alone, have moments that no permutation
# changes: they are no finding, and hide none.
gauss='function gauss(   s, k) { for (s = k = 0; k < 12; k++) s += rand(); return s - 6 }'
for label in 'a > 0' 'rand() > 0.5'; do
  awk "$gauss"' BEGIN { srand(17); for (i = 0; i < 400; i++) { a = gauss(); b = gauss(); few = i % 150 == 7; print a "," b "," (few ? 4 + a : 0) "," ('"$label"' || few ? 1 : -1) } }' >few.csv
  "$program" --csv few.csv --p 400 --h 5 --t-max 1 >out 2>err && grep -q '^rare  *x3: one value but in a few points' out && case $label in
    a*) grep -q '^found  *1 of strength above 0\.[0-4]' out && grep -q '^strength  *0\.[789][0-9]*  [+-]\(1.000\|0.99[0-9]\) x1$' out ;;
    *) grep -q '^found  *0 of' out && ! grep -q '^strength' out ;;
  esac || break
done && [ "$label" = 'rand() > 0.5' ]
result directions_rare $?
awk "$gauss"' BEGIN { srand(19); for (i = 0; i < 400; i++) { a = gauss(); few = i % 150 == 7; print a "," a + 1e-4 * gauss() + (few ? 3 : 0) "," (rand() > 0.5 || few ? 1 : -1) } }' >few.csv
"$program" --csv few.csv --p 400 --h 5 --t-max 1 >out 2>err && grep -q '^found  *0 of' out && ! grep -q '^strength' out
result directions_rare_difference $?
# Inputs of every size vary: 1e-6, 1e6 and a constant and a small deviation.
awk "$gauss"' BEGIN { srand(23); for (i = 0; i < 400; i++) { a = gauss(); printf "%.17g,%.17g,%.17g,%d\n", 1e-6 * a, 1e6 * gauss(), 1e3 + 1e-6 * gauss(), (a > 0 ? 1 : -1) } }' >sizes.csv
"$program" --csv sizes.csv --p 400 --h 5 --t-max 1 >out 2>err && ! grep -q 'left out' out && grep -q '^found  *1 of' out && grep -q '^strength  *0\.[0-9]*  [+-]\(1.000\|0.99[0-9]\) x1$' out
result directions_sizes $?
"$program" --d 30 --p 100 --h 20 --t-max 1 >out 2>err && grep -q '^informative directions by the labels alone: left out, fewer than five training points per input$' out
result directions_too_few $?
"$program" --idx images labels --h 1 --t-max 1 >out 2>err && grep -q '^informative directions by the labels alone: left out, pixels' out
result directions_images $?

# ---- diagnose: a Gram matrix, or features
program=$bin/diagnose
near() { # key, value: equal to 1e-9
  got=$(value "$1")
  [ -n "$got" ] && [ "$got" != null ] && holds "($got - $2)^2 <= 1e-18 * (1 + $2 * $2)"
}
"$program" --help >out 2>err && grep -q -- '--features FILE' out && grep -q -- '--other K_before.npy' out && [ ! -s err ]
result diagnose_help $?
"$program" --version >out 2>err && grep -q '^diagnose, invman.h [0-9]' out
result diagnose_version $?

awk 'BEGIN { for (i = 0; i < 15; i++) { for (j = 0; j < 15; j++) printf "%s%d", j ? "," : "", i == j; print "" } }' >one.csv
awk 'BEGIN { print "class"; for (i = 0; i < 15; i++) print i % 3 }' >three.csv
"$program" --gram one.csv --labels three.csv --json >out 2>err && [ ! -s err ] && is_json && near von_neumann_entropy 2.7080502011022101 && near entropy 2.7080502011022101 &&
  near effective_dimension 7.5 && near nc1_trace 6 && near rank 15 && near diffusion_entropy 3.8073549220576037 && [ "$(value two_nn_mle)" = null ] && grep -q '"3 classes: alignment' out
result diagnose_identity $?
near unexplained_area 8 && near tree_length 19.798989873223331 && [ "$(value lid_distance)" = null ] && grep -q 'an edge is 1 of the median' out # 14 sqrt(2)
result diagnose_areas_and_trees $?
"$program" --gram one.csv --labels three.csv >out 2>err && grep -q '^  von Neumann entropy  *2.70805  *at most 2.70805 (ln n)$' out && grep -q '^  NC1, tr within/tr between  *6  *6  *6$' out &&
  grep -q '^  TwoNN  *infinite$' out && grep -q '^  minimum spanning tree  *-  *needs 64 points$' out
result diagnose_table $?
awk 'BEGIN { for (i = 0; i < 20; i++) { for (j = 0; j < 20; j++) printf "%s%d", j ? " " : "", i % 2 == j % 2 ? 1 : -1; print "" } }' >yy.csv
awk 'BEGIN { for (i = 0; i < 20; i++) printf "%s%d", i ? ";" : "", i % 2; print "" }' >two.csv
"$program" --gram yy.csv --labels two.csv --json >out 2>err && is_json && near alignment 1 && near label_power_1 1 && near information 1 && near rkhs_norm2 1 && near nc1_trace 0 && near von_neumann_entropy 0 && near unexplained_area 1 &&
  near duplicates 20 && holds "$(sed -n 's/.*"alignment".*"null_best": \([0-9.e-]*\).*/\1/p' out) < 0.8"
result diagnose_outer_product $?
# The same from .npy: little-endian doubles, then big-endian 4-byte integers in the second version's header.
y=$(awk 'BEGIN { for (i = 0; i < 400; i++) printf "\\0\\0\\0\\0\\0\\0\\360\\%s", int(i / 20) % 2 == i % 20 % 2 ? "77" : "277" }')
npy 1 "{'descr': '<f8', 'fortran_order': False, 'shape': (20, 20), }" "$y" >yy.npy
npy 2 "{'descr': '>i4', 'fortran_order': False, 'shape': (20,), }" "$(awk 'BEGIN { for (i = 0; i < 20; i++) printf "\\0\\0\\0\\%d", i % 2 }')" >two.npy
sed 1d out >first
"$program" --gram yy.npy --labels two.npy --json >out 2>err && sed 1d out | cmp -s first -
result diagnose_npy $?
# (1,2), (3,4), (-5,6) as big-endian floats, first index fastest; and by rows.
npy 3 "{'shape': (3, 2), 'fortran_order': True, 'descr': '>f4'}" '\77\200\0\0\100\100\0\0\300\240\0\0\100\0\0\0\100\200\0\0\100\300\0\0' >columns.npy
npy 1 "{'shape': (3, 2), 'fortran_order': False, 'descr': '<i8'}" '\1\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0\3\0\0\0\0\0\0\0\4\0\0\0\0\0\0\0\373\377\377\377\377\377\377\377\6\0\0\0\0\0\0\0' >rows.npy
printf '# points\na;b\n1;2\n\n3;4\r\n-5; 6\n' >rows.csv
for file in columns.npy rows.npy rows.csv; do "$program" --features $file --json >out 2>err && near sum 91 && sed 1d out >"$file.out" || break; done
cmp -s columns.npy.out rows.npy.out && cmp -s rows.csv.out rows.npy.out && grep -q 'no labels' out
result diagnose_orders $?
# A line in the plane: rank 1, dimension 1; K before and after scaling and shifting is the same kernel to CKA.
awk 'BEGIN { srand(5); for (i = 0; i < 200; i++) { t = rand() - 0.5; printf "%.17g %.17g\n", t, 2 * t } }' >line.txt
awk '{ print ($1 > 0) }' line.txt >side.txt
awk '{ x[NR] = $1 } END { for (i = 1; i <= NR; i++) { for (j = 1; j <= NR; j++) printf "%.17g ", 3 * x[i] * x[j] + 1; print "" } }' line.txt >other.txt
"$program" --features line.txt --labels side.txt --other other.txt --json >out 2>err && is_json && near rank 1 && near cka 1 && holds "$(value two_nn_mle) > 0.8 && $(value two_nn_mle) < 1.25 &&
  $(value lid_harmonic) > 0.8 && $(value lid_harmonic) < 1.3 && $(value tree_dimension) > 0.9 && $(value tree_dimension) < 1.1 && $(value information) > 0.5 && $(value nearest_mean_error) < 0.1 && $(value diffusion_information) > 0.2"
result diagnose_line $?
near tree_length "$(awk 'NR == 1 || $1 < least { least = $1 } NR == 1 || $1 > most { most = $1 } END { printf "%.17g", (most - least) * sqrt(5) }' line.txt)" &&
  holds "$(value lid_moments) > 0.8 && $(value lid_moments) < 1.3 && $(value lid_distance) > 0 && $(value lid_distance) < 0.23" # 1/sqrt(20)
result diagnose_line_length $?
# x ~ N(0,1) in four dimensions, the label is the sign of the second.
awk 'BEGIN { srand(7); for (i = 0; i < 300; i++) { for (j = 0; j < 4; j++) { for (s = k = 0; k < 12; k++) s += rand(); printf "%s%.6f", j ? "," : "", s - 6 } print "" } }' >gauss.csv
awk -F, '{ print ($2 > 0 ? 5 : -7) }' gauss.csv >sign.csv
"$program" --features gauss.csv --labels sign.csv --truth 2 >out 2>err && grep -q '^  directions above the noise  *1  *noise 0\.[0-9]* of permuted labels' out &&
  grep -q '^  direction 1  *0\.[0-9]*  [+-]\(0\.9[0-9]*\|1.000\) x2' out && awk '/largest angle to the true/ { exit !($7 < 0.3) }' out
result diagnose_directions $?
# One point far away makes a direction of its own, of which its label alone knows.
awk -F, 'NR == 1 { print $1 "," $2 "," $3 ",60"; next } { print $1 "," $2 "," $3 "," 0 }' gauss.csv >outlier.csv
for seed in 1 2 3 4 5 6; do "$program" --features outlier.csv --labels sign.csv --seed $seed --draws 3 --json; done >out 2>err && ! grep -q '"directions_found".*"value": [1-9]' out && grep -q 'a direction of strength 12.03, mostly x4, rests on a few points: rare' out
result diagnose_rare $?
# The corners of a square, the label one coordinate: m1 = e_1, M2 = 0. Or the product of both: m1 = 0, M2 has 1 off its diagonal.
awk 'BEGIN { for (i = 0; i < 40; i++) print (i % 2 ? 1 : -1), (int(i / 2) % 2 ? 1 : -1) }' >corners.txt
awk '{ print $1 }' corners.txt >left.txt
awk '{ print $1 * $2 }' corners.txt >product.txt
"$program" --features corners.txt --labels left.txt --json >out 2>err && is_json && near directions_found 1 && near directions_share 0.5 && near stein_means 1 && near stein_squares 0 && grep -q '"stein_means".*"null_best": 0\.' out &&
  "$program" --features corners.txt --labels product.txt --json >out 2>err && near directions_found 2 && near directions_share 1 && near stein_means 0 && near stein_squares 1
result diagnose_moments $?
# X X' of two columns, some points twice, in every precision: what its rounding leaves is no direction and no distance.
reals='function real(v, bits, top, bias,   s, e, m) { if (v == 0) return 0; s = v < 0; v = s ? -v : v; for (e = 0; v >= 2; e++) v /= 2; for (; v < 1; e--) v *= 2
  m = int((v - 1) * 2 ^ bits + 0.5); return s * top + (e + bias) * 2 ^ bits + m }
  function octal(n) { return sprintf("\\%o", n) }
  function points(   i) { srand(11); for (i = 0; i < 40; i++) { a[i] = i < 36 ? 3 * rand() - 1 : a[i - 30]; b[i] = i < 36 ? rand() + 0.5 : b[i - 30] } }
  function product(i, j) { return (a[i] * a[j] + b[i] * b[j]) * (1 + skew * (i < j)) }'
bytes() { # bits of the fraction, bias, bytes, big-endian?, asymmetry
  awk -v bits=$1 -v bias=$2 -v size=$3 -v big=$4 -v skew=$5 "$reals"' BEGIN { points(); for (i = 0; i < 40; i++) for (j = 0; j < 40; j++) { n = real(product(i, j), bits, 2 ^ (8 * size - 1), bias)
    text = ""; for (k = 0; k < size; k++) { text = big ? octal(n % 256) text : text octal(n % 256); n = int(n / 256) } printf "%s", text } }'
}
awk "$reals"' BEGIN { points(); for (i = 0; i < 40; i++) print (a[i] > 0.3) }' >first.txt
for digits in 17 8; do awk -v digits=$digits "$reals"' BEGIN { points(); for (i = 0; i < 40; i++) { for (j = 0; j < 40; j++) printf "%." digits "g ", product(i, j); print "" } }' >product.$digits.txt; done
npy 1 "{'descr': '<f4', 'fortran_order': False, 'shape': (40, 40), }" "$(bytes 23 127 4 0 3e-7)" >single.npy
npy 1 "{'descr': '>f2', 'fortran_order': True, 'shape': (40, 40), }" "$(bytes 10 15 2 1 0)" >half.npy
"$program" --gram product.17.txt --labels first.txt --json >out 2>err && near rank 2 && near duplicates 8 && ! grep -q 'precision\|differ by' out
result diagnose_double $?
norm=$(value rkhs_norm2)
good=0
for file in single.npy half.npy product.8.txt; do
  "$program" --gram $file --labels first.txt --json >out 2>err && [ ! -s err ] && is_json && near rank 2 && { near duplicates 8 || [ $file = half.npy ]; } && holds "$(value duplicates) < 20 && ($(value rkhs_norm2) / $norm - 1) ^ 2 < 1e-4" &&
    grep -q 'K is of \(single\|half\) precision' out && { [ $file != single.npy ] || grep -q 'K_ij and K_ji differ by up to 3.*e-07 of the largest element' out; } && good=$((good + 1))
done
[ $good = 3 ]
result diagnose_precision $?
npy 1 "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }" '\0\0\200\77\0\0\0\0\0\0\0\0\0\0\0\113' >whole.npy # 1 and 2^23: exact in any precision
printf '1 0\n0 1e-9\n' >scales.txt
"$program" --gram whole.npy --json >out 2>err && near rank 2 && ! grep -q precision out && "$program" --gram scales.txt --json >out 2>err && near rank 2 && ! grep -q precision out
result diagnose_exact $?
"$program" --features gauss.csv --labels sign.csv >one 2>err && "$program" --features gauss.csv --labels sign.csv >out 2>err && cmp -s one out && "$program" --features gauss.csv --labels sign.csv --draws 0 >out 2>err && ! grep -q 'deviation' out
result diagnose_again $?
printf '1 1\n1 1\n1 1\n' >same.txt
printf '0 0\n0 0\n' >zero.txt
"$program" --features same.txt --json >out 2>err && is_json && near rank 1 && [ "$(value diffusion_entropy)" = null ] && "$program" --gram zero.txt --json >out 2>err && is_json && grep -q 'no positive eigenvalue' out
result diagnose_degenerate $?

refuses diagnose_nothing 'give one of --gram and --features'
refuses diagnose_both 'give one of --gram and --features' --gram one.csv --features one.csv
refuses diagnose_unknown_flag '--gramm: unknown option' --gramm one.csv
refuses diagnose_missing_value '--gram: unknown, or its value is missing' --gram
refuses diagnose_stray "'one.csv' is not an option" one.csv
refuses diagnose_gamma '--gamma must be positive' --gram one.csv --gamma 0
refuses diagnose_sigma '--sigma must be positive and finite' --gram one.csv --sigma nan
refuses diagnose_draws "--draws: '-1' is not a whole number" --gram one.csv --draws -1
refuses diagnose_k '--k 15, but only 15 points' --gram one.csv --k 15
refuses diagnose_truth '--truth: only --features' --gram one.csv --truth 1
refuses diagnose_truth_large '--truth 5, but only 4 inputs' --features gauss.csv --truth 5
refuses diagnose_missing 'none.csv: the file cannot be read' --gram none.csv
refuses diagnose_directory 'directory: the file cannot be read' --gram directory
refuses diagnose_not_square 'gauss.csv: a Gram matrix is square, this one has 300 rows and 4 columns' --gram gauss.csv
printf '1,2\n2.001,1\n' >skew.csv
refuses diagnose_not_symmetric 'skew.csv: not symmetric: 2 in row 1, column 2, but 2.001 in row 2, column 1' --gram skew.csv
printf '1,5.00000010001\n5.00000000001,1\n' >skew.csv # with as many digits as they differ by
refuses diagnose_not_symmetric_digits 'skew.csv: not symmetric: 5.0000001 in row 1, column 2, but 5 in row 2, column 1' --gram skew.csv
printf '7\n' >point.csv
refuses diagnose_one_point 'point.csv: one point tells nothing' --gram point.csv
refuses diagnose_few_labels 'three.csv: 15 labels, but 20 points' --gram yy.csv --labels three.csv
refuses diagnose_label_columns 'gauss.csv: a label is one number per point, here are 4 columns' --gram one.csv --labels gauss.csv
refuses diagnose_other_size 'yy.csv: 20 points, but there are 15' --gram one.csv --other yy.csv
printf '1,2\n3\n' >ragged.csv
refuses diagnose_ragged 'ragged.csv: fewer columns than on the lines before (line 2)' --features ragged.csv
printf 'a,b\n1,2\n3,x\n' >word.csv
refuses diagnose_word 'word.csv: a field is not a number (line 3)' --features word.csv
printf '1,2\n3,,4\n' >empty.csv
refuses diagnose_empty_field 'empty.csv: a field is empty (line 2)' --features empty.csv
printf '1,2\n3,nan\n' >nan.csv
refuses diagnose_nan 'nan.csv: a number is not finite (line 2)' --features nan.csv
printf '1,2\n3,\0004\n' >binary.csv
refuses diagnose_binary 'binary.csv: not a text (line 2)' --features binary.csv
: >void.csv
refuses diagnose_void 'void.csv: no numbers' --features void.csv
printf '1e200 0\n0 1\n' >large.csv
refuses diagnose_large 'large.csv: row 1: too large to square' --features large.csv
head -c 200 yy.npy >cut.npy
refuses diagnose_npy_cut 'cut.npy: npy: the file is truncated (byte 200)' --gram cut.npy
head -c 40 yy.npy >cut.npy
refuses diagnose_npy_cut_header 'cut.npy: npy: the file is truncated (byte 40)' --gram cut.npy
cp one.csv fake.npy
refuses diagnose_npy_magic 'fake.npy: npy: the file does not begin as one (byte 0)' --gram fake.npy
npy 4 "{'descr': '<f8', 'fortran_order': False, 'shape': (1, 1), }" '\0\0\0\0\0\0\0\0' >version.npy
refuses diagnose_npy_version 'npy: version 4, which is not 1 to 3 (byte 6)' --gram version.npy
npy 1 "{'descr': '<c8', 'fortran_order': False, 'shape': (1, 1), }" '\0\0\0\0\0\0\0\0' >complex.npy
refuses diagnose_npy_complex "npy: complex numbers, of type '<c8': .* real here" --gram complex.npy
npy 1 "{'descr': '<f16', 'fortran_order': False, 'shape': (1, 1), }" '\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0' >long_double.npy
refuses diagnose_npy_type "npy: numbers of type '<f16', which is none of f2, f4, f8" --gram long_double.npy
printf 'PK\3\4 and so on' >arrays.npz
refuses diagnose_npz 'arrays.npz: this is an archive (.npz' --gram arrays.npz
printf '\037\213 and so on' >packed.npy
refuses diagnose_gzip 'packed.npy: this is compressed by gzip' --features packed.npy
npy 1 "{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (1, 1), }" '\0\0\0\0\0\0\0\0' >record.npy
refuses diagnose_npy_record 'npy: numbers of type' --gram record.npy
npy 1 "{'descr': '<f8', 'fortran_order': False, 'shape': (1, 1, 1), }" '\0\0\0\0\0\0\0\0' >cube.npy
refuses diagnose_npy_cube 'npy: more than two dimensions' --gram cube.npy
npy 1 "{'descr': '<f8', 'fortran_order': False, 'shape': (4294967296, 4294967296), }" '\0' >huge.npy
refuses diagnose_npy_huge 'huge.npy: npy: the file is truncated' --gram huge.npy
npy 1 "{'descr': '<f8', 'fortran_order': False, 'shape': (1, 1), }" '\0\0\0\0\0\0\0\0\0' >long.npy
refuses diagnose_npy_long 'npy: more bytes than the shape says (byte' --gram long.npy
npy 1 "{'descr': '<f8', 'fortran_order': False, 'shape': (1, 2), }" '\0\0\0\0\0\0\0\0\0\0\0\0\0\0\360\177' >inf.npy
refuses diagnose_npy_inf 'npy: a number is not finite (byte' --features inf.npy
npy 1 "{'descr': '<f8', 'shape': (1, 1), }" '\0\0\0\0\0\0\0\0' >keyless.npy
refuses diagnose_npy_key "npy: the header has no 'fortran_order'" --gram keyless.npy

npy 1 "{'descr': '<f8', 'fortran_order': False, 'shape': (2L, 2L), }" '\0\0\0\0\0\0\360\77\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\360\77' >long.npy # as Python 2 wrote it
"$program" --gram long.npy --json >out 2>err && is_json && near rank 2
result diagnose_npy_python2 $?
npy 1 "{'descr': '<f8', 'fortran_order': False, 'shape': (2LL, 2), }" '\0' >longer.npy
refuses diagnose_npy_shape 'npy: the shape is malformed' --gram longer.npy
npy 1 "{'descr': [('a', '<f8'), ('b', '<i4')], 'fortran_order': False, 'shape': (1,), }" '\0\0\0\0\0\0\0\0' >record.npy
refuses diagnose_npy_record_name "numbers of type \[('a', '<f8'), ('b', '<i4')\], which is none of" --gram record.npy
printf '1,5;2,5\n3;4\n' >mixed.csv
refuses diagnose_mixed "mixed.csv: ',' and ';' both separate numbers.*(line 1)" --features mixed.csv
printf 'NA,0.5,1\n1,2,3\n' >na.csv
refuses diagnose_na 'na.csv: a field is not a number (line 1)' --features na.csv
printf ',0.5,1\n1,2,3\n' >gap.csv
refuses diagnose_gap 'gap.csv: a field is empty (line 1)' --features gap.csv
printf 'a,b,c\n1,2\n3,4\n' >names.csv
refuses diagnose_names 'names.csv: 2 numbers below 3 names (line 2)' --features names.csv
printf '"a, b",c\n"1",2\n 3 , "4"\n' >quoted.csv
"$program" --features quoted.csv --json >out 2>err && near sum 30
result diagnose_quoted $?
printf '1,2\r3,4\r' >cr.csv
refuses diagnose_cr 'cr.csv: text whose lines end with CR alone' --features cr.csv
printf '\377\3761\0,\0' >utf16.csv
refuses diagnose_utf16 'utf16.csv: this is text in UTF-16' --features utf16.csv

# ---- homogeneity_trap: doubly stochastic mixing
program=$bin/homogeneity_trap
"$program" --help >out 2>err && grep -q -- '--tau-range LOW:HIGH:N' out && grep -q 'arXiv 2601.02080' out && [ ! -s err ]
result trap_help $?
"$program" --version >out 2>err && grep -q '^homogeneity_trap, invman.h [0-9]' out
result trap_version $?
"$program" --n 8 --tau-range 0.02:20:10 --seeds 1:2 --sweeps 100 --draws 300 --out trap >out 2>err && [ ! -s err ] && well_made trap/temperature.csv 'logits,seed,tau,sweeps,residual,status' 70 &&
  well_made trap/depth.csv 'logits,seed,tau,status' 40 && well_made trap/residual.csv 'logits,a,sigma_2' 40 && well_made trap/chain.csv 'logits,seed,layers' 7 && [ "$(ls trap | wc -l)" = 4 ] && grep -q '^random .*not converged$' out
result trap $?
# What has not converged is not called so, and not measured unless it is doubly stochastic; every bound holds; closed
# forms; tau sigma_2 nears its limit.
awk -F, '/^#/ || /^logits/ { next } $6 == "converged" { converged++; if ($5 >= 1e-12) bad = 1 } $6 == "not doubly stochastic" { failed++; if ($7 != "" || $9 != "" || $14 != "") bad = 1 }
  $6 != "not doubly stochastic" && ($7 > $10 + 1e-7 || $7 > $12 + 1e-7 || $7 > $13 + 1e-7 || $7 < $11 - 1e-7 || $9 < 0 || $9 > 1 + 1e-9) { bad = 1 }
  $8 != "" { exact++; if (($7 - $8) ^ 2 > 1e-15) bad = 1 }
  $3 > 19 && ($15 / $16 - 1) ^ 2 > 0.01 { bad = 1 }
  END { exit bad || !(converged > 40 && failed > 2 && exact == 30) }' trap/temperature.csv
result trap_temperatures $?
# The slowest input lasts to the predicted layer where M is symmetric; no input lasts longer.
awk -F, '/^#/ || /^logits/ || $7 == "" { next } { rows++; if ($7 > $6 + 2 || $8 > $6 + 2) bad = 1; if ($1 != "random" && $7 < $6 - 1 && $6 < 50) bad = 1 } END { exit bad || rows < 20 }' trap/depth.csv
result trap_depths $?
# Where the signal is lost: the cosine that its ratio to the noise predicts; noise of every layer, mode by mode.
awk -F, '/^#/ || /^logits/ || $8 == "" { next } { rows++; if ($10 >= 0.5 || ($10 - $11) ^ 2 > 0.01 || $12 != 1) bad = 1; if ($1 == "random" ? $13 $14 != "" : ($13 / $14 - 1) ^ 2 > 1e-8) bad = 1
    if ($14 != "" && ($14 > $7 || ($14 * (1 - $5 ^ 2) - 1 + $5 ^ (2 * $7)) ^ 2 > 1e-12)) bad = 1 } END { exit bad || rows < 20 }' trap/depth.csv
result trap_lost $?
# The hottest layers first forget first, and the others cannot restore it.
awk -F, '/^#/ || /^logits/ { next } { rows++; if (!($7 <= $5 + 1 && $5 <= $6) || $3 > 10) bad = 1 } END { exit bad || rows != 7 }' trap/chain.csv
result trap_chains $?
# At one temperature all orders are equal: sigma_2 = 0.3065 of the diagonal has 1 % left after ln 100/ln(1/0.3065) = 3.89.
"$program" --n 8 --tau-range 2:2:6 --seeds 1:1 --draws 5 --out flat_trap >out 2>err && awk -F, '/^#/ || /^logits/ { next } { rows++; if ($3 != 6 || ($7 != $6 && $6 != "inf") || $6 < $5) bad = 1
    if ($1 == "diagonal") { seen = 1; if (($4 - 0.30646755) ^ 2 > 1e-14 || ($5 - 3.8942) ^ 2 > 1e-6 || $6 != 4 || $7 != 4) bad = 1 } } END { exit bad || !seen || rows != 5 }' flat_trap/chain.csv
result trap_chain_flat $?
# Of 64 tokens the bound says something: (sqrt(63 snr) + sqrt(6))/sqrt(62 - 2 sqrt(186)) at t = 3.
"$program" --n 64 --tau-range 8:24:2 --seeds 1:1 --draws 20 --out wide_trap >out 2>err && awk -F, '/^#/ || /^logits/ || $8 == "" { next } { snr = $11 ^ 2 / (1 - $11 ^ 2)
    bound = (sqrt(63 * snr) + sqrt(6)) / sqrt(62 - 2 * sqrt(186)); if (bound > 1) bound = 1; else told++; if (($12 - bound) ^ 2 > 1e-12) bad = 1; if ($10 > $12) bad = 1 } END { exit bad || !told }' wide_trap/depth.csv
result trap_bound $?
awk -F, '/^#/ || /^logits/ { next } { if ($3 > $4 + 1e-9 || $6 > $7 + 1e-9) bad = 1; if ($2 == 0 && ($3 < 1 - 1e-12 || $5 != "inf" || $6 > 1e-12)) bad = 1 } END { exit bad }' trap/residual.csv
result trap_residuals $?
"$program" --n 8 --tau-range 0.02:20:10 --seeds 1:2 --sweeps 100 --draws 300 --out again_trap >one 2>err && cmp -s trap/temperature.csv again_trap/temperature.csv && cmp -s trap/depth.csv again_trap/depth.csv
result trap_again $?
refuses trap_unknown_flag '--tua: unknown option' --tua 1
refuses trap_missing_value '--n: unknown, or its value is missing' --n
refuses trap_n '--n must be at least 4' --n 3
refuses trap_range "--tau-range: '0.1:3' is not LOW:HIGH:N" --tau-range 0.1:3
refuses trap_range_zero '--tau-range must be positive' --tau-range 0:3:4
refuses trap_range_order '--tau-range: the last is smaller' --tau-range 3:1:4
refuses trap_range_count '--tau-range: more than 1000' --tau-range 1:3:1001
refuses trap_seeds '--seeds: the last is smaller' --seeds 5:1
refuses trap_cosine '--cosine must be below 1' --cosine 1
refuses trap_snr '--snr must be positive' --snr -2
refuses trap_nowhere 'no/where: cannot be created' --out no/where
refuses trap_out_file 'points.csv: cannot be created' --out points.csv

# ---- watch_compression: a run, watched
program=$bin/watch_compression
"$program" --help >out 2>err && grep -q -- '--kernel-n N' out && grep -q '^  NC1 ' out && [ ! -s err ]
result watch_help $?
"$program" --version >out 2>err && grep -q '^watch_compression, invman.h [0-9]' out
result watch_version $?
OMP_NUM_THREADS=1 "$program" --p 128 --h 200 --kernel-n 60 --test-size 300 --out watch.csv >out 2>err && [ ! -s err ] && well_made watch.csv 't_over_h,loss,lambda,' 10 && grep -q '^done: every margin' out &&
  grep -q '^watch.csv is written$' out && [ "$(ls watch.csv*)" = watch.csv ] && grep -q '^stripe, d = 5, p = 128, h = 200, alpha = 1e-06, seed 1; kernels of 60 other points$' out
result watch $?
# The start is random and its own kernel; then the weights turn, the spectrum's entropy falls, fewer neurons switch across.
awk -F, '/^#/ || /^t_over_h/ { next } { n++; if (NF != 16 || $1 + 0 < t + 0 || $16 < 1 || $16 > 60) bad = 1; t = $1; if ($9 < 0 || $9 > 1 + 1e-9 || $6 < 0 || $6 > 4.0944 || $7 > 30 || $5 < 0 || $5 > 90) bad = 1
    if (n == 1) { if ($1 != 0 || $2 != 1 || ($9 - 1) ^ 2 > 1e-18 || $14 != "") bad = 1; lambda = $3; angle = $5; entropy = $6; across = $12; gradients = $15; cells = $16 }
    if ($3 > most) most = $3; if ($6 < least) least = $6; if (n == 1) least = $6; last_angle = $5; last_across = $12; error = $14; last_gradients = $15; last_cells = $16 }
  END { exit bad || !(lambda > 0.7 && lambda < 1.4 && most > 5 * lambda && last_angle < angle && last_angle < 20 && least < 0.8 * entropy && last_across < across && error < 0.15 && last_gradients > 5 * gradients && last_cells < cells) }' watch.csv
result watch_compresses $?
mv watch.csv watch_one.csv
OMP_NUM_THREADS=2 "$program" --p 128 --h 200 --kernel-n 60 --test-size 300 --out watch.csv >out 2>err && cmp -s watch.csv watch_one.csv
result watch_same_bits $?
"$program" --model cylinder --d 2 --p 64 --h 60 --kernel-n 20 --test-size 50 --t-max 500 >out 2>err && grep -q '^cylinder, d = 2' out && grep -q '^stopped.*t_max' out &&
  awk '$1 == "0" { seen = 1; if ($3 != "-" || $4 != "-" || $12 != "-" || $15 != "-") exit 1 } END { exit !seen }' out
result watch_all_informative $?
"$program" --alpha 1e4 --p 64 --h 200 --kernel-n 40 --test-size 50 --out lazy.csv >out 2>err && awk -F, '/^#/ || /^t_over_h/ { next } { cka = $9; lambda = $3 } END { exit !(cka > 0.999 && lambda < 1.3) }' lazy.csv
result watch_lazy $?
# W'W = h 1: Lambda is 1, not only on average, until the weights move; three lines cut the plane into 7 regions at most.
"$program" --p 40 --orthogonal --h 20 --kernel-n 20 --test-size 50 --t-max 200 --out orthogonal.csv >out 2>err && grep -q '^at the start: Lambda 1, on average Lam_g 1' out && grep -q '^# .*, orthogonal at the start$' orthogonal.csv &&
  awk '$1 == "0" { seen = 1; if ($3 != "1") exit 1 } END { exit !seen }' out && awk -F, '/^#/ || /^t_over_h/ { next } { if (!n++) first = $3; last = $3 } END { exit !(first == "1" && last != 1 && n > 3) }' orthogonal.csv
result watch_orthogonal $?
"$program" --d 2 --h 3 --p 5 --t-max 3 --kernel-n 60 --test-size 10 --out few.csv >out 2>err && grep -q 'cut R^d into 7 regions at most$' out && awk -F, '/^#/ || /^t_over_h/ { next } $16 > 7 || $16 < 2 { exit 1 }' few.csv
result watch_cells $?
"$program" --d 300 --h 1500 --p 4 --t-max 0.001 --kernel-n 2 --test-size 2 >out 2>err && grep -q 'their bound is infinite' out
result watch_cells_unbounded $?
refuses watch_orthogonal_few '--orthogonal: fewer neurons than inputs' --h 4 --orthogonal
refuses watch_unknown_flag '--alhpa: unknown option' --alhpa 1
refuses watch_missing_value '--p: unknown, or its value is missing' --p
refuses watch_every '--every must be above 1' --every 1
refuses watch_kernel_n '--kernel-n must be at least 2' --kernel-n 1
refuses watch_model "'torus' is neither" --model torus
refuses watch_cylinder 'd_par exceeds d' --model cylinder --d 1
refuses watch_tol '--tol must be at most 1' --tol 2
refuses watch_nowhere 'no/where.csv: cannot be created' --out no/where.csv
$beside "$program" --p 1000 --h 30000 --test-size 50 --out int_watch.csv >out 2>err & # a minute, if it were not interrupted
until [ "$(wc -l <out)" -gt 5 ] || ! kill -0 $!; do sleep 0.1; done
kill -INT $!
wait $!
[ $? = 3 ] && grep -q '^stopped.*: Ctrl-C' out && grep -q '^# stopped.*: interrupted$' int_watch.csv && [ ! -s err ]
result watch_interrupted $?
if [ -c /dev/full ]; then
  for p in 'diagnose --gram one.csv' 'homogeneity_trap --n 4 --tau-range 1:2:2 --draws 5' 'watch_compression --p 20 --h 20 --kernel-n 10 --test-size 10'; do
    # shellcheck disable=SC2086  # $p is words
    "$bin"/$p >/dev/full 2>err
    [ $? = 2 ] && grep -q 'the output cannot be written' err
    result "${p%% *}"_full_output $?
  done
fi
exit $failed
