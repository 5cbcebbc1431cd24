#!/bin/sh
# Tables as people have them, and runs that outlive their shell, in the example programs: tables.sh BUILD, the directory
# where they are. The tests write their own tables. Prints a line per test.
set -u
. "$(dirname "$0")/limit.sh"
bin=$(cd "$1" && pwd) || exit 1
root=$(cd "$(dirname "$0")/.." && pwd) || exit 1
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
export OMP_NUM_THREADS=1 TMPDIR="$dir"
failed=0
touch out err

result() { # name, 0 for ok
  if [ "$2" = 0 ]; then echo "ok table_$1"; else echo "FAIL table_$1"; sed 's/^/  /' out err 2>/dev/null | head -n 20; failed=1; fi
}
refuses() { # name, pattern of the message, program, arguments: exit status 2, one line on stderr, nothing on stdout
  name=$1 pattern=$2 p=$3
  shift 3
  "$bin/$p" "$@" >out 2>err
  [ $? = 2 ] && [ "$(wc -l <err)" = 1 ] && grep -q -- "^$p: .*$pattern" err && [ ! -s out ]
  result "$name" $?
}
measured() { grep -v '^seconds\|^saved' "$1"; } # what does not depend on the clock
holds() { awk "BEGIN { exit !($1) }"; }         # an inequality between numbers

# 300 patients: the label leans on texture and on area, whose scale is a thousand times that of the others.
awk 'BEGIN { srand(3); print "id,diagnosis,\"mean texture\",area,\"said \"\"smooth\"\"\",symmetry"
  for (i = 0; i < 300; i++) { t = rand(); a = rand(); print 8000 + (i * 37) % 300 "," (t + 0.5 * a > 0.75 ? "M" : "B") "," t "," 5000 * a "," rand() "," rand() } }' >cancer.csv
cancer='--csv cancer.csv --label-column diagnosis --positive M --drop id'
small='--h 50 --p 100'

# ---- names, classes, columns

"$bin/compress" $cancer --standardise $small >out 2>err && [ ! -s err ] && grep -q '^csv, d = 4, p = 100, ' out && grep -q '^mean texture *0\.' out &&
  grep -q '^said "smooth" *0\.' out && grep -q '^strength .* mean texture' out && ! grep -q 'x[1-9]' out
result names $?
measured out >one
"$bin/compress" --csv cancer.csv --label-column 2 --positive M --drop 1 --standardise $small >out 2>err && measured out | cmp -s - one
result columns_by_number $?
sed '2,$s/\([0-9.]*\)$/"\1"/; s/,/ , /g' cancer.csv >quoted.csv
"$bin/compress" --csv quoted.csv --label-column diagnosis --positive M --drop id --standardise $small >out 2>err && measured out | cmp -s - one
result quoted_numbers $?
tr , ';' <cancer.csv >semicolons.csv
tr , '\t' <cancer.csv | sed 's/$/\r/' >tabs.csv
for t in semicolons tabs; do
  "$bin/compress" --csv $t.csv --label-column diagnosis --positive M --drop id --standardise $small >out 2>err && measured out | cmp -s - one || break
done
result separators $?
# The same points with labels -1, +1 in the last column, as the library reads them.
awk -F, 'NR > 1 { print $3 "," $4 "," $5 "," $6 "," ($2 == "M" ? "+1" : "-1") }' cancer.csv >plain.csv
"$bin/compress" --csv plain.csv --standardise $small >out 2>err && measured out | sed -n '/^status/,/^steps/p' >a && sed -n '/^status/,/^steps/p' one | cmp -s - a && grep -q '^x1 *0\.' out
result plain_table_is_the_same $?
awk -F, 'NR > 1 { print $3 "," $4 "," $5 "," $6 "," ($2 == "M" ? 1 + NR % 3 : 0) }' cancer.csv >classes.csv
"$bin/compress" --csv classes.csv --positive 1.0,2,3e0 --standardise $small >out 2>err && measured out | sed -n '/^status/,/^steps/p' | cmp -s - a
result many_classes_against_the_rest $?
awk -F, 'NR > 1 { print $3 "," $4 "," $5 "," $6 "," ($2 == "M" ? "\"ma, li\"" : "be") }' cancer.csv >commas.csv
"$bin/compress" --csv commas.csv --positive '"ma, li"' --standardise $small >out 2>err && measured out | sed -n '/^status/,/^steps/p' | cmp -s - a
result class_with_a_comma $?
sed '1s/.*/0,1,2,3,target/' plain.csv >counted.csv
"$bin/compress" --csv counted.csv --standardise --p 50 --h 50 >out 2>err && grep -q '^csv, d = 4, p = 50' out && grep -q '^0  *0\.' out
result header_of_numbers_and_a_name $?

