"""What a running pipeline asks of its source, and what others see while there is no camera."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from app.backgrounds.standby import NO_CAMERA_TEXT, draw_card
from app.core.errors import PlateError, SourceLostError, SourceOpenError, t
from app.core.settings import BackgroundSettings, CaptureSettings
from app.core.types import Frame, PictureKind
from app.core.worker import stop_requested
from app.effects.zones import Zone
from app.output.base import SinkContext
from app.runtime.capture_worker import Preview
from app.runtime.context import Timing
from app.runtime.pipeline import Pipeline
from app.runtime.status import Phase, PipelineStatus, StatusBoard
from app.settings import Settings
from mattecam.testing import FakeSink, FakeSource
from tests.fakes.states import has_problems, has_sent_frames, in_phase, matted_by, reports
from tests.fakes.world import (
    BASE,
    IMPATIENT,
    Desk,
    FakeWorld,
    Hold,
    apply,
    composites,
    live,
    person_in,
    running,
    shown,
)
from tests.stand_ins import replacing
from tests.waiting import eventually, eventually_is, no_longer

AUTO = BASE.replace(capture=BASE.capture.replace(source="auto"))
NONE = AUTO.replace(background=BackgroundSettings(kind="none"))


@pytest.fixture
def desk() -> Desk:
    return Desk()


def is_lowered(pipeline: Pipeline) -> bool:
    return pipeline.status().lowered is not None


def drops_frames(pipeline: Pipeline) -> bool:
    return pipeline.status().frames_dropped > 0


def test_frames_that_the_governor_skips_are_not_decoded(world: FakeWorld) -> None:
    world.faults.put("step", partial(time.sleep, 0.01))  # the source gives a frame every 4 ms
    pinned = BASE.matting.replace(model="mattecam", downsample_ratio=0.5, governor=True)
    slow = BASE.replace(matting=pinned, capture=BASE.capture.replace(fps=240))
    with running(world, slow, Timing(governor_window_s=0.2)) as pipeline:
        eventually(is_lowered, pipeline)
        (source,) = world.sources
        skipped = source.skipped
        composites(pipeline, 30)
        assert source.skipped >= skipped + 5
        assert not pipeline.status().problems


def test_the_camera_holds_its_light_while_it_is_compared_with_a_plate(
    tmp_path: Path,
    world: FakeWorld,
) -> None:
    plate = BASE.matting.replace(plate=tmp_path / "plate.png")
    with live(world) as pipeline:
        (source,) = world.sources
        assert not source.holds_exposure
        for model in ("bgmv2-mobilenetv2", "mattecam", "bgmv2-resnet50"):
            apply(pipeline, BASE.replace(matting=plate.replace(model=model)))
            eventually_is(model.startswith("bgmv2"), holds_exposure, source)
        eventually(matted_by, pipeline, "bgmv2-resnet50")
        world.faults.put("step", PlateError("The room has changed."))
        eventually(reports, pipeline, "has changed")
        world.faults.heal()
        no_longer(holds_exposure, source)
        apply(pipeline, BASE.replace(capture=BASE.capture.replace(lock_exposure=True)))
        eventually(holds_exposure, source)
    assert world.sources == [source], "for that, no camera is opened anew"


def holds_exposure(source: FakeSource) -> bool:
    return source.holds_exposure


class Silent(FakeSource):
    """Delivers nothing."""

    def read(self) -> None:
        self._pace.wait(0.004)


def test_a_silent_source_names_what_to_check(
    caplog: pytest.LogCaptureFixture,
    world: FakeWorld,
) -> None:
    def open_silent(settings: CaptureSettings) -> FakeSource:
        return Silent(settings, world.faults, "camera")

    def is_named() -> bool:
        return "fake has delivered no frame for 0 seconds; check its cable" in caplog.text

    parts = replace(world.parts(), open_source=open_silent)
    with running(world, BASE, Timing(source_timeout_s=0.1), parts=parts):
        eventually(is_named)


def opener_of_lost(world: FakeWorld, frames: int) -> Callable[[CaptureSettings], FakeSource]:
    """Return what opens a source that fails after so many frames."""

    class Lost(FakeSource):
        def read(self) -> Frame | None:
            if self.decoded == frames:
                raise SourceLostError("The camera has failed.")
            return super().read()

    def open_one(settings: CaptureSettings) -> FakeSource:
        world.sources.append(Lost(settings, world.faults, "camera"))
        return world.sources[-1]

    return open_one


def test_a_source_that_is_lost_right_after_each_opening_is_opened_with_waits(
    world: FakeWorld,
) -> None:
    """A camera that delivers one frame and fails would be opened several times a second."""
    open_one = opener_of_lost(world, frames=1)

    def opened(times: int) -> bool:
        return len(world.sources) == times and world.sources[-1].closed_on is not None

    parts = replace(world.parts(), open_source=open_one)
    with running(world, BASE, Timing(source_retry_s=3600.0), parts=parts) as pipeline:
        eventually(opened, 2)
        eventually(in_phase, pipeline, Phase.WAITING)
        assert opened(2), "the first loss may be a moment's fault, the second is not"

        pipeline.retry()
        eventually(opened, 3)


def test_a_switch_of_the_camera_shapes_each_frame_by_the_zones_of_its_own_camera(
    world: FakeWorld,
) -> None:
    """The last frames of the first camera were shaped by the zones of the second one, and showed what is hidden."""

    def opened(settings: CaptureSettings) -> FakeSource:
        kind = Silent if settings.source == "second" else FakeSource
        return kind(settings, world.faults, "camera")

    def second_is_open() -> bool:
        source = pipeline.status().source
        return source is not None and source.id == "second"

    hide = Zone(camera="first", filled=True, points=((0, 0), (1, 0), (1, 1), (0, 1)))
    first = BASE.replace(
        capture=BASE.capture.replace(source="first"),
        people=Settings().people.replace(zones=(hide,)),
    )
    with live(world, first, parts=replace(world.parts(), open_source=opened)) as pipeline:
        hold = Hold()
        world.faults.put("step", hold)
        assert hold.entered.wait(60)
        # A frame of the first camera waits.
        eventually(drops_frames, pipeline)
        second = first.capture.replace(source="second")
        pipeline.change(replacing(capture=second))
        eventually(second_is_open)
        assert pipeline.newest_frame is not None and pipeline.newest_frame.source.id == "first"
        before = len(world.pictures())
        hold.go_on.set()
        world.faults.heal()
        eventually(world.has_sent, before + 20)
        after = [
            picture
            for picture in world.pictures()[before:]
            if picture.kind is PictureKind.COMPOSITE
        ]
        assert not any(person_in(picture.image).any() for picture in after)


def test_the_camera_is_held_until_each_that_takes_a_plate_has_released_it(world: FakeWorld) -> None:
    """The window and `ctl` share it: a dialog that was closed released the exposure of the other's plate."""
    demand = Pipeline(BASE, parts=world.parts()).demand
    demand.begin_plate("ctl")
    demand.end_plate("the window")
    assert demand.takes_plate, "one that took none releases nothing"

    demand.begin_plate("the window")
    demand.begin_plate("the window")
    demand.end_plate("ctl")
    assert demand.takes_plate

    demand.end_plate("the window")
    assert not demand.takes_plate


