# Doubly stochastic mixing: what a layer keeps of the detail against temperature, the depth at which LayerNorm's output
# is noise against the predicted one, and what a residual connection trades.
#   homogeneity_trap --out DIR
#   gnuplot -e "dir='DIR'; out='FILE.svg'" homogeneity_trap.gp
if (!exists("dir")) dir = '.'
if (!exists("out")) out = 'homogeneity_trap.svg'
set terminal svg size 960,360 font 'sans,13' background rgb 'white' rounded
set output out
set encoding utf8
set datafile separator ','
set datafile columnheaders

by_tau = dir.'/temperature.csv'
by_depth = dir.'/depth.csv'
by_share = dir.'/residual.csv'
array kind[5] = ['random', 'symmetric', 'diagonal', 'circulant', 'blocks']
array colour[5] = ['#0072b2', '#56b4e9', '#d55e00', '#009e73', '#cc79a7']
only(k, x) = strcol('logits') eq kind[k] ? column(x) : NaN
first = 1e300
see(seed) = (seed < first ? first = seed : 0, 0)
set table $nothing
plot by_tau using (see(column('seed'))):(0) with table
unset table
# of the first seed; where the sweeps have not converged there is no point
shown(k, x) = column('seed') == first && strcol('status') eq 'converged' ? only(k, x) : NaN

set tics nomirror
unset mxtics
unset mytics
set logscale xy
set xrange [*:*] noextend
set multiplot layout 1,3 margins 0.075,0.985,0.16,0.96 spacing 0.075,0
set format x '10^{%T}'
set format y '10^{%T}'
set xlabel 'temperature τ'
set ylabel 'σ_2' offset 1,0
set yrange [*:2]
set key bottom left Left reverse samplen 1.5
plot for [k=1:5] by_tau using (shown(k, 'tau')):(column('sigma_2')) with lines lw 1.7 lc rgb colour[k] title kind[k], \
     by_tau using (shown(1, 'tau')):(column('by_least')) with lines lw 1.3 dt 3 lc rgb '#555555' title 'random: 1 − n min M', \
     by_tau using (shown(1, 'tau')):(column('by_norm_high')) with lines lw 1.3 dt 2 lc rgb '#555555' title '  by |M|_F', \
     by_tau using (shown(1, 'tau')):(column('by_entropy')) with lines lw 1.3 dt 4 lc rgb '#555555' title '  by entropy', \
     by_tau using (shown(1, 'tau')):(column('limit')/column('tau')) with lines lw 1.3 dt 5 lc rgb 'black' title '  |PGP|/nτ'

set xlabel 'predicted depth, at most'
set ylabel 'layers until the signal is lost' offset 1,0
set xrange [1:1000]
set yrange [0.8:1200]
set key top left Left reverse samplen 1
last(k, x) = strcol('status') eq 'converged' ? only(k, x) : NaN
plot for [k=1:5] by_depth using (last(k, 'predicted')):(column('slowest')) with points pt 7 ps 0.5 lc rgb colour[k] notitle, \
     for [k=1:5] by_depth using (last(k, 'predicted')):(column('random')) with points pt 6 ps 0.6 lc rgb colour[k] notitle, \
     keyentry with points pt 7 ps 0.5 lc rgb '#555555' title 'slowest input', \
     keyentry with points pt 6 ps 0.6 lc rgb '#555555' title 'random input', \
     x with lines lw 1.3 dt 2 lc rgb 'black' title 'equal'

set xlabel '|M_a − 1|: what a layer does'
set ylabel 'layers until 1 % of the detail is left' offset 1,0
set xrange [0.005:3]
set yrange [1:*]
set key top right noreverse Right samplen 1.5
plot for [k=1:5] by_share using (only(k, 'change')):(column('depth')) with linespoints lw 1.5 pt 7 ps 0.5 lc rgb colour[k] title kind[k]
unset multiplot
