"""A run without a window ends with a failure only where it has no result."""

from __future__ import annotations

import threading

import pytest

from app.cli.session import Session, summary
from app.core.errors import BackgroundError, MattecamError
from app.runtime.pipeline import Pipeline
from app.runtime.status import Latencies, Latency, PipelineStatus, Stage
from tests.fakes.world import FakeWorld
from tests.runtime.running import BASE
from tests.runtime.test_remote import REMOTE, Network, Place
from tests.waiting import eventually


@pytest.mark.parametrize(
    ("stage", "goes_on"), [(Stage.SHORTCUTS, True), (Stage.MICROPHONE, True), (Stage.SETTINGS, False)]
)
def test_a_run_goes_on_without_what_no_frame_needs(stage: Stage, goes_on: bool) -> None:
    """The problem is there before the first frame, as that of a desktop without a portal for shortcuts is."""
    world, looked = FakeWorld(), threading.Event()
    pipeline = Pipeline(BASE, parts=world.parts())

    def report_and_wait() -> None:
        pipeline.report(stage, MattecamError("It is missing."))
        looked.wait(10)

    world.faults.put("read", report_and_wait)
    session = Session(pipeline, None, 5)

    def observed() -> None:
        if any(problem.stage is stage for problem in session.status.problems):
            looked.set()

    session.each_poll = observed
    session.run()
    assert session.failure == (None if goes_on else "It is missing.")
    assert not goes_on or session.status.frames_out >= 5


def test_a_background_that_fails_ends_the_start_however_late_it_is_noticed() -> None:
    """The run went on before plain grey, and ended with 0, if the first composite was seen together with the error."""
    world, polled = FakeWorld(), threading.Event()
    pipeline = Pipeline(BASE, parts=world.parts())

    def fail() -> None:
        assert polled.wait(10)
        raise BackgroundError("The picture is missing.")

    def look() -> None:
        polled.set()
        eventually(lambda: pipeline.status().frames_out > 0)

    world.faults.put("open_background", fail)
    session = Session(pipeline, None, 50)
    session.each_poll = look
    session.run()
    assert session.failure == "The picture is missing."


def test_a_run_goes_on_here_where_the_server_does_not_answer() -> None:
    """As when a service of the user's session starts before the network is up."""
    world = FakeWorld()
    world.engine = Place
    Place.network = Network()
    Place.network.up = False
    session = Session(Pipeline(REMOTE, parts=world.parts()), None, 5)
    session.run()
    assert session.failure is None
    assert session.status.frames_out >= 5
    assert session.status.engine is not None
    assert session.status.engine.device == "cpu"


def test_a_run_without_outputs_states_no_time_to_an_output() -> None:
    """It said "end to end 0.0 ms", which nobody can reach."""
    alone = summary(PipelineStatus(latency_ms=Latencies(step=Latency(20.0, 30.0))))
    assert "step 20.0 ms (p95 30.0), 0 dropped" in alone and "end to end" not in alone
    shown = summary(PipelineStatus(latency_ms=Latencies(step=Latency(20.0, 30.0), end_to_end=Latency(35.0, 50.0))))
    assert "end to end 35.0 ms (p95 50.0), 0 dropped" in shown
