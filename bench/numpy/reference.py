"""The experiments' training steps in float32 NumPy, as one would write them by hand for speed: no framework, operations in
place where that is faster, full-batch nets on [features, rows] arrays.

    python3 reference.py NAME [MNIST_FOLDER]

For each line "STEPS" on standard input, trains on for so many steps (seed 1) and prints one line of JSON: seconds and
processor seconds (of the steps alone), and the losses of those steps that are among the first hundred. A line "again" starts
anew from the first weights.
"""

import gzip
import json
import os
import sys
import time

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import numpy as np

from streams import streams, words_at

f32 = np.float32


def normals(stream, shape, scale):
    return (scale * stream.normal(int(np.prod(shape)))).astype(f32).reshape(shape)


# --- optimizers: each makes a function of (parameters, gradients), updating in place -----------------------------------


def sgd(lr, wd=0.0):
    lr, wd = f32(lr), f32(wd)

    def step(ps, gs):
        for p, g in zip(ps, gs):
            if wd:
                g += wd * p
            g *= lr
            p -= g

    return step


def momentum(lr, m, wd):
    lr, m, wd = f32(lr), f32(m), f32(wd)
    vs = []

    def step(ps, gs):
        if not vs:
            vs.extend(np.zeros_like(p) for p in ps)
        for p, g, v in zip(ps, gs, vs):
            g += wd * p
            v *= m
            v += g
            p -= lr * v

    return step


def rmsprop(lr, alpha, eps):
    lr, alpha, rest, eps = f32(lr), f32(alpha), f32(1 - alpha), f32(eps)
    ss = []

    def step(ps, gs):
        if not ss:
            ss.extend(np.zeros_like(p) for p in ps)
        for p, g, s in zip(ps, gs, ss):
            s *= alpha
            s += rest * (g * g)
            root = np.sqrt(s + eps)
            g *= lr
            g /= root
            p -= g

    return step


def adam(lr, b1=0.9, b2=0.999, eps=1e-8):
    state = {"t": 0, "m": [], "v": []}
    c1, c2 = f32(1 - b1), f32(1 - b2)

    def step(ps, gs):
        if not state["m"]:
            state["m"] = [np.zeros_like(p) for p in ps]
            state["v"] = [np.zeros_like(p) for p in ps]
        state["t"] += 1
        t = state["t"]
        # p -= lr * (m / k1) / (sqrt(v / k2) + eps), with the scalars drawn together
        k1, k2 = 1 - b1**t, 1 - b2**t
        rate = f32(lr / k1 * np.sqrt(k2))
        small = f32(eps * np.sqrt(k2))
        for p, g, m, v in zip(ps, gs, state["m"], state["v"]):
            m *= f32(b1)
            m += c1 * g
            v *= f32(b2)
            g *= g
            g *= c2
            v += g
            root = np.sqrt(v)
            root += small
            np.divide(m, root, out=root)
            root *= rate
            p -= root

    return step


# --- losses: value, and gradient with respect to the last layer's output ------------------------------------------------


def softmax_ce(z, y, at):
    """Mean cross-entropy; the gradient overwrites z."""
    z -= z.max(axis=1, keepdims=True)
    picked = z[at, y].mean()
    np.exp(z, out=z)
    total = z.sum(axis=1, keepdims=True)
    loss = np.log(total).mean() - picked
    z /= total
    z[at, y] -= f32(1)
    z *= f32(1 / len(y))
    return loss, z


def mse(p, y):
    d = p - y
    loss = (d * d).mean()
    d *= f32(2 / len(y))
    return loss, d


# --- spiral ------------------------------------------------------------------------------------------------------------


def spiral_data(stream):
    k = np.arange(100)
    xs = []
    for c in range(3):
        t = c * 2 * np.pi / 3 + (1.5 * 2 * np.pi / 3) * k / 99 + 0.1 * stream.normal(100)
        xs.append(np.stack([k / 99 * np.sin(t), k / 99 * np.cos(t)], axis=1))
    return np.concatenate(xs).astype(f32), np.repeat(np.arange(3), 100)


