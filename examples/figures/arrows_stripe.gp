# Figure 1: the arrows beta omega over the training points of the stripe, at the start, at t* and at the end.
#   figure_run arrows --model stripe --out DIR
#   gnuplot -e "dir='DIR'; out='FILE.svg'" arrows_stripe.gp
if (!exists("dir")) dir = '.'
if (!exists("out")) out = 'arrows_stripe.svg'
set terminal svg size 960,370 font 'sans,13' background rgb 'white' rounded
set output out
set encoding utf8
set datafile separator ','

arrows = dir.'/arrows_stripe.csv'
points = dir.'/points_stripe.csv'
reach = 2.6   # length of an arrow of size 1
dot = 0.006   # a point is a line as short as this, which keeps the file small
headed = 0.08 # shorter arrows have no head, and those that would be dots are left out
size(k) = strcol('stage') eq stage[k] ? sqrt(column('arrow_1')**2 + column('arrow_2')**2) : 0
short(k) = size(k) > 0.02 && size(k) <= headed ? 0 : NaN
long(k) = size(k) > headed ? 0 : NaN

array stage[3] = ['start', 'tstar', 'end']
array step[3] = [3, 1, 1] # at the start all arrows are long: a third of them is enough
array label[3] = ['start', 't = t*', 'end']

set size square
set xrange [-3:3]
set yrange [-3:3]
set tics 2
set xlabel 'x_1' offset 0,0.3
set ylabel 'x_2' offset 1,0
set arrow 1 from -0.3,-3 to -0.3,3 nohead dt 2 lc rgb '#888888' back
set arrow 2 from 1.1854923,-3 to 1.1854923,3 nohead dt 2 lc rgb '#888888' back
unset key
set label 2 '●  y = +1' at screen 0.3,0.95 tc rgb '#4aa3d8'
set label 3 '●  y = −1' at screen 0.42,0.95 tc rgb '#e08e1b'
set label 4 '→  βω / max |β||ω|' at screen 0.54,0.95

set multiplot layout 1,3 margins 0.055,0.985,0.14,0.9 spacing 0.055,0
do for [k=1:3] {
  set label 1 label[k] at -2.85,2.65 front
  plot points using (column('label') > 0 ? column('x_1') : NaN):(column('x_2')):(dot):(0) every 5 \
         with vectors nohead lw 4 lc rgb '#9fd0ee', \
       points using (column('label') < 0 ? column('x_1') : NaN):(column('x_2')):(dot):(0) every 5 \
         with vectors nohead lw 4 lc rgb '#f5c98a', \
       arrows using (short(k)):(0):(reach*column('arrow_1')):(reach*column('arrow_2')) every step[k] \
         with vectors nohead lw 1 lc rgb '#222222', \
       arrows using (long(k)):(0):(reach*column('arrow_1')):(reach*column('arrow_2')) every step[k] \
         with vectors head nofilled size 0.12,25 lw 1 lc rgb '#222222'
  unset ylabel
  unset for [i=2:4] label i
}
unset multiplot
