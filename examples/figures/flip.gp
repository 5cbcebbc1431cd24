# What fitting the last points costs: loss, test error and Λ in time, one training label in twenty flipped.
#   watch_compression --flip 0.05 --every 1.1 --test-size 10000 --out DIR/flip.csv
#   gnuplot -e "dir='DIR'; out='FILE.svg'" flip.gp
if (!exists("dir")) dir = '.'
if (!exists("out")) out = 'flip.svg'
set terminal svg size 960,360 font 'sans,13' background rgb 'white' rounded
set output out
set encoding utf8
set datafile separator ','
set datafile columnheaders

file = dir.'/flip.csv'
blue = '#0072b2'
red = '#d55e00'
green = '#009e73'
later(x) = column('t_over_h') > 0 ? x : NaN # the axis is logarithmic

set tics nomirror
set logscale x
set xrange [1:*] noextend
set format x '10^{%T}'
set xlabel 't/h'
set multiplot layout 1,2 margins 0.075,0.985,0.16,0.95 spacing 0.09,0.06

set yrange [0:*]
set ylabel 'loss; share of the test points' offset 1,0
set key bottom left Left reverse samplen 2
plot file using 't_over_h':(later(column('loss'))) with lines lw 1.7 lc rgb green title 'training loss', \
     file using 't_over_h':(later(column('test_error'))) with lines lw 1.7 lc rgb red title 'test error'

set autoscale y
set ylabel 'Λ' offset 1,0
plot file using 't_over_h':(later(column('lambda'))) with lines lw 1.7 lc rgb blue notitle
unset multiplot
