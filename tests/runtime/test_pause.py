"""Paused, frozen, suspended and unchanged pictures: what is shown again, and what is not."""

from __future__ import annotations

import threading
import time
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from app.core.errors import SinkError, SourceLostError, Stage
from app.core.settings import BackgroundSettings
from app.core.threads import elapsed_s
from app.core.types import Frame, PictureKind
from app.effects.zones import Zone
from app.runtime import pipeline as runtime_pipeline
from app.runtime.capture_worker import CaptureWorker
from app.runtime.context import Timing
from app.runtime.engines import EngineSelector, MatteFrame
from app.runtime.pipeline import Pipeline
from app.runtime.status import Phase
from app.settings import Settings
from mattecam.testing import HEIGHT, WIDTH, FakeClock, FakeSource
from tests.fakes.states import (
    has_problem_of,
    has_problems,
    has_sent_frames,
    in_phase,
    knows_newest_settings,
    uses_newest_settings,
    waits_behind_the_card,
)
from tests.fakes.world import (
    BASE,
    IMPATIENT,
    NONE,
    FakeWorld,
    Hold,
    apply,
    composites,
    ignore,
    live,
    running,
    shows_person,
    with_wall,
)
from tests.stand_ins import replacing
from tests.waiting import beside, eventually, eventually_is, no_longer


def stands_still(pipeline: Pipeline, world: FakeWorld) -> bool:
    """Whether the same picture is sent again and again, and no new one is made."""
    frames = pipeline.status().frames_out
    pictures = len(world.pictures())
    eventually(world.has_sent, pictures + 10)
    sent = world.pictures()[pictures:]
    return pipeline.status().frames_out == frames and all(picture is sent[0] for picture in sent)


def stands_still_at(pipeline: Pipeline, world: FakeWorld, kind: PictureKind) -> bool:
    return world.shows(kind) and stands_still(pipeline, world)


def composite_shows_person(world: FakeWorld, expected: bool) -> bool:
    """Whether the newest picture is a composite, with or without the person."""
    newest = world.newest()
    return newest.kind is PictureKind.COMPOSITE and shows_person(newest.image) is expected


def corner(world: FakeWorld) -> tuple[int, ...]:
    """Return the colour of the first pixel of the newest picture."""
    return tuple(world.newest().image[0, 0])


def has_ratio(pipeline: Pipeline, ratio: float) -> bool:
    engine = pipeline.status().engine
    return engine is not None and engine.downsample_ratio == ratio


def has_skipped(source: FakeSource, frames: int) -> bool:
    return source.skipped >= frames


def is_opened_again(pipeline: Pipeline, world: FakeWorld) -> bool:
    return len(world.sources) > 1 and not has_problems(pipeline)


def has_taken_frames(pipeline: Pipeline, more_than: int) -> bool:
    return pipeline.status().frames_in > more_than


class AfterSleep:
    """A clock that goes on by what a suspended computer has slept."""

    def __init__(self, slept: FakeClock) -> None:
        self._slept = slept

    def __call__(self) -> float:
        return elapsed_s() + self._slept()


@pytest.mark.parametrize("settings", [BASE, NONE], ids=["composites", "none"])
def test_pause_shows_the_card_from_the_next_write_and_freeze_a_picture(
    settings: Settings,
    world: FakeWorld,
) -> None:
    """No new frame and no tick of the clock is needed: the settings in force at the write decide."""
    with live(world, settings) as pipeline:
        no_longer(world.shows, PictureKind.STANDBY)
        sent_kind = world.newest().kind
        world.faults.put("read", world.faults.hang)
        apply(pipeline, settings.replace(paused=True))
        sent = len(world.pictures()) + 1  # a write may have been under way
        eventually(world.has_sent, sent + 2)
        assert {picture.kind for picture in world.pictures()[sent:]} == {PictureKind.STANDBY}
        world.faults.heal()
        eventually(in_phase, pipeline, Phase.PAUSED)
        apply(pipeline, settings)
        composites(pipeline)
        apply(pipeline, settings.replace(frozen=True))
        eventually(stands_still, pipeline, world)
        assert world.newest().kind is sent_kind


