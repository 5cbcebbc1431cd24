# Figure 4: the predictor along x_1 and the neurons' kinks at three times; the loss and the test error in time.
#   figure_run fit --out DIR     (and figure_run neurons, whose attractors.csv is used where it is there)
#   gnuplot -e "dir='DIR'; out='FILE.svg'" fit.gp
if (!exists("dir")) dir = '.'
if (!exists("out")) out = 'fit.svg'
set terminal svg size 960,470 font 'sans,13' background rgb 'white' rounded
set output out
set encoding utf8
set datafile separator ','
set tics nomirror

predictor = dir.'/predictor.csv'
zeta = dir.'/zeta.csv'
curves = dir.'/curves.csv'
times = dir.'/times.csv'
array stage[3] = ['tstar', 'middle', 'end']
array colour[3] = ['#0072b2', '#009e73', '#d55e00']
grey = '#888888'

# when the three times were: t[1..3], with t* apart
array t[3] = [0, 0, 0]
tstar = 0
found(k) = (strcol('stage') eq stage[k] ? (t[k] = column('t_over_tau'), tstar = column('tstar_over_tau')) : 0, 0)
crosses = '' # where the attractors are
set table $nothing
plot times using (found(1) + found(2) + found(3)):(0) with table, \
     dir.'/attractors.csv' using (crosses = crosses.sprintf(' %g', column('z')), 0):(0) with table
unset table

# a number as it is read: 94, and 2.9 10^6
short(x) = x < 1e4 ? sprintf('%.3g', x) : sprintf('%.1f·10^{%d}', x/10**floor(log10(x)), floor(log10(x)))

set multiplot
set lmargin at screen 0.06
set rmargin at screen 0.47
set xrange [-3:3]
set yrange [-4:4]
set ytics -2,2,2
set xtics 1
set format x ''
unset key
set clip two
set arrow 1 from first -0.3, graph 0 to first -0.3, graph 1 nohead dt 2 lc rgb grey back
set arrow 2 from first 1.1854923, graph 0 to first 1.1854923, graph 1 nohead dt 2 lc rgb grey back
set xzeroaxis lc rgb '#bbbbbb'
set ylabel 'F(x_1, 0)' offset 1.5,0
dot = 0.005 # a point is a line as short as this, which keeps the file small
step = 6    # a sixth of the neurons is enough
cloud(n) = -3.8 + 0.7*(n*0.61803398875 - floor(n*0.61803398875))
held(F) = F > 4 ? 4.2 : F < -4 ? -4.2 : F # a predictor that leaves the picture leaves it upright
do for [k=1:3] {
  set tmargin at screen 0.985 - (k - 1)*0.285
  set bmargin at screen 0.985 - (k - 1)*0.285 - 0.27
  if (k == 3) {
    set format x '%g'
    set xlabel 'x_1, ζ_1' offset 0,0.4
  }
  set label 1 t[k] > 0 ? 't/τ = '.short(t[k]) : 'not reached' at graph 0.98,0.9 right tc rgb colour[k] front
  do for [i=1:words(crosses)] {
    if (k == 1) { set label i + 1 '' at word(crosses, i) + 0,-2.7 point pt 2 ps 0.8 lw 2 front } else { unset label i + 1 }
  }
  plot zeta using (strcol('stage') eq stage[k] && abs(column('zeta_1')) < 3 ? column('zeta_1') : NaN):\
         (cloud(column('neuron'))):(dot):(0) every step with vectors nohead lw 3 lc rgb colour[k], \
       predictor using 'x_1':(held(column('F_'.stage[k]))) every 3 with lines lw 2 lc rgb colour[k]
  unset label 1
}

set tmargin at screen 0.985
set bmargin at screen 0.145
set lmargin at screen 0.57
set rmargin at screen 0.985
unset arrow
unset xzeroaxis
set logscale xy
set xrange [1:*]
set yrange [1e-5:2]
set xtics auto
set ytics auto
unset mxtics
unset mytics
set format xy '10^{%T}'
set xlabel 't/τ' offset 0,0
set ylabel 'loss, test error'
set key at graph 0.97,0.9 right samplen 2
set datafile missing NaN # what is thinned out does not break a line
if (tstar > 0) set arrow 1 from first tstar, graph 0 to first tstar, graph 1 nohead lw 1.5 lc rgb 'red' back
if (tstar > 0) set label 1 't*' at first 1.15*tstar, graph 0.05 tc rgb 'red' front
do for [k=1:3] {
  if (t[k] > 0) { set arrow k + 1 from first t[k], graph 1 to first t[k], graph 0.94 nohead lw 3 lc rgb colour[k] front }
}
last = 0
far(x) = x > 1.05*last ? (last = x, x) : NaN
plot last = 0, \
     curves using (far(column('t_over_tau'))):(column('train_loss')) \
       with lines lw 2 lc rgb 'black' title 'training loss', \
     last = 0, \
     curves using (far(column('t_over_tau'))):(column('test_error')) \
       with lines lw 2 dt 2 lc rgb '#cc79a7' title 'test error'
unset multiplot