def test_the_camera_is_released_while_nobody_reads_or_records(
    tmp_path: Path,
    world: FakeWorld,
) -> None:
    world.source_kind = "camera"
    world.readers = 1
    with live(world, timing=Timing(demand_poll_s=0.02, demand_linger_s=0.1)) as pipeline:
        world.readers = 0
        eventually(in_phase, pipeline, Phase.RESTING)
        assert pipeline.status().source is None, "the camera is still open"
        eventually(world.shows, PictureKind.STANDBY)
        world.readers = 1
        composites(pipeline)
        world.readers = 0
        pipeline.demand.show_preview(Preview(visible=True))
        frames = pipeline.status().frames_out
        eventually(has_sent_frames, pipeline, frames + 60)
        pipeline.demand.show_preview(Preview())
        for needed in ({"record": tmp_path / "a.mp4"}, {"on_demand": False}):
            eventually(in_phase, pipeline, Phase.RESTING)
            apply(pipeline, BASE.replace(output=BASE.output.replace(**needed)))
            composites(pipeline, 60)
            apply(pipeline, BASE)


def test_a_retry_opens_what_failed_and_leaves_alone_what_works(world: FakeWorld) -> None:
    """Each retry interrupted the camera, and each new plate, whose exposure was then measured anew."""
    world.source_kind = "camera"
    built = list[bool]()
    with live(world) as pipeline:
        world.faults.put("build_engine", partial(built.append, True))
        pipeline.retry()
        composites(pipeline, 20)
        assert len(world.sources) == 1 and not built

        def busy() -> None:
            world.faults.heal()  # the camera in use was closed, and can be opened again
            raise SourceOpenError("The camera is busy.")

        def other_is_open() -> bool:
            return not has_problems(pipeline) and world.sources[-1].info.id == "other"

        world.faults.put("open_source", busy)
        apply(pipeline, BASE.replaced_at(["capture"], source="other"))
        eventually(has_problems, pipeline)
        composites(pipeline)
        assert [source.info.id for source in world.sources] == ["fake", "fake"]
        pipeline.retry()
        eventually(other_is_open)


