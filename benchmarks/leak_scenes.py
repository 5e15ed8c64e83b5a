"""Sequences with known truth for `bench_leak`, made from cut-outs, photos, rooms, clips and the demo source."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from app.capture.demo import DemoSource
from app.core.types import AlphaImage, BgrImage

SIZE = (640, 360)
NOISE_SIGMA = 2.5
"""Standard deviation of the simulated sensor noise, in 8-bit levels."""
OPAQUE, BACKGROUND_ALPHA = 255, 8
"""True alpha below BACKGROUND_ALPHA is rounded to 0: it is resampling noise of the cut-outs."""
FIRST_FRAMES, CUT_FRAMES = 8, 10
"""Frames after the start of a stream and after a cut that are reported apart."""
CLIP_FRAMES = 45
CLIP_BACKGROUND = ((0.0, 0.15, 0.0, 1.0), (0.77, 0.92, 0.0, 0.55), (0.15, 0.77, 0.0, 0.04))
"""Parts of the webcam clips where nobody ever is, checked by eye: left, right, top, bottom as shares of the frame."""
MASK_MARGIN_PX = 6
"""Masks made by people are this inaccurate; the band around them is not judged."""
DRAW_STRIDE = 40
"""Files handed out before the next draw begins; more than one draw needs."""
PORTRAITS = "vik"
"""Start of the names of masks that belong to portraits."""
PHOTO_AREA = (0.12, 0.7)
"""Photos are used where the person covers a share of the frame within these bounds."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One frame with its truth."""

    image: BgrImage
    person: AlphaImage
    """(H, W) uint8: true alpha; 255 also where the truth is unknown."""
    case: str
    """The row of the report that the frame belongs to."""
    exact: bool = True
    """Whether `person` is a true alpha, so that the error of a matte can be measured."""


@dataclass(frozen=True, slots=True)
class Scene:
    """A named sequence; `samples` renders it anew on each call, with the same result."""

    name: str
    samples: Callable[[], Iterator[Sample]]


@dataclass(frozen=True, slots=True)
class Pose:
    """Where a cut-out is: shift in pixels, rotation in degrees, scale."""

    x: float = 0.0
    y: float = 0.0
    angle: float = 0.0
    scale: float = 1.0


Motion = Callable[[int], Pose | None]
"""The pose in frame number n; None while nobody is in the room."""


def scenes(
    data: Path, size: tuple[int, int] = SIZE, quick: bool = False, draw: int = 0
) -> tuple[list[Scene], list[str]]:
    """Return the scenes that the folder allows, and one sentence for each part of the data that is absent.

    draw: which people, rooms and noise the composited sequences get; the other scenes are the same in every draw.
    """
    found: list[Scene] = [demo_scene(True, size), demo_scene(False, size)]
    absent: list[str] = []
    cutouts, rooms = _files(data / "train/cutouts", ".png"), _files(data / "train-clean/rooms", ".jpg")
    if cutouts and rooms:
        found += _composited(_usable_cutouts(cutouts), rooms, size, quick, draw)
    else:
        absent.append(f"No cut-outs or rooms in {data}: composited sequences and empty rooms are not measured.")
    photos = _photos(data / "train", 6 if quick else 16)
    found += [Scene(f"photo {path.stem}", partial(_photo, path, mask, size)) for path, mask in photos]
    if not photos:
        absent.append(f"No photos with masks in {data}: photos are not measured.")
    clips = _files(data / "clips", ".mkv")
    found += [Scene(f"clip {path.stem}", partial(_clip, path)) for path in (clips[:2] if quick else clips)]
    if not clips:
        absent.append(f"No webcam clips in {data}: real clips are not measured.")
    return found, absent


def demo_scene(empty: bool, size: tuple[int, int]) -> Scene:
    """Return the demo source without its person (empty), or with it: then only the empty margin is known."""
    return Scene("demo empty" if empty else "demo", partial(_demo, empty, size))


