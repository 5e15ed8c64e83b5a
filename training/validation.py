"""Validation data for comparing networks: unseen people, clips and rooms, with the teacher's
alphas.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import cv2
import numpy as np
import numpy.typing as npt

from training.metrics import Alpha
from training.store import Pack
from training.view import filling, head_in_view, shows_head_and_shoulders

if TYPE_CHECKING:
    from training.teacher import Teacher

Pixels = npt.NDArray[np.uint8]

SIZE = (512, 288)
"""(width, height) of the comparison's frames."""

_PHOTO = "photo"
"""Kind of a photo before its reference is known."""

WARM_UP_FRAMES = 3
"""Warm-up frames, which are not measured."""


class Matter(Protocol):
    """Interface of a method that computes alphas of the frames of a video."""

    def reset(self) -> None:
        """Reset the state for a new video."""

    def alpha(self, rgb: Pixels) -> Alpha:
        """Return alpha, float32 (H, W) in 0..1, of the next frame, uint8 (H, W, 3) RGB."""


@dataclass(frozen=True)
class Scene:
    """A video, or a photo as a static video, at the size of the comparison."""

    name: str
    kind: str
    """"shoulders" (heads and shoulders, half bodies), "other people", "clip" or "room"."""
    frames: list[Pixels]
    """uint8 (288, 512, 3) RGB each; one for photos and rooms."""
    true: list[Alpha]
    """Teacher's alpha of each measured frame: all but the warm-up of a clip, the only one of a
    photo.
    """

    @property
    def still(self) -> bool:
        """Whether the scene is one repeated frame."""
        return len(self.frames) == 1


class TeacherMatter:
    """The teacher as a method of the comparison."""

    def __init__(self, teacher: Teacher) -> None:
        self._teacher = teacher

    def reset(self) -> None:
        """Reset the recurrent state."""
        self._teacher.reset()

    def alpha(self, rgb: Pixels) -> Alpha:
        """See `Matter`."""
        return self._teacher.frame(rgb)[1][..., 0].astype(np.float32) / np.float32(255)


def scenes(cache: Path, clips: Path, weights: Path, photos: int) -> list[Scene]:
    """Return the validation scenes: up to `photos` photos, the validation clips in `clips`, and
    rooms.

    The teacher's alphas are computed once and kept in `cache`/validation.npz.
    """
    found = [*_photos(cache, photos), *_clips(cache, clips), *_rooms(cache, photos // 4)]
    kept = cache / "validation.npz"
    if kept.exists():
        with np.load(kept) as file:
            known = {name: file[name] for name in file}
    else:
        known = {}
    teacher: TeacherMatter | None = None
    for scene in found:
        if scene.kind == "room":
            scene.true.append(np.zeros(scene.frames[0].shape[:2], np.float32))
            continue
        # Another crop of a photo is another scene.
        key = f"{scene.name}:{zlib.crc32(scene.frames[-1].tobytes()):08x}"
        if key not in known:
            if teacher is None:
                from training.teacher import Teacher

                teacher = TeacherMatter(Teacher(weights, precision="f32"))
            known[key] = np.stack([np.rint(a * 255) for a in alphas(teacher, scene)]).astype(
                np.uint8
            )
        scene.true.extend(alpha.astype(np.float32) / 255 for alpha in known[key])
    if teacher is not None:
        np.savez_compressed(kept, allow_pickle=False, **known)
    return [_sorted(scene) if scene.kind == _PHOTO else scene for scene in found]


def alphas(matter: Matter, scene: Scene) -> list[Alpha]:
    """Return the alphas of `matter` for the measured frames of a scene, after the warm-up."""
    matter.reset()
    frames = scene.frames * (WARM_UP_FRAMES + 1) if scene.still else scene.frames
    return [matter.alpha(frame) for frame in frames][WARM_UP_FRAMES:]


def _sorted(photo: Scene) -> Scene:
    """Determine the kind of a photo from its reference."""
    alone = shows_head_and_shoulders(np.rint(photo.true[0] * 255).astype(np.uint8))
    return replace(photo, kind="shoulders" if alone else "other people")


def _photos(cache: Path, count: int) -> list[Scene]:
    pack = Pack(cache / "people")
    found = []
    for entry in [e for e in pack.entries if e.validation and e.usable][:count]:
        layers = head_in_view(pack.pixels(entry)[..., [0, 1, 2, 6]], SIZE)
        found.append(Scene(entry.name, _PHOTO, [np.ascontiguousarray(layers[..., :3])], []))
    return found


def _rooms(cache: Path, count: int) -> list[Scene]:
    pack = Pack(cache / "backgrounds")
    entries = [e for e in pack.entries if e.validation][:count]
    return [
        Scene(e.name, "room", [np.ascontiguousarray(filling(pack.pixels(e), SIZE))], [])
        for e in entries
    ]


def _clips(cache: Path, folder: Path) -> list[Scene]:
    groups = {e.group for e in Pack(cache / "clips").entries if e.validation}
    found = []
    for path in sorted(p for p in folder.iterdir() if p.stem in groups):
        video, frames = cv2.VideoCapture(str(path)), []
        while True:
            more, bgr = video.read()
            if not more:
                break
            frames.append(np.ascontiguousarray(filling(np.asarray(bgr, np.uint8), SIZE)[..., ::-1]))
        found.append(Scene(path.stem, "clip", frames, []))
    return found