def spiral(kind, make_optimizer):
    def prepare():
        data, init, order, extra = streams(1)
        x, y = spiral_data(data)
        if kind == "residual":
            def linear(i, o, s=1.0):
                return [normals(init, (i, o), s * np.sqrt(2 / i)), np.zeros(o, f32)]
            ps = linear(2, 32)
            for _ in range(3):
                ps += linear(32, 32) + linear(32, 32, 0.5)
            ps += linear(32, 3)
        else:
            ps = [normals(init, (2, 100), 0.01), np.zeros(100, f32)]
            if kind == "batchnorm":
                ps += [np.ones(100, f32), np.zeros(100, f32)]
            ps += [normals(init, (100, 3), 0.01), np.zeros(3, f32)]
        rows = order.rows(300, 200, 20).reshape(-1, 20)
        batches = [(x[r], y[r]) for r in rows]
        update = make_optimizer()
        at = np.arange(20)
        running = [np.zeros(100, f32), np.ones(100, f32)]
        drawn = [0]

        def plain(x, y):
            w1, b1, w2, b2 = ps
            h = x @ w1
            h += b1
            np.maximum(h, 0, out=h)
            if kind == "dropout":
                keep = words_at(drawn[0], 2000, extra.seed).reshape(20, 100) >= np.uint32(858993460)
                drawn[0] += 2000
                mask = keep * f32(1.25)
                h *= mask
            z = h @ w2
            z += b2
            loss, dz = softmax_ce(z, y, at)
            dh = dz @ w2.T
            if kind == "dropout":
                dh *= mask
            dh *= h > 0
            update(ps, [x.T @ dh, dh.sum(0), h.T @ dz, dz.sum(0)])
            return loss

        def batchnorm(x, y):
            w1, b1, g, b, w2, b2 = ps
            a = x @ w1
            a += b1
            mean = a.mean(0)
            a -= mean
            var = (a * a).mean(0)
            inv = f32(1) / np.sqrt(var + f32(1e-5))
            a *= inv
            h = a * g
            h += b
            np.maximum(h, 0, out=h)
            z = h @ w2
            z += b2
            loss, dz = softmax_ce(z, y, at)
            dh = dz @ w2.T
            dh *= h > 0
            db = dh.sum(0)
            dg = (dh * a).sum(0)
            dx = dh - (db + a * dg) * f32(1 / 20)
            dx *= g * inv
            running[0] += f32(0.1) * (mean - running[0])
            running[1] += f32(0.1) * (var * f32(20 / 19) - running[1])
            update(ps, [x.T @ dx, dx.sum(0), dg, db, h.T @ dz, dz.sum(0)])
            return loss

        def residual(x, y):
            w0, b0 = ps[:2]
            h = x @ w0
            h += b0
            np.maximum(h, 0, out=h)
            hs, rs = [h], []
            for i in range(3):
                wa, ba, wb, bb = ps[2 + 4 * i : 6 + 4 * i]
                r = h @ wa
                r += ba
                np.maximum(r, 0, out=r)
                n = r @ wb
                n += bb
                n += h
                h = n
                rs.append(r)
                hs.append(h)
            wo, bo = ps[-2:]
            z = h @ wo
            z += bo
            loss, dz = softmax_ce(z, y, at)
            gs = [h.T @ dz, dz.sum(0)]
            dh = dz @ wo.T
            for i in (2, 1, 0):
                wa, _, wb, _ = ps[2 + 4 * i : 6 + 4 * i]
                dr = dh @ wb.T
                dr *= rs[i] > 0
                gs = [hs[i].T @ dr, dr.sum(0), rs[i].T @ dh, dh.sum(0)] + gs
                dh = dh + dr @ wa.T
            dh *= hs[0] > 0
            update(ps, [x.T @ dh, dh.sum(0)] + gs)
            return loss

        step = {"batchnorm": batchnorm, "residual": residual}.get(kind, plain)
        return lambda i: step(*batches[i % len(batches)])

    return prepare


# --- linear regression and the product --------------------------------------------------------------------------------