def test_a_source_that_opens_but_gives_no_frame_is_opened_again_after_a_while(
    world: FakeWorld,
) -> None:
    """It was opened again at once, for ever: its problem was over each time, so that the window hardly showed it."""
    with live(world, timing=Timing(source_retry_s=60)) as pipeline:
        world.faults.put("read", SourceLostError("The camera is disconnected."))
        eventually_is(2, len, world.sources)
        eventually(has_problems, pipeline)
        time.sleep(0.5)
        eventually_is(["The camera is disconnected."], problems, pipeline)
        assert len(world.sources) == 2


def test_a_source_that_fails_after_a_few_frames_for_ever_does_not_fill_the_log(
    world: FakeWorld, caplog: pytest.LogCaptureFixture
) -> None:
    """It wrote three lines a second."""
    open_one = opener_of_lost(world, frames=3)

    def opened_often() -> bool:
        return len(world.sources) > 10

    caplog.set_level(logging.INFO, "app.runtime")
    parts = replace(world.parts(), open_source=open_one)
    with running(world, BASE, Timing(source_retry_s=0.05), parts=parts):
        eventually(opened_often)

    counted = Counter(caplog.messages)
    assert counted["The camera has failed."] == 1
    assert counted["Over: The camera has failed."] == 1
    assert len([line for line in caplog.messages if line.startswith("Opened the source")]) == 1


def test_a_camera_that_the_end_of_the_program_gives_up_has_not_failed(
    world: FakeWorld, caplog: pytest.LogCaptureFixture
) -> None:
    opening = threading.Event()

    def open_never(settings: CaptureSettings) -> FakeSource:
        opening.set()
        eventually(stop_requested)
        raise SourceOpenError("It was given up.")

    parts = replace(world.parts(), open_source=open_never)
    with running(world, BASE, parts=parts) as pipeline:
        assert opening.wait(60)

    assert problems(pipeline) == []
    assert "It was given up." not in caplog.text


NO_SIGNAL = t("The camera fake shows nothing: its input has no signal.")


def test_a_source_that_warns_goes_on_and_is_named_until_it_is_over(world: FakeWorld) -> None:
    with live(world) as pipeline:
        composites(pipeline)
        (source,) = world.sources

        source.warning = NO_SIGNAL
        eventually_is([NO_SIGNAL], problems, pipeline)
        composites(pipeline)
        assert pipeline.status().phase is Phase.RUNNING

        source.warning = None
        eventually_is([], problems, pipeline)
    assert len(world.sources) == 1