# ---- standardise, by the training points alone

awk -F, 'NR > 1 { $3 = sprintf("%.17g", $3 * 1024); $4 = sprintf("%.17g", $4 / 4096) } { print }' OFS=, cancer.csv >scaled.csv
"$bin/compress" --csv scaled.csv --label-column diagnosis --positive M --drop id --standardise $small >out 2>err && measured out | sed -n '/^status/,/^steps/p' | cmp -s - a
result standardise_takes_any_scale $?
{ head -n 1 cancer.csv; tail -n 100 cancer.csv; } >last.csv
head -n 201 cancer.csv >first.csv
awk -F, 'NR > 1 { $3 *= 7; $4 += 1000 } { print }' OFS=, last.csv >moved.csv
first='--csv first.csv --label-column diagnosis --positive M --drop id --standardise --p 200'
"$bin/compress" $first --h 50 --test-csv last.csv >out 2>err && grep -q '^test error .*(100 points)' out && sed -n '/^status/,/^train error/p' out >a && cp out one
"$bin/compress" $first --h 50 --test-csv moved.csv >out 2>err && sed -n '/^status/,/^train error/p' out | cmp -s - a && ! grep '^test error' out | grep -q -x -F "$(grep '^test error' one)"
result standardise_by_training_points_alone $?
# An input that is 0 but for two of 300 points, neither of which the seed chooses for training.
for far in 1 1000; do
  awk -F, -v far=$far 'NR == 1 { print "u," $0; next } { print (NR == 300 ? 1 : NR == 301 ? far : 0) "," $0 }' cancer.csv >far$far.csv
  "$bin/compress" --csv far$far.csv --label-column diagnosis --positive M --drop id --standardise --p 30 --h 100 >out 2>err || break
  sed -n '/^status/,/^train error/p' out >far$far.out
done
[ -s far1000.out ] && cmp -s far1.out far1000.out && grep -q '^u  *0\.' out
result standardise_not_by_all_points $?
awk -F, '{ print $6 "," $1 "," $5 "," $4 "," $3 "," $2 }' last.csv >order.csv
"$bin/compress" $first --h 50 --test-csv order.csv >out 2>err && measured one >a && measured out | cmp -s - a
result test_table_by_names $?

# ---- the programs agree about p, d and the network's error

awk 'BEGIN { srand(9); print "t,a,y"; for (i = 0; i < 600; i++) { t = rand(); a = 100 * rand(); print t "," a "," (t + (a / 100) ^ 2 > 0.8 ? "yes" : "no") } }' >two.csv
{ head -n 1 two.csv; tail -n 200 two.csv; } >two_test.csv
head -n 401 two.csv >two_train.csv
two='two_train.csv --positive yes --standardise --test-csv two_test.csv --p 200 --h 100'
"$bin/compress" --csv $two >out 2>err && grep -q '^csv, d = 2, p = 200' out && error=$(awk '/^test error/ { print $3 }' out) &&
  "$bin/kernel" --csv $two >out 2>err && grep -q '^csv, d = 2, p = 200' out && [ "$(awk '/^the network/ { print $3; exit }' out)" = "$error" ] &&
  "$bin/learning_curve" --points $two --seeds 1:1 --methods feature,lazy,ntk-end --out two.jsonl >out 2>err && grep -q '^csv, d = 2' out &&
  holds "$(sed -n '/"p": 200, .*feature/s/.*"test_error": \([0-9.e-]*\).*/\1/p' two.jsonl) == $error" && holds "0 < $error && $error < 0.2" &&
  "$bin/watch_compression" --csv $two >out 2>err && grep -q '^csv, d = 2, p = 200' out && "$bin/diagnose" --csv two_train.csv --positive yes --standardise >out 2>err && grep -q '400 points of 2 inputs' out
