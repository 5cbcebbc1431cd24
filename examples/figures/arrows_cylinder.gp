# Figure 6: the arrows beta omega over the training points of the cylinder, in the plane that matters for the label
# and in one across it, at the start and at the end.
#   figure_run arrows --model cylinder --out DIR
#   gnuplot -e "dir='DIR'; out='FILE.svg'" arrows_cylinder.gp
if (!exists("dir")) dir = '.'
if (!exists("out")) out = 'arrows_cylinder.svg'
set terminal svg size 960,310 font 'sans,13' background rgb 'white' rounded
set output out
set encoding utf8
set datafile separator ','

arrows = dir.'/arrows_cylinder.csv'
points = dir.'/points_cylinder.csv'
reach = 2.6   # length of an arrow of size 1
dot = 0.008   # a point is a line as short as this, which keeps the file small
headed = 0.2 # shorter arrows have no head, and those that would be dots are left out
radius = 1.17741
size(k) = strcol('stage') eq stage[k] ? sqrt(column('arrow_1')**2 + column('arrow_'.up[k])**2) : 0
short(k) = size(k) > 0.04 && size(k) <= headed ? 0 : NaN
long(k) = size(k) > headed ? 0 : NaN

array stage[4] = ['start', 'end', 'start', 'end']
array step[4] = [3, 1, 3, 1] # at the start most arrows are long: a third of them is enough
array up[4] = ['2', '2', '3', '3']     # the input drawn upwards
array across[4] = ['3', '3', '2', '2'] # the input across the picture: only points near 0 are shown

set size square
set xrange [-3:3]
set yrange [-3:3]
set tics 2
set xlabel 'x_1' offset 0,0.3
unset key
set label 2 '●  y = +1' at screen 0.3,0.95 tc rgb '#4aa3d8'
set label 3 '●  y = −1' at screen 0.42,0.95 tc rgb '#e08e1b'
set label 4 '→  βω / max |β||ω|' at screen 0.54,0.95

set multiplot layout 1,4 margins 0.05,0.99,0.16,0.9 spacing 0.045,0
do for [k=1:4] {
  if (k < 3) {
    set object 1 circle at 0,0 size radius fs empty border lc rgb '#888888' dt 2 back
  } else {
    unset object
    set arrow 1 from -radius,-3 to -radius,3 nohead dt 2 lc rgb '#888888' back
    set arrow 2 from radius,-3 to radius,3 nohead dt 2 lc rgb '#888888' back
  }
  set label 1 stage[k] at -2.8,2.6 front
  set ylabel 'x_'.up[k] offset 1.3,0
  side(sign) = abs(column('x_'.across[k])) < 0.5 && sign*column('label') > 0 ? column('x_1') : NaN
  plot points using (side(1)):(column('x_'.up[k])):(dot):(0) every 4 with vectors nohead lw 4 lc rgb '#9fd0ee', \
       points using (side(-1)):(column('x_'.up[k])):(dot):(0) every 4 with vectors nohead lw 4 lc rgb '#f5c98a', \
       arrows using (short(k)):(0):(reach*column('arrow_1')):(reach*column('arrow_'.up[k])) every step[k] \
         with vectors nohead lw 1 lc rgb '#222222', \
       arrows using (long(k)):(0):(reach*column('arrow_1')):(reach*column('arrow_'.up[k])) every step[k] \
         with vectors head nofilled size 0.16,25 lw 1 lc rgb '#222222'
  unset for [i=2:4] label i
}
unset multiplot
