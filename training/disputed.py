"""Places of held-out photos where the reference is wrong or the answer is open; `disputed.json`
lists them.

A person marked them while looking at every photo on which the bundled network, or RVM at ratio 0.25
or 0.5, fails against the reference, RVM at ratio 0.75: bystanders, people of a group, pictures of
people, and hats, hair, clothes and things in hands that the reference leaves out or makes half
transparent. There, a person is wanted whole or not at all: either answer counts as right, half of
it does not. Where the reference is certain of a person, it counts.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np

from training.metrics import Alpha

CERTAIN = 0.9
"""Alpha of the reference above which it counts inside a marked box, too."""


@cache
def boxes() -> dict[str, list[tuple[int, ...]]]:
    """Return the boxes (left, top, right, bottom) in pixels of `training.held_out.SIZE`, by name of
    the photo.
    """
    text = Path(__file__).with_suffix(".json").read_text(encoding="utf-8")
    return {name: [tuple(box) for box in found] for name, found in json.loads(text).items()}


def with_either_answer(name: str, pred: Alpha, true: Alpha) -> Alpha:
    """Return the reference alpha (H, W) of a photo with the nearer of 0 and 1 to `pred` where the
    answer is open.
    """
    marked = np.zeros(true.shape, np.bool_)
    for left, top, right, bottom in boxes().get(name, []):
        marked[top:bottom, left:right] = True
    return np.where(marked & (true <= CERTAIN), np.rint(pred), true)
