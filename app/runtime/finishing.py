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
from app.core.settings import EdgeSettings
from app.core.threads import name_thread
from app.core.types import (
    AlphaImage,
    Backdrop,
    BgrImage,
    BlurredBackground,
    Floats,
    Frame,
    Layers,
    Matte,
    Picture,
    PictureKind,
)
from app.matting.base.interface import Pending
from app.matting.engine.motion import is_still, thumbnail_of
from app.privacy.plausibility import MatteCheck
from app.runtime.board import StatusBoard
from app.runtime.engines.plan import Run, StandBy
from app.runtime.status import Phase

SETTLED_STEPS = 30
"""Steps after a reset until the recurrent state has settled; before, even equal frames improve the matte."""
SAMPLED_ROWS = 32
"""Every 32nd row is compared first, which tells nearly all frames of a camera apart."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """What a composite depends on besides its frame."""

    sequence: tuple[int, int]
    """As in `Run`: of the source and the engine."""
    backdrop: Backdrop
    edges: EdgeSettings
    want_foreground: bool
    edited: bool = False
    """Whether the matte is edited, which depends on the frames before."""
    overlay: Overlay | None = None
    hides: tuple[object, ...] = ()
    """As in `Settings`; whether a composite that is shown already may stay."""

    def equal(self, other: Conditions) -> bool:
        """Return whether these are the same; images of a background and overlays by identity."""
        return (
            not (self.edited or other.edited)
            and self.sequence == other.sequence
            and _same_backdrop(self.backdrop, other.backdrop)
            and self.edges == other.edges
            and self.want_foreground == other.want_foreground
            and self.overlay is other.overlay
        )


def _same_backdrop(backdrop: Backdrop, other: Backdrop) -> bool:
    if isinstance(backdrop, BlurredBackground) and isinstance(other, BlurredBackground):
        return backdrop == other
    return backdrop is other


def same_image(image: BgrImage, other: BgrImage) -> bool:
    """Return whether both images are equal."""
    if image.shape != other.shape:
        return False
    return np.array_equal(image[::SAMPLED_ROWS], other[::SAMPLED_ROWS]) and np.array_equal(image, other)


class UnchangedFrames:
    """Keeps the last composite; returns it for a frame that would give the same one, or nearly so while it is calm."""

    def __init__(self) -> None:
        self._last: tuple[Conditions, Picture] | None = None
        self._steps = 0
        self._calm: Floats | None = None
        """Thumbnail of the frame of the last composite, which may be shown once more for a frame that is as still."""

    def composite(self, conditions: Conditions, frame: Frame, resumed_s: float = 0.0) -> Picture | None:
        """Return the last composite if it also fits this frame and its conditions, else None.

        resumed_s: as in `StatusBoard`; the output clock drops composites of older frames.
        """
        if self._last is None or self._steps < SETTLED_STEPS:
            return None
        last, picture = self._last
        if picture.frame is None or picture.frame.captured_at_s < resumed_s or not last.equal(conditions):
            return None
        if same_image(frame.image, picture.frame.image):
            return picture
        calm, self._calm = self._calm, None
        alike = frame.image.shape == picture.frame.image.shape and last.hides == conditions.hides
        return picture if calm is not None and alike and is_still(thumbnail_of(frame.image), calm) else None

    def note(self, conditions: Conditions, picture: Picture, *, calm: bool) -> None:
        """Keep a composite that was shown. calm: as in `Pending`."""
        settled = self._last is not None and self._last[0].sequence == conditions.sequence
        self._steps = self._steps + 1 if settled else 1
        self._last = conditions, picture
        self._calm = thumbnail_of(picture.frame.image) if calm and picture.frame is not None else None

    def forget(self) -> None:
        """Forget the last composite: it was not shown, or the engine was reset."""
        self._last = self._calm = None


@dataclass(frozen=True, slots=True)
class StepJob:
    """A step whose network has run."""

    run: Run
    frame: Frame
    conditions: Conditions
    pending: Pending
    whole_alpha: Callable[[Matte], AlphaImage]
    """As `PeopleEditor.whole_alpha`."""
    moves: bool
    """As `PeopleEditor.moves`."""
    shift: float
    """As in `Layers`."""
    overlaps: bool
    """Whether the second stage runs on its own thread."""
    started_s: float
    """When the step began, and when its network had run, by time.perf_counter()."""
    begun_s: float


@dataclass(frozen=True, slots=True)
class StepResult:
    """A step that has ended."""

    matte: Matte
    picture: Picture | None
    """What was published; None where the matte is not plausible, or only after a self-test."""
    started_s: float
    """When the second stage began and ended, by time.perf_counter()."""
    ended_s: float
    self_test_due: bool = False
    """Whether nothing was decided, because the engine must pass a self-test first, which needs it for itself."""

    def work_s(self, job: StepJob) -> float:
        """Return the time of both stages, without a wait between them."""
        return job.begun_s - job.started_s + self.ended_s - self.started_s

    def busy_s(self, job: StepJob) -> float:
        """Return what limits the frame rate: the time of the whole step, or of the longer of two that overlap."""
        if not job.overlaps:
            return self.work_s(job)
        return max(job.begun_s - job.started_s, self.ended_s - self.started_s)


class Finisher:
    """Used on the inference thread. One second stage runs at a time: `take` precedes the next `finish` or `start`."""

    def __init__(self, publish: Callable[[Picture | StandBy], None], board: StatusBoard, hold_s: float) -> None:
        """hold_s: as in `MatteCheck`."""
        self._publish = publish
        self._board = board
        self._mattes = MatteCheck(hold_s)
        self.size: tuple[int, int] | None = None
        """Of the newest frame, (width, height); None before the first one."""
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="finish", initializer=name_thread, initargs=("finish",))
        self._pending: tuple[StepJob, Future[StepResult]] | None = None

    @property
    def pending(self) -> StepJob | None:
        """The step that was started and not taken."""
        return None if self._pending is None else self._pending[0]

    @property
    def is_done(self) -> bool:
        """Whether `take` would return at once."""
        return self._pending is None or self._pending[1].done()

    def start(self, job: StepJob) -> None:
        """Run the second stage on the thread for it."""
        assert self._pending is None
        self._pending = job, self._pool.submit(self._finish_beside, job)

    def take(self) -> StepResult:
        """Wait for the step that was started and return it.

        Raises what the step raised; the card has then been requested. Where a self-test is due, call `finish` with the
        matte.
        """
        assert self._pending is not None
        (_, future), self._pending = self._pending, None
        return future.result()

    def close(self) -> None:
        """Stop the thread."""
        self._pool.shutdown()

    def _finish_beside(self, job: StepJob) -> StepResult:
        try:
            return self.finish(job, None)
        except Exception:
            self.stand_by(Phase.WAITING)
            raise

    def finish(self, job: StepJob, self_test: Callable[[], None] | None) -> StepResult:
        """Run the second stage on the calling thread. self_test: as in `MatteCheck.believes`. Raises what it raises."""
        started_s = time.perf_counter()
        matte = job.pending.result()
        frame, conditions = job.frame, job.conditions
        if matte.frame is not None:
            whole = frame.image if frame.whole is None else frame.whole
            frame = replace(frame, image=matte.frame, whole=whole if conditions.edited else None)
        whole_alpha = job.whole_alpha(matte) if job.moves else None
        now_s = time.monotonic()
        backdrop, sequence = conditions.backdrop, conditions.sequence
        permitted = self._mattes.permits(matte, frame, backdrop, now_s, sequence, self_test, whole_alpha)
        if permitted is None:
            return StepResult(matte, None, started_s, time.perf_counter(), self_test_due=True)
        if not permitted:
            self.stand_by(Phase.WAITING)
            return StepResult(matte, None, started_s, time.perf_counter())
        layers = Layers(backdrop if isinstance(backdrop, np.ndarray) else None, job.shift)
        picture = Picture(matte.composite, PictureKind.COMPOSITE, matte.alpha, matte.foreground, frame, layers)
        # Only now: the check compares the composite with its background, and the overlay draws itself alone.
        if conditions.overlay is not None:
            picture = overlaid(picture, conditions.overlay)
        self.show(picture)
        return StepResult(matte, picture, started_s, time.perf_counter())

    def show(self, picture: Picture) -> None:
        """Publish a picture of a new frame, but for those beyond the last one of a limited run."""
        if self._board.frames_out.add():
            self._publish(picture)

    def stand_by(self, reason: Phase) -> None:
        """Request the stand-by card, at the size of the newest frame."""
        self._publish(StandBy(reason, self.size))