def test_a_warning_ends_with_its_source(world: FakeWorld) -> None:
    with live(world) as pipeline:
        composites(pipeline)
        world.sources[0].warning = NO_SIGNAL
        eventually_is([NO_SIGNAL], problems, pipeline)

        apply(pipeline, BASE.replaced_at(["capture"], source="other"))

        eventually_is([], problems, pipeline)


def test_outputs_know_the_devices_of_the_source(world: FakeWorld) -> None:
    """That of the settings, and that of the camera which `auto` took: nothing is sent there."""
    known: list[set[str]] = []

    def open_camera(wanted: object, width: int, height: int, context: SinkContext) -> FakeSink:
        known.append(set(context.source_devices()))
        return world.open_camera()

    sinks = world.parts().with_sinks(virtual_camera=open_camera)
    parts = replace(sinks, source_device="node of {}".format)
    with live(world, AUTO, parts=parts) as pipeline:
        eventually_is(1, len, known)
        apply(pipeline, AUTO.replaced_at(["output"], virtual_camera="another"))
        eventually_is(2, len, known)
    assert known[0] >= {"node of auto"} and known[1] == {
        "node of auto",
        f"node of camera:{world.sources[0].info.id}",
    }


MISSING = "No camera was found; connect one."


def problems(pipeline: Pipeline) -> list[str]:
    return [problem.message for problem in pipeline.status().problems]


def is_open(pipeline: Pipeline) -> bool:
    return pipeline.status().source is not None


def has_demonstrated(desk: Desk, times: int) -> bool:
    return desk.demonstrations == times


def has_demonstrated_again(desk: Desk) -> bool:
    return desk.demonstrations > 1


def misses_the_camera(pipeline: Pipeline, desk: Desk) -> bool:
    """Whether both the status and the outputs say that there is none."""
    return problems(pipeline) == [MISSING] and shows_no_camera(desk)


def shows_no_camera(desk: Desk) -> bool:
    picture = desk.newest()
    card = draw_card(NO_CAMERA_TEXT, None, *picture.size)
    return picture.kind is PictureKind.STANDBY and np.array_equal(picture.image, card)


@pytest.mark.parametrize("settings", [AUTO, NONE], ids=["matted", "background none"])
def test_a_preview_that_is_seen_shows_the_demonstration_and_others_see_a_card(
    settings: Settings,
    desk: Desk,
) -> None:
    with running(desk, settings, IMPATIENT) as pipeline:
        pipeline.demand.show_preview(Preview(visible=True))
        picture = shown(pipeline)
        assert picture.frame is not None and picture.frame.synthetic
        eventually(shows_no_camera, desk)
        status = pipeline.status()
        assert (status.phase, status.problems, status.unmatted) == (Phase.NO_CAMERA, (), False)
        assert pipeline.release(picture).kind is PictureKind.STANDBY, "a snapshot"
        desk.camera = True
        no_longer(desk.shows, PictureKind.STANDBY)
        sent = {picture.frame.synthetic for picture in desk.pictures() if picture.frame is not None}
        assert sent == {False} and desk.demonstrations == 1
        desk.unplug()
        eventually(has_demonstrated, desk, 2)
        # Nothing replaces a camera that is named.
        apply(
            pipeline,
            settings.replace(capture=BASE.capture),
        )
        eventually(misses_the_camera, pipeline, desk)
        assert pipeline.status().source is None
        apply(pipeline, settings)
        eventually(has_demonstrated, desk, 3)
        pipeline.demand.show_preview(Preview())
        no_longer(is_open, pipeline)  # it ends while the window is hidden