def linreg(epochs, noise):
    def prepare():
        data, init, order, _ = streams(1)
        x = data.normal(1000).astype(f32).reshape(100, 10)
        w = data.normal(10).astype(f32)
        b = data.normal(1).astype(f32)
        y = x.astype(np.float64) @ w.astype(np.float64) + b.astype(np.float64)
        if noise:
            y = y + noise * data.normal(100)
        y = y.astype(f32).reshape(100, 1)
        ps = [normals(init, (10, 1), np.sqrt(1 / 10)), np.zeros(1, f32)]
        rows = order.rows(100, epochs, 10).reshape(-1, 10)
        return one_layer(ps, [(x[r], y[r]) for r in rows], 0.05)

    return prepare


def one_layer(ps, batches, lr):
    update = sgd(lr)
    w, b = ps

    def step(i):
        x, y = batches[i % len(batches)]
        p = x @ w
        p += b
        loss, d = mse(p, y)
        update(ps, [x.T @ d, d.sum(0)])
        return loss

    return step


def product(layers):
    def prepare():
        data, init, order, _ = streams(1)
        x = data.normal(2000).astype(f32).reshape(1000, 2)
        y = (x[:, 0].astype(np.float64) * x[:, 1]).astype(f32).reshape(1000, 1)
        if layers == 1:
            ps = [normals(init, (2, 1), np.sqrt(1 / 2)), np.zeros(1, f32)]
        else:
            ps = [normals(init, (2, 10), np.sqrt(1 / 2)), np.zeros(10, f32)]
            ps += [normals(init, (10, 1), np.sqrt(1 / 10)), np.zeros(1, f32)]
        batches = [(x[r], y[r]) for r in order.rows(1000, 50, 50).reshape(-1, 50)]
        if layers == 1:
            return one_layer(ps, batches, 0.01)
        update = sgd(0.3)
        w1, b1, w2, b2 = ps

        def step(i):
            x, y = batches[i % len(batches)]
            s = x @ w1
            s += b1
            np.negative(s, out=s)
            np.exp(s, out=s)
            s += f32(1)
            np.reciprocal(s, out=s)
            p = s @ w2
            p += b2
            loss, d = mse(p, y)
            ds = d @ w2.T
            ds *= s
            ds *= f32(1) - s
            update(ps, [x.T @ ds, ds.sum(0), s.T @ d, d.sum(0)])
            return loss

        return step

    return prepare


# --- circles and moons: all rows in every step, arrays are [features, rows] ---------------------------------------------


def circle_points(stream):
    angle = 2 * np.pi * np.arange(2500) / 2500
    ring = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return np.concatenate([ring, 0.8 * ring]) + 0.04 * stream.normal(10000).reshape(5000, 2)


def moon_points(stream):
    phi = np.pi * np.arange(2500) / 2499
    upper = np.stack([np.cos(phi), np.sin(phi)], axis=1)
    lower = np.stack([1 - np.cos(phi), 0.5 - np.sin(phi)], axis=1)
    return np.concatenate([upper, lower]) + 0.04 * stream.normal(10000).reshape(5000, 2)