result programs_agree $?
"$bin/learning_curve" --points $two --seeds 1:1 --methods feature,lazy,ntk-end --out two.jsonl >out 2>err && grep -q '; 3 of 3 results' out &&
  "$bin/learning_curve" --points two_train.csv --positive no --standardise --test-csv two_test.csv --p 200 --h 100 --seeds 1:1 --out two.jsonl >out 2>err && grep -q '; 0 of 2 results' out
result curve_knows_its_points $?
"$bin/diagnose" --csv two.csv --positive yes --draws 5 >out 2>err && grep -q '^  direction 1 .*[ta]$' out
result diagnose_names $?

# ---- warnings

awk 'NR == 1 { print "," $0; next } { print NR - 2 "," $0 }' two.csv >indexed.csv
"$bin/compress" --csv indexed.csv --positive yes --p 50 --h 100 --standardise >out 2>err && grep -q "^compress: indexed.csv: column 1, 'x1', counts the lines: .*--drop 1$" err && [ "$(wc -l <err)" = 1 ]
result index_column $?
"$bin/compress" --csv indexed.csv --positive yes --p 50 --h 100 --standardise --drop 1 >out 2>err && [ ! -s err ]
result index_column_dropped $?
"$bin/kernel" $cancer --p 60 --h 20 >out 2>err && [ "$(wc -l <err)" = 1 ] && grep -q "^kernel: cancer.csv: the deviation of 'area' is 1.*e+03, that of '.*--standardise$" err
result unlike_scales $?

# ---- what is wrong with a table

refuses no_column "--label-column: cancer.csv has no column 'diagnose'" compress --csv cancer.csv --label-column diagnose
refuses no_column_number '--drop: cancer.csv has columns 1 to 6, and no column 7' compress $cancer,7
refuses no_names "--drop: plain.csv has no column 'area': it has no line of names" compress --csv plain.csv --drop area
refuses class_not_there "--positive: no label of cancer.csv is 'm'; column 2, 'diagnosis', has: [BM], [BM]$" kernel --csv cancer.csv --label-column diagnosis --positive m --drop id
refuses all_one_class '--positive: all labels of cancer.csv are +1' compress --csv cancer.csv --label-column diagnosis --positive M,B --drop id
refuses labels_of_other_kinds "cancer.csv: the label '[BM]' is neither -1 nor +1 (line 2, column 2, 'diagnosis').*--positive" learning_curve --points cancer.csv --label-column diagnosis --drop id
refuses labels_that_are_inputs "cancer.csv: the label '0\.[0-9]*' is neither -1 nor +1 (line 2, column 6, 'symmetry').*--label-column" compress --csv cancer.csv --drop id,diagnosis
refuses text_among_inputs "cancer.csv: '[BM]' is not a number (line 2, column 2, 'diagnosis')" compress --csv cancer.csv --positive 1
{ cat cancer.csv; echo '9000,M,1,2,3'; } >unequal.csv
refuses unequal_columns 'unequal.csv: 5 columns, but 6 names (line 302)' compress --csv unequal.csv --label-column diagnosis --positive M
{ cat cancer.csv; echo '9000,M,1,,3,4'; } >missing.csv
refuses value_missing "missing.csv: a value is missing (line 302, column 4, 'area')" compress --csv missing.csv --label-column diagnosis --positive M
{ cat semicolons.csv; echo '9000;M;1;0,5;3;4'; } >decimal.csv
refuses decimal_comma "decimal.csv: a decimal comma: write a point (line 302, column 4, 'area')" compress --csv decimal.csv --label-column diagnosis --positive M
printf '1,0x10,1\n2,2,-1\n' >hex.csv
refuses hexadecimal "'0x10' is not a number (line 1, column 2)" compress --csv hex.csv
printf '1,1e999,1\n2,2,-1\n' >huge.csv
refuses not_finite 'a number is not finite (line 1, column 2)' compress --csv huge.csv
printf 'a,b,y\n1,"2,1\n' >open.csv
refuses open_quote 'a quotation mark is not closed (line 2)' compress --csv open.csv
printf 'a,a,y\n1,2,1\n2,1,-1\n' >same.csv
refuses two_of_a_name "two columns are called 'a' (columns 1 and 2)" compress --csv same.csv --drop a
refuses label_dropped "--drop: 'diagnosis' is the column of the labels" compress $cancer,diagnosis
refuses all_dropped 'same.csv: no column is left for the inputs' compress --csv same.csv --drop 1,2
awk 'BEGIN { for (i = 0; i < 1500; i++) print i * i "," i / 7 }' >regression.csv
refuses no_classes 'regression.csv: more than 1000 different labels (line 1001, column 2' compress --csv regression.csv --positive 3
refuses names_alone 'names.csv: the file cannot be read' compress --csv names.csv
head -n 1 cancer.csv >names.csv
refuses no_points 'names.csv: no points' compress --csv names.csv --label-column diagnosis
sed '1s/area/surface/' last.csv >other.csv
refuses test_table_of_other_names "other.csv: no column 'area', which first.csv has" compress $first --test-csv other.csv
cut -d, -f1-5 last.csv >fewer.csv
refuses test_table_of_fewer_columns 'fewer.csv: 5 columns, but first.csv has 6' kernel $first --test-csv fewer.csv
refuses table_options_alone '--drop: only a table has columns: give --csv' compress --drop id
refuses curve_options_alone '--positive: only a table has columns: give --points' learning_curve --positive M
refuses curve_too_few 'cancer.csv: --p 400, but only 300 points' learning_curve --points cancer.csv --label-column diagnosis --positive M --drop id --p 400
refuses flip_too_large '--flip must be at most 0.5' compress --flip 0.6

