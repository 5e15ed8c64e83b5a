"""Frames for training of edges, drawn once: people before other rooms, rooms, photos and frames of clips."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from training.data import Mixture, SampleSource
from training.gaps import gaps

_SIZES = ((640, 360), False), ((448, 256), True)
"""(width, height) of the frames, and whether photos are views, which are small."""
_MIXTURE = Mixture(composite=0.5, empty=0.25, clip=0.05)
_UNSPOILT = 0.5
_PARTS = slice(0, 3), slice(3, 6), slice(6, 7), slice(7, 8)
"""Channels of the frame, of the foreground, of alpha and of gaps."""
_LAYERS = 8


class Frames(NamedTuple):
    """A batch of frames of one size, float32 in 0..1."""

    src: Tensor
    """(B, 3, H, W)."""
    fgr: Tensor
    """(B, 3, H, W); defined where pha > 0."""
    pha: Tensor
    """(B, 1, H, W)."""
    gaps: Tensor
    """(B, 1, H, W): 1 in gaps, 0 elsewhere; see `training.gaps`."""


def draw_frames(cache: Path, out: Path, seconds: float, first: int, every: int) -> int:
    """Draw frames of each size into files of the folder `out` for so many seconds; return their number, at least two.

    first, every: of the samples from number `first` on, every such one is drawn, so that several processes draw
    different ones.
    """
    out.mkdir(parents=True, exist_ok=True)
    end_s, drawn = time.monotonic() + seconds, 0
    sources = [
        SampleSource(cache, size, seed=number, mixture=_MIXTURE, unspoilt=_UNSPOILT, views=views)
        for number, (size, views) in enumerate(_SIZES)
    ]
    files = [(out / f"{width}x{height}.{first}.u8").open("wb") for (width, height), _ in _SIZES]
    try:
        while time.monotonic() < end_s or not drawn:
            for source, file in zip(sources, files, strict=True):
                sample = source.draw(first + drawn // len(sources) * every)
                marked = np.where(gaps(sample.pha[0, ..., 0])[..., None], np.uint8(255), np.uint8(0))
                file.write(np.concatenate([sample.src[0], sample.fgr[0], sample.pha[0], marked], 2).tobytes())
                drawn += 1
    finally:
        for file in files:
            file.close()
    return drawn


def shuffled(folder: Path, count: int, seed: int, device: torch.device, rank: int, every: int) -> Iterator[Frames]:
    """Yield batches of `count` of the frames in a folder, without end, chosen at random, half of them mirrored.

    device: keeps the frames; a CPU reads them from the disk. rank, every: of the files of each size, use every such one
    from number `rank` on, or all of them if there are fewer.
    """
    stored = [_read(path, device) for (size, _) in _SIZES for path in _share(folder, size, rank, every)]
    rng = np.random.default_rng([seed, rank])
    share = np.array([len(each) for each in stored], float)
    while True:
        frames = stored[int(rng.choice(len(stored), p=share / share.sum()))]
        chosen = torch.from_numpy(rng.integers(len(frames), size=count)).to(device)
        layers = frames[chosen].permute(0, 3, 1, 2).float() / 255
        if rng.random() < 0.5:
            layers = layers.flip(3)
        yield Frames(*(layers[:, part].contiguous() for part in _PARTS))


def _share(folder: Path, size: tuple[int, int], rank: int, every: int) -> list[Path]:
    files = sorted(folder.glob(f"{size[0]}x{size[1]}.*.u8"))
    return files[rank::every] or files


def _read(path: Path, device: torch.device) -> Tensor:
    """Return frames of a file, uint8 (N, H, W, 8)."""
    width, height = map(int, path.name.split(".")[0].split("x"))
    pixels: npt.NDArray[np.uint8] = np.memmap(path, np.uint8, "c").reshape(-1, height, width, _LAYERS)
    return torch.from_numpy(pixels).to(device)
