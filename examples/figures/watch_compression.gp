# A run in the feature regime: amplification and angle, the tangent kernel, the linear pieces, growth and error in time.
#   watch_compression --out DIR/watch.csv
#   gnuplot -e "dir='DIR'; out='FILE.svg'" watch_compression.gp
if (!exists("dir")) dir = '.'
if (!exists("out")) out = 'watch_compression.svg'
set terminal svg size 960,640 font 'sans,13' background rgb 'white' rounded
set output out
set encoding utf8
set datafile separator ','
set datafile columnheaders

file = dir.'/watch.csv'
blue = '#0072b2'
red = '#d55e00'
green = '#009e73'
pink = '#cc79a7'
orange = '#e69f00'
later(x) = column('t_over_h') > 0 ? x : NaN # the axis is logarithmic

set tics nomirror
unset mxtics
unset mytics
set logscale x
set xrange [0.05:*] noextend
set format x ''
set multiplot layout 2,2 margins 0.085,0.985,0.1,0.97 spacing 0.09,0.06

set logscale y
set ylabel 'amplification; degrees' offset 1,0
set key center left Left reverse samplen 2
plot file using 't_over_h':(later(column('lambda'))) with linespoints lw 1.7 pt 7 ps 0.4 lc rgb blue title 'Λ', \
     file using 't_over_h':(later(column('lambda_g'))) with linespoints lw 1.7 pt 6 ps 0.4 lc rgb red title 'Λ_g, metric', \
     file using 't_over_h':(later(column('angle'))) with linespoints lw 1.7 pt 4 ps 0.4 lc rgb green title 'angle to x_∥'

unset logscale y
set ylabel 'tangent kernel' offset 1,0
set yrange [0:3]
set key top right
plot file using 't_over_h':(later(column('entropy'))) with linespoints lw 1.7 pt 7 ps 0.4 lc rgb blue title 'entropy', \
     file using 't_over_h':(later(column('effective_dimension')/10)) with linespoints lw 1.7 pt 6 ps 0.4 lc rgb red title 'd_{eff}/10', \
     file using 't_over_h':(later(column('cka'))) with linespoints lw 1.7 pt 4 ps 0.4 lc rgb green title 'CKA with the start', \
     file using 't_over_h':(later(10*column('alignment'))) with linespoints lw 1.7 pt 5 ps 0.4 lc rgb pink title '10 alignment'

set format x '10^{%T}'
set xlabel 't/h'
set ylabel 'neurons that switch' offset 1,0
set yrange [0:*]
set key top left Left reverse
plot file using 't_over_h':(later(column('crossings_par'))) with linespoints lw 1.7 pt 7 ps 0.4 lc rgb blue title 'along x_∥', \
     file using 't_over_h':(later(column('crossings_perp'))) with linespoints lw 1.7 pt 6 ps 0.4 lc rgb red title 'along x_⊥'

set logscale y
set format y '10^{%T}'
set autoscale y
set ylabel 'per t/h; share; ratio' offset 1,0
set key bottom left
plot file using 't_over_h':(later(column('growth'))) with linespoints lw 1.7 pt 7 ps 0.4 lc rgb blue title 'fastest growth', \
     file using 't_over_h':(later(column('test_error'))) with linespoints lw 1.7 pt 6 ps 0.4 lc rgb red title 'test error', \
     file using 't_over_h':(later(column('nc1'))) with linespoints lw 1.7 pt 4 ps 0.4 lc rgb green title 'NC1, last layer'
unset multiplot
