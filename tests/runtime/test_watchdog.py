"""Each thread made to die: the status names it, and the room never shows."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from app.core.settings import BackgroundSettings, CaptureSettings, Settings
from app.core.stage import Stage
from app.core.threads import elapsed_s
from app.core.types import PictureKind
from app.output.base import ReaderCounter
from app.privacy.gate import Gate
from app.runtime.outputs.output_clock import OutputClock
from app.runtime.outputs.standby_pictures import StandbyPictures
from app.runtime.pipeline import Pipeline
from app.runtime.shared import SettingsOwner, Shared
from app.runtime.status import Phase
from app.runtime.timing import Timing
from app.runtime.watchdog import Watchdog
from app.runtime.worker import Worker
from app.testing.parts import shows_room
from tests.fakes.world import BASE, FakeWorld, composites, ignore, running
from tests.waiting import eventually

TIMING = Timing(watchdog_s=0.02, stale_s=0.3, demand_poll_s=0.02)


class Clock:
    """An output clock that a test moves."""

    def __init__(self, last_tick_s: float) -> None:
        self.thread = Worker("output-clock", ignore)
        self.last_tick_s = last_tick_s
        self.cards = 0

    def send_card(self) -> None:
        self.cards += 1


def die() -> None:
    raise SystemExit("made to die")


def only_cards_from_now_on(world: FakeWorld) -> None:
    sent = len(world.pictures())
    eventually(lambda: len(world.pictures()) > sent + 5)
    sent = len(world.pictures())
    eventually(lambda: len(world.pictures()) > sent + 5)
    assert {picture.kind for picture in world.pictures()[sent:]} == {PictureKind.STANDBY}


def names_the_thread(pipeline: Pipeline, name: str, stage: Stage) -> bool:
    problems = pipeline.status().problems
    return any(problem.stage is stage and f"The {name} thread " in problem.message for problem in problems)


@pytest.mark.parametrize(("thread", "fault", "stage"), [("capture", "read", "capture"), ("matting", "step", "matting")])
def test_without_capture_or_matting_only_the_card_leaves(thread: str, fault: str, stage: str, world: FakeWorld) -> None:
    with running(world, BASE, TIMING) as pipeline:
        composites(pipeline)
        world.faults.put(fault, die)
        eventually(lambda: names_the_thread(pipeline, thread, Stage(stage)))
        only_cards_from_now_on(world)
        assert pipeline.status().phase is Phase.WAITING
        world.faults.heal()
    assert not any(shows_room(picture.image) for picture in world.pictures())


@pytest.mark.parametrize("how", ["dies", "stalls"])
def test_without_the_output_clock_the_watchdog_sends_the_card_until_it_goes_on(how: str) -> None:
    world, go_on = FakeWorld(), threading.Event()
    with running(world, BASE, TIMING) as pipeline:
        composites(pipeline)
        suffer = die if how == "dies" else lambda: ignore(go_on.wait(60))
        pipeline.listen(lambda: suffer() if threading.current_thread().name == "output-clock" else None)
        eventually(lambda: names_the_thread(pipeline, "output-clock", Stage.OUTPUT))
        only_cards_from_now_on(world)
        if how == "stalls":
            go_on.set()
            eventually(lambda: not pipeline.status().problems)
            composites(pipeline)
            eventually(lambda: world.newest().kind is PictureKind.COMPOSITE)


def problems_at_each_check(clock: Clock, checks: int, *watched: Worker, moves: int = -1) -> list[int]:
    """Let a watchdog check so often; return how many problems were open before each check and after the last.

    moves: the check before which the clock goes on.
    """
    shared = Shared(SettingsOwner(BASE), FakeWorld().parts(), TIMING)
    gate = Gate(lambda: shared.owner.current, StandbyPictures(shared.board).get)
    watchdog = Watchdog(shared, gate, cast("OutputClock", clock), *watched)
    stop, found = threading.Event(), list[int]()

    def next_check(timeout: float | None = None) -> bool:
        found.append(len(shared.board.read().problems))
        if len(found) == moves:
            clock.last_tick_s = elapsed_s() + 60
        return len(found) > checks

    stop.wait = next_check  # type: ignore[method-assign]
    watchdog.run(stop)
    return found


def test_a_program_that_was_stopped_reports_no_stall() -> None:
    """SIGSTOP stops watchdog and clock; the watchdog may be the first to go on."""
    clock = Clock(elapsed_s() - 60)
    assert problems_at_each_check(clock, 3, moves=2) == [0, 0, 0, 0]
    assert clock.cards == 1, "the card leaves all the same"


def test_a_program_that_was_stopped_reports_no_driver() -> None:
    answers = iter(["camera", None, "camera", "camera", None])
    camera = Worker("capture", ignore, Stage.CAPTURE)
    camera.hangs = lambda: next(answers)  # type: ignore[method-assign]
    assert problems_at_each_check(Clock(elapsed_s() + 60), 5, camera) == [0, 0, 0, 0, 1, 0]


def test_the_log_names_a_dead_thread_and_its_error_once(caplog: pytest.LogCaptureFixture) -> None:
    """It had the traceback ten times a second until the program ended."""
    camera = Worker("capture", lambda _stop: die(), Stage.CAPTURE)
    camera.start()
    assert camera.join(60)
    assert problems_at_each_check(Clock(elapsed_s() + 60), 3, camera) == [0, 1, 1, 1]
    ended, named = caplog.messages
    assert ended == "The capture thread ended with an error." and named.startswith("The capture thread ")


@pytest.mark.parametrize(
    ("thread", "fault", "stage"),
    [
        ("virtual-camera", "virtual_camera", Stage.VIRTUAL_CAMERA),
        ("recording", "recorder", Stage.RECORDING),
        ("engine-builder", "build_engine", Stage.MATTING),
        ("background-opener", "open_background", Stage.BACKGROUND),
    ],
)
def test_the_death_of_another_thread_is_reported(
    thread: str, fault: str, stage: Stage, tmp_path: Path, world: FakeWorld
) -> None:
    settings = BASE.replace(output=BASE.output.replace(record=tmp_path / "a.mp4"))
    with running(world, settings, TIMING) as pipeline:
        composites(pipeline)
        eventually(lambda: pipeline.status().recording is not None)
        world.faults.put(fault, die)
        pipeline.change(
            lambda now: now.replace(
                matting=now.matting.replace(model="mattecam"), background=now.background.replace(colour="#102030")
            )
        )
        eventually(lambda: names_the_thread(pipeline, thread, stage))
        composites(pipeline)
        world.faults.heal()
    assert not any(shows_room(picture.image) for picture in world.pictures())


def test_the_death_of_the_demand_thread_is_reported(world: FakeWorld) -> None:
    def count(device: str) -> ReaderCounter:
        raise OSError("no such folder")

    with running(world, BASE, TIMING, parts=replace(world.parts(), watch_readers=count)) as pipeline:
        eventually(lambda: names_the_thread(pipeline, "demand", Stage.VIRTUAL_CAMERA))
        composites(pipeline)


def test_the_death_of_the_watchdog_is_seen_by_the_status() -> None:
    with running(FakeWorld(), BASE, TIMING) as pipeline:
        broken = Worker("broken", ignore)
        broken.hangs = die  # type: ignore[method-assign]
        pipeline.watch(broken)
        eventually(lambda: names_the_thread(pipeline, "watchdog", Stage.OUTPUT))


@pytest.mark.parametrize(
    ("stage", "problem"),
    [
        ("read", (Stage.CAPTURE, "fake does not respond; reconnect it")),
        ("virtual_camera", (Stage.VIRTUAL_CAMERA, "virtual_camera does not respond; close the programs that use it")),
        ("step", (Stage.MATTING, "The model does not respond on cpu; start the program again")),
    ],
)
def test_a_call_that_hangs_is_named_until_it_goes_on(stage: str, problem: tuple[Stage, str], world: FakeWorld) -> None:
    with running(world, BASE, replace(TIMING, hang_s=0.2, step_hang_s=0.2)) as pipeline:

        def messages() -> list[str]:
            return [found.message for found in pipeline.status().problems if found.stage is problem[0]]

        composites(pipeline)
        world.faults.put(stage, lambda: world.faults.hang(60))
        eventually(lambda: bool(messages()))
        assert messages()[0].startswith(problem[1])
        world.faults.heal()
        eventually(lambda: not messages())


@pytest.mark.parametrize(
    ("call", "settings", "stage", "message"),
    [
        ("open_source", BASE, Stage.CAPTURE, "The source fake does not open; reconnect it"),
        (
            "open_virtual_camera",
            BASE,
            Stage.VIRTUAL_CAMERA,
            "The output virtual camera does not open; close the programs",
        ),
        (
            "open_background",
            BASE.replace(background=BackgroundSettings(kind="image", path=Path("share/wall.png"))),
            Stage.BACKGROUND,
            "The background share/wall.png does not open; reconnect its disk",
        ),
        ("open_source", BASE.replace(capture=CaptureSettings(source="portal")), Stage.CAPTURE, None),
    ],
)
def test_what_does_not_open_is_named_unless_the_desktop_asks_the_user(
    call: str, settings: Settings, stage: Stage, message: str | None
) -> None:
    world, waiting = FakeWorld(), threading.Event()

    def hang() -> None:
        waiting.set()
        world.faults.hang()

    world.faults.put(call, hang)
    with running(world, settings, replace(TIMING, open_hang_s=0.2)) as pipeline:

        def messages() -> list[str]:
            return [found.message for found in pipeline.status().problems if found.stage is stage]

        assert waiting.wait(60)
        if message is None:
            time.sleep(0.5)
            assert not messages()
        else:
            eventually(lambda: bool(messages()))
            assert messages()[0].startswith(message)
        world.faults.heal()
        eventually(lambda: not any("does not open" in text for text in messages()))