def _composited(
    cutouts: Sequence[Path], rooms: Sequence[Path], size: tuple[int, int], quick: bool, draw: int
) -> list[Scene]:
    """Spread people and rooms over the cases; the choice depends on the sorted file names and the draw only."""
    person, room = _Cycle(cutouts, 7, draw * DRAW_STRIDE), _Cycle(rooms, 11, draw * DRAW_STRIDE)
    count = 1 if quick else 3
    found = [Scene(f"steady {n}", partial(_steady, person.next(), room.next(), size, n)) for n in range(count + 1)]
    for n in range(count):
        found += [
            Scene(f"fast {n}", partial(_fast, person.next(), room.next(), size, n)),
            Scene(f"entering {n}", partial(_entering, person.next(), room.next(), size, n)),
            Scene(f"cut {n}", partial(_cut, [(person.next(), room.next()) for _ in range(2)], size, n)),
        ]
    found += [Scene(f"room {n}", partial(_room, room.next(), size, n)) for n in range(3 if quick else 12)]
    return found


class _Cycle:
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
        return Pose(calm * 5 * math.sin(n / 7), calm * 2 * math.sin(n / 5), calm * 1.2 * math.sin(n / 11))

    yield from _render(cutout, room, size, seed, 60, motion, lambda n: "first frames" if n < FIRST_FRAMES else "steady")


def _fast(cutout: Path, room: Path, size: tuple[int, int], seed: int) -> Iterator[Sample]:
    """A person who rocks from side to side by up to 30 pixels a frame."""
    width = size[0]

    def motion(n: int) -> Pose:
        swing = math.sin(n * 0.22)
        return Pose(0.22 * width * swing, 6 * abs(swing), 7 * swing)

    yield from _render(cutout, room, size, 100 + seed, 50, motion, lambda n: "fast motion" if n >= FIRST_FRAMES else "")


def _entering(cutout: Path, room: Path, size: tuple[int, int], seed: int) -> Iterator[Sample]:
    """An empty room that a person enters from a side, stays in for a second, and leaves."""
    width, side = size[0], 1 if seed % 2 else -1

    def motion(n: int) -> Pose | None:
        if n < 15 or n >= 70:
            return None
        away = max(0.0, 1 - (n - 15) / 14) + max(0.0, (n - 56) / 14)
        return Pose(side * away * width + 3 * math.sin(n / 4), 2 * math.sin(n / 3), math.sin(n / 6))

    yield from _render(cutout, room, size, 200 + seed, 85, motion, lambda n: "entering and leaving")


