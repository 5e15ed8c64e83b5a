"""Photos cropped as by a webcam, with the teacher's output for the same crop: the pack `views`.

A student learns best from a teacher with the same input (Beyer et al., arXiv 2106.05237). RVM's
mattes of a whole photo and of a crop of it differ by as much as the error of a good student.
"""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
import numpy.typing as npt

from training.framing import Pixels, Rng, framed
from training.matte import DISAGREE, corrected, decided, overlap
from training.motion import warp_all
from training.progress import track
from training.sources import WHOLE_BODY, Picture
from training.store import Entry, Pack, PackWriter
from training.view import head_in_view, top_of_head

SEEN_SIZE, KEPT_SIZE = (512, 288), (384, 216)
"""(width, height) of the crop that the teacher processes, and at which it is stored."""

_SETTLING_PASSES = 3
_CERTAIN = 0.9
"""Least overlap of the teacher's mattes of a crop at two sizes."""
_HEADS = 0.85
"""Share of crops that begin at a head or slightly above."""


class PhotoTeacher(Protocol):
    """Interface of `training.teacher.Teacher`."""

    def photo(self, rgb: Pixels, passes: int) -> tuple[Pixels, Pixels]:
        """Return foreground (H, W, 3) and alpha (H, W, 1) of a photo (H, W, 3) RGB after `passes`
        passes, uint8.
        """


def pack_views(cache: Path, pictures: list[Picture], teacher: PhotoTeacher) -> None:
    """Crop the usable photos in `cache`/people and pack the teacher's output for them.

    Portraits are cropped twice, whole bodies once; validation photos once and always in the same
    way.
    """
    people = Pack(cache / "people")
    masks = {picture.name: picture.mask for picture in pictures}
    with PackWriter(cache / "views") as pack:
        for entry, number in track(_cuts(people.entries), "views"):
            photo, mask = people.pixels(entry), masks.get(entry.name)
            rng = np.random.default_rng([zlib.crc32(entry.name.encode()), number])
            layers = (
                _plain_view(photo, teacher)
                if entry.validation
                else _random_view(photo, mask, teacher, rng)
            )
            if layers is not None:
                pack.add(_kept(layers), entry.name, entry.group, validation=entry.validation)


def _cuts(entries: list[Entry]) -> list[tuple[Entry, int]]:
    """Return photos and the numbers of their crops; second crops last."""
    usable = [e for e in entries if e.usable]
    twice = [e for e in usable if not (e.validation or e.group in WHOLE_BODY)]
    return [*((e, 0) for e in usable), *((e, 1) for e in twice)]


def _plain_view(photo: Pixels, teacher: PhotoTeacher) -> Pixels:
    rgb = np.ascontiguousarray(head_in_view(photo[..., [0, 1, 2, 6]], SEEN_SIZE)[..., :3])
    return np.concatenate([rgb, *teacher.photo(rgb, _SETTLING_PASSES)], 2)


def _random_view(
    photo: Pixels, mask: Path | None, teacher: PhotoTeacher, rng: Rng
) -> Pixels | None:
    """Return RGB, foreground and alpha, (H, W, 7), of a crop, or None if it is unclear who is in
    it.
    """
    size = photo.shape[1], photo.shape[0]
    whole = np.ascontiguousarray(photo[..., [0, 1, 2, 6]])
    head = top_of_head(whole[..., 3]) if rng.random() < _HEADS else None
    matrix = framed(rng, size, SEEN_SIZE, pad=False, head=head)[0].matrix()
    cut = _warped(whole, matrix)
    rgb = np.ascontiguousarray(cut[..., :3])
    foreground, alpha = teacher.photo(rgb, _SETTLING_PASSES)
    if overlap(alpha[..., 0] > 127, cut[..., 3] > 127) < DISAGREE:
        return None
    if mask is None and not _is_certain(rgb, alpha, teacher):
        return None
    if mask is not None:
        inside = np.asarray(cv2.resize(np.asarray(cv2.imread(str(mask)), np.uint8), size), np.uint8)
        alpha, _ = corrected(alpha[..., 0], _warped(inside, matrix)[..., 0])
    return np.concatenate([rgb, foreground, decided(alpha)], 2)


def _is_certain(rgb: Pixels, alpha: Pixels, teacher: PhotoTeacher) -> bool:
    """Return whether the teacher finds the same people at a smaller size."""
    height, width = alpha.shape[:2]
    smaller = np.asarray(
        cv2.resize(rgb, (width * 5 // 8, height * 5 // 8), interpolation=cv2.INTER_AREA), np.uint8
    )
    other = cv2.resize(
        teacher.photo(smaller, _SETTLING_PASSES)[1], (width, height), interpolation=cv2.INTER_LINEAR
    )
    return overlap(alpha[..., 0] > 127, other > 127) >= _CERTAIN


def _warped(layers: Pixels, matrix: npt.NDArray[np.float64]) -> Pixels:
    return warp_all(layers, matrix, [np.eye(3)], SEEN_SIZE, cv2.BORDER_REPLICATE)[0]


def _kept(layers: Pixels) -> Pixels:
    """Return the layers (H, W, 7) at the stored size."""
    parts = [np.ascontiguousarray(part) for part in (layers[..., :3], layers[..., 3:])]
    return np.concatenate(
        [cv2.resize(part, KEPT_SIZE, interpolation=cv2.INTER_AREA) for part in parts], 2
    ).astype(np.uint8)