awk 'BEGIN { srand(5); print "a,b,y"; for (i = 0; i < 1000000; i++) { a = rand(); print a "," rand() "," (a > 0.4 ? "in" : "out") } }' >million.csv
"$bin/compress" --csv million.csv --positive in --p 60 --h 20 --test-size 5000 >out 2>err && grep -q '^csv, d = 2, p = 60' out && grep -q '^test error .*(5000 points)' out && grep -q '^a  *0\.' out
result million_rows $?
rm million.csv

# ---- flipped labels, and the least test error

"$bin/compress" --p 200 --h 100 --test-size 500 --jsonl flip.jsonl --flip 0.1 >out 2>err &&
  flipped=$(sed -n 's/.*; \([0-9]*\) training labels are flipped$/\1/p' out) && holds "5 <= $flipped && $flipped <= 40" && grep -q "\"flip\": 0.1, \"flipped\": $flipped, " flip.jsonl
result flip $?
awk '/"test_error": [0-9]/ { e = $0; sub(/.*"test_error": /, "", e); t = $0; sub(/.*"t_over_h": /, "", t); if (!n++ || e + 0 < least) { least = e + 0; at = t + 0 } last = e + 0 }
  END { printf "%.4f %.6g %.4f\n", least, at, last }' flip.jsonl >a
awk '/^least/ { l = $2 " " $5 } /^test error/ { e = $3 } END { print l " " e }' out | cmp -s - a && holds "$(cut -d' ' -f1 a) < $(cut -d' ' -f3 a)"
result least_test_error $?
"$bin/compress" $first --h 50 --test-csv last.csv --flip 0.1 >out 2>err && grep -q '^csv.*; [0-9]* training labels are flipped' out && ! measured out | cmp -s - one &&
  "$bin/compress" $first --h 50 --test-csv last.csv --flip 0 >out 2>err && measured one >a && measured out | cmp -s - a
