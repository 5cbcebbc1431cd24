# Figures 9 and 10: what the first eigenvectors of the kernels know of the label, and the points in the first two.
#   kernel --phi DIR/phi.csv --spectrum DIR/spectrum.csv
#   gnuplot -e "dir='DIR'; out='FILE.svg'" spectrum.gp
if (!exists("dir")) dir = '.'
if (!exists("out")) out = 'spectrum.svg'
set terminal svg size 960,400 font 'sans,13' background rgb 'white' rounded
set output out
set encoding utf8
set datafile separator ','
set datafile columnheaders

spectrum = dir.'/spectrum.csv'
phi = dir.'/phi.csv'
array colour[4] = ['#0072b2', '#e69f00', '#009e73', '#cc79a7']
tint(i) = colour[(i - 1) % 4 + 1]

# The kernels that there are, in order; and how many points, to show about 170 of each.
kernels = ''
points = 0
note(key) = strstrt(kernels.' ', ' '.key.' ') ? 0 : (kernels = kernels.' '.key, 0)
set table $nothing
plot phi using (points = points + 1, note(strcol('kernel'))):(0) with table
plot spectrum using (note(strcol('kernel'))):(0) with table
unset table
count = words(kernels)
step = ceil(points/(170.0*count))
only(k, x) = strcol('kernel') eq word(kernels, k) ? column(x) : NaN

set multiplot
set lmargin at screen 0.075
set rmargin at screen 0.33
set tmargin at screen 0.93
set bmargin at screen 0.57
set xrange [0.5:10.5]
set yrange [0:*]
set xtics 1,3,10 nomirror
set format x ''
set ytics 0.5 nomirror
set ylabel 'I(φ_k; y), bits' offset 0.3,0
unset key
set label 1 'dashed: labels at random' at graph 0.97,0.9 right
plot for [i=1:count] spectrum using (only(i, 'k')):(column('mutual_information')) \
       with linespoints lw 1.7 pt 7 ps 0.6 lc rgb tint(i), \
     for [i=1:count] spectrum using (only(i, 'k')):(column('null_mean')) with lines lw 1 dt 2 lc rgb tint(i)
unset label 1
set tmargin at screen 0.52
set bmargin at screen 0.15
set format x '%g'
set ytics 0.2
set xlabel 'k' offset 0,0.3
set ylabel 'ω_k^2' offset 0.3,0
set key at graph 0.98,0.95 samplen 1.5
plot for [i=1:count] spectrum using (only(i, 'k')):(column('omega2')) \
       with linespoints lw 1.7 pt 7 ps 0.6 lc rgb tint(i) title word(kernels, i) noenhanced

set tmargin at screen 0.93
set xlabel 'φ_1'
set ylabel 'φ_2' offset 1.5,0
set xrange [*:*]
set yrange [*:*]
set autoscale xfix
set xtics 1
set ytics 1
set autoscale yfix
set offsets graph 0.05, graph 0.05, graph 0.05, graph 0.05
unset key
left = 0.4
width = (1.02 - left)/count
set label 2 '●  y = +1' at screen 0.6,0.965 tc rgb '#0072b2'
set label 3 '●  y = −1' at screen 0.72,0.965 tc rgb '#d55e00'
do for [i=1:count] {
  set lmargin at screen left + (i - 1)*width
  set rmargin at screen left + i*width - 0.04
  set label 1 word(kernels, i) at graph 0.09,0.95 noenhanced front
  from = 1e300
  to = -1e300
  see(x) = x == x ? (x < from ? from = x : 0, x > to ? to = x : 0, 0) : 0
  set table $nothing
  plot phi using (see(only(i, 'phi_1'))):(0) with table
  unset table
  dot = (to - from)/300 # a point is a line as short as this, which keeps the file small
  side(sign) = sign*column('label') > 0 ? only(i, 'phi_1') : NaN
  plot phi using (side(1)):(column('phi_2')):(dot):(0) every step with vectors nohead lw 3.5 lc rgb '#0072b2', \
       phi using (side(-1)):(column('phi_2')):(dot):(0) every step with vectors nohead lw 3.5 lc rgb '#d55e00'
  unset label
}
unset multiplot
