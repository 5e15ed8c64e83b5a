"""Frames for training of edges: people before other rooms, rooms, photos and frames of clips.

They lie in files of a folder. Either they are drawn once, or processes go on to draw while others
train, and the oldest files make room for new ones.
"""

from __future__ import annotations

import contextlib
import itertools
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from app.core.errors import UsageError
from training.data import Mixture, SampleSource
from training.gaps import gaps

_SIZES = ((640, 360), False), ((448, 256), True)
"""(width, height) of the frames, and whether photos are views, which are small."""
_MIXTURE = Mixture(composite=0.33, empty=0.24, clip=0.08)
_UNSPOILT = 0.5
_PARTS = slice(0, 3), slice(3, 6), slice(6, 7), slice(7, 8)
"""Channels of the frame, of the foreground, of alpha and of gaps."""
_LAYERS = 8
_PLAIN, _GAPS = "plain", "gaps"
"""Names of files: of frames without and with gaps."""
_GAP_SHARE = 0.4
"""Share of a batch that has gaps."""
_FRAMES_OF_FILE = 32
_LOOK_EVERY = 40
"""Batches between two looks for new files."""


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


def draw_frames(
    cache: Path, out: Path, seconds: float, first: int, every: int, kept: int | None = None
) -> int:
    """Draw frames of each size into files of the folder `out` for so many seconds; return their
    number, at least two.

    first, every: of the samples from number `first` on, every such one is drawn, so that several
    processes draw different ones. kept: of each size and kind, only so many of this process's files
    remain, the newest ones.
    """
    out.mkdir(parents=True, exist_ok=True)
    end_s, drawn = time.monotonic() + seconds, 0
    sources = [
        SampleSource(cache, size, seed=number, mixture=_MIXTURE, unspoilt=_UNSPOILT, views=views)
        for number, (size, views) in enumerate(_SIZES)
    ]
    series = [
        {kind: _Series(out, f"{width}x{height}.{kind}.{first}", kept) for kind in (_PLAIN, _GAPS)}
        for (width, height), _ in _SIZES
    ]
    while time.monotonic() < end_s or not drawn:
        for source, kinds in zip(sources, series, strict=True):
            sample = source.draw(first + drawn // len(sources) * every)
            marked = np.where(gaps(sample.pha[0, ..., 0])[..., None], np.uint8(255), np.uint8(0))
            layers = np.concatenate([sample.src[0], sample.fgr[0], sample.pha[0], marked], 2)
            kinds[_GAPS if marked.any() else _PLAIN].add(layers)
            drawn += 1
    for kinds in series:
        for each in kinds.values():
            each.write()
    return drawn


class _Series:
    """Files of frames of one size and kind: one that grows, or many of which only the newest
    remain.

    Those of an earlier run are removed.
    """

    def __init__(self, folder: Path, name: str, kept: int | None) -> None:
        self._folder, self._name, self._kept = folder, name, kept
        self._frames: list[npt.NDArray[np.uint8]] = []
        self._written: deque[Path] = deque()
        self._number = 0
        for old in folder.glob(f"{name}.*"):
            old.unlink()

    def add(self, layers: npt.NDArray[np.uint8]) -> None:
        """Add a frame (H, W, 8)."""
        self._frames.append(layers)
        if len(self._frames) == _FRAMES_OF_FILE:
            self.write()

    def write(self) -> None:
        """Write the frames that no file holds yet, if there are any."""
        if not self._frames:
            return
        pixels = np.stack(self._frames).tobytes()
        self._frames.clear()
        path = self._folder / f"{self._name}.{self._number}.u8"
        if self._kept is None:
            # One file: each that is read later takes a descriptor.
            with path.open("ab") as file:
                file.write(pixels)
            return
        unfinished = path.with_suffix(".part")
        unfinished.write_bytes(pixels)
        unfinished.rename(path)
        self._number += 1
        self._written.append(path)
        if len(self._written) > self._kept:
            self._written.popleft().unlink()


def shuffled(
    folder: Path, count: int, seed: int, device: torch.device, rank: int, every: int
) -> Iterator[Frames]:
    """Yield batches of `count` of the frames in a folder, without end, chosen at random, half of
    them mirrored.

    Frames with gaps are more frequent than in the folder. device: keeps the frames; a CPU reads
    them from the disk. rank, every: of the files of each size and kind, use every such one from
    number `rank` on, or all of too few. Files may come and go meanwhile. Raises UsageError if there
    is none.
    """
    stored = [
        {kind: _Files(folder, size, kind, device) for kind in (_PLAIN, _GAPS)} for size, _ in _SIZES
    ]
    rng = np.random.default_rng([seed, rank])
    for number in itertools.count():
        if number % _LOOK_EVERY == 0:
            for kinds in stored:
                for files in kinds.values():
                    files.look(rank, every)
            share = np.array(
                [sum(len(files) for files in kinds.values()) for kinds in stored], float
            )
            if not share.any():
                raise UsageError(f"{folder} holds no frames; draw for longer before training.")
        kinds = stored[int(rng.choice(len(stored), p=share / share.sum()))]
        plain, with_gaps = kinds[_PLAIN], kinds[_GAPS]
        marked = rng.random(count) < (
            _GAP_SHARE if len(plain) and len(with_gaps) else bool(len(with_gaps))
        )
        chosen = [(with_gaps if gaps else plain).chosen(rng) for gaps in marked]
        layers = torch.stack(chosen).to(device).permute(0, 3, 1, 2).float() / 255
        if rng.random() < 0.5:
            layers = layers.flip(3)
        yield Frames(*(layers[:, part].contiguous() for part in _PARTS))


class _Files:
    """The frames of one size and kind in a folder, on a device."""

    def __init__(
        self, folder: Path, size: tuple[int, int], kind: str, device: torch.device
    ) -> None:
        self._folder, self._pattern, self._device = (
            folder,
            f"{size[0]}x{size[1]}.{kind}.*.u8",
            device,
        )
        self._read: dict[Path, Tensor] = {}
        self._frames: list[Tensor] = []

    def __len__(self) -> int:
        return len(self._frames)

    def look(self, rank: int, every: int) -> None:
        """Read files that are new and leave out those that are gone."""
        found = sorted(self._folder.glob(self._pattern))
        wanted = found[rank::every] or found
        if self._read.keys() == set(wanted):
            return
        # Before new ones are read: both may not fit into the memory of a GPU.
        self._frames.clear()
        self._read = {path: self._read[path] for path in wanted if path in self._read}
        for path in wanted:
            if path not in self._read:
                with contextlib.suppress(FileNotFoundError):  # it went meanwhile
                    self._read[path] = _read(path, self._device)
        self._frames.extend(frame for frames in self._read.values() for frame in frames.unbind())

    def chosen(self, rng: np.random.Generator) -> Tensor:
        """Return a frame at random."""
        return self._frames[int(rng.integers(len(self)))]


def _read(path: Path, device: torch.device) -> Tensor:
    """Return frames of a file, uint8 (N, H, W, 8)."""
    width, height = map(int, path.name.split(".")[0].split("x"))
    pixels: npt.NDArray[np.uint8] = np.memmap(path, np.uint8, "c").reshape(
        -1, height, width, _LAYERS
    )
    return torch.from_numpy(pixels).to(device)