def full_batch(points, method):
    def prepare():
        data, init, _, _ = streams(1)
        n = 5000
        x = np.ascontiguousarray(points(data).astype(f32).T)
        y = np.repeat(f32([0, 1]), 2500).reshape(1, n)
        rest = f32(1) - y
        sizes = [2, 16, 16, 1] if method == "adam" else [2, 5, 2, 1]
        ps = []
        for i, o in zip(sizes, sizes[1:]):
            if method == "adam":
                w, b = normals(init, (i, o), np.sqrt(2 / i)), np.zeros(o, f32)
            else:
                w = init.uniform(i * o).astype(f32).reshape(i, o)
                b = init.uniform(o).astype(f32)
            ps += [np.ascontiguousarray(w.T), b.reshape(o, 1)]
        update = adam(0.01) if method == "adam" else sgd(0.05)
        bias_scale = f32(1 / n) if method == "published" else None
        hidden = [np.empty((o, n), f32) for o in sizes[1:]]
        grads = [np.empty((o, n), f32) for o in sizes[1:]]
        masks = [np.empty((o, n), bool) for o in sizes[1:3]]
        t, u = np.empty((1, n), f32), np.empty((1, n), f32)

        def step(_):
            h = x
            for layer in range(3):
                out = hidden[layer]
                np.matmul(ps[2 * layer], h, out=out)
                out += ps[2 * layer + 1]
                if layer < 2:
                    np.maximum(out, 0, out=out)
                h = out
            d = grads[2]
            if method == "adam":
                # mean of max(z, 0) - z y + log(1 + exp(-|z|)); gradient (sigmoid(z) - y) / n
                np.abs(h, out=t)
                np.negative(t, out=t)
                np.exp(t, out=t)
                np.log1p(t, out=u)
                np.maximum(h, 0, out=d)
                np.add(u, d, out=u)
                np.subtract(u, h * y, out=u)
                loss = u.mean()
                np.add(t, f32(1), out=u)
                np.reciprocal(u, out=u)
                np.copyto(d, np.where(h >= 0, u, t * u))
                d -= y
                d *= f32(1 / n)
            else:
                # The sigmoid p, then -mean(y log p + (1 - y) log(1 - p)); the gradient through both is (p - y) / n.
                np.negative(h, out=h)
                np.exp(h, out=h)
                h += f32(1)
                np.reciprocal(h, out=h)
                np.subtract(f32(1), h, out=t)
                np.log(t, out=t)
                np.multiply(t, rest, out=t)
                np.log(h, out=u)
                np.multiply(u, y, out=u)
                np.add(t, u, out=t)
                loss = -t.mean()
                np.subtract(h, y, out=d)
                d *= f32(1 / n)
            gs = []
            for layer in (2, 1, 0):
                before = hidden[layer - 1] if layer else x
                gw = d @ before.T
                gb = d.sum(axis=1, keepdims=True)
                if bias_scale is not None:
                    gb *= bias_scale
                gs = [gw, gb] + gs
                if layer:
                    back = grads[layer - 1]
                    np.matmul(ps[2 * layer].T, d, out=back)
                    np.greater(before, 0, out=masks[layer - 1])
                    back *= masks[layer - 1]
                    d = back
            update(ps, gs)
            return loss

        return step

    return prepare


# --- the convolutional net on MNIST ---------------------------------------------------------------------------------------


