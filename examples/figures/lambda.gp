# Figures 5 and 7 (top): Lambda in time, and Lambda* and Lambda_max against the number of training points.
#   figure_scan lambda --d 5,10 --curve-p 411,4640 --out DIR
#   gnuplot -e "dir='DIR'; out='FILE.svg'" lambda.gp
if (!exists("dir")) dir = '.'
if (!exists("out")) out = 'lambda.svg'
set terminal svg size 960,400 font 'sans,13' background rgb 'white' rounded
set output out
set encoding utf8
set datafile separator ','

in_time = dir.'/lambda_vs_t.csv'
by_points = dir.'/lambda_vs_p.csv'
array colour[6] = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9']
tint(i) = colour[(i - 1) % 6 + 1]

set datafile columnheaders
d = 'd [1]'
p = 'p [points]'
# The kinds of rows that there are, in order: the words of `series`.
note(key) = strstrt(series.' ', ' '.key.' ') ? 0 : (series = series.' '.key, 0)

unset mxtics
unset mytics
set format xy '10^{%T}'
set multiplot layout 1,2 margins 0.07,0.985,0.14,0.97 spacing 0.09,0

file = in_time
t = 't [tau]'
mean = 'lambda mean [1]'
tstar = 't_star mean [tau]'
key(x) = strcol('model').':d='.strcol(d).':p='.strcol(p)
series = ''
set table $nothing
plot file using (note(key(0))):(0) with table
unset table

series_label(key) = (c = strstrt(key, ':'), rest = key[c+1:*], e = strstrt(rest, ':'), \
  key[1:c-1].', d = '.(e ? rest[3:e-1].', p = '.rest[e+3:*] : rest[3:*]))
if (words(series) > 0) {
  # red ticks: the mean t* of each
  do for [k=1:words(series)] {
    at = 0
    height = 0
    take(x) = (at = column(tstar), height = column(mean), 0)
    set table $nothing
    plot file using (key(0) eq word(series, k) && height == 0 && column(t) >= column(tstar) ? take(0) : 0):(0) \
           with table
    unset table
    if (height > 0) {
      set arrow k from at, height/1.4 to at, height*1.4 nohead lw 3 lc rgb 'red' front
    }
  }
  set logscale xy
  set xlabel 't/τ'
  set ylabel 'Λ' offset 1,0
  set xrange [1:*]
  set key bottom right samplen 2
  # points nearer than 2 % in time are left out: the file stays small
  set datafile missing NaN
  last = 0
  far(x) = x < last || x > 1.02*last ? (last = x, x) : NaN
  plot for [k=1:words(series)] file using (key(0) eq word(series, k) ? far(column(t)) : NaN):(column(mean)) \
    with lines lw 2 lc rgb tint(k) title series_label(word(series, k)) noenhanced
  unset arrow
  unset logscale
  set autoscale x
  set datafile missing
} else {
  set multiplot next
}

file = by_points
array star[3] = ['lambda_star median [1]', 'lambda_star q1 [1]', 'lambda_star q3 [1]']
array most[3] = ['lambda_max median [1]', 'lambda_max q1 [1]', 'lambda_max q3 [1]']
key(x) = strcol('model').':d='.strcol(d)
series = ''
low = 1e300
high = 0
from = 1e300
to = 0
see(p, value, top) = (value/sqrt(p) < low ? low = value/sqrt(p) : 0, top > high ? high = top : 0, p < from ? from = p : 0, p > to ? to = p : 0, 0)
set table $nothing
plot file using (note(key(0)) + see(column(p), column(star[1]), column(most[1]))):(0) with table
unset table
if (words(series) > 0) {
  set logscale xy
  set xlabel 'training points p'
  set ylabel 'Λ^*, Λ_{max}' offset 1,0
  set xrange [from/1.4:to*1.4]
  set yrange [0.5*low*sqrt(from):high*9]
  set key top left Left reverse samplen 2
  only(k, x) = key(0) eq word(series, k) ? column(x) : NaN
  plot for [k=1:words(series)] file using (only(k, p)):(column(star[1])):(column(star[2])):(column(star[3])) \
         with yerrorlines lw 1.7 pt 7 ps 0.8 lc rgb tint(k) title series_label(word(series, k)), \
       keyentry with linespoints lw 1.7 pt 7 ps 0.8 lc rgb '#555555' title 'Λ^*', \
       keyentry with linespoints lw 1.2 dt 2 pt 6 ps 0.8 lc rgb '#555555' title 'Λ_{max}', \
       for [k=1:words(series)] file using (only(k, p)):(column(most[1])):(column(most[2])):(column(most[3])) \
         with yerrorlines lw 1.2 dt 2 pt 6 ps 0.8 lc rgb tint(k) notitle, \
       [from:to] 0.7*low*sqrt(x) with lines lw 1.5 dt 4 lc rgb 'black' title 'slope 1/2'
}
unset multiplot
