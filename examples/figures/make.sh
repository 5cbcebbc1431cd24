#!/bin/sh
# Every figure: make.sh BUILD PRESET writes CSVs, SVGs and index.html into BUILD/figures. Those of the convolutional
# network need digits in BUILD/digits: the 60000 of train-*, or the 10000 of t10k-*.
# PRESET: quick (fewer points, neurons and seeds than the paper; some minutes) or paper (hours; a rerun goes on).
set -u
build=$1 preset=${2:-quick}
scripts=$(dirname "$0")
out=$build/figures
[ "$preset" = quick ] || [ "$preset" = paper ] || { echo "PRESET is quick or paper, not $preset" >&2; exit 2; }
[ "$preset" = quick ] || out=$build/figures-paper
mkdir -p "$out" || exit 1
failed=0

run() { # a program of the build directory, its options
  echo "$*"
  program=$1
  shift
  "$build/$program" "$@" >"$out/$program.log" || [ $? = 1 ] || failed=1 # 1: a run above zero loss, which its CSV says
}

if [ "$preset" = quick ]; then
  wide=1000 lambda_p=128,256,512,1024,2048 lambda_seeds=1:11 cylinder_seeds=1:11 curve_p=128,2048 curve_c=2048
  learn_p=64,128,256,512,1024 learn_seeds=1:7 learn_c=1:7 spectrum_p=1000 alphas=1e-16:1e8:13 alpha_seeds=1:3
  digits_p=100,200,400 digits_seeds=1:2 trap_seeds=1:3 trap_taus=25
else
  wide=10000 lambda_p=51,103,206,411,825,1650,3300,4640,9900 lambda_seeds=1:20 cylinder_seeds=1:49 curve_p=411,4640
  curve_c=411,3300 learn_p=51,103,206,411,825,1650,3300,4640 learn_seeds=1:20 learn_c=1:9 spectrum_p=1000
  alphas=1e-16:1e8:25 alpha_seeds=1:5
  digits_p=200,500,1000,2000 digits_seeds=1:5 trap_seeds=1:20 trap_taus=49
fi
run figure_run arrows --model stripe --p 1000 --h 10000 --out "$out"
run figure_run arrows --model cylinder --p 1000 --h 10000 --out "$out"
run figure_run neurons --p 10000 --h 1000 --out "$out"
run figure_run fit --p 10000 --h 1000 --out "$out"
methods=feature,lazy,lazy-compressed,ntk-end
for d in 5 10; do
  run learning_curve --d $d --p $learn_p --seeds $learn_seeds --h $wide --methods $methods --out "$out/curves.jsonl" --csv "$out/curve_stripe_$d.csv"
done
run learning_curve --model cylinder --p $learn_p --seeds $learn_c --h $wide --methods $methods --out "$out/curves.jsonl" --csv "$out/curve_cylinder_3.csv"
run figure_scan lambda --d 5,10 --p $lambda_p --curve-p $curve_p --seeds $lambda_seeds --h $wide --out "$out/stripe"
run figure_scan lambda --model cylinder --p $lambda_p --curve-p $curve_c --seeds $cylinder_seeds --h $wide --out "$out/cylinder"
run kernel --p $spectrum_p --h $wide --phi "$out/phi.csv" --spectrum "$out/spectrum.csv"
run watch_compression --h $wide --every 1.2 --out "$out/watch.csv"
run watch_compression --flip 0.05 --every 1.1 --test-size 10000 --out "$out/flip.csv"
run homogeneity_trap --seeds $trap_seeds --tau-range 0.1:30:$trap_taus --out "$out"
run figure_scan alpha --h $wide --seeds $alpha_seeds --alpha-range $alphas --out "$out/alpha"

digits=
for set in t10k train; do
  [ ! -f "$build/digits/$set-images-idx3-ubyte" ] || digits=$build/digits/$set
