"""Crops at the edges of people, drawn once, with the features that the network's last layers read."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from models.blocks import downsampled
from models.mattecam.network import MattecamNetwork
from training.data import Mixture, SampleSource
from training.gaps import gaps
from training.step import to_batch

Pixels = npt.NDArray[np.uint8]

HEIGHT, WIDTH = 160, 256
"""Of a crop, in pixels of the frame; the network sees it at half of this size."""
RATIO = 0.5
_CELL = 16
"""Pixels of the frame on a side of what a position of the features describes; crops begin at multiples."""
_CHANNELS = 48
_FRAMES = ((640, 360), 4, False), ((448, 256), 2, True)
"""(width, height) of the frames, the crops of each, and whether photos are views, which are small."""
_GAP_CROPS = 3
"""More crops of a frame in which the person encloses background, around one of its places each."""
_MIXTURE = Mixture(composite=0.55, empty=0.25, clip=0.0)
_UNSPOILT = 0.5
_BATCH = 4
_EDGE = 12
"""Least difference of alpha, of 255, within a pixel."""
_FEWEST = 30
"""Edge pixels of a frame that has an edge."""
_BACKGROUND_CROPS = 2
"""More crops of every frame, around background anywhere: what is far from people must stay hidden."""
_PARTS = slice(0, 3), slice(3, 6), slice(6, 7), slice(7, 8)
"""Channels of the frame, of the foreground, of alpha and of gaps."""
_LAYERS = 8
_MARGIN_PX = 20
"""Least distance of the edge pixel that a crop was chosen for from the crop's borders, where the frame allows it."""


class Crops(NamedTuple):
    """A batch of crops, float32 in 0..1."""

    src: Tensor
    """(B, 3, HEIGHT, WIDTH)."""
    fgr: Tensor
    """(B, 3, HEIGHT, WIDTH); defined where pha > 0."""
    pha: Tensor
    """(B, 1, HEIGHT, WIDTH)."""
    gaps: Tensor
    """(B, 1, HEIGHT, WIDTH): 1 in gaps, 0 elsewhere; see `training.gaps`."""
    features: Tensor
    """(B, 48, HEIGHT / 16, WIDTH / 16): the decoder's at 1/8 of the small frame."""


def draw_crops(network: MattecamNetwork, cache: Path, out: Path, seconds: float, first: int, every: int) -> int:
    """Draw crops into the folder `out` for so many seconds; return their number, at least that of one batch.

    first, every: of the batches from number `first` on, every such one is drawn, so that several processes draw
    different ones.
    """
    out.mkdir(parents=True, exist_ok=True)
    sources = [
        (SampleSource(cache, size, seed=number, mixture=_MIXTURE, unspoilt=_UNSPOILT, views=views), count)
        for number, (size, count, views) in enumerate(_FRAMES)
    ]
    rng = np.random.default_rng(first)
    end_s, batch, drawn = time.monotonic() + seconds, first, 0
    with (out / "pixels.u8").open("wb") as pixels, (out / "features.f16").open("wb") as features:
        while time.monotonic() < end_s or not drawn:
            source, count = sources[(batch // every) % len(sources)]
            samples = [source.draw(batch * _BATCH + i) for i in range(_BATCH)]
            coarse = _features(network, to_batch(samples, torch.device("cpu")).src[:, 0])
            for sample, feature in zip(samples, coarse, strict=True):
                found = gaps(sample.pha[0, ..., 0])
                marked = np.where(found[..., None], np.uint8(255), np.uint8(0))
                layers = np.concatenate([sample.src[0], sample.fgr[0], sample.pha[0], marked], 2)
                for top, left in _places(layers[..., 6], found, count, rng):
                    pixels.write(layers[top : top + HEIGHT, left : left + WIDTH].tobytes())
                    y, x = top // _CELL, left // _CELL
                    part = feature[:, y : y + HEIGHT // _CELL, x : x + WIDTH // _CELL]
                    features.write(np.ascontiguousarray(part).tobytes())
                    drawn += 1
            batch += every
    return drawn


def shuffled(folder: Path, count: int, seed: int) -> Iterator[Crops]:
    """Yield batches of `count` of the crops in a folder, without end, in a random order."""
    shape = (-1, HEIGHT, WIDTH, _LAYERS)
    pixels = np.memmap(folder / "pixels.u8", np.uint8, "r").reshape(shape)
    shape = (-1, _CHANNELS, HEIGHT // _CELL, WIDTH // _CELL)
    features = np.memmap(folder / "features.f16", np.float16, "r").reshape(shape)
    rng = np.random.default_rng(seed)
    while True:
        order = rng.permutation(len(pixels))
        for start in range(0, max(1, len(order) - count + 1), count):
            chosen = np.sort(order[start : start + count])
            layers = torch.from_numpy(pixels[chosen]).permute(0, 3, 1, 2).float() / 255
            src, fgr, pha, found = (layers[:, part].contiguous() for part in _PARTS)
            yield Crops(src, fgr, pha, found, torch.from_numpy(features[chosen]).float())


@torch.no_grad()
def _features(network: MattecamNetwork, frames: Tensor) -> npt.NDArray[np.float16]:
    small = downsampled(frames, RATIO).contiguous(memory_format=torch.channels_last)
    with torch.autocast("cpu", torch.bfloat16):
        _, (_, features, *_), _ = network.cells(small, None, None, None)
    return features.contiguous().half().numpy()


def _places(
    alpha: Pixels, found: npt.NDArray[np.bool_], count: int, rng: np.random.Generator
) -> Iterator[tuple[int, int]]:
    """Yield top and left of crops of a frame with this alpha (H, W) and these gaps (H, W)."""
    near = np.ones((3, 3), np.uint8)
    edges = cv2.dilate(alpha, near).astype(int) - cv2.erode(alpha, near) > _EDGE
    yield from _around(edges, count if edges.sum() >= _FEWEST else 0, rng)
    yield from _around(found, _GAP_CROPS, rng)
    yield from _around(alpha == 0, _BACKGROUND_CROPS, rng)


def _around(places: npt.NDArray[np.bool_], count: int, rng: np.random.Generator) -> Iterator[tuple[int, int]]:
    """Yield top and left of crops, each around a random one of these places (H, W); none where there is none."""
    rows, columns = np.nonzero(places)
    for at in rng.integers(len(rows), size=count) if len(rows) else ():
        yield _begin(int(rows[at]), places.shape[0], HEIGHT, rng), _begin(int(columns[at]), places.shape[1], WIDTH, rng)


def _begin(at: int, size: int, length: int, rng: np.random.Generator) -> int:
    """Return where a crop of this length begins, of a frame of this size, so that it contains `at`."""
    wanted = at - int(rng.integers(_MARGIN_PX, length - _MARGIN_PX))
    return min(max(wanted, 0), size - length) // _CELL * _CELL
