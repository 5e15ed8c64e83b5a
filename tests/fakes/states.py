"""What tests wait for of a running pipeline: `eventually(in_phase, pipeline, Phase.PAUSED)`."""

from __future__ import annotations

from app.core.errors import Stage
from app.core.types import PictureKind
from app.runtime.pipeline import Pipeline
from app.runtime.status import Phase
from tests.fakes.world import FakeWorld


def in_phase(pipeline: Pipeline, phase: Phase) -> bool:
    return pipeline.status().phase is phase


def has_problems(pipeline: Pipeline) -> bool:
    return bool(pipeline.status().problems)


def has_problem_of(pipeline: Pipeline, stage: Stage) -> bool:
    return any(problem.stage is stage for problem in pipeline.status().problems)


def reports(pipeline: Pipeline, words: str) -> bool:
    """Whether one of the problems says this."""
    return any(words in problem.message for problem in pipeline.status().problems)


def has_sent_frames(pipeline: Pipeline, more_than: int) -> bool:
    return pipeline.status().frames_out > more_than


def records(pipeline: Pipeline) -> bool:
    return pipeline.status().recording is not None


def hides_person(pipeline: Pipeline) -> bool:
    return pipeline.status().hides_person


def is_unmatted(pipeline: Pipeline) -> bool:
    return pipeline.status().unmatted


def waits_behind_the_card(pipeline: Pipeline, world: FakeWorld) -> bool:
    """Whether the newest picture is the stand-by card, and the status says that the pipeline waits."""
    return world.shows(PictureKind.STANDBY) and in_phase(pipeline, Phase.WAITING)


def matted_by(pipeline: Pipeline, model: str) -> bool:
    """Whether the engine in use is of this model."""
    engine = pipeline.status().engine
    return engine is not None and engine.model == model


def knows_newest_settings(pipeline: Pipeline) -> bool:
    """Whether the status is of the newest settings."""
    return pipeline.status().revision == pipeline.owner.revision


def uses_newest_settings(pipeline: Pipeline) -> bool:
    return pipeline.revision_in_use == pipeline.owner.revision
