# Figure 8: test error of the convolutional network and of its frozen kernels against p, means over the seeds.
#   mnist --images FILE --labels FILE --p LIST --seeds A:B --out DIR
#   gnuplot -e "dir='DIR'; out='FILE.svg'" mnist.gp
if (!exists("dir")) dir = '.'
if (!exists("out")) out = 'mnist.svg'
set terminal svg size 640,420 font 'sans,13' background rgb 'white' rounded
set output out
set encoding utf8
set datafile separator ','
set datafile columnheaders

file = dir.'/errors.csv'
set logscale xy
set xlabel 'training images p'
set ylabel 'test error' offset 1,0
set key outside right center Left reverse samplen 2
set grid ytics lc rgb '#dddddd'
array column_of[5] = ['net', 'all_start', 'all_end', 'last_start', 'last_end']
array title_of[5] = ['the network', 'kernel, start', 'kernel, end', 'last layer, start', 'last layer, end']
array colour[5] = ['#0072b2', '#e69f00', '#d55e00', '#56b4e9', '#009e73']
from = 1e300
to = 0
low = 1e300
high = 0
see(p, e) = (p < from ? from = p : 0, p > to ? to = p : 0, e > 0 && e < low ? low = e : 0, e > high ? high = e : 0, 0)
set table $nothing
plot for [i=1:5] file using (see(column('p'), column(column_of[i]))):(0) with table
unset table
set xrange [from/1.3:to*1.3]
set yrange [low/1.2:high*1.2]
set xtics (50, 100, 200, 500, 1000, 2000, 5000, 10000)
set ytics (0.02, 0.05, 0.1, 0.2, 0.3, 0.4)
array dash[5] = [1, 2, 1, 2, 1]
plot for [i=1:5] file using (column('p')):(column(column_of[i])) smooth unique with linespoints lw 1.7 pt 7 ps 0.7 \
       dt dash[i] lc rgb colour[i] title title_of[i], \
     for [i=1:5] file using (column('p')):(column(column_of[i])) with points pt 6 ps 0.4 lc rgb colour[i] notitle
