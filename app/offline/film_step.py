"""One frame of a film: the step of the live pipeline, with the film's own clock."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from app.backgrounds import Background
from app.core.geometry import framed, viewed
from app.core.settings import PeopleSettings, Settings
from app.core.types import AlphaImage, Backdrop, BgrImage, BlurredBackground, Matte, magnified
from app.effects.base import FrameContext
from app.effects.table import Effects
from app.matting.base.interface import MattingEngine
from app.matting.strict.rules import WAIT_FRAMES
from app.media.frame_filters import BgraImage, over, premultiplied, straight


class FilmStep:
    """Processes one frame into one image for every output. Used on one thread."""

    def __init__(
        self,
        engine: MattingEngine | None,
        background: Background | None,
        settings: Settings,
        want_alpha: bool,
        want_foreground: bool,
        *,
        transparent: bool = False,
    ) -> None:
        """engine: None where no matte is wanted, and the composite is the frame itself.

        background: None for the kind "none", whose composite is the frame itself, as in the live pipeline. transparent:
        the composite is (H, W, 4): the person alone, with straight alpha.
        """
        self._engine = engine
        self._background = background
        # The background "none" shows the whole room, and the matte with it.
        self._settings = settings if background is not None else settings.replace(people=PeopleSettings())
        self._want_alpha = want_alpha
        self._want_foreground = want_foreground
        self._transparent = transparent
        self._stream: object = None
        """Size of the last frame, and number of cuts before it: strict mode shows nobody in the first frames of a
        scene, so that a film sees the first one more often."""
        self._effects = Effects()

    def __call__(self, image: BgrImage | BgraImage, time_s: float) -> list[NDArray[np.uint8]]:
        """Return [composite, alpha if wanted, premultiplied foreground if wanted]. Raises MattecamError.

        image: with straight alpha if parts of the source are transparent; alpha multiplies the matte.
        """
        image, opacity = self._framed(image)
        if self._engine is None:
            return [image]
        matte = self._matted(self._engine, image, opacity, time_s)
        composite = image if self._background is None else matte.composite
        pictures: list[NDArray[np.uint8]] = [composite]
        if self._want_alpha:
            pictures.append(matte.alpha)
        if self._want_foreground or self._transparent:
            assert matte.foreground is not None
            person = premultiplied(matte.foreground, matte.alpha)
            if self._transparent:
                pictures[0] = np.dstack([straight(person, matte.alpha), matte.alpha])
            if self._want_foreground:
                pictures.append(person)
        return pictures

    def _framed(self, image: BgrImage | BgraImage) -> tuple[BgrImage, AlphaImage | None]:
        """Return the crop, and its alpha; what a transparent part hides is black."""
        framing = self._settings.framing
        if image.shape[2] == 3:
            return framed(image, framing), None
        opacity = framed(image[..., 3], framing)
        return straight(framed(over(image), framing), opacity), opacity

    def _matted(self, engine: MattingEngine, image: BgrImage, opacity: AlphaImage | None, time_s: float) -> Matte:
        settings, edges = self._settings, self._settings.matting.edges
        foreground = self._want_foreground or self._transparent or opacity is not None
        size = image.shape[1], image.shape[0]
        backdrop = np.zeros_like(image) if self._background is None else self._backdrop(self._background, *size, time_s)
        editor = self._effects.prepare(
            FrameContext(settings, settings.framing, size, time_s, backdrop, orientation=settings.capture.orientation)
        )
        matte = engine.step(image, backdrop, edges, editor, want_foreground=foreground)
        stream = image.shape, getattr(engine, "cuts", 0)
        if edges.strict != "off" and stream != self._stream:
            for _ in range(WAIT_FRAMES):
                matte = engine.step(image, backdrop, edges, editor, want_foreground=foreground)
        self._stream = stream
        if opacity is None:
            return matte
        return _multiplied(matte, opacity if editor is None else viewed(opacity, editor.view), backdrop)

    def _backdrop(self, background: Background, width: int, height: int, time_s: float) -> Backdrop:
        backdrop = background.backdrop(width, height, time_s)
        if background.problem is not None:  # a film whose background stands still would be taken for a good one
            raise background.problem
        return magnified(backdrop, self._settings.framing.zoom)


def _multiplied(matte: Matte, opacity: AlphaImage, backdrop: Backdrop) -> Matte:
    """Return a matte times the alpha of the source, over the same backdrop; over black where that is a blur."""
    alpha = ((matte.alpha * opacity.astype(np.uint16) + 127) // 255).astype(np.uint8)
    if isinstance(backdrop, BlurredBackground):
        return replace(matte, composite=premultiplied(matte.composite, opacity), alpha=alpha)
    assert matte.foreground is not None
    weights = alpha[..., None].astype(np.uint16)
    composite = (matte.foreground * weights + backdrop * (255 - weights) + 127) // 255
    return replace(matte, composite=composite.astype(np.uint8), alpha=alpha)
