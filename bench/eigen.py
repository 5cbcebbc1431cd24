"""bench/eigen.py PROGRAM DIRECTORY: the eigensolver against LAPACK's dsyevd and ARPACK, both by SciPy, on the same
matrices and threads, in turns; medians of five. Exits with 1 where a bound is missed."""
import os
import statistics
import subprocess
import sys
import time

program, directory = sys.argv[1], sys.argv[2]
try:
    import numpy
    import scipy.linalg
    import scipy.sparse.linalg
except ImportError as missing:
    print(f"skip bench-eigen: python3-scipy is missing ({missing})")
    sys.exit(0)
if os.path.exists("/proc/self/maps"):
    with open("/proc/self/maps") as maps:
        if "openblas" not in maps.read():
            print("skip bench-eigen: libopenblas-dev is missing, or SciPy does not use it")
            sys.exit(0)

ours = subprocess.Popen([program, directory], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def line():
    text = ours.stdout.readline()
    if not text:
        sys.exit("bench-eigen: the program failed")
    return text


def ask(what):
    ours.stdin.write(what + "\n")
    ours.stdin.flush()
    seconds, *values = map(float, line().split())
    return seconds, numpy.array(values)


def matrix(name):
    A = numpy.fromfile(os.path.join(directory, name))
    n = int(len(A) ** 0.5)
    os.remove(os.path.join(directory, name))
    return A.reshape(n, n)


def compare(what, title, theirs, bound):
    a, b = [], []
    for _ in range(5):
        seconds, values = ask(what)
        began = time.perf_counter()
        wanted = theirs()
        b.append(time.perf_counter() - began)
        a.append(seconds)
        error = abs(values - wanted).max() / abs(wanted).max()
        if not error < 1e-12:
            sys.exit(f"bench-eigen: {title}: eigenvalues differ by {error:.1e}")
    ratio = statistics.median(a) / statistics.median(b)
    print(f"{title}: {statistics.median(a):.3f} s, theirs {statistics.median(b):.3f} s, ratio {ratio:.2f}, at most {bound}")
    return ratio <= bound


line()
full, gram = matrix("bench-full.bin"), matrix("bench-gram.bin")
good = compare("eigh", "eigh, n = 2048, LAPACK dsyevd",
               lambda: scipy.linalg.eigh(full, driver="evd", check_finite=False)[0][:-11:-1], 2)
good &= compare("top", "top 10, n = 4096, ARPACK",
                lambda: numpy.sort(scipy.sparse.linalg.eigsh(gram, 10, which="LA")[0])[::-1], 1.5)
ours.stdin.close()
ours.wait()
sys.exit(not good)