result flip_of_a_table $?
"$bin/kernel" --p 100 --h 50 --test-size 300 --flip 0.1 >out 2>err; grep -q '; [0-9]* of these labels are flipped$' out &&
  "$bin/learning_curve" --p 50 --seeds 1:2 --h 50 --test-size 300 --methods lazy --flip 0.1 --out f.jsonl >out 2>err && [ "$(grep -c '"flip": 0.1, ' f.jsonl)" = 2 ] &&
  "$bin/learning_curve" --p 50 --seeds 1:2 --h 50 --test-size 300 --methods lazy --out f.jsonl >out 2>err && grep -q '; 0 of 2 results' out
result flip_in_the_other_programs $?

# ---- lines of JSON, as the documents describe them

described() { # how many tables of fields come before: the fields of the next one
  awk -v skip="$1" '/^#/ { on = /Lines of JSON/ } !on { next } /^\| field/ { k++ } k == skip + 1 && /^\| `/ { split($0, c, "|"); gsub(/[` ]/, "", c[2]); gsub(/,/, "\n", c[2]); print c[2] }' "$root/examples/README.md" | sort
}
fields() { grep -o '"[a-z_]*": ' | tr -d '": ' | sort -u; }
"$bin/compress" $first --h 50 --test-csv last.csv --jsonl run.jsonl --every 5 >out 2>err && head -n 1 run.jsonl | fields >a && described 0 | cmp -s - a &&
  sed 1d run.jsonl | fields >b && described 1 | cmp -s - b && [ -s a ] && [ -s b ]
result json_is_described $?
[ "$(grep -c '"program": "compress"' run.jsonl)" = 1 ] && sed -n 1p run.jsonl | grep -q '^{"program": "compress", "version": "[0-9.]*", .*"data": "first.csv", "test_data": "last.csv", .*"standardise": true, .*"p": 200, "test_size": 100, "d": 4, "d_par": null, .*}$' &&
  sed -n 2p run.jsonl | grep -q '^{"step": 0, "t": 0, "t_over_h": 0, "t_over_tau": 0, "dt": 0, "loss": 1[.0-9]*, "test_error": null, "lambda": null, "sliding": 0, "unsatisfied": 200}$' && sed -n 3p run.jsonl | grep -q '"step": 5, '
result json_first_lines $?
awk -F'"t": |, "t_over_h": |, "t_over_tau": |, "dt"' 'NR > 2 { h = $2 / $3; tau = $2 / $4; if (h < 49.999 || h > 50.001 || tau < 70.710 || tau > 70.711) exit bad = 1 } END { exit bad || NR < 5 }' run.jsonl
result json_times $?
"$bin/compress" --p 40 --h 30 --test-size 100 --jsonl times.jsonl --times log:10:1000:3 --t-max 1500 >out 2>err && [ "$(sed -n 's/.*"t": \([^,]*\), .*/\1/p' times.jsonl | tr '\n' ' ')" = '0 10 100 1000 1500 ' ] &&
  "$bin/compress" --p 40 --h 30 --test-size 100 --jsonl times.jsonl --times lin:100:200:3 --t-max 200 >out 2>err && [ "$(sed -n 's/.*"t": \([^,]*\), .*/\1/p' times.jsonl | tr '\n' ' ')" = '0 100 150 200 ' ] &&
  [ -z "$(ls "$dir" | grep '^invman')" ]
result times_are_hit $?
refuses times_of_no_kind "--times: 'sqrt:1:2:3' is not lin:A:B:N or log:A:B:N" compress --times sqrt:1:2:3 --jsonl t
refuses times_nowhere '--times: --jsonl says where' compress --times lin:1:2:3
refuses times_backwards '--times: the last is not larger' compress --times lin:3:2:3 --jsonl t

# ---- runs that outlive their shell: stopped by TERM or killed, and resumed

