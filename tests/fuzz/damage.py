"""Reproducible damage of files."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest


def sampled(sample: int, every: int, timeout_s: float = 900) -> pytest.MarkDecorator:
    """Run a test with a sample of the cases, and on request (`-m slow`) with every one."""
    slow = pytest.param(every, marks=[pytest.mark.slow, pytest.mark.timeout(timeout_s)])
    return pytest.mark.parametrize("cases", [sample, slow])


def damaged(whole: bytes, cases: int, seed: int = 0) -> Iterator[bytes]:
    """Yield `cases` damaged versions of a file, the same for each seed."""
    rng = random.Random(seed)
    for _ in range(cases):
        yield _damage(whole, rng)


def _damage(whole: bytes, rng: random.Random) -> bytes:
    data = bytearray(whole)
    kind = rng.randrange(7)
    if kind == 0:  # a few bits flipped anywhere
        for _ in range(rng.choice((1, 1, 2, 8, 64))):
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    elif kind == 1:  # bytes of the header replaced, which holds lengths and counts
        for _ in range(rng.choice((1, 2, 4))):
            data[rng.randrange(min(len(data), 128))] = rng.choice((0, 1, 127, 128, 255, rng.randrange(256)))
    elif kind == 2:  # truncated
        del data[rng.randrange(len(data)) :]
    elif kind == 3:  # a range of zeros
        start = rng.randrange(len(data))
        length = min(len(data) - start, rng.choice((1, 16, 512, 4096)))
        data[start : start + length] = bytes(length)
    elif kind == 4:  # bytes inserted
        start = rng.randrange(len(data))
        data[start:start] = rng.randbytes(rng.choice((1, 4, 100)))
    elif kind == 5:  # a piece duplicated or moved
        start, end = sorted((rng.randrange(len(data)), rng.randrange(len(data))))
        piece = data[start:end][:4096]
        target = rng.randrange(len(data))
        data[target : target + len(piece)] = piece
    else:  # a large number where a small one was
        start = rng.randrange(max(1, len(data) - 8))
        data[start : start + 4] = rng.choice(
            (b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f", b"\0\0\0\1")
        )
    return bytes(data)
