"""Changes of the settings that are answered after they took effect."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from operator import attrgetter

from app.config.scenes import exposed_by
from app.core.errors import MattecamError, Stage
from app.core.settings import Settings
from app.runtime.pipeline import Pipeline, Update
from app.runtime.status import PipelineStatus

POLL_S = 0.02
EXPOSING = ("background", "framing", "people")
"""Sections of the settings that decide which part of the room is shown."""
RECORDINGS = {"record": "recording", "record_alpha": "recording-alpha"}
"""Fields of the output, and the parts that report their problems."""
CONCERNED: Mapping[Stage | str, Callable[[Settings], object]] = {
    Stage.CAPTURE: attrgetter("capture"),
    Stage.MATTING: attrgetter("matting.engine"),
    Stage.BACKGROUND: attrgetter("background"),
    Stage.VIRTUAL_CAMERA: attrgetter("output.virtual_camera", "output.virtual_camera_backend"),
    Stage.PIPEWIRE: attrgetter("output.pipewire", "output.alpha_output"),
    Stage.OUTPUT: attrgetter("output.standby_image"),
    Stage.MICROPHONE: attrgetter("output.microphone"),
    **{part: attrgetter(f"output.{field}") for field, part in RECORDINGS.items()},
}
"""Settings that may be why a stage of the program, or a part of one, has a problem."""
Apply = Callable[[Update], Settings]
"""Changes the settings in force by an update and returns the new ones."""


class SettingsChanges:
    """Changes the settings and waits, for a limited time, until the status shows the effect. Thread-safe."""

    def __init__(
        self,
        pipeline: Pipeline,
        timeout_s: float,
        apply: Apply | None = None,
        undo: Callable[[], Apply] | None = None,
    ) -> None:
        """timeout_s: longest wait for an effect. apply: in place of `pipeline.change`.

        undo: returns what applies an update that gives back settings of now; called while they are changed.
        """
        self.pipeline = pipeline
        self.apply = apply or pipeline.change
        """Replaces the settings atomically by `update(settings)` and returns the new ones."""
        self._undo = undo or (lambda: self.apply)
        self._timeout_s = timeout_s
        self._closed = threading.Event()

    def follow(self, update: Update, *, files: bool = False) -> tuple[Settings, bool]:
        """Change the settings and wait until the workers follow; return the settings and whether they are in use.

        If a part of the program that the change concerns then has a problem, take the change back and raise
        MattecamError with that problem. A change that names what is in use already concerns every part that then has
        another problem than before. files: whether the settings name files, which may have been edited.
        """
        before, give_back = self.pipeline.settings, self.apply
        known = self.pipeline.status().problems

        def tracked(settings: Settings) -> Settings:
            nonlocal before, give_back
            before, give_back = settings, self._undo()
            return update(settings)

        after = self.apply(tracked)
        if files:
            self.pipeline.read_files_again()
        if not self.wait_until_used(with_outputs=before.output != after.output):
            return after, False
        concerned = {stage for stage, part in CONCERNED.items() if part(before) != part(after)}
        problem = self.problem(*concerned)
        if after == before:
            new = [each.message for each in self.pipeline.status().problems if each not in known]
            problem = new[-1] if new else None
        if problem is not None:
            self._restore(before, after, give_back)
            raise MattecamError(problem)
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
            if exposed_by(now.replace(**restored), now):  # a failure must not expose the room again
                restored = {name: value for name, value in restored.items() if name not in EXPOSING}
            return now.replace(**restored)

        give_back(update)

    def problem(self, *parts: Stage | str) -> str | None:
        """Return the newest problem of these stages, or parts of a stage as in `Problem`; None if they work."""
        found = [each for each in self.pipeline.status().problems if each.stage in parts or each.part in parts]
        return found[-1].message if found else None

    def close(self) -> None:
        """Cancel all waits."""
        self._closed.set()

    def wait(self) -> bool:
        """Wait a moment; return whether waits were cancelled."""
        return self._closed.wait(POLL_S)

    def wait_for(self, took_effect: Callable[[PipelineStatus], bool]) -> bool:
        """Wait until `took_effect(status)`; return False if it does not within the time limit."""
        deadline_s = time.monotonic() + self._timeout_s
        while not took_effect(self.pipeline.status()):
            if time.monotonic() >= deadline_s or self.wait():
                return False
        return True

    def wait_until_used(self, *, with_outputs: bool = False) -> bool:
        """Wait until the settings of now are in use, or their use has failed; return False at the time limit.

        with_outputs: also by the outputs, which open and close on their own threads, and by the stand-by card.
        """
        pipeline, revision = self.pipeline, self.pipeline.owner.revision

        def used(status: PipelineStatus) -> bool:
            decided = not with_outputs or (pipeline.outputs_decided and pipeline.pictures_decided)
            return decided and status.revision >= revision

        return self.wait_for(used)


def answered(answer: str, in_use: bool) -> str:
    """Return the answer about a change, which says so where the change is not yet in use."""
    pending = " (It is still being prepared; `python3 run.py ctl status` shows when it is in use.)"
    return answer if in_use else f"{answer}{pending}"
