"""What a command waits for, without a thread of its own: that a change is used, and work on files.

Commands are coroutines of the one thread that answers them. What they do between two waits is short
and touches no disk, so that a command that hides something is never late.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from app.config.exposure import without_exposure
from app.config.setting import SETTINGS
from app.core.errors import Stage, Text
from app.core.files import no_answer
from app.core.paths import program_command
from app.core.threads import on_own_thread
from app.core.worker import FILE_LIMIT_S, NoAnswerError
from app.runtime.pipeline import Pipeline, Update
from app.runtime.status import Problem
from app.settings import Settings

T = TypeVar("T")
# Interval of the first looks at whether a change is used.
POLL_S = 0.02
# The interval grows to this, so that hundreds of commands that wait take no time from the frames.
LONGEST_POLL_S = 0.2
# Each look comes after this fraction of the time waited so far, and so at most a tenth late.
POLLS_PER_WAIT = 10
MOST_AT_ONCE = 16
"""Works on files at a time. More wait, without a thread, until one has ended."""
# Changes the settings in force by an update and returns the new ones.
Apply = Callable[[Update], Settings]
# Reports the problem of a part of a stage; None where it works again.
Report = Callable[[Stage, Text | None, object], None]


class Waits:
    """Waits of coroutines, which all end early once the program ends.

    Any thread, any event loop.
    """

    def __init__(self) -> None:
        self._ended = threading.Event()

    def end(self) -> None:
        """Let every wait return now, as at its time limit."""
        self._ended.set()

    @property
    def have_ended(self) -> bool:
        """Whether the program ends."""
        return self._ended.is_set()

    async def pause(self) -> bool:
        """Wait a moment; return whether the program ends."""
        await asyncio.sleep(POLL_S)
        return self.have_ended

    async def until(self, condition: Callable[[], bool], limit_s: float) -> bool:
        """Wait until a condition holds, which must be cheap.

        Return False if it does not within the time limit.
        """
        started_s = time.monotonic()
        while not condition():
            waited_s = time.monotonic() - started_s
            if waited_s >= limit_s or self.have_ended:
                return False
            await asyncio.sleep(min(max(POLL_S, waited_s / POLLS_PER_WAIT), LONGEST_POLL_S))
        return True


class FileWork:
    """Work on files of the user, each on a thread of its own, because a disk may never answer.

    Any thread.
    """

    def __init__(self, waits: Waits, report: Report, limit_s: float) -> None:
        """limit_s: longest wait of a command for a file.
        report: tells the status of a file that does not answer.
        """
        self._waits = waits
        self._report = report
        self._limit_s = limit_s
        self._lock = threading.Lock()
        self._running = 0

    async def run(
        self,
        work: Callable[[], T],
        problem: Text,
        *,
        hides: bool = False,
        named_after_s: float | None = None,
    ) -> T:
        """Call `work` beside everything else and return its result, or raise its error.

        problem: the sentence on a file that does not answer: in the status after `named_after_s`,
        by default `FILE_LIMIT_S`, and raised as a NoAnswerError at the time limit; what `work` does
        after that is nobody's. hides: the command hides something, so that it waits for no other
        work.
        """
        if named_after_s is None:
            named_after_s = FILE_LIMIT_S
        limit_s = max(self._limit_s, named_after_s)
        if not hides and not await self._waits.until(lambda: self._running < MOST_AT_ONCE, limit_s):
            raise NoAnswerError(problem)
        with self._lock:
            self._running += 1
        job = on_own_thread("control-file", work)
        job.add_done_callback(lambda _job: self._count_down())
        outcome = asyncio.wrap_future(job)
        # What is being written is finished: the end of the program cuts off only what is late.
        await asyncio.wait({outcome}, timeout=named_after_s)
        if not outcome.done():
            self._report(Stage.SETTINGS, problem, job)
            job.add_done_callback(lambda job: self._report(Stage.SETTINGS, None, job))
            await self._waits.until(outcome.done, limit_s - named_after_s)
        if outcome.done():
            return outcome.result()
        outcome.cancel()  # nobody takes it any more
        raise NoAnswerError(problem)

    def _count_down(self) -> None:
        with self._lock:
            self._running -= 1


class SettingsChanges:
    """Changes the settings and waits, for a limited time, until they are in use.

    Any thread, any event loop.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        timeout_s: float,
        apply: Apply | None = None,
        undo: Callable[[], Apply] | None = None,
    ) -> None:
        """timeout_s: longest wait for an effect. apply: in place of `pipeline.change`.

        undo: called while a change is applied; returns how to take that change back, should it
        fail. The window then also gives back what was to be saved.
        """
        self.pipeline = pipeline
        # Replaces the settings atomically by `update(settings)` and returns the new ones.
        self.apply = apply or pipeline.change
        self.waits = Waits()
        self.files = FileWork(self.waits, pipeline.report, timeout_s)
        self._undo = undo or (lambda: self.apply)
        self._timeout_s = timeout_s

    async def follow(self, update: Update, *, named: Path | None = None) -> tuple[Settings, bool]:
        """Change the settings and wait until the workers follow.

        Return the settings and whether they are in use.

        If a part of the program that the change concerns then has a problem, take the change back
        and raise MattecamError with that problem. A change that names what is in use already
        concerns every part that then has another problem than before. named: a file that the
        settings name, which may have been edited.
        """
        before = self.pipeline.settings
        give_back = self.apply
        known = self.pipeline.status().problems

        def tracked(settings: Settings) -> Settings:
            nonlocal before, give_back
            before = settings
            give_back = self._undo()
            return update(settings)

        after = self.apply(tracked)
        if named is not None:
            try:
                await self.files.run(self.pipeline.read_files_again, no_answer(named))
            except NoAnswerError:
                return after, False  # the status names the file
        if not await self.wait_until_used(with_outputs=before.output != after.output):
            return after, False
        problem = self.problem(*_opened_anew(before, after))
        if after == before:
            problem = self._newest_beside(known)
        if problem is not None:
            self._restore(before, after, give_back)
            raise problem.error
        return after, True

    @staticmethod
    def _restore(before: Settings, after: Settings, give_back: Apply) -> None:
        """Take back what has not been changed again meanwhile."""

        def update(now: Settings) -> Settings:
            restored = {
                name: old
                for name, old in before
                if old != getattr(after, name) and getattr(now, name) == getattr(after, name)
            }
            # A failure must not expose the room again.
            return without_exposure(now.replace(**restored), now)

        give_back(update)

    def _newest_beside(self, known: tuple[Problem, ...]) -> Problem | None:
        """Return the newest problem that is not one of these; None if there is none."""
        new = [problem for problem in self.pipeline.status().problems if problem not in known]
        failed = [problem for problem in new if problem.is_failure]
        return failed[-1] if failed else None

    def problem(self, *parts: Stage | str | None) -> Problem | None:
        """Return the newest problem of these stages, or parts of a stage as in `Problem`.

        None if they work.

        parts: None stands for no part.
        """
        concerned = set(parts) - {None}
        found = [
            each
            for each in self.pipeline.status().problems
            if (each.stage in concerned or each.part in concerned) and each.is_failure
        ]
        return found[-1] if found else None

    def close(self) -> None:
        """Cancel all waits."""
        self.waits.end()

    async def wait_for(self, took_effect: Callable[[], bool]) -> bool:
        """Wait until a change took effect; return False if it does not within the time limit."""
        return await self.waits.until(took_effect, self._timeout_s)

    async def wait_until_used(self, *, with_outputs: bool = False) -> bool:
        """Wait until the settings of now are in use, or their use has failed.

        Return False at the time limit.

        with_outputs: also by the outputs, which open and close on their own threads, and by the
        stand-by card.
        """
        pipeline = self.pipeline
        revision = pipeline.owner.revision

        def used() -> bool:
            # The revision first: a card is asked for by the tick that makes it that in use.
            if pipeline.revision_in_use < revision:
                return False
            if not with_outputs:
                return True
            return pipeline.outputs_decided and pipeline.pictures_decided

        return await self.wait_for(used)


def _opened_anew(before: Settings, after: Settings) -> set[Stage | str | None]:
    """Return the stages and parts that a change may have given a problem."""
    stages = set()
    for setting in SETTINGS.values():
        if setting.value_in(before) != setting.value_in(after):
            stages.add(setting.stage)
    return stages


def answered(answer: str, in_use: bool) -> str:
    """Return the answer about a change, which says so where the change is not yet in use."""
    if in_use:
        return answer
    status = f"{program_command()} ctl status"
    return f"{answer} (It is still being prepared; `{status}` shows when it is in use.)"
