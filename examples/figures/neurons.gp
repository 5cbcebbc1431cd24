# Figure 3: a neuron against its equations, the pull along x_1, and the ways of the neurons to their attractors.
#   figure_run neurons --out DIR
#   gnuplot -e "dir='DIR'; out='FILE.svg'" neurons.gp
if (!exists("dir")) dir = '.'
if (!exists("out")) out = 'neurons.svg'
set terminal svg size 960,380 font 'sans,13' background rgb 'white' rounded
set output out
set encoding utf8
set datafile separator ','
set tics nomirror

neuron = dir.'/neuron_vs_ode.csv'
pull = dir.'/pull.csv'
ways = dir.'/trajectories.csv'
attractors = dir.'/attractors.csv'
blue = '#0072b2'
red = '#d55e00'
green = '#009e73'
grey = '#888888'

set multiplot layout 1,3 margins 0.065,0.985,0.15,0.97 spacing 0.08,0

# weights grow by orders of magnitude: their sizes, on a logarithmic scale
set logscale y
set format y '10^{%T}'
unset mytics
set ytics 100
set xtics 5
set xlabel 't/τ'
set ylabel 'size of the weight' offset 1.5,0
set key top left Left reverse samplen 2
plot keyentry with lines lw 2 lc rgb grey title 'network', \
     keyentry with lines lw 2 dt 2 lc rgb 'black' title 'equations', \
     neuron using 't_over_tau':(abs(column('omega_1'))) with lines lw 2 lc rgb blue title '|ω_1|', \
     neuron using 't_over_tau':(abs(column('omega_2'))) with lines lw 2 lc rgb red title '|ω_2|', \
     neuron using 't_over_tau':(abs(column('b'))) with lines lw 2 lc rgb green title '|b|', \
     neuron using 't_over_tau':(abs(column('omega_1_ode'))) with lines lw 2 dt 2 lc rgb 'black' notitle, \
     neuron using 't_over_tau':(abs(column('omega_2_ode'))) with lines lw 2 dt 2 lc rgb 'black' notitle, \
     neuron using 't_over_tau':(abs(column('b_ode'))) with lines lw 2 dt 2 lc rgb 'black' notitle
unset logscale
set xtics 2
set ytics 0.5
set format y '%g'

# solid: the limit lambda -> infinity is consistent; dashed: it is not
set xrange [-3:3]
set yrange [-1.5:1.5]
set arrow 1 from first -0.3, graph 0 to first -0.3, graph 1 nohead dt 3 lc rgb grey back
set arrow 2 from first 1.1854923, graph 0 to first 1.1854923, graph 1 nohead dt 3 lc rgb grey back
set xzeroaxis lc rgb grey
set xlabel 'ζ_1'
set ylabel 'd C_b  +  ζ_1 C_1' offset 1.5,0
set key top right noreverse Right
plot pull using 'zeta':(column('pull_plus')) every 6 with lines lw 1.3 dt 2 lc rgb blue notitle, \
     pull using 'zeta':(column('pull_minus')) every 6 with lines lw 1.3 dt 2 lc rgb red notitle, \
     pull using 'zeta':(column('consistent_plus') > 0 ? column('pull_plus') : NaN) every 3 \
       with lines lw 2.5 lc rgb blue title 'ω_1  > 0', \
     pull using 'zeta':(column('consistent_minus') > 0 ? column('pull_minus') : NaN) every 3 \
       with lines lw 2.5 lc rgb red title 'ω_1  < 0', \
     attractors using 'z':(0) with points pt 7 ps 0.7 lc rgb 'black' title 'attractors'

unset xzeroaxis
set yrange [-2.5:2.5]
set ytics 1
set xlabel 'z_1'
set ylabel 'z_2' offset 1.5,0
set key bottom right samplen 1 opaque
shown = 50 # trajectories
near = 0.13 # a step shorter than this is drawn with the next one
# (z_1, z_2) of neuron n: whether it is its start, and whether it is far enough from (x, y), where the last line ended
see(n, z_1, z_2) = (start = n != last, last = n, count = count + start, start ? (x = z_1, y = z_2) : 0, \
  far = count <= shown && (z_1 - x)**2 + (z_2 - y)**2 > near**2)
advance(z_1, z_2) = (up = z_2 - y, far ? (x = z_1, y = z_2) : 0, up)
plot last = -1, count = 0, \
     ways using (see(column('neuron'), column('z_1'), column('z_2')), far ? x : NaN):(y):(column('z_1') - x):\
       (advance(column('z_1'), column('z_2'))) with vectors nohead lw 0.8 lc rgb '#7fb4d6' notitle, \
     last = -1, count = 0, \
     ways using (see(column('neuron'), column('z_1'), column('z_2')), count <= shown && start ? x : NaN):(y) \
       with points pt 7 ps 0.25 lc rgb 'black' title 'start', \
     attractors using 'z':(0) with points pt 7 ps 0.7 lc rgb red title 'attractors'
unset multiplot
