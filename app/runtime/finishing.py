"""The end of a step: checks the composite, and publishes it or requests the stand-by card.

Frames that equal the last one, of a still video or a source that repeats frames, need no step.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from app.core.settings import BackgroundSettings, EdgeSettings, Settings
from app.core.types import Backdrop, BgrImage, BlurredBackground, Frame, Matte, Picture, PictureKind
from app.people.editor import PeopleEditor
from app.privacy.plausibility import MatteCheck
from app.runtime.board import StatusBoard
from app.runtime.engines.plan import Run, StandBy
from app.runtime.status import Phase

SETTLED_STEPS = 30
"""Steps after a reset until the recurrent state has settled; before, even equal frames improve the matte."""
SAMPLED_ROWS = 128
"""Every 128th row is compared first, which tells nearly all frames of a camera apart."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """What a composite depends on besides its frame."""

    sequence: tuple[int, int]
    """As in `Run`: of the source and the engine."""
    backdrop: Backdrop
    edges: EdgeSettings
    want_foreground: bool = False
    hides: tuple[object, ...] = ()
    """As in `Settings`."""
    editor: PeopleEditor | None = None
    """Edits the matte, which then depends on the frames before; None: nothing is edited."""


def conditions_of(
    settings: Settings,
    run: Run,
    background: BackgroundSettings,
    backdrop: Backdrop,
    *,
    want_foreground: bool,
    editor: PeopleEditor | None,
) -> Conditions:
    """Return what follows from the settings. background: those of the backdrop."""
    return Conditions(
        run.sequence,
        backdrop,
        settings.matting.edges,
        want_foreground or settings.output.alpha_output != "off",
        settings.hides_in(run.framing, background),
        editor,
    )


def _alike(one: Conditions, other: Conditions) -> bool:
    """Return whether the same frame gives the same composite; images of a background by identity."""
    blurred = isinstance(one.backdrop, BlurredBackground) and isinstance(other.backdrop, BlurredBackground)
    return (
        one.editor is None
        and other.editor is None
        and one.sequence == other.sequence
        and (one.backdrop is other.backdrop or (blurred and one.backdrop == other.backdrop))
        and one.want_foreground == other.want_foreground
        and one.edges == other.edges
        and one.hides == other.hides
    )


def same_image(image: BgrImage, other: BgrImage) -> bool:
    """Return whether both images are equal."""
    if image.shape != other.shape:
        return False
    return np.array_equal(image[::SAMPLED_ROWS], other[::SAMPLED_ROWS]) and np.array_equal(image, other)


class Finisher:
    """Used on the inference thread. Keeps the last composite, for a frame that would give the same one."""

    def __init__(self, publish: Callable[[Picture | StandBy], None], board: StatusBoard, hold_s: float) -> None:
        """hold_s: as in `MatteCheck`."""
        self._publish = publish
        self._board = board
        self._mattes = MatteCheck(hold_s)
        self.size: tuple[int, int] | None = None
        """Of the newest frame, (width, height); None before the first one."""
        self._last: tuple[Conditions, Picture] | None = None
        self._steps = 0
        """Since the last reset."""

    def finish(
        self, matte: Matte, frame: Frame, conditions: Conditions, self_test: Callable[[], None]
    ) -> Picture | None:
        """Publish the composite and return its picture; None where it is not plausible, and the card is requested.

        self_test: as in `MatteCheck.believes`. Raises ModelError where the engine has failed.
        """
        editor, backdrop = conditions.editor, conditions.backdrop
        if matte.frame is not None:
            whole = frame.image if frame.whole is None else frame.whole
            frame = replace(frame, image=matte.frame, whole=None if editor is None else whole)
        sequence = conditions.sequence
        if not self._mattes.permits(matte, frame, backdrop, time.monotonic(), sequence, self_test):
            self.stand_by(Phase.WAITING)
            return None
        picture = Picture(
            matte.composite, PictureKind.COMPOSITE, matte.alpha, matte.foreground, frame, conditions.hides
        )
        self.show(picture)
        return picture

    def repeated(self, conditions: Conditions, frame: Frame) -> Picture | None:
        """Return the last composite if it also fits this frame and its conditions, else None."""
        if self._last is None or self._steps < SETTLED_STEPS:
            return None
        last, picture = self._last
        # The output clock drops composites of frames from before a suspension.
        if picture.frame is None or picture.frame.captured_at_s < self._board.resumed_s:
            return None
        return picture if _alike(last, conditions) and same_image(frame.image, picture.frame.image) else None

    def keep(self, conditions: Conditions, picture: Picture) -> None:
        """Keep a composite that was shown."""
        settled = self._last is not None and self._last[0].sequence == conditions.sequence
        self._steps = self._steps + 1 if settled else 1
        self._last = conditions, picture

    def forget(self) -> None:
        """Forget the last composite: it was not shown, or the engine was reset."""
        self._last = None

    def show(self, picture: Picture) -> None:
        """Publish a picture of a new frame, but for those beyond the last one of a limited run."""
        if self._board.frames_out.add():
            self._publish(picture)

    def stand_by(self, reason: Phase) -> None:
        """Request the stand-by card, at the size of the newest frame."""
        self._publish(StandBy(reason, self.size))
