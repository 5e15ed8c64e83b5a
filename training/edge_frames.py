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
_MIXTURE = Mixture(composite=0.37, empty=0.30, clip=0.05)
_UNSPOILT = 0.5
_PARTS = slice(0, 3), slice(3, 6), slice(6, 7), slice(7, 8)
"""Channels of the frame, of the foreground, of alpha and of gaps."""
_LAYERS = 8
_PLAIN, _GAPS = "plain", "gaps"
"""Names of files: of frames without and with gaps."""
_GAP_SHARE = 0.4
"""Share of a batch that has gaps."""


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
    files = [
        {kind: (out / f"{width}x{height}.{kind}.{first}.u8").open("wb") for kind in (_PLAIN, _GAPS)}
        for (width, height), _ in _SIZES
    ]
    try:
        while time.monotonic() < end_s or not drawn:
            for source, kinds in zip(sources, files, strict=True):
                sample = source.draw(first + drawn // len(sources) * every)
                marked = np.where(gaps(sample.pha[0, ..., 0])[..., None], np.uint8(255), np.uint8(0))
                kinds[_GAPS if marked.any() else _PLAIN].write(
                    np.concatenate([sample.src[0], sample.fgr[0], sample.pha[0], marked], 2).tobytes()
                )
                drawn += 1
    finally:
        for kinds in files:
            for file in kinds.values():
                file.close()
    return drawn


def shuffled(folder: Path, count: int, seed: int, device: torch.device, rank: int, every: int) -> Iterator[Frames]:
    """Yield batches of `count` of the frames in a folder, without end, chosen at random, half of them mirrored.

    Frames with gaps are more frequent than in the folder. device: keeps the frames; a CPU reads them from the disk.
    rank, every: of the files of each size and kind, use every such one from number `rank` on, or all of too few.
    """
    stored = [
        [[_read(path, device) for path in _share(folder, size, kind, rank, every)] for kind in (_PLAIN, _GAPS)]
        for size, _ in _SIZES
    ]
    rng = np.random.default_rng([seed, rank])
    share = np.array([sum(len(part) for kind in kinds for part in kind) for kinds in stored], float)
    while True:
        plain, with_gaps = stored[int(rng.choice(len(stored), p=share / share.sum()))]
        marked = rng.random(count) < (_GAP_SHARE if plain and with_gaps else bool(with_gaps))
        chosen = [_chosen(rng, with_gaps if gaps else plain) for gaps in marked]
        layers = torch.stack(chosen).to(device).permute(0, 3, 1, 2).float() / 255
        if rng.random() < 0.5:
            layers = layers.flip(3)
        yield Frames(*(layers[:, part].contiguous() for part in _PARTS))


def _chosen(rng: np.random.Generator, files: list[Tensor]) -> Tensor:
    ends = np.cumsum([len(frames) for frames in files])
    number = int(rng.integers(ends[-1]))
    at = int(np.searchsorted(ends, number, "right"))
    return files[at][number - ends[at]]  # a negative number counts from the end


def _share(folder: Path, size: tuple[int, int], kind: str, rank: int, every: int) -> list[Path]:
    # A process that drew no frame of this kind wrote an empty file.
    files = sorted(path for path in folder.glob(f"{size[0]}x{size[1]}.{kind}.*.u8") if path.stat().st_size)
    return files[rank::every] or files


def _read(path: Path, device: torch.device) -> Tensor:
    """Return frames of a file, uint8 (N, H, W, 8)."""
    width, height = map(int, path.name.split(".")[0].split("x"))
    pixels: npt.NDArray[np.uint8] = np.memmap(path, np.uint8, "c").reshape(-1, height, width, _LAYERS)
    return torch.from_numpy(pixels).to(device)
