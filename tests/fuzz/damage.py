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
        data = bytearray(whole)
        for _ in range(rng.choice((1, 1, 2, 8))):
            _damage(data, rng)
        yield bytes(data)


NUMBERS = (
    b"\0",
    b"\x7f",
    b"\xff",
    b"\xff\xff\xff\xff",
    b"\x7f\xff\xff\xff",
    b"\xff\xff\xff\x7f",
    b"\0\0\0\1",
)


def _damage(data: bytearray, rng: random.Random) -> None:
    """Damage a file in one place, half of the time in its header, which holds lengths and counts."""
    at = rng.randrange(min(len(data), rng.choice((128, len(data)))) + 1)
    other = rng.randrange(len(data) + 1)
    piece = rng.choice(
        (*NUMBERS, bytes(512), bytes(4096), rng.randbytes(4), bytes(data[other : other + 4096]))
    )
    kind = rng.choice(("flipped", "replaced", "replaced", "inserted", "truncated"))
    if kind == "flipped":
        data[at : at + 1] = bytes(byte ^ 1 << rng.randrange(8) for byte in data[at : at + 1])
    elif kind == "truncated":
        del data[at:]
    else:
        data[at : at + (len(piece) if kind == "replaced" else 0)] = piece
