"""The running pipeline: switching, privacy, status."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.core.errors import BackgroundError, ModelError, PlateError, SourceLostError, SourceOpenError
from app.core.settings import (
    BackgroundSettings,
    CaptureSettings,
    EdgeSettings,
    MattingSettings,
    OutputSettings,
    Settings,
)
from app.core.types import AlphaImage, Backdrop, BgrImage, BlurredBackground, Matte, Picture, PictureKind
from app.matting.selection.governor import GovernorTiming
from app.runtime.backdrops import PLAIN_GREY
from app.runtime.pipeline import Pipeline
from app.runtime.status import Phase, Stage
from app.runtime.timing import Timing
from tests.fakes import PERSON, FakeEngine, FakeSource, FakeWorld, shows_room
from tests.waiting import eventually

BASE = Settings(
    capture=CaptureSettings(source="fake", width=64, height=48, fps=120),
    background=BackgroundSettings(kind="colour", colour="#0000ff"),
    output=OutputSettings(virtual_camera="fake"),
)


@contextmanager
def running(world: FakeWorld, settings: Settings = BASE, timing: Timing | None = None) -> Iterator[Pipeline]:
    pipeline = Pipeline(settings, parts=world.parts(), timing=timing)
    pipeline.start()
    try:
        yield pipeline
    finally:
        world.faults.release.set()
        assert pipeline.stop(), "a thread did not end"
        assert FakeEngine.live == 0, "an engine was not closed"


def apply(pipeline: Pipeline, settings: Settings) -> None:
    """Replace all settings."""
    pipeline.change(lambda _: settings)


def composites(pipeline: Pipeline, more: int = 3) -> None:
    """Wait for some more composites."""
    goal = pipeline.status().frames_out + more
    eventually(lambda: pipeline.status().frames_out >= goal and pipeline.status().phase is Phase.RUNNING)


def stands_still(pipeline: Pipeline, world: FakeWorld) -> bool:
    """Whether the same picture is sent again and again, and no new one is made."""
    frames, pictures = pipeline.status().frames_out, len(world.pictures())
    eventually(lambda: len(world.pictures()) > pictures + 10)
    sent = world.pictures()[pictures:]
    return pipeline.status().frames_out == frames and all(picture is sent[0] for picture in sent)


def ignore(result: object) -> None:
    """Turns a call with a result into one without."""


def kinds(world: FakeWorld) -> set[PictureKind]:
    return {picture.kind for picture in world.pictures()}


def test_composites_come_out_and_the_room_does_not() -> None:
    world = FakeWorld()
    world.faults.put("build_engine", lambda: eventually(lambda: PictureKind.STANDBY in kinds(world)))
    with running(world) as pipeline:
        composites(pipeline, 10)
        eventually(lambda: PictureKind.COMPOSITE in kinds(world))
        status = pipeline.status()
    pictures = world.pictures()
    assert pictures[0].kind is PictureKind.STANDBY, "the stand-by card comes before the first matte"
    assert not any(shows_room(picture.image) for picture in pictures)
    composite = next(picture for picture in pictures if picture.kind is PictureKind.COMPOSITE)
    assert tuple(composite.image[0, 0]) == (255, 0, 0)
    assert tuple(composite.image[30, 32]) == PERSON
    assert status.engine is not None and status.engine.executor == "fake"
    assert status.latency_ms.step.median > 0
    assert status.size == (64, 48)
    assert not status.problems


def test_none_shows_the_room_only_while_it_is_chosen() -> None:
    world = FakeWorld()
    with running(world) as pipeline:
        composites(pipeline)
        apply(pipeline, BASE.replace(background=BASE.background.replace(kind="none")))
        eventually(lambda: PictureKind.UNMATTED in kinds(world))
        assert pipeline.status().unmatted
        apply(pipeline, BASE)
        eventually(lambda: not pipeline.status().unmatted)
        composites(pipeline)
        eventually(lambda: world.newest().kind is PictureKind.COMPOSITE)
        after = len(world.pictures())
        composites(pipeline, 10)
        assert not any(shows_room(picture.image) for picture in world.pictures()[after:])


def test_leaving_none_for_a_background_that_fails_never_shows_the_room_again(tmp_path: Path) -> None:
    world = FakeWorld()
    none = BASE.replace(background=BackgroundSettings(kind="none"))
    with running(world, none) as pipeline:
        eventually(lambda: PictureKind.UNMATTED in kinds(world))
        missing = BackgroundSettings(kind="image", path=tmp_path / "missing.png")
        apply(pipeline, none.replace(background=missing))
        eventually(lambda: bool(pipeline.status().problems))
        composites(pipeline)
        after = len(world.pictures())
        composites(pipeline, 10)
        assert pipeline.status().problems[0].stage is Stage.BACKGROUND
        assert not any(shows_room(picture.image) for picture in world.pictures()[after:])


def test_pause_shows_the_card_and_freeze_keeps_the_last_composite() -> None:
    world = FakeWorld()
    with running(world) as pipeline:
        composites(pipeline)
        apply(pipeline, BASE.replace(paused=True))
        eventually(lambda: world.newest().kind is PictureKind.STANDBY)
        eventually(lambda: pipeline.status().phase is Phase.PAUSED)
        apply(pipeline, BASE)
        composites(pipeline)
        apply(pipeline, BASE.replace(frozen=True))
        eventually(lambda: stands_still(pipeline, world))
        assert world.newest().kind is PictureKind.COMPOSITE


def test_while_paused_frames_are_skipped_but_a_new_engine_is_still_built() -> None:
    world = FakeWorld()
    with running(world) as pipeline:
        composites(pipeline)
        (source,) = world.sources
        apply(pipeline, BASE.replace(paused=True))
        eventually(lambda: source.skipped > 0)
        decoded, skipped = source.decoded, source.skipped
        eventually(lambda: source.skipped >= skipped + 50)
        assert source.decoded <= decoded + 2, "decoded while paused"
        assert pipeline.status().phase is Phase.PAUSED and not pipeline.status().problems
        apply(pipeline, BASE.replace(paused=True, matting=BASE.matting.replace(downsample_ratio=0.7)))
        eventually(lambda: (engine := pipeline.status().engine) is not None and engine.downsample_ratio == 0.7)
        skipped = source.skipped
        apply(pipeline, BASE)
        composites(pipeline)
        assert source.skipped <= skipped + 50, "still skips"


def test_frames_that_the_governor_skips_are_not_decoded() -> None:
    world = FakeWorld()
    world.faults.put("step", lambda: time.sleep(0.01))  # the source gives a frame every 4 ms
    pinned = BASE.matting.replace(model="student", downsample_ratio=0.5)
    slow = BASE.replace(matting=pinned, capture=BASE.capture.replace(fps=240))
    timing = Timing(governor=GovernorTiming(window_s=0.2, settle_s=0.05))
    with running(world, slow, timing) as pipeline:
        eventually(lambda: pipeline.status().lowered is not None)
        (source,) = world.sources
        skipped = source.skipped
        composites(pipeline, 30)
        assert source.skipped >= skipped + 5
        assert not pipeline.status().problems
    assert not any(shows_room(picture.image) for picture in world.pictures())


def test_a_camera_that_is_lost_while_paused_is_reported_and_opened_again() -> None:
    def lose() -> None:
        raise SourceLostError("The camera is disconnected.")

    world = FakeWorld()
    with running(world, timing=Timing(source_retry_s=0.05)) as pipeline:
        composites(pipeline)
        apply(pipeline, BASE.replace(paused=True))
        eventually(lambda: world.sources[0].skipped > 0)
        world.faults.put("read", lose)
        eventually(lambda: any(problem.stage is Stage.CAPTURE for problem in pipeline.status().problems))
        world.faults.heal()
        eventually(lambda: len(world.sources) > 1 and not pipeline.status().problems)
        apply(pipeline, BASE)
        composites(pipeline)
        assert not any(shows_room(picture.image) for picture in world.pictures())


def test_a_change_keeps_what_others_changed_meanwhile() -> None:
    world = FakeWorld()
    with running(world) as pipeline:
        composites(pipeline)
        notified = threading.Event()
        pipeline.listen_settings(notified.set)
        assert pipeline.change(lambda settings: settings.replace(paused=True)).paused
        assert notified.is_set()
        new = pipeline.change(lambda settings: settings.replace(frozen=True))
        assert new.paused and new is pipeline.settings
        eventually(lambda: world.newest().kind is PictureKind.STANDBY)
        pipeline.change(lambda settings: settings.replace(paused=False, frozen=False))
        composites(pipeline)


def test_a_failing_switch_keeps_what_worked() -> None:
    world = FakeWorld()

    def refuse() -> None:
        raise ModelError("The model does not fit; choose another.")

    def absent() -> None:
        raise SourceOpenError("There is no camera 7; plug it in.")

    with running(world) as pipeline:
        composites(pipeline)
        world.faults.put("build_engine", refuse)
        apply(pipeline, BASE.replace(matting=MattingSettings(model="rvm-resnet50")))
        eventually(lambda: any(problem.stage is Stage.MATTING for problem in pipeline.status().problems))
        composites(pipeline)
        engine = pipeline.status().engine
        assert engine is not None and engine.model == "auto"
        world.faults.put("open_source", absent)
        apply(pipeline, BASE.replace(capture=BASE.capture.replace(source="camera:7")))
        eventually(lambda: any(problem.stage is Stage.CAPTURE for problem in pipeline.status().problems))
        composites(pipeline)
        source = pipeline.status().source
        assert source is not None and source.name == "fake"
        assert "There is no camera 7; plug it in." in pipeline.status().errors


def test_a_new_ratio_is_built_beside_the_running_engine() -> None:
    world = FakeWorld()
    with running(world) as pipeline:
        composites(pipeline)
        gate = threading.Event()
        world.faults.put("build_engine", lambda: ignore(gate.wait(5)))
        apply(pipeline, BASE.replace(matting=MattingSettings(downsample_ratio=0.25)))
        eventually(lambda: pipeline.status().busy == "the model")
        composites(pipeline, 5)
        gate.set()
        eventually(lambda: ratio_of(pipeline) == 0.25)
        assert not world.faults.release.is_set()


def ratio_of(pipeline: Pipeline) -> float | None:
    """The ratio in use."""
    engine = pipeline.status().engine
    return engine.downsample_ratio if engine else None


def test_mirror_flips_the_output_alone() -> None:
    world = FakeWorld()
    previews: dict[int, Picture] = {}
    pairs: list[tuple[Picture, Picture]] = []

    def in_both() -> bool:
        preview = pipeline.preview.get(5)
        if preview is not None and preview.frame is not None:
            previews[preview.frame.index] = preview
        sent = [picture for picture in world.pictures() if picture.frame is not None]
        pairs.extend((each, previews[each.frame.index]) for each in sent if each.frame and each.frame.index in previews)
        return bool(pairs)

    with running(world, BASE.replace(output=BASE.output.replace(mirror=True))) as pipeline:
        composites(pipeline)
        eventually(in_both)
    assert all(preview.alpha is not None for _, preview in pairs)
    assert all(np.array_equal(sent.image[:, ::-1], preview.image) for sent, preview in pairs)


def test_the_foreground_is_made_only_when_asked_for() -> None:
    world = FakeWorld()
    with running(world) as pipeline:
        eventually(lambda: PictureKind.COMPOSITE in kinds(world))
        pipeline.want_foreground = True
        eventually(lambda: (picture := pipeline.preview.get(5)) is not None and picture.foreground is not None)
    early = next(picture for picture in world.pictures() if picture.kind is PictureKind.COMPOSITE)
    assert early.foreground is None


def test_a_listener_hears_of_every_preview_picture() -> None:
    world = FakeWorld()
    heard = threading.Event()
    pipeline = Pipeline(BASE, parts=world.parts())
    pipeline.listen(heard.set)
    pipeline.start()
    assert heard.wait(10)
    assert pipeline.preview.get(0) is not None
    assert pipeline.stop()


def test_the_camera_is_released_while_nobody_reads() -> None:
    world = FakeWorld()
    world.source_kind = "camera"
    world.readers = 1
    with running(world, timing=Timing(demand_poll_s=0.02, demand_linger_s=0.1)) as pipeline:
        composites(pipeline)
        world.readers = 0
        eventually(lambda: pipeline.status().phase is Phase.RESTING)
        assert pipeline.status().source is None, "the camera is still open"
        eventually(lambda: world.newest().kind is PictureKind.STANDBY)
        world.readers = 1
        composites(pipeline)
        world.readers = 0
        pipeline.watched = True
        frames = pipeline.status().frames_out
        eventually(lambda: pipeline.status().frames_out > frames + 60)
        pipeline.watched = False
        eventually(lambda: pipeline.status().phase is Phase.RESTING)
        apply(pipeline, BASE.replace(output=BASE.output.replace(on_demand=False)))
        composites(pipeline)


def test_the_card_is_sent_rarely_while_nobody_reads() -> None:
    world = FakeWorld()
    world.source_kind = "camera"
    world.readers = 0
    with running(world, timing=Timing(demand_poll_s=0.02, demand_linger_s=0.1)) as pipeline:
        eventually(lambda: pipeline.status().phase is Phase.RESTING)
        eventually(lambda: bool(world.pictures()))
        sent, started_s = len(world.pictures()), time.monotonic()
        eventually(lambda: len(world.pictures()) >= sent + 5)
        assert time.monotonic() - started_s > 0.5, f"the rate is {BASE.capture.fps} Hz"


def test_the_card_is_sent_less_often_while_paused() -> None:
    world = FakeWorld()
    with running(world) as pipeline:
        composites(pipeline)
        apply(pipeline, BASE.replace(paused=True))
        eventually(lambda: pipeline.status().phase is Phase.PAUSED)
        time.sleep(0.3)
        before = len(world.pictures())
        time.sleep(1.0)
        assert 1 <= len(world.pictures()) - before <= 15, "at 120 fps it would be 120"
        apply(pipeline, BASE)
        composites(pipeline)
        before = len(world.pictures())
        eventually(lambda: len(world.pictures()) > before + 60)


def test_stop_before_anything_was_started_or_a_second_time_is_harmless() -> None:
    world = FakeWorld()
    pipeline = Pipeline(BASE, parts=world.parts())
    pipeline.start()
    assert pipeline.stop()
    assert pipeline.stop()
    assert pipeline.status().phase is Phase.STOPPED


@pytest.mark.parametrize("kind", ["image", "video"])
def test_a_background_that_breaks_while_running_hides_the_room(kind: str) -> None:
    world = FakeWorld()

    def broken() -> None:
        raise BackgroundError("The video cannot be read any further; choose another.")

    with running(world) as pipeline:
        composites(pipeline)
        world.faults.put("backdrop", broken)
        eventually(lambda: bool(pipeline.status().problems))
        composites(pipeline, 5)
    assert not any(shows_room(picture.image) for picture in world.pictures())


class SeesBackdrops(FakeEngine):
    """Notes whether it was asked for a blurred room."""

    blurs = 0

    def step(self, frame: BgrImage, backdrop: Backdrop, edges: EdgeSettings, *, want_foreground: bool = False) -> Matte:
        type(self).blurs += isinstance(backdrop, BlurredBackground)
        return super().step(frame, backdrop, edges, want_foreground=want_foreground)


@pytest.mark.parametrize("fault", ["does not open", "opens slowly", "breaks"])
def test_a_background_that_is_not_available_never_becomes_a_blurred_room(fault: str) -> None:
    """The room was shown blurred meanwhile, to users who had chosen a picture to hide it."""

    class Engine(SeesBackdrops):
        pass

    def broken() -> None:
        raise BackgroundError("The picture cannot be read; choose another.")

    world = FakeWorld()
    world.engine = Engine
    stage = "backdrop" if fault == "breaks" else "open_background"
    world.faults.put(stage, world.faults.hang if fault == "opens slowly" else broken)
    with running(world) as pipeline:
        composites(pipeline, 5)
        eventually(lambda: world.newest().kind is PictureKind.COMPOSITE)
        assert np.ptp(world.newest().image[0, 0]) == 0, "plain grey"
        world.faults.heal()
    assert Engine.blurs == 0


def test_the_first_composite_waits_for_its_background_for_a_bounded_time() -> None:
    """Where the background opened later than the engine, calls and recordings began with plain grey."""
    world = FakeWorld()
    world.faults.put("open_background", lambda: time.sleep(0.4))
    with running(world) as pipeline:
        composites(pipeline)
        eventually(lambda: PictureKind.COMPOSITE in kinds(world))
    first = next(picture for picture in world.pictures() if picture.kind is PictureKind.COMPOSITE)
    assert tuple(first.image[0, 0]) == (255, 0, 0)

    world = FakeWorld()
    world.faults.put("open_background", lambda: world.faults.hang(60))
    with running(world, timing=Timing(background_wait_s=0.2)) as pipeline:
        eventually(lambda: PictureKind.COMPOSITE in kinds(world))
        assert tuple(world.newest().image[0, 0]) == (PLAIN_GREY,) * 3


def test_the_camera_holds_its_light_while_it_is_compared_with_a_plate(tmp_path: Path) -> None:
    def refuse() -> None:
        raise PlateError("The room has changed.")

    world = FakeWorld()
    plate = BASE.matting.replace(plate=tmp_path / "plate.png")
    with running(world) as pipeline:
        composites(pipeline)
        (source,) = world.sources
        assert not source.holds_exposure
        for model in ("bgmv2-mobilenetv2", "student", "bgmv2-resnet50"):
            apply(pipeline, BASE.replace(matting=plate.replace(model=model)))
            eventually(lambda: source.holds_exposure == model.startswith("bgmv2"))  # noqa: B023 - called at once
        world.faults.put("step", refuse)
        eventually(lambda: any("has changed" in problem.message for problem in pipeline.status().problems))
        world.faults.heal()
        eventually(lambda: not source.holds_exposure)
        apply(pipeline, BASE.replace(capture=BASE.capture.replace(lock_exposure=True)))
        eventually(lambda: source.holds_exposure)
    assert world.sources == [source], "for that, no camera is opened anew"


def test_a_new_engine_is_told_who_is_in_the_picture() -> None:
    known: list[bool] = []

    class Engine(FakeEngine):
        def reset(self, seen: AlphaImage | None = None) -> None:
            known.append(seen is not None and bool(seen.any()))

    world = FakeWorld()
    world.engine = Engine
    with running(world) as pipeline:
        composites(pipeline)
        assert known[-1] is False, "the first engine of a stream knows nobody"
        pipeline.change(lambda settings: settings.replace(matting=settings.matting.replace(downsample_ratio=0.25)))
        eventually(lambda: known[-1])


@pytest.mark.parametrize(("is_virtual", "blamed"), [(False, "check its cable"), (True, "The program that sends to")])
def test_a_silent_source_names_what_to_check(is_virtual: bool, blamed: str, caplog: pytest.LogCaptureFixture) -> None:
    world = FakeWorld()

    class Silent(FakeSource):
        def read(self) -> None:
            self._pace.wait(0.004)

    def opened(settings: CaptureSettings) -> Silent:
        source = Silent(settings, world.faults, "camera")
        source.info = replace(source.info, is_virtual=is_virtual)
        return source

    pipeline = Pipeline(BASE, parts=replace(world.parts(), open_source=opened), timing=Timing(source_timeout_s=0.1))
    pipeline.start()
    try:
        eventually(lambda: blamed in caplog.text)
    finally:
        assert pipeline.stop()