done
largest=${digits_p##*,}
if [ -n "$digits" ]; then
  mkdir -p "$out/digits"
  run mnist --images "$digits-images-idx3-ubyte" --labels "$digits-labels-idx1-ubyte" --p $digits_p --seeds $digits_seeds --out "$out/digits"
  for file in spectrum phi; do cp "$out/digits/${file}_${largest}_1.csv" "$out/digits/$file.csv"; done
else
  echo "skip digits: give MNIST=DIRECTORY with the IDX files (.gz or not)"
fi

# ---- plots

draw() { # script, directory of its CSVs, name
  gnuplot -e "dir='$2'; out='$out/$3.svg'" "$scripts/$1.gp" 2>"$out/gnuplot.log" || { sed 's/^/  /' "$out/gnuplot.log"; failed=1; }
}
if command -v gnuplot >/dev/null; then
  [ -z "$digits" ] || { draw mnist "$out/digits" digits; draw spectrum "$out/digits" digits_spectrum; }
  for figure in arrows_stripe arrows_cylinder neurons fit spectrum watch_compression flip homogeneity_trap; do draw $figure "$out" $figure; done
  draw alpha "$out/alpha" alpha
  for model in stripe cylinder; do draw lambda "$out/$model" lambda_$model; done
  for curve in stripe_5 stripe_10 cylinder_3; do
    mkdir -p "$out/$curve" && cp "$out/curve_$curve.csv" "$out/$curve/learning_curve.csv"
    draw learning_curve "$out/$curve" curve_$curve
  done
else
  echo "skip plots: no gnuplot (Debian: gnuplot-nox); the CSVs are in $out"
fi

# ---- the page

table() { # a CSV as a table, its comments as parameters below
  [ -f "$1" ] || return 0
  awk -F, 'function text(s) { gsub(/&/, "\\&amp;", s); gsub(/</, "\\&lt;", s); return s }
    /^#/ { sub(/^# */, ""); notes = notes text($0) "<br>"; next }
    { for (line = ""; match($0, /"[^"]*"/); $0 = substr($0, RSTART + RLENGTH)) { # commas in quotes are text
        cell = substr($0, RSTART + 1, RLENGTH - 2); gsub(/,/, "\001", cell); line = line substr($0, 1, RSTART - 1) cell }
      $0 = line $0; cell = seen ? "td" : "th"; if (!seen) print "<div class=\"wide\"><table>"; seen = 1
      printf "<tr>"; for (i = 1; i <= NF; i++) { gsub(/\001/, ",", $i); printf "<%s>%s</%s>", cell, text($i), cell }; print "</tr>" }
    END { if (seen) print "</table></div>"; if (notes) print "<details><summary>parameters</summary>" notes "</details>" }' "$1"
}
exponents() { # the exponents noted in the comments of learning curves
  echo '<div class="wide"><table><tr><th>method</th><th>model</th><th>predicted</th><th>measured</th><th>95 % interval</th><th>prediction</th></tr>'
  sed -n 's/^# exponent \([^ ]*\) \([^:]*\): predicted \([^,]*\), measured \([^,]*\), interval \([^ ]*\) to \([^ ]*\)$/\1 \2 \3 \4 \5 \6/p' "$@" |
    awk '{ print "<tr><td>" $1 "</td><td>" $2 " " $3 "</td><td>" $4 "</td><td>" $5 "</td><td>" $6 " to " $7 "</td><td>" \
      ($6 == "-inf" || $7 == "inf" ? "too few seeds" : $4 >= $6 && $4 <= $7 ? "inside" : $4 < $6 ? "outside, below by " $6 - $4 : "outside, above by " $4 - $7) "</td></tr>" }'
  echo '</table></div>'
}
figure() { # number, name, caption; tables follow on standard input
  echo "<section><h2>$1</h2>"
  [ ! -f "$out/$2.svg" ] || echo "<img src=\"$2.svg\" alt=\"$1\">"
  echo "<p>$3</p>"
  cat
  echo "</section>"
}
if [ "$preset" = quick ]; then size='Quick preset: fewer neurons (h = 1000 where the paper has 10000), points and seeds than the paper, as said below each.'
else size="The paper's parameters."; fi
{
  cat <<HEAD
<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Compressing invariant manifolds: theory beside measurement</title><style>
body{font:16px/1.5 sans-serif;max-width:60rem;margin:0 auto;padding:1rem;color:#222}
img{width:100%;height:auto}h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2.5rem;border-top:1px solid #ccc;padding-top:1rem}
.wide{overflow-x:auto}table{border-collapse:collapse;font-size:.85rem}td,th{padding:.15rem .6rem;border-bottom:1px solid #ddd;text-align:left;white-space:nowrap}
details{font-size:.8rem;color:#555;margin:.5rem 0;overflow-wrap:anywhere}</style></head><body>
<h1>Compressing invariant manifolds: theory beside measurement</h1>
<p>The paper's figures, made by invman.h. $size Exponents are of medians over the seeds; intervals
are 95 % by bootstrap over the seeds; a prediction is inside one or it is not.</p>
HEAD
  table "$out/arrows_stripe_verdict.csv" | figure 'Figure 1: stripe, beta omega at the start, at t* and at the end' arrows_stripe 'Training points by label, and beta omega of 300 neurons, scaled by the largest. d = 2, p = 1000, h = 10000, alpha = 1e-6.'
  exponents "$out"/curve_stripe_*.csv | figure 'Figure 2: test error against p, stripe' curve_stripe_5 'd = 5: the network, the lazy flow (infinite width), the lazy flow on points compressed by Lambda*, and the frozen kernel of the end. Dashed: predictions.'
  figure 'Figure 2, d = 10' curve_stripe_10 'As above, d = 10.' </dev/null
  { table "$out/attractors.csv"; table "$out/neurons_verdict.csv"; } | figure 'Figure 3: neurons before t*' neurons "d = 2, p = 10000. A neuron's weights against its equations; d C_b + zeta C_1 for both signs of omega_1, attractors where it crosses zero downhill; trajectories in the plane."
  table "$out/times.csv" | figure 'Figure 4: fitting the stripe' fit 'd = 2, p = 10000: the predictor along e_1 at three times with the neurons below; loss and test error in time.'
  table "$out/stripe/lambda_exponents.csv" | figure 'Figure 5: amplification, stripe' lambda_stripe 'Lambda in time; Lambda* and its maximum against p. Predicted slope: 1/2.'
  table "$out/arrows_cylinder_verdict.csv" | figure 'Figure 6: cylinder, beta omega' arrows_cylinder 'd = 3, p = 1000: sections x_perp = 0 and x_par = 0.'
  table "$out/cylinder/lambda_exponents.csv" | figure 'Figure 7, top: amplification, cylinder' lambda_cylinder 'd = 3. Predicted slope: 1/2.'
  exponents "$out/curve_cylinder_3.csv" | figure 'Figure 7, bottom: test error against p, cylinder' curve_cylinder_3 'd = 3. Predictions: 3/7 lazy, 1/2 features.'
  table "$out/spectrum.csv" | figure 'Figures 9 (a, b) and 10 (top): what the eigenvectors know' spectrum 'Stripe, d = 5, p = 1000, kernels on fresh points: mutual information of the first ten eigenvectors with the label (its null value beside it), omega^2, and the points in the plane of the first two.'
  if [ -n "$digits" ]; then
    table "$out/digits/errors.csv" | figure 'Figure 8: digits, the convolutional network and its kernels' digits 'Parity of MNIST digits, h = 10, alpha = 2e-3: test error of the network and of what its frozen kernels learn from fresh images; means over the seeds.'
    table "$out/digits/spectrum.csv" | figure 'Figures 9 (c, d) and 10 (bottom): what the eigenvectors know of digits' digits_spectrum "The kernels of the run with p = $largest, on as many fresh images."
  fi
  table "$out/alpha/alpha_verdict.csv" | figure 'Figure 11: from features to lazy' alpha 'd = 10, p = 1000: test error (dashed: the frozen kernel), t*, Lambda* and its maximum against alpha.'
  figure 'Beyond the paper: a run, watched' watch_compression 'Stripe, d = 5, p = 411: Lambda of the weights and of the metric of the features, and the angle of the learned direction to e_1; spectral entropy, effective dimension, alignment with the labels and CKA of the tangent kernel; neurons that switch on a segment along e_1 and across; growth of the fastest neuron, test error, neural collapse (NC1) of the last layer.' </dev/null
  figure 'Beyond the paper: what fitting the last points costs' flip 'Stripe, d = 5, p = 411, h = 1000; one training label in twenty is flipped. The test error is at its least long before the last points are fitted.' </dev/null
  figure 'Beyond the paper: doubly stochastic mixing' homogeneity_trap 'In the sense of arXiv 2601.02080, n = 32: the share sigma_2 of the detail that a layer keeps, against temperature, with bounds; layers until LayerNorm hands on noise (mean cosine below 1/2), measured and predicted; what a residual connection at tau = 1 trades for depth.' </dev/null
  echo '</body></html>'
} >"$out/index.html.tmp" && mv "$out/index.html.tmp" "$out/index.html" || failed=1
echo "$out/index.html"
exit $failed