def test_the_card_has_the_size_of_the_frames_that_the_source_delivers(world: FakeWorld) -> None:
    with running(
        world, BASE.replace(capture=BASE.capture.replace(width=128, height=96), paused=True)
    ) as pipeline:
        eventually(lambda: world.newest().size == pipeline.status().size == (WIDTH, HEIGHT))


def test_while_paused_frames_are_skipped_but_a_new_engine_is_still_built(
    world: FakeWorld,
    pipeline: Pipeline,
) -> None:
    (source,) = world.sources
    apply(pipeline, BASE.replace(paused=True))
    eventually(has_skipped, source, 1)
    before = len(world.pictures())
    started_s = time.monotonic()
    eventually(world.has_sent, before + 5)
    assert time.monotonic() - started_s > 0.3, (
        f"the card is sent less often than at {BASE.capture.fps} Hz"
    )
    started_s = time.monotonic()
    decoded = source.decoded
    skipped = source.skipped
    eventually(has_skipped, source, skipped + 50)
    due = (time.monotonic() - started_s) / Timing().paused_interval_s
    assert source.decoded <= decoded + due + 2, "decoded while paused"
    assert pipeline.status().phase is Phase.PAUSED and not pipeline.status().problems
    apply(pipeline, BASE.replace(paused=True, matting=BASE.matting.replace(downsample_ratio=0.7)))
    eventually(has_ratio, pipeline, 0.7)
    apply(pipeline, BASE)
    skipped = source.skipped
    composites(pipeline)
    assert source.skipped <= skipped + 50, "still skips"