def mnist(folder):
    def idx(name, header):
        with gzip.open(os.path.join(folder, name)) as file:
            return np.frombuffer(file.read(), np.uint8, offset=header)

    def prepare():
        data, init, order, _ = streams(1)
        images = (idx("train-images-idx3-ubyte.gz", 16).astype(f32) / f32(256)).reshape(-1, 28, 28)
        labels = idx("train-labels-idx1-ubyte.gz", 8).astype(np.int64)

        def uniforms(shape, fan):
            b = 1 / np.sqrt(fan)
            return init.uniform(int(np.prod(shape)), -b, b).astype(f32).reshape(shape)

        # Convolution weights as [out, in * kh * kw].
        ps = [uniforms((10, 25), 25), uniforms((10,), 25), uniforms((20, 250), 250), uniforms((20,), 250)]
        ps += [uniforms((320, 120), 320), uniforms((120,), 320), uniforms((120, 10), 120), uniforms((10,), 120)]
        rows = order.rows(60000, 1, 64).reshape(-1, 64)
        update = rmsprop(0.001, 0.99, 1e-7)
        at = np.arange(64)

        def columns(x, k, out):
            """Windows of [n, c, h, w] as [n, c * k * k, oh * ow]."""
            n, c, h, w = x.shape
            oh, ow = h - k + 1, w - k + 1
            windows = out.reshape(n, c, k, k, oh, ow)
            for u in range(k):
                for v in range(k):
                    windows[:, :, u, v] = x[:, :, u : u + oh, v : v + ow]
            return out

        def pool(x):
            """Largest of 2 x 2, and where it is: the first of equals."""
            four = [x[:, :, u::2, v::2] for u in (0, 1) for v in (0, 1)]
            m = np.maximum(np.maximum(four[0], four[1]), np.maximum(four[2], four[3]))
            first = four[0] == m
            taken, which = first, [first]
            for q in four[1:3]:
                here = q == m
                here &= ~taken
                taken = taken | here
                which.append(here)
            which.append(~taken)
            return m, which

        def unpool(d, which):
            n, c, h, w = d.shape
            out = np.empty((n, c, 2 * h, 2 * w), f32)
            for i, here in enumerate(which):
                np.multiply(d, here, out=out[:, :, i // 2 :: 2, i % 2 :: 2])
            return out

        cols1 = np.empty((64, 25, 576), f32)
        cols2 = np.empty((64, 250, 64), f32)
        parts = np.empty((64, 250, 64), f32)

        def step(i):
            r = rows[i % len(rows)]
            x, y = images[r][:, None], labels[r]
            w1, b1, w2, b2, w3, b3, w4, b4 = ps
            columns(x, 5, cols1)
            c1 = np.matmul(w1, cols1)
            a1, m1 = pool(c1.reshape(64, 10, 24, 24))
            a1 += b1[:, None, None]
            np.maximum(a1, 0, out=a1)
            columns(a1, 5, cols2)
            c2 = np.matmul(w2, cols2)
            a2, m2 = pool(c2.reshape(64, 20, 8, 8))
            a2 += b2[:, None, None]
            np.maximum(a2, 0, out=a2)
            flat = a2.reshape(64, 320)
            h = flat @ w3
            h += b3
            np.maximum(h, 0, out=h)
            z = h @ w4
            z += b4
            loss, dz = softmax_ce(z, y, at)
            dz *= f32(64)
            dh = dz @ w4.T
            dh *= h > 0
            da2 = (dh @ w3.T).reshape(64, 20, 4, 4)
            da2 *= a2 > 0
            d2 = unpool(da2, m2).reshape(64, 20, 64)
            np.matmul(w2.T, d2, out=parts)
            windows = parts.reshape(64, 10, 5, 5, 8, 8)
            da1 = np.zeros_like(a1)
            for u in range(5):
                for v in range(5):
                    da1[:, :, u : u + 8, v : v + 8] += windows[:, :, u, v]
            da1 *= a1 > 0
            d1 = unpool(da1, m1).reshape(64, 10, 576)
            gw1 = np.matmul(d1, cols1.transpose(0, 2, 1)).sum(0)
            gw2 = np.matmul(d2, cols2.transpose(0, 2, 1)).sum(0)
            gs = [gw1, da1.sum((0, 2, 3)), gw2, da2.sum((0, 2, 3))]
            update(ps, gs + [flat.T @ dh, dh.sum(0), h.T @ dz, dz.sum(0)])
            return loss

        return step

    return prepare


EXPERIMENTS = {
    "spiral-sgd": spiral("plain", lambda: sgd(1.0, 0.001)),
    "spiral-momentum": spiral("plain", lambda: momentum(0.1, 0.9, 0.001)),
    "spiral-rmsprop": spiral("plain", lambda: rmsprop(0.005, 0.99, 1e-7)),
    "spiral-adam": spiral("plain", lambda: adam(0.01)),
    "spiral-batchnorm": spiral("batchnorm", lambda: momentum(0.1, 0.9, 0.001)),
    "spiral-dropout": spiral("dropout", lambda: adam(0.01)),
    "spiral-residual": spiral("residual", lambda: adam(0.003)),
    "linreg-10": linreg(10, 0),
    "linreg-30": linreg(30, 0),
    "linreg-noise-10": linreg(10, 0.01),
    "product-1layer": product(1),
    "product-2layer": product(2),
    **{
        f"{name}-{method}": full_batch(points, method)
        for name, points in (("circles", circle_points), ("moons", moon_points))
        for method in ("published", "true-gradient", "adam")
    },
}


def main():
    name = sys.argv[1]
    if name == "mnist-cnn-clean":
        prepare = mnist(sys.argv[2])
    else:
        prepare = EXPERIMENTS[name]
    step, losses = prepare(), []
    for line in sys.stdin:
        if line.strip() == "again":
            step, losses = prepare(), []
            continue
        first, count = len(losses), int(line)
        start, busy = time.perf_counter(), time.process_time()
        for i in range(first, first + count):
            losses.append(step(i))
        seconds, busy = time.perf_counter() - start, time.process_time() - busy
        told = [float(x) for x in losses[first : min(100, len(losses))]]
        print(json.dumps({"seconds": seconds, "cpu": busy, "losses": told}), flush=True)


main()
