"""One frame of a film: the step of the live pipeline, with the film's own clock."""

from __future__ import annotations

from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from app.compositing import Background
from app.compositing.overlay import Overlay, OverlayKey, draw, render_overlay, wanted_overlay
from app.core.errors import UsageError
from app.core.framing import framed
from app.core.messages.command_line import ConvertText
from app.core.settings import Settings
from app.core.types import BgrImage, Matte, magnified
from app.matting.base.interface import MattingEngine
from app.output.packing import premultiplied
from app.people.editor import PeopleEditor
from app.people.parallax import DriftingBackdrop


class FilmStep:
    """Processes one frame into one image for every output. Used on one thread."""

    def __init__(
        self,
        engine: MattingEngine,
        background: Background | None,
        settings: Settings,
        want_alpha: bool,
        want_foreground: bool,
    ) -> None:
        """background: None for the kind "none", whose composite is the frame itself, as in the live pipeline."""
        self._engine = engine
        self._background = background
        self._settings = settings
        self._want_alpha = want_alpha
        self._want_foreground = want_foreground
        self._people, self._drifting = PeopleEditor(), DriftingBackdrop()
        self._overlay: tuple[OverlayKey, Overlay] | None = None
        """The overlay rendered last, and what it was rendered for."""

    def __call__(self, image: BgrImage, time_s: float) -> list[NDArray[np.uint8]]:
        """Return [composite, alpha if wanted, premultiplied foreground if wanted]. Raises MattecamError."""
        image = framed(image, self._settings.framing)
        if self._background is None:
            matte = self._engine.step(
                image, np.zeros_like(image), self._settings.matting.edges, want_foreground=self._want_foreground
            ).result()
        else:
            matte = self._matted(image, self._background, time_s)
        composite = image if self._background is None else matte.composite
        pictures: list[NDArray[np.uint8]] = [self._painted(composite)]
        if self._want_alpha:
            pictures.append(matte.alpha)
        if self._want_foreground:
            assert matte.foreground is not None
            pictures.append(premultiplied(matte.foreground, matte.alpha))
        return pictures

    def _matted(self, image: BgrImage, background: Background, time_s: float) -> Matte:
        settings = self._settings
        height, width = image.shape[:2]
        backdrop = self._drifting.shown(background, settings.background, width, height, time_s)
        if background.problem is not None:  # a film whose background stands still would be taken for a good one
            raise background.problem
        backdrop = magnified(backdrop, settings.framing.zoom)
        editor = self._people.begin(settings, settings.framing, (width, height), "", time_s)
        matte = self._engine.step(
            image, backdrop, settings.matting.edges, editor, want_foreground=self._want_foreground
        ).result()
        self._drifting.watch(settings.background, self._people.whole_alpha(matte), time_s)
        return matte

    def _painted(self, composite: BgrImage) -> BgrImage:
        """Return the composite with the overlay; a frame of the source is not changed."""
        height, width = composite.shape[:2]
        wanted = wanted_overlay(self._settings.overlay, width, height, mirrored=False)
        if wanted is None:
            return composite
        if self._overlay is None or self._overlay[0] != wanted:
            self._overlay = wanted, render_overlay(wanted)
        painted = composite.copy()
        draw(self._overlay[1], painted)
        return painted


def check_settings(settings: Settings) -> None:
    """Raise UsageError for what a film cannot have: a screen as background, a clock."""
    if settings.background.kind == "screen":
        raise UsageError(ConvertText.SCREEN())
    wanted = wanted_overlay(settings.overlay, 1, 1, mirrored=False, now=lambda: datetime.min)
    if wanted is not None and wanted.minute:
        raise UsageError(ConvertText.CLOCK())
