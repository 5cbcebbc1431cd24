# Figures 2 and 7 (bottom): test error against the number of training points, per method, and the predicted slopes.
#   learning_curve --csv DIR/learning_curve.csv
#   gnuplot -e "dir='DIR'; out='FILE.svg'" learning_curve.gp
if (!exists("dir")) dir = '.'
if (!exists("out")) out = 'learning_curve.svg'
set terminal svg size 960,400 font 'sans,13' background rgb 'white' rounded
set output out
set encoding utf8
set datafile separator ','
set datafile columnheaders

file = dir.'/learning_curve.csv'
array colour[6] = ['#0072b2', '#d55e00', '#e69f00', '#cc79a7', '#009e73', '#56b4e9']
tint(i) = colour[(i - 1) % 6 + 1]

# The kinds of rows that there are, in order: a panel for each of `panels`, a curve for each of `methods`.
panels = ''
methods = ''
from = 1e300
to = 0
low = 1e300
high = 0
word_in(list, key) = strstrt(list.' ', ' '.key.' ') > 0
panel(x) = strcol('model').':'.strcol('d')
see(p, e) = (word_in(panels, panel(0)) ? 0 : (panels = panels.' '.panel(0)), \
  word_in(methods, strcol('method')) ? 0 : (methods = methods.' '.strcol('method')), \
  p < from ? from = p : 0, p > to ? to = p : 0, e > 0 && e < low ? low = e : 0, e > high ? high = e : 0, 0)
set table $nothing
plot file using (see(column('p'), column('error_median'))):(0) with table
unset table

beta_lazy(d) = d/(3.0*d - 2)
beta_feature(model, d) = model eq 'cylinder' ? (d + 0.5*(d - 2))/(3.0*d - 2) : (2.0*d - 1)/(3.0*d - 2)
# c p^-beta through the last point of the feature and of the lazy curve, moved a little away from them
array level[2] = [0, 0]
array most[2] = [0, 0]
anchor(k, p, e, beta) = p >= most[k] ? (most[k] = p, level[k] = e*p**beta) : 0

unset mxtics
unset mytics
set logscale xy
set format y '10^{%T}'
set xrange [from/1.4:to*1.4]
set yrange [low/2:high*1.5]
set xlabel 'training points p'
set key bottom left Left reverse samplen 2
count = words(panels)
set multiplot layout 1,count margins 0.07,0.985,0.14,0.97 spacing 0.03,0
set ylabel 'test error' offset 1,0
do for [i=1:count] {
  here = word(panels, i)
  model = here[1:strstrt(here, ':')-1]
  d = here[strstrt(here, ':')+1:*] + 0
  beta = beta_feature(model, d)
  do for [k=1:2] {
    most[k] = 0
    level[k] = 0
  }
  set table $nothing
  plot file using (panel(0) eq here && strcol('method') eq 'feature' ? anchor(1, column('p'), column('error_median'), beta) : 0, \
                   panel(0) eq here && strcol('method') eq 'lazy' ? anchor(2, column('p'), column('error_median'), beta_lazy(d)) : 0, 1):(1) \
                     with table
  unset table
  set label 1 model.', d = '.sprintf('%d', d) at graph 0.96,0.94 right
  only(method, x) = panel(0) eq here && strcol('method') eq method ? column(x) : NaN
  plot for [m=1:words(methods)] file using (only(word(methods, m), 'p')):(column('error_median')):(column('error_q1')):(column('error_q3')) \
         with yerrorlines lw 1.7 pt 7 ps 0.6 lc rgb tint(m) title (i == 1 ? word(methods, m) : '') noenhanced, \
       0.8*level[1]*x**-beta with lines lw 1.5 dt 2 lc rgb 'black' title sprintf('slope −%.3g', beta), \
       1.25*level[2]*x**-beta_lazy(d) with lines lw 1.5 dt 4 lc rgb 'black' title sprintf('slope −%.3g', beta_lazy(d))
  unset ylabel
  set format y ''
}
unset multiplot