run='--p 300 --h 1000 --test-size 500'
"$bin/compress" $run --save whole.flow --jsonl whole.jsonl >one 2>err
for signal in TERM KILL; do
  rm -f part.flow part.jsonl
  "$bin/compress" $run --save part.flow --save-every 0.001 --jsonl part.jsonl >out 2>err &
  until [ -s part.flow ] || ! kill -0 $! 2>/dev/null; do sleep 0.05; done
  kill -$signal $! 2>/dev/null
  wait $! 2>/dev/null
  status=$?
  case $signal in
  TERM) [ $status = 3 ] && grep -q '^status *stopped.*: the signal TERM$' out ;;
  KILL) [ $status -gt 128 ] ;;
  esac && [ -s part.flow ] && "$bin/compress" $run --resume part.flow --save ended.flow --jsonl part.jsonl >out 2>err && cmp -s whole.flow ended.flow &&
    tail -n 1 whole.jsonl >a && tail -n 1 part.jsonl | cmp -s - a && [ "$(grep -c '"resumed": "part.flow"' part.jsonl)" = 1 ] && [ "$(grep -c '"step": 0,' part.jsonl)" = 1 ]
  result "resumed_after_$signal" $?
done
refuses save_every_nowhere '--save-every: --save says where' compress --save-every 3

# ---- parts of a sweep, as tasks of an array job

curve() { "$bin/learning_curve" --p 20,40 --seeds 1:3 --h 100 --test-size 200 --methods feature,lazy "$@"; }
curve --out curve.jsonl --csv curve.csv >out 2>err
for i in 1 2 3; do curve --out parts.jsonl --task $i/3 >part$i 2>err || break; done
[ "$(cat parts.jsonl.[123]-of-3 | sort)" = "$(sort curve.jsonl)" ] && [ "$(wc -l <parts.jsonl.2-of-3)" = 4 ] && [ ! -e parts.jsonl ] &&
  curve --out parts.jsonl --csv parts.csv >out 2>err && grep -q '; 12 of 12 results' out && cmp -s curve.csv parts.csv
result tasks_of_a_curve $?
head -c -20 parts.jsonl.1-of-3 >torn && mv torn parts.jsonl.1-of-3
curve --out parts.jsonl --task 1/3 >out 2>err && grep -q '; 11 of 12 results' out && [ "$(cat parts.jsonl.[123]-of-3 | sort)" = "$(sort curve.jsonl)" ]
result tasks_go_on $?
scan() { "$bin/figure_scan" lambda --d 3 --p 64,128 --seeds 1:3 --h 50 "$@"; }
scan --out scan >out 2>err
for i in 1 2; do scan --out scans --task $i/2 >out 2>err || break; done
[ "$(ls scans | tr '\n' ' ')" = 'runs.jsonl.1-of-2 runs.jsonl.2-of-2 ' ] && scan --out scans >out 2>err && grep -q '; 6 of 6 runs' out && cmp -s scan/lambda_vs_p.csv scans/lambda_vs_p.csv
result tasks_of_a_scan $?
awk 'BEGIN { printf "\\0\\0\\10\\3\\0\\0\\0\\100\\0\\0\\0\\10\\0\\0\\0\\10"; for (i = 0; i < 64; i++) for (j = 0; j < 64; j++) printf "\\%o", (i % 2 ? j % 8 : 7 - j % 8) * 30 + i * j % 7 }' >images.oct
awk 'BEGIN { printf "\\0\\0\\10\\1\\0\\0\\0\\100"; for (i = 0; i < 64; i++) printf "\\%o", i % 2 }' >labels.oct
printf "$(cat images.oct)" >images
printf "$(cat labels.oct)" >labels
digits() { "$bin/mnist" --images images --labels labels --p 20,24 --seeds 1:2 --h 2 --step-max 3 "$@"; }
timeless() { cut -d, -f1-3,5- "$1" | sort; } # without the seconds
digits --out digits >out 2>err
for i in 1 2; do digits --out parts --task $i/2 >out 2>err; done
digits --out parts >out 2>err && timeless digits/errors.csv >a && [ "$(wc -l <a)" = 6 ] && timeless parts/errors.csv | cmp -s - a && [ "$(wc -l <parts/errors.csv.2-of-2)" = 4 ]
result tasks_of_mnist $?
refuses task_nowhere '--task: --out says where' learning_curve --task 1/2
refuses task_too_large '--task: there is no task 3 of 2' figure_scan lambda --task 3/2 --out t
refuses task_csv '--csv: the curves are those of all tasks' learning_curve --task 1/2 --out t --csv c
exit $failed