def _cut(pairs: Sequence[tuple[Path, Path]], size: tuple[int, int], seed: int) -> Iterator[Sample]:
    """Another person in another room from one frame to the next; the frames after the cut are measured."""
    for part, (cutout, room) in enumerate(pairs):
        yield from _render(
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
    yield from _render(None, room, size, 400 + seed, 20, lambda n: None, lambda n: "empty room")


def _render(
    cutout: Path | None,
    room: Path,
    size: tuple[int, int],
    seed: int,
    count: int,
    motion: Motion,
    case: Callable[[int], str],
) -> Iterator[Sample]:
    random = np.random.default_rng(seed)
    backdrop = _filling(_image(room), size).astype(np.float32)
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


def _blurred(person: NDArray[np.float32], last: Pose, pose: Pose) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Premultiplied colours (H, W, 3) and alpha (H, W), averaged over half the way from the last pose."""
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
    body = np.asarray(cv2.resize(body, None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR), np.float32)
    placed = np.zeros((height, width, 4), np.float32)
    top, left = height - body.shape[0], (width - body.shape[1]) // 2
    placed[top:, left : left + body.shape[1]] = body
    return placed


def _usable_cutouts(files: Sequence[Path]) -> list[Path]:
    """People in a pose that a webcam sees: upper bodies that are neither crouching nor very wide."""
    usable = []
    for path in files:
        image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        if image is not None and image.shape[0] >= 200 and 1.6 <= image.shape[0] / image.shape[1] <= 3.2:
            usable.append(path)
    return usable


def _photos(train: Path, count: int) -> list[tuple[Path, Path]]:
    """Photos with one person in front of much background, and their masks."""
    found = []
    for mask in (path for path in _files(train / "masks", ".png") if path.stem.startswith(PORTRAITS)):
        photo = train / "portraits" / f"{mask.stem}.jpg"
        truth = cv2.imread(str(mask), cv2.IMREAD_GRAYSCALE)
        if truth is None or not photo.exists():
            continue
        area = float((truth > 127).mean())
        if PHOTO_AREA[0] < area < PHOTO_AREA[1] and _one_piece(truth > 127):
            found.append((photo, mask))
    return found[:: max(1, len(found) // count)][:count]


def _one_piece(mask: NDArray[np.bool_]) -> bool:
    _, _, statistics, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    return bool(statistics[1:, cv2.CC_STAT_AREA].max() > 0.98 * mask.sum())


def _photo(photo: Path, mask: Path, size: tuple[int, int]) -> Iterator[Sample]:
    """A photo as a hand-held camera sees it: everything moves together."""
    image, truth = _image(photo), np.asarray(cv2.imread(str(mask), cv2.IMREAD_GRAYSCALE))
    image, truth = _filling(image, size), _filling(truth, size)
    unsure = np.asarray(cv2.dilate(truth, np.ones((2 * MASK_MARGIN_PX + 1,) * 2, np.uint8)))
    random = np.random.default_rng(len(photo.stem))
    width, height = size
    for n in range(14):
        matrix = cv2.getRotationMatrix2D((width / 2, height / 2), 0.8 * math.sin(n / 5), 1.06)
        matrix[0, 2] += 6 * math.sin(n / 4)
        matrix[1, 2] += 3 * math.sin(n / 3)
        moved = cv2.warpAffine(image, matrix, size, borderMode=cv2.BORDER_REFLECT).astype(np.float32)
        person = cv2.warpAffine(unsure, matrix, size, borderMode=cv2.BORDER_REFLECT)
        noisy = np.clip(moved + random.normal(0, NOISE_SIGMA, moved.shape) + 0.5, 0, 255).astype(np.uint8)
        yield Sample(noisy, np.where(person > 0, 255, 0).astype(np.uint8), "photo", exact=False)


def _clip(path: Path) -> Iterator[Sample]:
    capture = cv2.VideoCapture(str(path))
    try:
        for _ in range(CLIP_FRAMES):
            read = capture.read()
            if not read[0]:
                return
            image = np.asarray(read[1], np.uint8)
            yield Sample(image, _clip_truth(image.shape[1], image.shape[0]), "real clip", exact=False)
    finally:
        capture.release()


def _clip_truth(width: int, height: int) -> AlphaImage:
    truth = np.full((height, width), OPAQUE, np.uint8)
    for left, right, top, bottom in CLIP_BACKGROUND:
        truth[int(top * height) : int(bottom * height), int(left * width) : int(right * width)] = 0
    return truth


def _demo(empty: bool, size: tuple[int, int]) -> Iterator[Sample]:
    """With a person, the left quarter of the demo's upper half is known to be background."""
    width, height = size
    source = DemoSource(width, height, 30.0, realtime=False, empty_scene_s=2.0 if empty else 0.0)
    truth = np.zeros((height, width), np.uint8)
    if not empty:
        truth[:] = OPAQUE
        truth[: height // 2, : width // 6] = 0
    for n in range(40):
        yield Sample(source.render(n), truth, "empty demo room" if empty else "demo", exact=False)


def _filling(image: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Scale and crop, mostly from the bottom, to (width, height)."""
    width, height = size
    scale = max(width / image.shape[1], height / image.shape[0])
    scaled = np.asarray(cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR), np.uint8)
    scaled = scaled if scaled.shape[0] >= height and scaled.shape[1] >= width else np.asarray(cv2.resize(scaled, size))
    top, left = (scaled.shape[0] - height) // 4, (scaled.shape[1] - width) // 2
    return np.ascontiguousarray(scaled[top : top + height, left : left + width])


def _image(path: Path) -> BgrImage:
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise ValueError(f"{path} cannot be read as an image; take it out of the data folder.")
    return np.asarray(image, np.uint8)


def _files(folder: Path, suffix: str) -> list[Path]:
    return sorted(folder.glob(f"*{suffix}")) if folder.is_dir() else []
