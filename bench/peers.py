"""bench/peers.py PROGRAM DIRECTORY [--only GROUPS] [--json FILE]: the work of invman.h by what one would take instead,
on the same numbers and threads, in turns; medians of 7 where a turn takes less than a second, else of 3. What both
compute is compared. Groups: torch, conv, gram, eigen, svc, paths, commands. Exits with 1 where a bound is missed or
results differ."""
import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import time

options = argparse.ArgumentParser(description=__doc__)
options.add_argument("program")
options.add_argument("directory")
options.add_argument("--only", default="torch,conv,gram,eigen,svc,commands")
options.add_argument("--json")
options = options.parse_args()
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
failed = False
table = []


def module(name, package, group):
    """The module, or None after a visible skip."""
    try:
        found = __import__(name)
        for part in name.split(".")[1:]:
            found = getattr(found, part)
        return found
    except ImportError:
        print(f"skip peers_{group}: {package} is missing")
        return None


def fail(what):
    global failed
    failed = True
    print(f"FAIL {what}")


class Ours:
    """A bench program that does its job once per line of its input."""

    def __init__(self, job, p, d=0, h=0, program=options.program, bits=0, dump=True):
        self.path = os.path.join(options.directory, "bench-peer.bin")
        sizes = ["--p", str(p), "--d", str(d), "--h", str(h), "--bits", str(bits)]
        self.process = subprocess.Popen([program, "--peer", job] + sizes + (["--dump", self.path] if dump else []),
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.line()
        self.numbers = None
        if dump:
            self.numbers = numpy.fromfile(self.path)
            os.remove(self.path)

    def line(self):
        text = self.process.stdout.readline()
        if not text:
            sys.exit("FAIL peers: the bench program failed")
        return text

    def __call__(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        seconds, *values = map(float, self.line().split())
        return seconds, values

    def given(self, *shapes):
        """What its job is given, array by array."""
        arrays, at = [], 0
        for shape in shapes:
            count = int(numpy.prod(shape)) if shape != -1 else len(self.numbers) - at
            arrays.append(self.numbers[at:at + count].reshape(shape))
            at += count
        return arrays

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def compare(title, peer, ours, theirs, digits=10, bound=None):
    """In turns; theirs() returns the first numbers of its result, or None where there is nothing to compare."""
    a, b = [], []
    while len(a) < (7 if b and statistics.median(b) < 1 and statistics.median(a) < 1 else 3):
        seconds, values = ours()
        began = time.perf_counter()
        wanted = theirs()
        b.append(time.perf_counter() - began)
        a.append(seconds)
        if wanted is not None:
            wanted = numpy.asarray(wanted, dtype=float).ravel()[:len(values)]
            error = abs(numpy.array(values)[:len(wanted)] - wanted).max() / abs(wanted).max()
            if not error < 10.0 ** -digits:
                fail(f"peers: {title}, {peer}: results differ by {error:.1e}")
    ours_, theirs_ = statistics.median(a), statistics.median(b)
    ratio = theirs_ / ours_
    allowed = "" if bound is None else f"  at most {bound} times their time"
    print(f"{title:36} {ours_:9.4g} s   {peer:26} {theirs_:9.4g} s   {ratio:6.2f} times ours ({min(b) / min(a):.2f} for "
          f"the least of each){allowed}", flush=True)
    table.append({"job": title, "peer": peer, "runs": len(a), "seconds": float(f"{ours_:.4g}"),
                  "peer_seconds": float(f"{theirs_:.4g}"), "ratio": float(f"{ratio:.4g}"),
                  "ratio_of_least": float(f"{min(b) / min(a):.4g}")})
    if bound is not None and ours_ > bound * theirs_:
        fail(f"peers: {title}: more than {bound} times the time of {peer}")


def one_layer():
    """One evaluation and gradient of the paper's network by autograd."""
    torch = module("torch", "python3-torch", "torch")
    if not torch:
        return
    p, d, h = 4640, 10, 10000
    ours = Ours("eval+gradient", p, d, h)
    arrays = ours.given((p, d), (p,), (h, d), (h,), (h,))
    for kind, digits in ((torch.float64, 10), (torch.float32, 4)):
        x, y, w, b, beta = (torch.tensor(array, dtype=kind) for array in arrays)
        weights = [w.requires_grad_(), b.requires_grad_(), beta.requires_grad_()]

        def theirs():
            f = torch.relu(x @ (w / d ** 0.5).T + b) @ beta * (2 ** 0.5 / h)
            return torch.autograd.grad((y / p * f).sum(), weights)[0]

        compare(f"eval + gradient, p = {p}, h = {h}", f"PyTorch {str(kind)[6:]}", ours, theirs, digits)
    ours.close()


def conv_network(torch, weights):
    """The network of invman.h's >>convnet for MNIST's images, h = 10, as a function of images (n,1,28,28)."""
    F = torch.nn.functional
    at = 0

    def take(*shape):
        nonlocal at
        count = int(numpy.prod(shape))
        at += count
        return weights[at - count:at].reshape(shape) / numpy.prod(shape[1:]) ** 0.5

    layers = []  # weights, stride, groups, activation, whether its block begins, or ends with what it began with

    def pointwise(ins, outs, act, begins=False, ends=False):
        layers.append((take(outs, ins, 1, 1), 1, 1, act, begins, ends))

    def depthwise(channels, stride):
        layers.append((take(channels, 1, 5, 5), stride, channels, True, False, False))

    layers.append((take(40, 1, 5, 5), 2, 1, True, False, False))
    depthwise(40, 1)
    pointwise(40, 20, True)
    ins = 20
    for outs in (10, 30):
        for stride in (2, 1):
            pointwise(ins, 3 * ins, True, begins=stride == 1)
            depthwise(3 * ins, stride)
            pointwise(3 * ins, outs, False, ends=stride == 1)
            ins = outs
    pointwise(ins, 200, True)
    last, bias = weights[at:at + 200], weights[at + 200]
    assert at + 201 == len(weights) and len(layers) == 16

    def f(x):
        for w, stride, groups, act, begins, ends in layers:
            if begins:
                kept = x
            x = F.conv2d(x, w, stride=stride, padding=w.shape[-1] // 2, groups=groups)
            if act:
                x = 1.6768 * F.silu(x)
            if ends:
                x = (x + kept) / 2 ** 0.5
        return x.mean((2, 3)) @ last / 200 + bias

    return f


def conv():
    torch = module("torch", "python3-torch", "conv")
    if not torch:
        return
    p = 512
    both, single = Ours("conv-both", p, 0, 10), Ours("conv-gradients", p, 0, 10)
    images, labels, weights = both.given((p, 1, 28, 28), (p,), -1)
    for kind, digits in ((torch.float64, 10), (torch.float32, 3)):
        x, r = torch.tensor(images, dtype=kind), torch.tensor(labels / p, dtype=kind)
        w = torch.tensor(weights, dtype=kind, requires_grad=True)

        def batched():
            return torch.autograd.grad((r * conv_network(torch, w)(x)).sum(), w)[0]

        def one_by_one():
            J = torch.empty((p, len(w)), dtype=kind)
            for i in range(p):
                J[i] = torch.autograd.grad(conv_network(torch, w)(x[i:i + 1]).sum(), w)[0]
            return J

        name = f"PyTorch {str(kind)[6:]}"
        compare(f"conv eval + gradient, {p} images", name, both, batched, digits)
        compare(f"conv per-sample gradients, {p}", name + ", loop", single, one_by_one, digits)
    both.close()
    single.close()


def gram():
    p, d, h = 2000, 10, 10000
    ours = Ours("gram", p, d, h)
    x, _, w, b, beta = ours.given((p, d), (p,), (h, d), (h,), (h,))

    def theirs():
        z = x @ w.T / d ** 0.5 + b
        gate = (z > 0) * beta
        numpy.maximum(z, 0, out=z)
        return 2 / h ** 2 * (z @ z.T + gate @ gate.T * (x @ x.T / d + 1))

    compare(f"Gram matrix, p = {p}, h = {h}", "NumPy, two products", ours, theirs)
    ours.close()


def eigen():
    scipy = module("scipy.sparse.linalg", "python3-scipy", "eigen")
    dense = module("scipy.linalg", "python3-scipy", "eigen") if scipy else None
    if not dense:
        return
    if os.path.exists("/proc/self/maps"):
        with open("/proc/self/maps") as maps:
            if "openblas" not in maps.read():
                print("skip peers_eigen: libopenblas-dev is missing, or SciPy does not use it")
                return
    ours = Ours("eigh", 2048)
    matrix, = ours.given((2048, 2048))
    compare("eigh, n = 2048", "SciPy, LAPACK dsyevd", ours,
            lambda: dense.eigh(matrix, driver="evd", check_finite=False)[0][:-11:-1], 12, 2)
    ours.close()
    ours = Ours("top", 4096, 5)
    _, _, K = ours.given((4096, 5), (4096,), (4096, 4096))
    compare("top 10, n = 4096", "SciPy, ARPACK", ours,
            lambda: numpy.sort(scipy.eigsh(K, 10, which="LA")[0])[::-1], 12, 1.5)
    ours.close()


def svc():
    svm = module("sklearn.svm", "python3-sklearn", "svc")
    if not svm:
        return
    for p in (1024, 2048, 4096):
        ours = Ours("lazy", p, 5)
        _, y, K = ours.given((p, 5), (p,), (p, p))
        machine = svm.SVC(kernel="precomputed", C=1e10, cache_size=1000)

        def theirs():
            machine.fit(K, y)

        compare(f"lazy flow to its end, p = {p}", "scikit-learn SVC, C = 1e10", ours, theirs)
        margin = (y * machine.decision_function(K)).min()
        print(f"{'':36} least margin of the SVC: {margin:.4f}")
        ours.close()


def paths():
    """All vector widths and the plain C of one library, and the compiler's own choice for this processor, in turns."""
    base = options.program
    builds = [(f"{bits} bits", base, bits) for bits in (512, 256, 128)]
    builds += [(name, base + suffix, 0) for name, suffix in (("plain C", "-plain"), ("native", "-native"))
               if os.path.exists(base + suffix)]
    print(f"{'seconds':15}" + "".join(f"{name:>12}" for name, _, _ in builds))
    for job, p, d, h in (("eval", 2048, 10, 4000), ("gradient", 2048, 10, 4000), ("eval+gradient", 2048, 10, 4000),
                         ("gram", 1024, 10, 4000), ("product", 1024, 10, 4000), ("infinite", 2048, 10, 0),
                         ("rows", 16384, 10, 0), ("conv-eval", 128, 0, 10), ("conv-gradient", 128, 0, 10),
                         ("conv-gradients", 128, 0, 10), ("lazy", 1024, 5, 0), ("eigh", 512, 0, 0),
                         ("top", 2048, 5, 0)):
        running = [Ours(job, p, d, h, program, bits, dump=False) for _, program, bits in builds]
        times = [[one()[0] for one in running] for _ in range(7)]
        for one in running:
            one.close()
        seconds, least = ([f(column) for column in zip(*times)] for f in (statistics.median, min))
        print(f"{job:15}" + "".join(f"{s:12.4g}" for s in seconds), flush=True)
        names = [name for name, _, _ in builds]
        table.append({"job": job, "p": p, "d": d, "h": h,
                      "seconds": {name: float(f"{s:.4g}") for name, s in zip(names, seconds)},
                      "least": {name: float(f"{s:.4g}") for name, s in zip(names, least)}})
        print(f"{'  least':15}" + "".join(f"{s:12.4g}" for s in least), end="")
        least = dict(zip(names, least))
        best = min(least[name] for name in names if name.endswith("bits"))
        if "plain C" in least:
            print(f"   plain C: {least['plain C'] / best:.2f} times the best", end="")
        if "native" in least:
            print(f", -O2: {least['512 bits'] / least['native']:.2f} times -O2 -march=native", end="")
        print(flush=True)


def commands():
    """Whole commands, by hyperfine."""
    if not shutil.which("hyperfine"):
        print("skip peers_commands: hyperfine is missing")
        return
    compress = os.path.join(options.directory, "compress")
    if not os.path.exists(compress):
        print("skip peers_commands: make examples first")
        return
    out = os.path.join(options.directory, "hyperfine.json")
    command = f"{compress} --d 5 --p 411 --h 10000 --alpha 1e-6"
    subprocess.run(["hyperfine", "--style", "none", "--warmup", "1", "--runs", "7", "--export-json", out, command],
                   check=True, stdout=subprocess.DEVNULL)
    with open(out) as file:
        result = json.load(file)["results"][0]
    os.remove(out)
    print(f"{'compress --p 411 --h 10000':36} {result['median']:9.4g} s   the whole command")
    table.append({"job": "compress --d 5 --p 411 --h 10000 --alpha 1e-6", "runs": 7,
                  "seconds": float(f"{result['median']:.4g}")})


groups = {"torch": one_layer, "conv": conv, "gram": gram, "eigen": eigen, "svc": svc, "paths": paths,
          "commands": commands}
wanted = options.only.split(",")
if any(name not in groups for name in wanted):
    sys.exit(f"peers: the groups are {', '.join(groups)}")
numpy = module("numpy", "python3-numpy", "all")
if not numpy and wanted != ["paths"]:
    sys.exit(0)
for name in wanted:
    groups[name]()
if options.json:
    with open(options.json, "w") as file:
        json.dump({"peers": table}, file, indent=1)
        file.write("\n")
sys.exit(failed)
