"""The second stage of a step: makes the composite, checks it, and publishes it or requests the stand-by card.

Where an engine's steps overlap it runs on a thread of its own, while the network runs on the next frame.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from app.core.concurrency.threads import name_thread
from app.core.types import AlphaImage, Backdrop, Frame, Layers, Matte, Picture, PictureKind
from app.privacy.plausibility import MatteCheck
from app.runtime.board import StatusBoard
from app.runtime.engines.decision import Run, StandBy
from app.runtime.outputs.overlay import overlaid
from app.runtime.status import Phase
from app.runtime.unchanged import Conditions


@dataclass(frozen=True, slots=True)
class Begun:
    """A step whose network has run."""

    run: Run
    frame: Frame
    backdrop: Backdrop
    conditions: Conditions
    rest: Callable[[], Matte]
    """Gives the matte."""
    whole_alpha: Callable[[Matte], AlphaImage]
    """As `PeopleShaper.whole_alpha`."""
    moves: bool
    """As `PeopleShaper.moves`."""
    shift: float
    """As in `Layers`."""
    overlaps: bool
    """Whether the rest runs on its own thread."""
    started_s: float
    """When the step began, and when its network had run, by time.perf_counter()."""
    begun_s: float


@dataclass(frozen=True, slots=True)
class Finished:
    """A step that has ended."""

    matte: Matte
    frame: Frame
    """As it is shown."""
    picture: Picture | None
    """What was published; None where the matte is not plausible."""
    started_s: float
    """When the second stage began and ended, by time.perf_counter()."""
    ended_s: float

    def work_s(self, begun: Begun) -> float:
        """Return the time of both stages, without a wait between them."""
        return begun.begun_s - begun.started_s + self.ended_s - self.started_s

    def busy_s(self, begun: Begun) -> float:
        """Return what limits the frame rate: the time of the whole step, or of the longer of two that overlap."""
        if not begun.overlaps:
            return self.work_s(begun)
        return max(begun.begun_s - begun.started_s, self.ended_s - self.started_s)


class SelfTestDueError(Exception):
    """The matte may be published only after a self-test, which needs the engine for itself."""

    def __init__(self, matte: Matte) -> None:
        super().__init__()
        self.matte = matte


class Finisher:
    """Used on the inference thread. One second stage runs at a time: `take` precedes the next `finish` or `start`."""

    def __init__(self, publish: Callable[[Picture | StandBy], None], board: StatusBoard, hold_s: float) -> None:
        """hold_s: as in `AlphaWatch`."""
        self._publish = publish
        self._board = board
        self._mattes = MatteCheck(hold_s)
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="finish", initializer=name_thread, initargs=("finish",))
        self._pending: tuple[Begun, Future[Finished]] | None = None

    @property
    def pending(self) -> Begun | None:
        """The step that was started and not taken."""
        return None if self._pending is None else self._pending[0]

    @property
    def is_done(self) -> bool:
        """Whether `take` would return at once."""
        return self._pending is None or self._pending[1].done()

    def start(self, begun: Begun) -> None:
        """Run the second stage on the thread for it."""
        assert self._pending is None
        self._pending = begun, self._pool.submit(self._finish_alone, begun)

    def take(self) -> Finished:
        """Wait for the step that was started and return it.

        Raises what the step raised; the card has then been requested. Raises SelfTestDueError where nothing was
        published: call `finish` with the matte.
        """
        assert self._pending is not None
        (_, future), self._pending = self._pending, None
        return future.result()

    def finish(self, begun: Begun, self_test: Callable[[], None]) -> Finished:
        """Run the second stage on the calling thread. self_test: as in `AlphaWatch.permits`. Raises what it raises."""
        started_s = time.perf_counter()
        return self._finished(begun, begun.rest(), self_test, started_s)

    def close(self) -> None:
        """Stop the thread."""
        self._pool.shutdown()

    def _finish_alone(self, begun: Begun) -> Finished:
        matte: Matte | None = None

        def refuse() -> None:
            assert matte is not None
            raise SelfTestDueError(matte)

        started_s = time.perf_counter()
        try:
            matte = begun.rest()
            return self._finished(begun, matte, refuse, started_s)
        except SelfTestDueError:
            raise
        except Exception:
            self.stand_by(Phase.WAITING)
            raise

    def _finished(self, begun: Begun, matte: Matte, self_test: Callable[[], None], started_s: float) -> Finished:
        frame = begun.frame
        if matte.frame is not None:
            whole = frame.image if frame.whole is None else frame.whole
            frame = replace(frame, image=matte.frame, whole=whole if begun.conditions.shaped else None)
        whole_alpha = begun.whole_alpha(matte) if begun.moves else None
        now_s = time.monotonic()
        if not self._mattes.permits(matte, frame, begun.backdrop, now_s, begun.run.sequence, self_test, whole_alpha):
            self.stand_by(Phase.WAITING)
            return Finished(matte, frame, None, started_s, time.perf_counter())
        backdrop = begun.backdrop if isinstance(begun.backdrop, np.ndarray) else None
        layers = Layers(backdrop, begun.shift)
        picture = Picture(matte.composite, PictureKind.COMPOSITE, matte.alpha, matte.foreground, frame, layers)
        # Only now: the check compares the composite with its background, and the overlay draws itself alone.
        if begun.conditions.overlay is not None:
            picture = overlaid(picture, begun.conditions.overlay)
        self._board.phase = Phase.RUNNING
        if self._board.count_frame():
            self._publish(picture)
        return Finished(matte, frame, picture, started_s, time.perf_counter())

    def stand_by(self, reason: Phase) -> None:
        """Request the stand-by card."""
        self._board.phase = reason
        self._publish(StandBy(reason))
