"""Training samples made from the cache: photos as they are, people put before other backgrounds, clips, empty rooms."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from app.errors import UsageError
from training.degrade import ToneRange, random_camera, random_tone, through_h264
from training.motion import Placement, random_path, warp_all
from training.objects import with_objects
from training.sources import WHOLE_BODY
from training.store import Entry, Pack
from training.view import top_of_head

Pixels = npt.NDArray[np.uint8]
Rng = np.random.Generator
Size = tuple[int, int]

_SMALL = 160
"""Frames of this width and less are made from pictures of half the size, in less time."""

_PORTRAITS = 0.6
"""Share of heads and shoulders and half bodies among the photos drawn."""
_PHOTO_PLACES = 0.35
"""Share of places that are left-overs of photos: outdoors, offices, plain walls."""
_OBJECTS = 0.5
"""Share of rooms into which flags, curtains and other tall things are put."""
_CROWDS = 0.15
_HEADS = 0.75
"""Share of the photos that are cut as one sits before a webcam, with the head in view."""
_NOBODY = 2
"""Alpha, of 255, up to which nobody is there."""


@dataclass(frozen=True)
class Sample:
    """A sequence of T frames and its truth, uint8."""

    src: Pixels
    """(T, H, W, 3) RGB."""
    fgr: Pixels
    """(T, H, W, 3) RGB; means something where pha > 0."""
    pha: Pixels
    """(T, H, W, 1)."""


@dataclass(frozen=True)
class Mixture:
    """How often each kind of sample is drawn; the rest are photos as they are."""

    composite: float = 0.36
    empty: float = 0.09
    clip: float = 0.06


class SampleSource:
    """Draws samples: the same ones for the same seed and index, whatever was drawn before."""

    def __init__(self, cache: Path, size: Size, frames: int = 1, seed: int = 0, mixture: Mixture | None = None) -> None:
        """`size` is (width, height) of the samples, `frames` their T. Validation entries are never drawn.

        Raises UsageError where the cache holds nothing to learn from.
        """
        self.size, self.frames, self.seed = size, frames, seed
        self.mixture = mixture or Mixture()
        halved = size[0] <= _SMALL
        self._people = Pack(cache / "people", halved=halved)
        self._backgrounds = Pack(cache / "backgrounds", halved=halved)
        self._clips = Pack(cache / "clips", halved=halved)
        people = [entry for entry in self._people.entries if not entry.validation]
        self._photos = _by_framing([entry for entry in people if entry.usable])
        self._cutouts = _by_framing([entry for entry in people if entry.composable])
        self._rooms = [entry for entry in self._backgrounds.entries if not entry.validation]
        if not (any(self._photos) and any(self._cutouts) and self._rooms):
            raise UsageError(f"{cache} holds no people or no rooms to learn from; fill it with training.cache first.")
        by_clip: dict[str, list[Entry]] = {}
        for entry in self._clips.entries:
            if not entry.validation:
                by_clip.setdefault(entry.group, []).append(entry)
        self._sequences = list(by_clip.values())

    def draw(self, index: int) -> Sample:
        """The sample of this index."""
        rng = np.random.default_rng([self.seed, index])
        frames, alphas, foregrounds = self._scene(rng)
        camera = random_camera(rng)
        pictures = [camera.picture(frame, rng) for frame in frames]
        if camera.h264 and self.frames > 1:
            pictures = through_h264(pictures, camera.h264)
        src = np.stack(pictures)
        return Sample(src, np.stack([camera.tone_of(f) for f in foregrounds]), np.stack(alphas))

    def _scene(self, rng: Rng) -> tuple[list[Pixels], list[Pixels], list[Pixels]]:
        kind = rng.random()
        mixture = self.mixture
        if kind < mixture.empty:
            frames = self._room(rng)
            return frames, [np.zeros((*f.shape[:2], 1), np.uint8) for f in frames], frames
        kind -= mixture.empty
        if kind < mixture.composite:
            return self._composite(rng)
        kind -= mixture.composite
        if kind < mixture.clip and self._sequences:
            return self._clip(rng)
        return self._photo(rng)

    def _photo(self, rng: Rng) -> tuple[list[Pixels], list[Pixels], list[Pixels]]:
        layers = self._people.pixels(_one_of(rng, self._photos))
        head = top_of_head(np.asarray(layers[..., 6])) if rng.random() < _HEADS else None
        placement, padded = _framed(rng, _size(layers), self.size, head=head)
        border = cv2.BORDER_CONSTANT if padded else cv2.BORDER_REPLICATE
        path = random_path(rng, self.frames, self.size, 0.012)
        return _split(warp_all(layers, placement.matrix(), path, self.size, border, int(rng.choice([0, 0, 255, 128]))))

    def _clip(self, rng: Rng) -> tuple[list[Pixels], list[Pixels], list[Pixels]]:
        clip = self._sequences[rng.integers(len(self._sequences))]
        stride = int(rng.integers(1, 3))
        first = int(rng.integers(0, max(1, len(clip) - stride * (self.frames - 1))))
        entries = [clip[min(first + stride * t, len(clip) - 1)] for t in range(self.frames)]
        if rng.random() < 0.5:
            entries.reverse()
        stills = [self._clips.pixels(entry) for entry in entries]
        placement, _ = _framed(rng, _size(stills[0]), self.size, pad=False)
        matrix = placement.matrix()
        images = [warp_all(still, matrix, [np.eye(3)], self.size, cv2.BORDER_REPLICATE)[0] for still in stills]
        return _split(images)

    def _room(self, rng: Rng) -> list[Pixels]:
        room = self._place(rng)
        if rng.random() < _OBJECTS:
            room = with_objects(room, rng)
        placement, _ = _framed(rng, _size(room), self.size, pad=False)
        path = random_path(rng, self.frames, self.size, 0.006)
        frames = warp_all(room, placement.matrix(), path, self.size, cv2.BORDER_REFLECT_101)
        sigma = rng.uniform(0.5, 4) * self.size[0] / 256 if rng.random() < 0.25 else 0.0
        tone = random_tone(rng, ToneRange())
        return [tone(_blurred(frame, sigma)) for frame in frames]

    def _place(self, rng: Rng) -> Pixels:
        """A picture with nobody in it: a room, or what is left of a photo beside the person, put together."""
        if rng.random() < _PHOTO_PLACES:
            layers = self._people.pixels(_one_of(rng, self._photos))
            free = layers[..., 6].max(0) <= _NOBODY
            if free.sum() > max(0.35 * free.size, 0.25 * self.size[0]):
                return np.ascontiguousarray(layers[:, free, :3])
        return self._backgrounds.pixels(self._rooms[rng.integers(len(self._rooms))])

    def _composite(self, rng: Rng) -> tuple[list[Pixels], list[Pixels], list[Pixels]]:
        if rng.random() < _CROWDS:
            # Somebody steps before a photo of somebody else.
            frames, before, behind = self._photo(rng)
            alphas = [a.astype(np.float32) / 255 for a in before]
            foregrounds = [f.astype(np.float32) for f in behind]
            count = 1
        else:
            frames = self._room(rng)
            alphas = [np.zeros((*f.shape[:2], 1), np.float32) for f in frames]
            foregrounds = [np.zeros(f.shape, np.float32) for f in frames]
            count = 2 if rng.random() < 0.12 else 1
        for _ in range(count):
            for t, (colour, alpha) in enumerate(self._person(rng, small=count > 1)):
                # Over: the nearer person hides the farther one as both hide the room.
                frames[t] = _over(colour, alpha, frames[t].astype(np.float32))
                total = alpha + alphas[t] * (1 - alpha)
                mixed = colour * alpha + foregrounds[t] * alphas[t] * (1 - alpha)
                foregrounds[t] = np.where(total > 0, mixed / np.maximum(total, 1e-3), 0)
                alphas[t] = total
        truth = [np.rint(a * 255).astype(np.uint8) for a in alphas]
        return frames, truth, [np.clip(f, 0, 255).astype(np.uint8) for f in foregrounds]

    def _person(self, rng: Rng, small: bool) -> list[tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]]:
        """Colour (H, W, 3) 0..255 and alpha (H, W, 1) 0..1 of somebody in each frame."""
        layers = self._people.pixels(_one_of(rng, self._cutouts))[..., 3:]
        placement = _placed(rng, np.asarray(layers[..., 3]), self.size, small)
        # Some come in or go out of sight.
        speed = 0.2 if rng.random() < 0.08 else 0.025
        path = random_path(rng, self.frames, self.size, speed)
        tone = random_tone(rng, ToneRange(gain=0.15, gamma=0.12, colour=0.04, offset=0.02))
        warped = warp_all(layers, placement.matrix(), path, self.size, cv2.BORDER_CONSTANT)
        colours = [tone(image[..., :3]).astype(np.float32) for image in warped]
        alphas = [np.asarray(image[..., 3:], np.float32) / np.float32(255) for image in warped]
        return list(zip(colours, alphas, strict=True))


def _by_framing(entries: list[Entry]) -> tuple[list[Entry], list[Entry]]:
    """Portraits, and the others."""
    return [e for e in entries if e.group not in WHOLE_BODY], [e for e in entries if e.group in WHOLE_BODY]


def _one_of(rng: Rng, entries: tuple[list[Entry], list[Entry]]) -> Entry:
    portraits, others = entries
    wanted = portraits if (rng.random() < _PORTRAITS and portraits) or not others else others
    return wanted[rng.integers(len(wanted))]


def _framed(rng: Rng, source: Size, size: Size, pad: bool = True, head: int | None = None) -> tuple[Placement, bool]:
    """A random crop of a whole picture: mostly filling the frame, sometimes squeezed or padded.

    With `head`, the row of the source where a head begins, the crop begins there or a little above.
    """
    fill = max(size[0] / source[0], size[1] / source[1])
    stretch = float(np.exp(rng.normal(0, 0.06)))
    kind = rng.random()
    padded = False
    turn = rng.normal(0, 3) if rng.random() < 0.2 else 0.0
    if kind < 0.12:
        across, down = size[0] / source[0], size[1] / source[1]
        zoom = rng.uniform(1.0, 1.15)
        scale = (across * zoom, down * zoom)
    elif pad and kind < 0.27:
        fit = min(size[0] / source[0], size[1] / source[1])
        zoom = float(np.exp(rng.uniform(np.log(fit), np.log(fill * 1.01))))
        scale, padded = (zoom * stretch, zoom / stretch), True
    else:
        zoom = fill * (1 + 0.04 * abs(turn)) * float(np.exp(abs(rng.normal(0, 0.15))))
        scale = (zoom * max(stretch, 1.0), zoom * max(1 / stretch, 1.0))
    anchor = []
    for axis in (0, 1):
        room = size[axis] / scale[axis] / 2
        low, high = min(room, source[axis] - room), max(room, source[axis] - room)
        if axis == 1 and head is not None:
            anchor.append(float(np.clip(head + room * (1 - 2 * rng.uniform(0, 0.3)), low, high)))
            continue
        # Faces are in the upper half: of a tall picture the top is wanted more often than the bottom.
        place = rng.beta(1.0, 2.5) if axis == 1 else rng.beta(2, 2)
        anchor.append(low + (high - low) * place)
    mirrored = bool(rng.random() < 0.5)
    return Placement((anchor[0], anchor[1]), (size[0] / 2, size[1] / 2), scale, turn, mirrored), padded


def _placed(rng: Rng, alpha: Pixels, size: Size, small: bool) -> Placement:
    """Somewhere for a cut-out person (alpha (H, W)) to stand, the edges at which the photo cut them out of sight."""
    height, width = alpha.shape
    rows, columns = np.flatnonzero(alpha.max(1) > 127), np.flatnonzero(alpha.max(0) > 127)
    top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    cut_below = bottom >= height - 2
    cut_aside = left <= 1 or right >= width - 1
    tall = bottom - top
    if cut_below:
        visible = rng.uniform(0.55, 1.0) if cut_aside or rng.random() < 0.7 else rng.uniform(0.3, 0.6)
        visible = visible * (0.8 if small else 1.0)
        scale = visible * size[1] / tall
        if cut_aside:
            scale = max(scale, rng.uniform(0.5, 1.0) * size[0] / width)
        scale *= float(np.exp(abs(rng.normal(0, 0.2))))
        base = size[1] + rng.uniform(0, 0.15) * scale * tall
        centre_y, anchor_y = base, float(bottom)
    else:
        shown = rng.uniform(0.35, 0.95) if rng.random() < 0.15 else rng.uniform(1.0, 3.2)
        scale = shown * size[1] / tall
        centre_y, anchor_y = rng.uniform(0.02, 0.3) * size[1], float(top)
        if shown < 1:
            centre_y = size[1] * rng.uniform(0.02, 1.0 - 0.9 * shown)
    spread = 0.22 if rng.random() < 0.8 and not small else 0.45
    centre_x = size[0] * (0.5 + rng.uniform(-spread, spread))
    stretch = float(np.exp(rng.normal(0, 0.05)))
    turn = rng.normal(0, 4) if rng.random() < 0.3 and not cut_below else 0.0
    return Placement(
        ((left + right) / 2, anchor_y),
        (centre_x, centre_y),
        (scale * stretch, scale / stretch),
        turn,
        bool(rng.random() < 0.5),
    )


def _over(colour: npt.NDArray[np.float32], alpha: npt.NDArray[np.float32], below: npt.NDArray[np.float32]) -> Pixels:
    return np.rint(np.clip(below + alpha * (colour - below), 0, 255)).astype(np.uint8)


def _size(image: Pixels) -> Size:
    return image.shape[1], image.shape[0]


def _blurred(image: Pixels, sigma: float) -> Pixels:
    return image if sigma <= 0 else cv2.GaussianBlur(image, (0, 0), sigma).astype(np.uint8)


def _split(layers: list[Pixels]) -> tuple[list[Pixels], list[Pixels], list[Pixels]]:
    """Frames, alphas and foregrounds of images of RGB, foreground and alpha."""
    return (
        [np.ascontiguousarray(x[..., :3]) for x in layers],
        [np.ascontiguousarray(x[..., 6:]) for x in layers],
        [np.ascontiguousarray(x[..., 3:6]) for x in layers],
    )
