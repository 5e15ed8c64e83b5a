"""Sequences of people who move in a room, and of empty rooms, composited with their true alpha."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.leak_samples import NOISE_SIGMA, Sample, Scene, filling, read_image

BACKGROUND_ALPHA = 8
"""True alpha below this is rounded to 0: it is resampling noise of the cut-outs."""
FIRST_FRAMES, CUT_FRAMES = 8, 10
"""Frames after the start of a stream and after a cut that are reported apart."""
DRAW_STRIDE = 40
"""Files handed out before the next draw begins; more than one draw needs."""


@dataclass(frozen=True, slots=True)
class Pose:
    """Where a cut-out is: shift in pixels, rotation in degrees, scale."""

    x: float = 0.0
    y: float = 0.0
    angle: float = 0.0
    scale: float = 1.0


Motion = Callable[[int], Pose | None]
"""The pose in frame number n; None while nobody is in the room."""


def composited_scenes(
    cutouts: Sequence[Path], rooms: Sequence[Path], size: tuple[int, int], quick: bool, draw: int
) -> list[Scene]:
    """Spread people and rooms over the cases; the choice depends on the sorted file names and the
    draw only.
    """
    person, room = Cycle(cutouts, 7, draw * DRAW_STRIDE), Cycle(rooms, 11, draw * DRAW_STRIDE)
    count = 1 if quick else 3
    found = [
        Scene(f"steady {n}", partial(_steady, person.next(), room.next(), size, n))
        for n in range(count + 1)
    ]
    for n in range(count):
        found += [
            Scene(f"fast {n}", partial(_fast, person.next(), room.next(), size, n)),
            Scene(f"entering {n}", partial(_entering, person.next(), room.next(), size, n)),
            Scene(
                f"cut {n}", partial(_cut, [(person.next(), room.next()) for _ in range(2)], size, n)
            ),
        ]
    found += [
        Scene(f"room {n}", partial(_room, room.next(), size, n)) for n in range(3 if quick else 12)
    ]
    return found


class Cycle:
    """Hands out files in a fixed, well-mixed order."""

    def __init__(self, files: Sequence[Path], stride: int, taken: int = 0) -> None:
        while math.gcd(stride, len(files)) != 1:
            stride += 1
        self._files, self._stride, self._taken = files, stride, taken

    def next(self) -> Path:
        """The next file."""
        self._taken += 1
        return self._files[self._taken * self._stride % len(self._files)]


def _steady(cutout: Path, room: Path, size: tuple[int, int], seed: int) -> Iterator[Sample]:
    """A seated person: sways by some pixels, nods, and stands nearly still for a while."""

    def motion(n: int) -> Pose:
        calm = 0.15 if 20 <= n < 40 else 1.0
        return Pose(
            calm * 5 * math.sin(n / 7), calm * 2 * math.sin(n / 5), calm * 1.2 * math.sin(n / 11)
        )

    yield from rendered(
        cutout,
        room,
        size,
        seed,
        60,
        motion,
        lambda n: "first frames" if n < FIRST_FRAMES else "steady",
    )


def _fast(cutout: Path, room: Path, size: tuple[int, int], seed: int) -> Iterator[Sample]:
    """A person who rocks from side to side by up to 30 pixels a frame."""
    width = size[0]

    def motion(n: int) -> Pose:
        swing = math.sin(n * 0.22)
        return Pose(0.22 * width * swing, 6 * abs(swing), 7 * swing)

    yield from rendered(
        cutout,
        room,
        size,
        100 + seed,
        50,
        motion,
        lambda n: "fast motion" if n >= FIRST_FRAMES else "",
    )


def _entering(cutout: Path, room: Path, size: tuple[int, int], seed: int) -> Iterator[Sample]:
    """An empty room that a person enters from a side, stays in for a second, and leaves."""
    width, side = size[0], 1 if seed % 2 else -1

    def motion(n: int) -> Pose | None:
        if n < 15 or n >= 70:
            return None
        away = max(0.0, 1 - (n - 15) / 14) + max(0.0, (n - 56) / 14)
        return Pose(side * away * width + 3 * math.sin(n / 4), 2 * math.sin(n / 3), math.sin(n / 6))

    yield from rendered(
        cutout, room, size, 200 + seed, 85, motion, lambda n: "entering and leaving"
    )


def _cut(pairs: Sequence[tuple[Path, Path]], size: tuple[int, int], seed: int) -> Iterator[Sample]:
    """Another person in another room from one frame to the next; the frames after the cut are
    measured.
    """
    for part, (cutout, room) in enumerate(pairs):
        yield from rendered(
            cutout,
            room,
            size,
            300 + 2 * seed + part,
            20,
            lambda n: Pose(4 * math.sin(n / 6), 2 * math.sin(n / 4)),
            lambda n, part=part: "cut" if part and n < CUT_FRAMES else "",  # type: ignore[misc]
        )


def _room(room: Path, size: tuple[int, int], seed: int) -> Iterator[Sample]:
    """A room without anybody."""
    yield from rendered(None, room, size, 400 + seed, 20, lambda n: None, lambda n: "empty room")


def rendered(
    cutout: Path | None,
    room: Path,
    size: tuple[int, int],
    seed: int,
    count: int,
    motion: Motion,
    case: Callable[[int], str],
) -> Iterator[Sample]:
    random = np.random.default_rng(seed)
    backdrop = filling(read_image(room), size).astype(np.float32)
    person = None if cutout is None else _placed(cutout, size)
    for n in range(count):
        image, alpha = backdrop, np.zeros(size[::-1], np.float32)
        pose, last = motion(n), motion(max(n - 1, 0))
        if person is not None and pose is not None:
            colours, alpha = _blurred(person, last or pose, pose)
            image = colours + backdrop * (1 - alpha[..., None])
        lit = image * (1 + 0.004 * math.sin(n / 9)) + random.normal(0, NOISE_SIGMA, image.shape)
        truth = np.rint(alpha * 255).astype(np.uint8)
        truth[truth < BACKGROUND_ALPHA] = 0
        yield Sample(np.clip(lit + 0.5, 0, 255).astype(np.uint8), truth, case(n))


def _blurred(
    person: NDArray[np.float32], last: Pose, pose: Pose
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Premultiplied colours (H, W, 3) and alpha (H, W), averaged over half the way from the last
    pose.
    """
    distance = math.hypot(pose.x - last.x, pose.y - last.y)
    steps = max(1, min(8, round(distance / 3)))
    total = np.zeros_like(person)
    for step in range(steps):
        back = 0.5 * step / steps
        height, width = person.shape[:2]
        matrix = cv2.getRotationMatrix2D((width / 2, height), pose.angle, pose.scale)
        matrix[0, 2] += pose.x + back * (last.x - pose.x)
        matrix[1, 2] += pose.y + back * (last.y - pose.y)
        total += cv2.warpAffine(person, matrix, (width, height), flags=cv2.INTER_LINEAR)
    total /= steps
    return total[..., :3], np.clip(total[..., 3], 0, 1)


def _placed(cutout: Path, size: tuple[int, int]) -> NDArray[np.float32]:
    """The upper body at the bottom of a frame, premultiplied BGRA (H, W, 4), alpha in 0..1."""
    width, height = size
    image = np.asarray(cv2.imread(str(cutout), cv2.IMREAD_UNCHANGED))
    body = image[: int(0.55 * image.shape[0])].astype(np.float32)
    body[..., 3] /= 255
    body[..., :3] *= body[..., 3:]
    scale = min(0.86 * height / body.shape[0], 0.8 * width / body.shape[1])
    body = np.asarray(
        cv2.resize(body, None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR), np.float32
    )
    placed = np.zeros((height, width, 4), np.float32)
    top, left = height - body.shape[0], (width - body.shape[1]) // 2
    placed[top:, left : left + body.shape[1]] = body
    return placed


def usable_cutouts(files: Sequence[Path]) -> list[Path]:
    """People in a pose that a webcam sees: upper bodies that are neither crouching nor very wide."""
    usable = []
    for path in files:
        image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        if (
            image is not None
            and image.shape[0] >= 200
            and 1.6 <= image.shape[0] / image.shape[1] <= 3.2
        ):
            usable.append(path)
    return usable
