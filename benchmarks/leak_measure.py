"""What leaks of a background: counts over the frames of a sequence, and what an attacker makes of
them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from app.core.types import AlphaImage, BgrImage

RIM_PX = 10
VISIBLE, STRONG = 26, 128
"""8-bit alphas of 0.1 and 0.5."""
CLOSE = 24
"""A colour within this of the true one, in every channel, counts as reconstructed."""
NOTICED = 8
"""An attacker who does not know alpha sees a pixel that differs by more than this from the
backdrop.
"""
OPAQUE = 230
"""True alpha from which a pixel belongs to the person beyond doubt."""


@dataclass(frozen=True, slots=True)
class Zone:
    """Shares (0..1) of the background pixels in one zone; `pixels` is how many there are."""

    pixels: int = 0
    visible: float = 0.0
    """Maximum alpha over the sequence at least 0.1."""
    strong: float = 0.0
    """Maximum alpha over the sequence at least 0.5."""
    alpha_known: float = 0.0
    """Reconstructed by an attacker who knows backdrop and alpha."""
    alpha_unknown: float = 0.0
    """Reconstructed by an attacker who knows the backdrop only."""


@dataclass(frozen=True, slots=True)
class Leak:
    """The result for one sequence, or for several."""

    rim: Zone
    beyond: Zone
    mad: float | None
    """Mean absolute error of alpha (0..1) where the true alpha is known."""
    lost: float | None
    """Share of the pixels that show the person beyond doubt whose alpha is below 0.5."""


@dataclass
class _Evidence:
    """What was seen of the background of one zone so far."""

    worst: NDArray[np.uint8]
    seen: NDArray[np.int32]
    room: NDArray[np.float32]
    weighted: NDArray[np.float32]
    weight: NDArray[np.float32]
    difference: NDArray[np.uint8]
    guess: BgrImage


@dataclass
class Counter:
    """Adds up one sequence in front of a known backdrop."""

    backdrop: BgrImage
    _rim: _Evidence | None = None
    _beyond: _Evidence | None = None
    _errors: list[float] = field(default_factory=list)
    _lost: list[tuple[int, int]] = field(default_factory=list)

    def add(
        self,
        image: BgrImage,
        person: AlphaImage,
        exact: bool,
        alpha: AlphaImage,
        composite: BgrImage,
    ) -> None:
        """Take in one frame, its true alpha, and what the program made of it."""
        empty = np.asarray(person == 0)
        distance = cv2.distanceTransform(empty.astype(np.uint8), cv2.DIST_L2, 3)
        near = distance <= RIM_PX if person.any() else np.zeros_like(empty)
        self._rim = self._collect(self._rim, empty & near, image, alpha, composite)
        self._beyond = self._collect(self._beyond, empty & ~near, image, alpha, composite)
        if exact:
            self._errors.append(float(np.abs(alpha.astype(np.float32) - person).mean() / 255))
            sure = person >= OPAQUE
            self._lost.append((int((alpha[sure] < STRONG).sum()), int(sure.sum())))

    def result(self) -> Leak:
        """The leak over all frames."""
        people = sum(total for _, total in self._lost)
        return Leak(
            rim=_zone(self._rim),
            beyond=_zone(self._beyond),
            mad=float(np.mean(self._errors)) if self._errors else None,
            lost=sum(lost for lost, _ in self._lost) / people if people else None,
        )

    def _collect(
        self,
        evidence: _Evidence | None,
        zone: NDArray[np.bool_],
        image: BgrImage,
        alpha: AlphaImage,
        composite: BgrImage,
    ) -> _Evidence:
        evidence = evidence or _nothing(alpha.shape)
        part = np.where(zone, alpha, 0).astype(np.float32)[..., None] / 255
        layer = composite.astype(np.float32) - (1 - part) * self.backdrop
        evidence.worst = np.where(zone, np.maximum(evidence.worst, alpha), evidence.worst)
        evidence.seen += zone
        evidence.room += image * zone[..., None]
        evidence.weighted += part * layer
        evidence.weight += part[..., 0] ** 2
        difference = np.where(zone, cv2.absdiff(composite, self.backdrop).max(2), 0).astype(
            np.uint8
        )
        better = difference > evidence.difference
        evidence.guess[better] = composite[better]
        evidence.difference = np.maximum(evidence.difference, difference)
        return evidence


def total(leaks: Iterable[Leak]) -> Leak:
    """Return all sequences as one: zones weighted by pixels, errors by sequence."""
    leaks = list(leaks)
    errors = [leak.mad for leak in leaks if leak.mad is not None]
    lost = [leak.lost for leak in leaks if leak.lost is not None]
    return Leak(
        rim=_joined([leak.rim for leak in leaks]),
        beyond=_joined([leak.beyond for leak in leaks]),
        mad=float(np.mean(errors)) if errors else None,
        lost=float(np.mean(lost)) if lost else None,
    )


def _joined(zones: list[Zone]) -> Zone:
    pixels = sum(zone.pixels for zone in zones)

    def share(name: str) -> float:
        return (
            sum(zone.pixels * float(getattr(zone, name)) for zone in zones) / pixels
            if pixels
            else 0.0
        )

    return Zone(
        pixels, share("visible"), share("strong"), share("alpha_known"), share("alpha_unknown")
    )


def _zone(evidence: _Evidence | None) -> Zone:
    if evidence is None or not evidence.seen.any():
        return Zone()
    judged = evidence.seen > 0
    room = evidence.room / np.maximum(evidence.seen, 1)[..., None]
    solved = evidence.weighted / np.maximum(evidence.weight, 1e-9)[..., None]
    known = (evidence.weight > 0) & _close(solved, room)
    unknown = (evidence.difference > NOTICED) & _close(evidence.guess, room)
    shares = (evidence.worst >= VISIBLE, evidence.worst >= STRONG, known, unknown)
    return Zone(int(judged.sum()), *(float(leaked[judged].mean()) for leaked in shares))


def _close(guess: NDArray[np.generic], room: NDArray[np.floating]) -> NDArray[np.bool_]:
    return np.asarray(np.abs(guess.astype(np.float32) - room).max(2) <= CLOSE)


def _nothing(shape: tuple[int, ...]) -> _Evidence:
    height, width = shape[:2]
    return _Evidence(
        worst=np.zeros((height, width), np.uint8),
        seen=np.zeros((height, width), np.int32),
        room=np.zeros((height, width, 3), np.float32),
        weighted=np.zeros((height, width, 3), np.float32),
        weight=np.zeros((height, width), np.float32),
        difference=np.zeros((height, width), np.uint8),
        guess=np.zeros((height, width, 3), np.uint8),
    )
