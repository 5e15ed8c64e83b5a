"""Training samples from the cache: photos as they are, people composited over other backgrounds,
clips, empty rooms.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from app.core.errors import UsageError
from training.choice import by_framing, one_of, preferred
from training.degrade import (
    FLAWLESS,
    Camera,
    Dye,
    ToneRange,
    random_camera,
    random_dye,
    random_tone,
    through_h264,
)
from training.framing import Pixels, Rng, Size, at_limb, cut_aside, framed, placed
from training.hard import Layer, Layers, furniture, in_front, rushing, straight_edges
from training.motion import Floats, Placement, random_path, warp_all
from training.objects import with_objects
from training.store import CUTOUT, Entry, Pack

_SMALL = 160
"""Frames up to this width are made from images of half the size, which is faster."""

_PHOTO_PLACES = 0.35
"""Share of backgrounds that are photos with the person removed: outdoors, offices, plain walls."""
_OBJECTS = 0.5
"""Share of rooms to which flags, curtains and other tall objects are added."""
_CROWDS = 0.15
_CUTS = 0.08
"""Share of sequences in which another scene begins."""
_RUSHING = 0.3
"""Share of composited people in fast motion, with motion blur."""
_FURNISHED = 0.35
"""Share of composites with furniture that touches the person."""
_BORDERED = 0.25
"""Share of composites with a straight dark edge that touches the person: that of a screen is taken
for an arm.
"""
_HANDS = 0.5
"""Share of people framed at an arm or a hand, which every fourth has in reach: hands that leave the
frame dissolve.
"""
_BYSTANDERS = 0.15
"""Share of composites with one more person, whom the frame's border cuts: of such people networks
show a half.
"""
_MASKED = 0.45
"""Share of photos with a mask drawn by a person among the photos that are not views."""
_TRUE_CUTOUTS = 0.3
"""Share of cut-outs, whose alpha does not come from the teacher, among composited people."""
_VIEWS = 0.85
"""Share of photos cropped as by a webcam if every photo has such a view; less if there are few
views.
"""
_VIEW_ZOOMS = 0.05
"""Zoom spread of views, which are framed already; see `framed`."""
_DYED = 0.5
"""Share of samples, and of composited people, in other colours: a few thousand photos do not hold
enough clothes.
"""
_NEAR = 0.15
"""Share of views from which faces are taken that fill the frame."""
_NEAR_ZOOMS = 0.4
"""Their zoom spread."""
_NOBODY = 2
"""Largest alpha, of 255, that counts as background."""


@dataclass(frozen=True)
class Sample:
    """A sequence of T frames with reference foreground and alpha, uint8."""

    src: Pixels
    """(T, H, W, 3) RGB."""
    fgr: Pixels
    """(T, H, W, 3) RGB; defined where pha > 0."""
    pha: Pixels
    """(T, H, W, 1)."""
    clean: Pixels
    """(T, H, W, 3) RGB: the frames before the camera spoiled them."""


@dataclass(frozen=True)
class Mixture:
    """Probability of each kind of sample; the rest are photos as they are."""

    composite: float = 0.36
    empty: float = 0.09
    clip: float = 0.06


class SampleSource:
    """Draws samples. Seed and index determine a sample, regardless of what was drawn before."""

    def __init__(
        self,
        cache: Path,
        size: Size,
        frames: int = 1,
        seed: int = 0,
        mixture: Mixture | None = None,
        unspoilt: float = 0.0,
        *,
        views: bool = True,
    ) -> None:
        """`size` is (width, height) of the samples, `frames` their T. Validation entries are never
        drawn.

        `unspoilt` is the share of samples without camera degradation. views: whether most photos
        are those cropped as by a webcam, which are smaller. Raises UsageError if the cache holds no
        training data.
        """
        self.size, self.frames, self.seed, self.unspoilt = size, frames, seed, unspoilt
        self.mixture = mixture or Mixture()
        halved = size[0] <= _SMALL
        self._people = Pack(cache / "people", halved=halved)
        self._backgrounds = Pack(cache / "backgrounds", halved=halved)
        self._views = Pack(cache / "views", halved=halved)
        self._clips = Pack(cache / "clips", halved=halved)
        people = [entry for entry in self._people.entries if not entry.validation]
        self._photos = by_framing([entry for entry in people if entry.usable])
        self._cutouts = by_framing([entry for entry in people if entry.composable])
        self._cuts = by_framing([entry for entry in self._views.entries if not entry.validation])
        cuts, photos = (sum(map(len, groups)) for groups in (self._cuts, self._photos))
        self._view_share = _VIEWS * min(1.0, cuts / max(1, photos)) if views else 0.0
        self._true_cutouts = [
            entry for entry in people if entry.composable and entry.group == CUTOUT
        ]
        self._masked = [entry for entry in people if entry.usable and entry.masked]
        self._rooms = [entry for entry in self._backgrounds.entries if not entry.validation]
        if not (any(self._photos) and any(self._cutouts) and any(self._cuts) and self._rooms):
            raise UsageError(
                f"{cache} holds no people or no rooms to learn from; fill it with training.cache "
                "first."
            )
        by_clip: dict[str, list[Entry]] = {}
        for entry in self._clips.entries:
            if not entry.validation:
                by_clip.setdefault(entry.group, []).append(entry)
        self._sequences = list(by_clip.values())

    def draw(self, index: int) -> Sample:
        """Return the sample with this index."""
        rng = np.random.default_rng([self.seed, index])
        frames, alphas, foregrounds = self._scene(rng)
        if self.frames > 1 and rng.random() < _CUTS:
            at, others = int(rng.integers(1, self.frames)), self._scene(rng)
            frames, alphas, foregrounds = (
                [*one[:at], *other[at:]]
                for one, other in zip((frames, alphas, foregrounds), others, strict=True)
            )
        if rng.random() < _DYED:
            dye = random_dye(rng)
            frames, foregrounds = (
                [dye(frame) for frame in frames],
                [dye(frame) for frame in foregrounds],
            )
        camera = self.camera(rng)
        src = self.taken(camera, frames, rng)
        foreground = np.stack([camera.tone_of(f) for f in foregrounds])
        return Sample(src, foreground, np.stack(alphas), np.stack(frames))

    def camera(self, rng: Rng) -> Camera:
        """Return the camera of a sample; it is flawless for the share `unspoilt`."""
        return FLAWLESS if rng.random() < self.unspoilt else random_camera(rng)

    def taken(self, camera: Camera, frames: list[Pixels], rng: Rng) -> Pixels:
        """Return the frames, (T, H, W, 3), as the camera delivers them."""
        pictures = [camera.picture(frame, rng) for frame in frames]
        return np.stack(
            through_h264(pictures, camera.h264) if camera.h264 and self.frames > 1 else pictures
        )

    def _scene(self, rng: Rng) -> Layers:
        kind = rng.random()
        mixture = self.mixture
        if kind < mixture.empty:
            frames, _ = self.room(rng)
            return frames, [np.zeros((*f.shape[:2], 1), np.uint8) for f in frames], frames
        kind -= mixture.empty
        if kind < mixture.composite:
            return self._composite(rng)
        kind -= mixture.composite
        if kind < mixture.clip and self._sequences:
            return self._clip(rng)
        return self._photo(rng)

    def _photo(self, rng: Rng) -> Layers:
        if rng.random() < self._view_share:
            layers = self._views.pixels(one_of(rng, self._cuts))
            zooms = _NEAR_ZOOMS if rng.random() < _NEAR else _VIEW_ZOOMS
            placement, padded = framed(rng, _size(layers), self.size, zooms=zooms)
        else:
            layers = self._people.pixels(preferred(rng, self._masked, _MASKED, self._photos))
            placement, padded = framed(rng, _size(layers), self.size)
        border = cv2.BORDER_CONSTANT if padded else cv2.BORDER_REPLICATE
        path = random_path(rng, self.frames, self.size, 0.012)
        return _split(
            warp_all(
                layers,
                placement.matrix(),
                path,
                self.size,
                border,
                int(rng.choice([0, 0, 255, 128])),
            )
        )

    def _clip(self, rng: Rng) -> Layers:
        clip = self._sequences[rng.integers(len(self._sequences))]
        stride = int(rng.integers(1, 3))
        first = int(rng.integers(0, max(1, len(clip) - stride * (self.frames - 1))))
        entries = [clip[min(first + stride * t, len(clip) - 1)] for t in range(self.frames)]
        if rng.random() < 0.5:
            entries.reverse()
        stills = [self._clips.pixels(entry) for entry in entries]
        placement, _ = framed(rng, _size(stills[0]), self.size, pad=False)
        matrix = placement.matrix()
        images = [
            warp_all(still, matrix, [np.eye(3)], self.size, cv2.BORDER_REPLICATE)[0]
            for still in stills
        ]
        return _split(images)

    def room(self, rng: Rng, speed: float = 0.006) -> tuple[list[Pixels], list[Floats]]:
        """Return an empty room before a camera that moves by this fraction of the width per frame,
        and its path.
        """
        room = self.place(rng)
        if rng.random() < _OBJECTS:
            room = with_objects(room, rng)
        placement, _ = framed(rng, _size(room), self.size, pad=False)
        path = random_path(rng, self.frames, self.size, speed)
        frames = warp_all(room, placement.matrix(), path, self.size, cv2.BORDER_REFLECT_101)
        sigma = rng.uniform(0.5, 4) * self.size[0] / 256 if rng.random() < 0.25 else 0.0
        tone = random_tone(rng, ToneRange())
        return [tone(_blurred(frame, sigma)) for frame in frames], path

    def place(self, rng: Rng) -> Pixels:
        """Return an image without a person: a room, or a photo with the person cut out and the rest
        joined.
        """
        if rng.random() < _PHOTO_PLACES:
            layers = self._people.pixels(one_of(rng, self._photos))
            free = layers[..., 6].max(0) <= _NOBODY
            if free.sum() > max(0.35 * free.size, 0.25 * self.size[0]):
                return np.ascontiguousarray(layers[:, free, :3])
        return self._backgrounds.pixels(self._rooms[rng.integers(len(self._rooms))])

    def _composite(self, rng: Rng) -> Layers:
        if rng.random() < _CROWDS:
            # A second person in front of the first.
            return in_front(rng, *self._photo(rng), [self._person(rng)])
        return self.people_in(rng, *self.room(rng))[0]

    def people_in(self, rng: Rng, room: list[Pixels], path: list[Floats]) -> tuple[Layers, Pixels]:
        """Return frames, alphas and foregrounds of one to three people in a room, and its first
        frame without them.
        """
        count = 2 if rng.random() < 0.12 else 1
        nobody = [np.zeros((*frame.shape[:2], 1), np.uint8) for frame in room]
        people = [self._person(rng, small=count > 1) for _ in range(count)]
        if rng.random() < _FURNISHED:
            room = furniture(room, path, people[0][0][1], rng)
        if rng.random() < _BORDERED:
            room = straight_edges(room, path, people[0][0][1], rng)
        if rng.random() < _BYSTANDERS:
            at = int(rng.integers(count + 1))
            people[at:at] = self._bystanders(rng)
        return in_front(rng, room, nobody, [np.zeros_like(frame) for frame in room], people), room[
            0
        ]

    def _person(self, rng: Rng, *, small: bool = False) -> list[Layer]:
        """Return a person in each frame."""
        layers = self._cutout(rng)
        alpha = layers[..., 3]
        placement = placed(rng, alpha, self.size, small)
        if rng.random() < _HANDS:
            placement = at_limb(rng, alpha, placement, self.size)
        return self._moving(rng, layers, placement)

    def _bystanders(self, rng: Rng) -> list[list[Layer]]:
        """Return a farther person in each frame, cut by its left or right border, or nobody."""
        layers = self._cutout(rng)
        placement = cut_aside(rng, layers[..., 3], self.size)
        return [self._moving(rng, layers, placement)] if placement else []

    def _cutout(self, rng: Rng) -> Pixels:
        """Return colours and alpha (H, W, 4) of a person."""
        return self._people.pixels(
            preferred(rng, self._true_cutouts, _TRUE_CUTOUTS, self._cutouts)
        )[..., 3:]

    def _moving(self, rng: Rng, layers: Pixels, placement: Placement) -> list[Layer]:
        """Return a person (H, W, 4) in each frame."""
        if rng.random() < _RUSHING:
            return rushing(
                rng, np.ascontiguousarray(layers), placement.matrix(), self.frames, self.size
            )
        # Some enter or leave the frame.
        speed = 0.2 if rng.random() < 0.08 else 0.025
        path = random_path(rng, self.frames, self.size, speed)
        tone = random_tone(rng, ToneRange(gain=0.15, gamma=0.12, colour=0.04, offset=0.02))
        warped = warp_all(layers, placement.matrix(), path, self.size, cv2.BORDER_CONSTANT)
        dye = random_dye(rng) if rng.random() < _DYED else Dye(np.eye(3, dtype=np.float32))
        colours = [dye(tone(image[..., :3])).astype(np.float32) for image in warped]
        alphas = [np.asarray(image[..., 3:], np.float32) / np.float32(255) for image in warped]
        return list(zip(colours, alphas, strict=True))


def _size(image: Pixels) -> Size:
    return image.shape[1], image.shape[0]


def _blurred(image: Pixels, sigma: float) -> Pixels:
    return image if sigma <= 0 else cv2.GaussianBlur(image, (0, 0), sigma).astype(np.uint8)


def _split(layers: list[Pixels]) -> Layers:
    """Split images of RGB, foreground and alpha into frames, foregrounds and alphas."""
    return (
        [np.ascontiguousarray(x[..., :3]) for x in layers],
        [np.ascontiguousarray(x[..., 6:]) for x in layers],
        [np.ascontiguousarray(x[..., 3:6]) for x in layers],
    )
