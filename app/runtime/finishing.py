"""The second stage of a step: makes the composite, checks it, and publishes it or requests the stand-by card.

Where an engine's steps overlap it runs on a thread of its own, while the network runs on the next frame. Frames that
equal the last one, of a still video or a source that repeats frames, need no step; nor does every second frame while
nothing has moved for a second.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from app.compositing.overlay import Overlay, overlaid
from app.core.settings import BackgroundSettings, EdgeSettings, Settings
from app.core.threads import name_thread
from app.core.types import Backdrop, BgrImage, BlurredBackground, Floats, Frame, Layers, Matte, Picture, PictureKind
from app.matting.base.interface import Pending
from app.matting.engine.motion import is_still, thumbnail_of
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
    shift: float = 0.0
    """As in `Layers`."""
    editor: PeopleEditor | None = None
    """Edits the matte, which then depends on the frames before; None: nothing is edited."""
    overlay: Overlay | None = None


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
        settings.placement.x,
        editor,
    )


def _alike(one: Conditions, other: Conditions) -> bool:
    """Return whether the same frame gives the same composite; images of a background and overlays by identity."""
    blurred = isinstance(one.backdrop, BlurredBackground) and isinstance(other.backdrop, BlurredBackground)
    return (
        one.editor is None
        and other.editor is None
        and one.sequence == other.sequence
        and (one.backdrop is other.backdrop or (blurred and one.backdrop == other.backdrop))
        and one.overlay is other.overlay
        and one.want_foreground == other.want_foreground
        and one.edges == other.edges
        and one.hides == other.hides
    )


def same_image(image: BgrImage, other: BgrImage) -> bool:
    """Return whether both images are equal."""
    if image.shape != other.shape:
        return False
    return np.array_equal(image[::SAMPLED_ROWS], other[::SAMPLED_ROWS]) and np.array_equal(image, other)


@dataclass(slots=True)
class Step:
    """A step whose network has run, and what the second stage makes of it."""

    run: Run
    frame: Frame
    conditions: Conditions
    pending: Pending
    overlaps: bool
    """Whether the second stage runs on its own thread."""
    started_s: float
    """When the step began, by time.perf_counter()."""
    first_s: float
    """Duration of the first stage, and of the second one."""
    second_s: float = 0.0
    ended_s: float = 0.0
    matte: Matte | None = None
    """The result of `pending`, once it was taken."""
    picture: Picture | None = None
    """What was published; None where the matte is not plausible, or only after a self-test."""


class Finisher:
    """Used on the inference thread. One second stage runs at a time: `take` precedes the next `finish` or `start`.

    Keeps the last composite, for a frame that would give the same one, or nearly so while it is calm.
    """

    def __init__(self, publish: Callable[[Picture | StandBy], None], board: StatusBoard, hold_s: float) -> None:
        """hold_s: as in `MatteCheck`."""
        self._publish = publish
        self._board = board
        self._mattes = MatteCheck(hold_s)
        self.size: tuple[int, int] | None = None
        """Of the newest frame, (width, height); None before the first one."""
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="finish", initializer=name_thread, initargs=("finish",))
        self._pending: tuple[Step, Future[bool]] | None = None
        self._last: tuple[Conditions, Picture] | None = None
        self._steps = 0
        """Since the last reset."""
        self._calm: Floats | None = None
        """Thumbnail of the frame of the last composite, which may be shown once more for a frame that is as still."""

    @property
    def pending(self) -> Step | None:
        """The step that was started and not taken."""
        return None if self._pending is None else self._pending[0]

    @property
    def is_done(self) -> bool:
        """Whether `take` would return at once."""
        return self._pending is None or self._pending[1].done()

    def start(self, step: Step) -> None:
        """Run the second stage on the thread for it."""
        assert self._pending is None
        self._pending = step, self._pool.submit(self._finish_beside, step)

    def take(self) -> bool:
        """Wait for the step that was started; return as `finish`, which is called again where that is False.

        Raises what the step raised; the card has then been requested.
        """
        assert self._pending is not None
        (_, future), self._pending = self._pending, None
        return future.result()

    def close(self) -> None:
        """Stop the thread."""
        self._pool.shutdown()

    def _finish_beside(self, step: Step) -> bool:
        try:
            return self.finish(step, None)
        except Exception:
            self.stand_by(Phase.WAITING)
            raise

    def finish(self, step: Step, self_test: Callable[[], None] | None) -> bool:
        """Run the second stage on the calling thread. Raises what the step or the self-test raises.

        self_test: as in `MatteCheck.believes`. Return False if nothing was decided, because the engine must pass it
        first, which needs the engine for itself.
        """
        started_s = time.perf_counter()
        matte = step.matte = step.matte or step.pending.result()
        frame, conditions = step.frame, step.conditions
        editor, backdrop = conditions.editor, conditions.backdrop
        if matte.frame is not None:
            whole = frame.image if frame.whole is None else frame.whole
            frame = replace(frame, image=matte.frame, whole=None if editor is None else whole)
        whole_alpha = None if editor is None or not editor.moves else editor.whole_alpha(matte)
        sequence = conditions.sequence
        permitted = self._mattes.permits(matte, frame, backdrop, time.monotonic(), sequence, self_test, whole_alpha)
        if permitted:
            layers = Layers(backdrop if isinstance(backdrop, np.ndarray) else None, conditions.shift)
            picture = Picture(
                matte.composite, PictureKind.COMPOSITE, matte.alpha, matte.foreground, frame, layers, conditions.hides
            )
            # Only now: the check compares the composite with its background, and the overlay draws itself alone.
            step.picture = picture if conditions.overlay is None else overlaid(picture, conditions.overlay)
            self.show(step.picture)
        elif permitted is not None:
            self.stand_by(Phase.WAITING)
        step.ended_s = time.perf_counter()
        step.second_s = step.ended_s - started_s
        return permitted is not None

    def repeated(self, conditions: Conditions, frame: Frame) -> Picture | None:
        """Return the last composite if it also fits this frame and its conditions, else None."""
        if self._last is None or self._steps < SETTLED_STEPS:
            return None
        last, picture = self._last
        # The output clock drops composites of frames from before a suspension.
        if picture.frame is None or picture.frame.captured_at_s < self._board.resumed_s:
            return None
        if not _alike(last, conditions):
            return None
        if same_image(frame.image, picture.frame.image):
            return picture
        calm, self._calm = self._calm, None
        if calm is None or frame.image.shape != picture.frame.image.shape:
            return None
        return picture if is_still(thumbnail_of(frame.image), calm) else None

    def keep(self, conditions: Conditions, picture: Picture, *, calm: bool) -> None:
        """Keep a composite that was shown. calm: as in `Pending`."""
        settled = self._last is not None and self._last[0].sequence == conditions.sequence
        self._steps = self._steps + 1 if settled else 1
        self._last = conditions, picture
        self._calm = thumbnail_of(picture.frame.image) if calm and picture.frame is not None else None

    def forget(self) -> None:
        """Forget the last composite: it was not shown, or the engine was reset."""
        self._last = self._calm = None

    def show(self, picture: Picture) -> None:
        """Publish a picture of a new frame, but for those beyond the last one of a limited run."""
        if self._board.frames_out.add():
            self._publish(picture)

    def stand_by(self, reason: Phase) -> None:
        """Request the stand-by card, at the size of the newest frame."""
        self._publish(StandBy(reason, self.size))
