# Figure 11: test error, t* and the amplification against the scale alpha of the predictor.
#   figure_scan alpha --out DIR
#   gnuplot -e "dir='DIR'; out='FILE.svg'" alpha.gp
if (!exists("dir")) dir = '.'
if (!exists("out")) out = 'alpha.svg'
set terminal svg size 960,360 font 'sans,13' background rgb 'white' rounded
set output out
set encoding utf8
set datafile separator ','

file = dir.'/alpha_scan.csv'
blue = '#0072b2'
red = '#d55e00'

set datafile columnheaders
alpha = 'alpha [1]'
frozen = 'frozen_error mean [1]'
tstar = 't_star mean [tau]'
tstar_error = 't_star stderr [tau]'
mean(q) = column(q.' mean [1]')
spread(q) = column(q.' stderr [1]')

# where t* is 1/alpha: at the largest alpha
largest = 0
scale = NaN
smallest = 1e300
see(a, t) = (a < smallest ? smallest = a : 0, a > largest ? (largest = a, scale = a*t) : 0, 0)
set table $nothing
plot file using (see(column(alpha), column(tstar))):(0) with table
unset table

set logscale x
unset mxtics
unset mytics
set xtics 1e4
set format x '10^{%T}'
set xlabel 'α'
set xrange [smallest/10:largest*10]
set bars 0.5

set multiplot layout 1,3 margins 0.075,0.985,0.16,0.96 spacing 0.07,0
set ylabel 'test error' offset 1,0
set yrange [0:*]
set key bottom right samplen 2
plot file using alpha:(mean('test_error')):(spread('test_error')) \
       with yerrorlines lw 1.7 pt 7 ps 0.7 lc rgb blue title 'network', \
     file using alpha:(column(frozen)) with lines lw 1.7 dt 2 lc rgb red title 'frozen kernel'

set logscale y
set format y '10^{%T}'
set autoscale y
set ylabel 't*/τ'
set key bottom left
plot file using alpha:(column(tstar)):(column(tstar_error)) with yerrorlines lw 1.7 pt 7 ps 0.7 lc rgb blue notitle, \
     [1:largest] scale/x with lines lw 1.5 dt 4 lc rgb 'black' title '1/α'

set ylabel 'Λ^*, Λ_{max}'
set yrange [0.5:*]
set key top right
plot file using alpha:(mean('lambda_star')):(spread('lambda_star')) \
       with yerrorlines lw 1.7 pt 7 ps 0.7 lc rgb blue title 'Λ^*', \
     file using alpha:(mean('lambda_max')):(spread('lambda_max')) \
       with yerrorlines lw 1.7 dt 2 pt 6 ps 0.7 lc rgb red title 'Λ_{max}', \
     1 with lines dt 3 lc rgb '#888888' notitle
unset multiplot