def test_a_change_while_paused_waits_for_a_frame(
    world: FakeWorld,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A command was answered before the engine was built where its thread stopped before it woke the source."""
    monkeypatch.setattr(CaptureWorker, "wake", ignore)
    with live(world, timing=Timing(poll_s=0.02, paused_interval_s=60)) as pipeline:
        for model in ("auto", "mattecam"):
            apply(pipeline, BASE.replace(paused=True).replaced_at(["matting"], model=model))
            eventually(knows_newest_settings, pipeline)
        engine = pipeline.status().engine
        assert engine is not None and engine.model == "mattecam"


def test_a_camera_that_is_lost_while_paused_is_reported_and_opened_again(world: FakeWorld) -> None:
    with live(world, timing=Timing(source_retry_s=0.05)) as pipeline:
        apply(pipeline, BASE.replace(paused=True))
        eventually(has_skipped, world.sources[0], 1)
        world.faults.put("read", SourceLostError("The camera is disconnected."))
        eventually(has_problem_of, pipeline, Stage.CAPTURE)
        world.faults.heal()
        eventually(is_opened_again, pipeline, world)
        apply(pipeline, BASE)
        composites(pipeline)


# Hides everything.
HIDE = Settings().people.replace(
    zones=(Zone(filled=True, points=((0, 0), (1, 0), (1, 1), (0, 1))),)
)
BLUR = BackgroundSettings(kind="blur")


@pytest.mark.parametrize(
    ("moment", "changes", "kind"),
    [
        *product(
            ("frozen", "at once", "without frames"),
            ({"people": HIDE}, {"people": HIDE, "background": BLUR}),
            (PictureKind.STANDBY,),
        ),
        ("frozen", {"background": BLUR}, PictureKind.STANDBY),
        ("frozen", {"people": Settings().people.replace(framing="close")}, PictureKind.STANDBY),
        ("frozen", {"capture": BASE.capture.replace(rotate=90, flip=True)}, PictureKind.STANDBY),
        ("frozen", {"background": BASE.background.replace(zoom=2.0)}, PictureKind.COMPOSITE),
        (
            "frozen",
            {"background": BASE.background.replace(colour="#00ff00")},
            PictureKind.COMPOSITE,
        ),
    ],
)
def test_what_ends_a_frozen_picture(
    moment: str,
    changes: dict[str, Any],
    kind: PictureKind,
    world: FakeWorld,
) -> None:
    """What a new zone hides was sent on, also where both were changed at once."""
    with live(world, BASE, Timing(poll_s=0.02)) as pipeline:
        eventually(world.shows_person)
        if moment != "at once":
            pipeline.change(replacing(frozen=True))
            eventually(stands_still, pipeline, world)
            assert shows_person(world.newest().image)
        if moment == "without frames":
            world.faults.put("read", world.faults.hang)
        pipeline.change(replacing(frozen=True, **changes))
        eventually(stands_still_at, pipeline, world, kind)
        assert (pipeline.status().phase is Phase.WAITING) is (kind is PictureKind.STANDBY)
        world.faults.heal()
        pipeline.change(replacing(frozen=False))
        shows = changes.get("people") is not HIDE  # but for a step that was begun before
        eventually(composite_shows_person, world, shows)


def test_a_picture_of_what_is_hidden_now_does_not_stay_while_the_network_hangs(
    world: FakeWorld,
) -> None:
    """A picture from before a zone was added was repeated until it counted as stale."""
    with live(world, BASE, Timing(stale_s=60)) as pipeline:
        eventually(world.shows_person)
        world.faults.put("step", world.faults.hang)
        pipeline.change(replacing(people=HIDE))
        eventually(waits_behind_the_card, pipeline, world)
        world.faults.heal()
        # The step that hung was begun before.
        eventually(composite_shows_person, world, False)


def test_a_freeze_brings_no_picture_back_after_a_pause_or_a_stall(world: FakeWorld) -> None:
    """The status said “paused” until the freeze ended; after a stall the picture came back, however old it was."""
    hold = Hold()
    with live(world, timing=Timing(stale_s=0.3)) as pipeline:
        apply(pipeline, BASE.replace(frozen=True, paused=True))
        eventually(in_phase, pipeline, Phase.PAUSED)
        apply(pipeline, BASE.replace(frozen=True))
        eventually(waits_behind_the_card, pipeline, world)
        apply(pipeline, BASE)
        composites(pipeline)
        world.faults.put("step", hold)
        assert hold.entered.wait(60)
        eventually(waits_behind_the_card, pipeline, world)
        apply(pipeline, BASE.replace(frozen=True))
        eventually(stands_still, pipeline, world)
        assert world.newest().kind is PictureKind.STANDBY
        hold.go_on.set()


def test_a_blurred_room_that_is_frozen_after_another_choice_ends(
    world: FakeWorld,
    tmp_path: Path,
) -> None:
    """It was sent on while the chosen background was opened, and after."""
    wall = with_wall(tmp_path)
    with live(world, BASE.replace(background=BLUR)) as pipeline:
        world.faults.put("open_background", world.faults.hang)
        apply(pipeline, wall)
        composites(pipeline)
        apply(pipeline, wall.replace(frozen=True))
        eventually(stands_still_at, pipeline, world, PictureKind.STANDBY)
        world.faults.heal()
        apply(pipeline, wall)
        eventually_is((255, 0, 0), corner, world)


def test_a_step_that_was_suspended_shows_nothing(world: FakeWorld) -> None:
    hold = Hold()
    slept = FakeClock()
    with live(world, BASE, Timing(stale_s=60, clock=AfterSleep(slept))) as pipeline:
        world.faults.put("step", hold)
        assert hold.entered.wait(60)
        world.faults.put("read", world.faults.hang)
        slept.now_s = 300
        asleep_s = time.perf_counter()  # which does not know of the sleep
        eventually(lambda: world.newest().frame is None)
        sent = len(world.pictures())
        matted = pipeline.status().frames_out
        hold.go_on.set()
        eventually(has_sent_frames, pipeline, matted)
        eventually(world.has_sent, sent + 5)
        shown = [picture.frame for picture in world.pictures()[sent:]]
        assert not [
            frame for frame in shown if frame is not None and frame.captured_at_s < asleep_s
        ]


def test_a_frozen_picture_stays_while_the_source_is_lost_and_returns(world: FakeWorld) -> None:
    """After one hiccup of the camera the card was shown until the freeze ended, without a word."""
    with live(world, BASE, IMPATIENT) as pipeline:
        apply(pipeline, BASE.replace(frozen=True))
        eventually(stands_still, pipeline, world)
        world.faults.put("read", SourceLostError("The camera is gone."))
        eventually(has_problem_of, pipeline, Stage.CAPTURE)
        sent = len(world.pictures())
        eventually(world.has_sent, sent + 10)
        world.faults.heal()
        no_longer(has_problem_of, pipeline, Stage.CAPTURE)
        eventually(world.has_sent, len(world.pictures()) + 10)
        assert {picture.kind for picture in world.pictures()[sent:]} == {PictureKind.COMPOSITE}
        assert pipeline.status().phase is Phase.RUNNING

        apply(pipeline, BASE)
        composites(pipeline)
        world.faults.put("read", SourceLostError("The camera is gone."))
        eventually(waits_behind_the_card, pipeline, world)


def test_no_card_is_shown_between_a_frozen_picture_and_the_next_one(world: FakeWorld) -> None:
    """The frozen picture was too old to be repeated until then."""
    slept = FakeClock()
    with live(world, BASE, Timing(stale_s=60, clock=AfterSleep(slept))) as pipeline:
        pipeline.change(replacing(frozen=True))
        for _ in range(3):
            eventually(stands_still, pipeline, world)
            slept.now_s += 30
        world.faults.put("step", partial(time.sleep, 0.1))
        eventually(stands_still, pipeline, world)
        sent = len(world.pictures())
        pipeline.change(replacing(frozen=False))
        composites(pipeline)
        eventually(world.has_sent, sent)
        assert {picture.kind for picture in world.pictures()[sent:]} == {PictureKind.COMPOSITE}


def test_what_hides_is_not_in_use_before_a_frame_is_matted_under_it(
    world: FakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slow computer leaves frames out: the change was in use by the status, and the picture before it was sent."""
    decide = EngineSelector.decide
    leaves_out = threading.Event()

    def leave_out(
        selector: EngineSelector,
        frame: Frame,
        settings: Settings,
    ) -> MatteFrame | Phase | None:
        return None if leaves_out.is_set() else decide(selector, frame, settings)

    monkeypatch.setattr(EngineSelector, "decide", leave_out)
    with live(world, BASE, Timing(outdated_s=60.0, stale_s=60.0)) as pipeline:
        leaves_out.set()
        pipeline.change(replacing(people=HIDE))
        frames_in = pipeline.status().frames_in
        eventually(has_taken_frames, pipeline, frames_in + 20)
        assert pipeline.revision_in_use < pipeline.owner.revision

        leaves_out.clear()

        eventually(uses_newest_settings, pipeline)
        assert not shows_person(world.newest().image)


def test_a_still_hides_what_the_settings_hide(
    world: FakeWorld,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A snapshot showed what a zone hid already."""
    step = Hold()
    with live(world, BASE) as pipeline:
        assert shows_person(pipeline.still().image)
        world.faults.put("step", step)
        assert step.entered.wait(60)
        pipeline.change(replacing(people=HIDE))
        monkeypatch.setattr(runtime_pipeline, "STILL_WAIT_S", 0.05)
        with pytest.raises(SinkError, match="not in use yet"):
            pipeline.still()
        monkeypatch.setattr(runtime_pipeline, "STILL_WAIT_S", 60.0)
        taken = beside(pipeline.still)

        step.go_on.set()

        assert not shows_person(taken.result(60).image)


def test_without_a_picture_there_is_no_still(
    world: FakeWorld,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(runtime_pipeline, "STILL_WAIT_S", 0.05)
    with pytest.raises(SinkError, match="There is no frame yet"):
        Pipeline(BASE, parts=world.parts()).still()