def test_no_demonstration_while_nobody_watches_and_a_camera_in_use_elsewhere_is_not_missing(
    desk: Desk,
) -> None:
    with running(desk, AUTO, IMPATIENT) as pipeline:
        eventually(misses_the_camera, pipeline, desk)
        assert pipeline.status().phase is Phase.NO_CAMERA
        assert {picture.kind for picture in desk.pictures()} == {PictureKind.STANDBY}
        for _ in range(3):
            desk.camera = True
            eventually(desk.shows, PictureKind.COMPOSITE)
            eventually(in_phase, pipeline, Phase.RUNNING)
            assert not problems(pipeline) and desk.sources[-1].info.kind == "camera"
            desk.unplug()
            eventually(shows_no_camera, desk)
        desk.faults.put("open_source", SourceOpenError("It is in use."))
        desk.camera = True
        eventually(in_phase, pipeline, Phase.WAITING)
        no_longer(shows_no_camera, desk)
    assert not desk.demonstrations


def test_a_camera_that_comes_while_the_status_is_read_is_not_missing_in_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = StatusBoard.read

    def read_early(board: StatusBoard) -> PipelineStatus:
        found = read(board)
        if threading.current_thread() is threading.main_thread() and not desk.camera:
            desk.camera = True
            eventually(desk.shows, PictureKind.COMPOSITE)
        return found

    with running(desk, AUTO, IMPATIENT) as pipeline:
        eventually_is([MISSING], problems, pipeline)
        monkeypatch.setattr(StatusBoard, "read", read_early)
        assert not problems(pipeline)


def test_a_missing_camera_has_its_phase(
    desk: Desk, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run without a window then took it for a failed start, and ended in place of waiting for a camera."""
    looks = list[PipelineStatus]()
    read = StatusBoard.read

    class Look(logging.Filter):
        def filter(self, record: logging.LogRecord) -> bool:
            looks.append(pipeline.status())
            return True

    def phases() -> set[Phase]:
        return {
            each.phase
            for each in looks
            if MISSING in (problem.message for problem in each.problems)
        }

    def read_late(board: StatusBoard) -> PipelineStatus:
        if threading.current_thread() is threading.main_thread():
            eventually(phases)
        return read(board)

    desk.camera = True
    caplog.set_level("INFO", "app.runtime")
    with live(desk, AUTO, IMPATIENT) as pipeline, caplog.filtering(Look()):
        monkeypatch.setattr(StatusBoard, "read", read_late)
        desk.unplug()
        looks.append(pipeline.status())
        pipeline.demand.show_preview(Preview(visible=True))
        eventually(has_demonstrated, desk, 1)
        no_longer(has_problems, pipeline)
        pipeline.demand.show_preview(Preview())
        eventually(has_problems, pipeline)
        desk.camera = True
        composites(pipeline)
    assert phases() == {Phase.NO_CAMERA}


@pytest.mark.parametrize("source", ["demo", "film.mp4"])
def test_what_is_no_camera_leaves_only_while_it_is_the_chosen_source(
    source: str,
    desk: Desk,
) -> None:
    chosen = BASE.replace(capture=BASE.capture.replace(source=source))
    with running(desk, chosen, IMPATIENT) as pipeline:
        pipeline.demand.show_preview(Preview(visible=True))
        composites(pipeline)
        eventually(desk.shows, PictureKind.COMPOSITE)
        (sink,) = desk.sinks
        apply(pipeline, AUTO)
        changed = len(sink.pictures) + 1  # one may be on its way
        eventually(shows_no_camera, desk)
        if source == "demo":  # the gate stops it; a film goes on until it is closed
            assert {picture.kind for picture in sink.pictures[changed:]} == {PictureKind.STANDBY}
        apply(pipeline, chosen)
        eventually(desk.shows, PictureKind.COMPOSITE)


def test_a_demonstration_that_does_not_open_leaves_the_card(desk: Desk) -> None:
    desk.faults.put("open_source", SourceOpenError("The photo is missing."))
    with running(desk, AUTO, IMPATIENT) as pipeline:
        pipeline.demand.show_preview(Preview(visible=True))
        eventually(has_demonstrated_again, desk)
        eventually(shows_no_camera, desk)
        assert problems(pipeline) == [MISSING]
