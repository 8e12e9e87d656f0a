"""The random numbers of the experiments (examples/support/streams.ts), in NumPy: mulberry32, whose k-th word is a function of
seed + (k + 1) * 0x6D2B79F5, so that any number of words is drawn at once."""

import numpy as np

STEP = np.uint32(0x6D2B79F5)


def words_at(first, count, seed):
    """Words first, first + 1, ... of mulberry32(seed)."""
    k = np.arange(first + 1, first + 1 + count, dtype=np.uint32)
    a = k * STEP + np.uint32(seed)
    t = (a ^ (a >> np.uint32(15))) * (a | np.uint32(1))
    t = (t + (t ^ (t >> np.uint32(7))) * (t | np.uint32(61))) ^ t
    return t ^ (t >> np.uint32(14))


class Stream:
    def __init__(self, seed):
        self.seed = int(seed)
        self.drawn = 0

    def words(self, count):
        out = words_at(self.drawn, count, self.seed)
        self.drawn += count
        return out

    def uniform(self, count, lo=0.0, hi=1.0):
        return lo + (hi - lo) * self.words(count).astype(np.float64) / 2.0**32

    def normal(self, count):
        w = self.words(2 * count).astype(np.float64).reshape(count, 2) / 2.0**32
        return np.sqrt(-2.0 * np.log(1.0 - w[:, 0])) * np.cos(2.0 * np.pi * w[:, 1])

    def permutation(self, n):
        p = np.arange(n)
        j = np.floor(self.uniform(n - 1) * np.arange(n, 1, -1)).astype(np.int64)
        for i, k in zip(range(n - 1, 0, -1), j):
            p[i], p[k] = p[k], p[i]
        return p

    def rows(self, count, epochs, batch):
        used = count - count % batch
        return np.concatenate([self.permutation(count)[:used] for _ in range(epochs)])


def streams(seed):
    return [Stream(w) for w in words_at(0, 4, seed)]
