"""A run without a window, by itself."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from app.capture.demo import DemoSource
from app.cli import headless
from app.cli.headless import HeadlessRun, Limits, described, summary, write_before_after
from app.core.errors import BackgroundError, MattecamError, ModelError, SinkOpenError, Stage, t
from app.core.settings import BackgroundSettings
from app.core.types import Frame, Outgoing, Picture, PictureKind, SourceInfo
from app.matting.interface import EngineInfo
from app.runtime.context import Timing
from app.runtime.pipeline import Pipeline
from app.runtime.status import Building, Latencies, Latency, Phase, PipelineStatus
from app.settings import Settings
from mattecam.testing import FakeClock, FakeSource
from tests.fakes.states import has_problems
from tests.fakes.world import BASE, IMPATIENT, Desk, FakeWorld, Hold, ignore, with_wall
from tests.stand_ins import always, replacing_at
from tests.waiting import beside, eventually


def watched(
    pipeline: Pipeline,
    each_poll: Callable[[HeadlessRun], object],
    seconds: float | None = None,
    frames: int | None = None,
    *,
    waits: bool = False,
) -> HeadlessRun:
    """Return a run that has ended; `each_poll` looked at it on its thread, several times a second."""

    class Watched(HeadlessRun):
        def _observe(self) -> None:
            super()._observe()
            each_poll(self)

    session = Watched(pipeline, Limits(seconds, frames), waits=waits)
    beside(session.run).result(60)
    return session


@pytest.mark.parametrize(("stage", "goes_on"), [(Stage.MICROPHONE, True), (Stage.SETTINGS, False)])
def test_a_run_goes_on_without_what_no_frame_needs(stage: Stage, goes_on: bool) -> None:
    """The problem is there before the first frame."""
    world = FakeWorld()
    looked = threading.Event()
    pipeline = Pipeline(BASE, parts=world.parts())

    def report_and_wait() -> None:
        pipeline.report(stage, MattecamError("It is missing."))
        looked.wait(60)

    def observed(session: HeadlessRun) -> None:
        if any(problem.stage is stage for problem in session.status.problems):
            looked.set()

    world.faults.put("read", report_and_wait)
    session = watched(pipeline, observed, frames=5)
    assert session.failure == (None if goes_on else "It is missing.")
    assert not goes_on or session.status.frames_out >= 5


def test_a_start_goes_on_before_a_grabber_without_a_signal(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is connected to it may be switched on later, and its frames arrive meanwhile."""
    world = FakeWorld()
    looked = threading.Event()
    monkeypatch.setattr(FakeSource, "warning", t("The input has no signal."))

    def wait_until_looked() -> None:
        looked.wait(60)

    def observed(session: HeadlessRun) -> None:
        if session.status.problems:
            looked.set()

    world.faults.put("step", wait_until_looked)
    session = watched(Pipeline(BASE, parts=world.parts()), observed, frames=5)

    assert looked.is_set()
    assert session.failure is None
    assert session.status.frames_out >= 5


def test_a_run_of_twelve_frames_sends_twelve() -> None:
    """Frames that were ready before the limit was noticed went out too: 13 for 12."""
    late = watched(
        Pipeline(BASE, parts=FakeWorld().parts()),
        lambda session: time.sleep(0.3),
        frames=12,
    )
    assert late.status.frames_out == 12


def test_the_seconds_of_a_run_do_not_depend_on_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """A short measurement ended before the network was ready, with "0 frames"."""
    world = FakeWorld()
    clock = FakeClock()
    ready = threading.Event()
    world.faults.put("build_engine", lambda: ignore(ready.wait(60)))
    monkeypatch.setattr("app.cli.headless.time", SimpleNamespace(monotonic=clock, sleep=time.sleep))
    looks = 0

    def look(session: HeadlessRun) -> None:
        nonlocal looks
        looks += session.sample is not None
        clock.now_s += 0.3 * bool(looks) if session.status.frames_out else 1.0
        if clock.now_s > 2:
            ready.set()

    session = watched(Pipeline(BASE, parts=world.parts()), look, seconds=1.2)
    assert session.failure is None and session.sample is not None
    assert 4 <= looks <= 5, "they count from the first composite"


@pytest.mark.parametrize(
    ("opens", "error"),
    [
        ("open_background", BackgroundError("It is missing.")),
        ("open_virtual_camera", SinkOpenError("It is in use.")),
    ],
)
def test_what_fails_to_open_ends_the_start_however_late_it_is_noticed(
    opens: str, error: MattecamError, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The run went on before plain grey, or said "no virtual camera" while one was being opened."""
    world = FakeWorld()
    looked = threading.Event()
    pipeline = Pipeline(
        with_wall(tmp_path),
        parts=world.parts(),
        timing=Timing(background_wait_s=0.0),
    )

    def fail() -> None:
        assert looked.wait(60)
        raise error

    def look(session: HeadlessRun) -> None:
        if looked.is_set():
            session.end()  # the problem was there at this look
        elif session.status.frames_out > 3:
            looked.set()
            eventually(has_problems, pipeline)

    world.faults.put(opens, fail)
    assert watched(pipeline, look).failure == error.text
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("start", "section", "failing"),
    [
        ("paused", "output", {"record": Path("full.mp4")}),
        ("paused", "background", {"kind": "image", "path": Path("nosuch.png")}),
        ("paused", "matting", {"model": "u2net"}),
        ("paused", "output", {"standby_image": Path("nosuch.png")}),
        ("resting", "output", {"record": Path("full.mp4")}),
        ("resting", "background", {"kind": "image", "path": Path("nosuch.png")}),
        ("unmatted", "background", {"kind": "image", "path": Path("nosuch.png")}),
    ],
)
def test_a_command_that_fails_does_not_end_a_run_that_shows_no_composites(
    start: str, section: str, failing: Mapping[str, object]
) -> None:
    """A program that waited paused ended with code 1 after a refused `ctl record`."""
    world = FakeWorld()
    world.source_kind = "camera"
    world.readers = 0
    settings = BASE.replace(
        paused=start == "paused",
        output=BASE.output.replace(on_demand=start == "resting"),
    )
    if start == "unmatted":
        settings = settings.replace(background=BackgroundSettings(kind="none"))
    timing = Timing(demand_poll_s=0.02, demand_linger_s=0.1)
    pipeline = Pipeline(settings, parts=world.parts(), timing=timing)
    has_begun = False
    polls = 0

    def use(session: HeadlessRun) -> None:
        nonlocal has_begun, polls
        phase = {"paused": Phase.PAUSED, "resting": Phase.RESTING}.get(start, Phase.RUNNING)
        if not has_begun and session.status.phase is phase:
            has_begun = True
            if section == "matting":
                world.faults.put("build_engine", ModelError("It is not installed."))
            pipeline.change(replacing_at([section], **failing))
        elif polls or session.status.problems:
            polls += 1
            if polls == 1:
                pipeline.change(lambda _: settings.replace())  # as `ctl` takes back what failed
            else:
                session.end()

    watched(pipeline, use)
    assert polls == 2


@pytest.mark.parametrize("stage", [Stage.CAPTURE, Stage.PIPEWIRE])
def test_what_is_unplugged_does_not_end_a_run_on_standby(
    stage: Stage,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The camera at once, as it is opened again until the user resumes; anything else after the start."""
    if stage is not Stage.CAPTURE:
        monkeypatch.setattr("app.cli.headless.STANDBY_START_S", 0.0)
    pipeline = Pipeline(BASE.replace(paused=True), parts=FakeWorld().parts())
    polls = 0

    def use(session: HeadlessRun) -> None:
        nonlocal polls
        polls += bool(session.status.problems)
        if polls == 2:
            session.end()
        elif session.has_started or stage is Stage.CAPTURE:
            pipeline.report(stage, MattecamError("It is gone."))

    session = watched(pipeline, use)
    assert (polls, session.failure) == (2, None)


def test_a_limited_run_of_a_paused_program_ends() -> None:
    session = HeadlessRun(
        Pipeline(BASE.replace(paused=True), parts=FakeWorld().parts()), Limits(seconds=0.5)
    )
    session.run()

    assert session.failure is None and session.status.frames_out == 0


def test_a_run_without_a_frame_has_no_measurements() -> None:
    """It said "0 frames in 8.1 s with no model, step 0.0 ms"."""
    assert summary(PipelineStatus(seconds=8.12)) == "No frame was sent in 8.1 s."


def test_a_run_names_its_cameras_and_a_time_to_an_output_only_where_there_is_one() -> None:
    """It said "end to end 0.0 ms", which nobody can reach, and with PipeWire alone that there is no virtual camera."""
    alone = summary(PipelineStatus(frames_out=1, latency_ms=Latencies(step=Latency(20.0, 30.0))))
    assert alone == "1 frame in 0.0 s with no model, step 20.0 ms (p95 30.0), 0 dropped"
    shown = summary(
        PipelineStatus(
            frames_out=1,
            latency_ms=Latencies(step=Latency(20.0, 30.0), end_to_end=Latency(35.0, 50.0)),
        )
    )
    assert "end to end 35.0 ms (p95 50.0), 0 dropped" in shown
    engine = EngineInfo("mattecam", "openvino", "int8", "cpu", 0.25, (480, 270))
    source = SourceInfo("demo", "Demo", "demo", 1280, 720, 30.0, "")
    for camera, pipewire, words in (
        (None, None, ", no virtual camera"),
        (None, "Mattecam (PipeWire)", ", virtual camera Mattecam (PipeWire)"),
        ("/dev/video10", "M", ", virtual camera /dev/video10 and M"),
    ):
        outputs = {"virtual_camera": camera, "pipewire": pipewire}
        status = PipelineStatus(source=source, engine=engine, outputs=outputs, frames_out=1)
        assert described(status).endswith(words)


AUTO = BASE.replace(capture=BASE.capture.replace(source="auto"))


@pytest.mark.parametrize(
    ("settings", "waits"),
    [(AUTO, False), (AUTO.replaced_at(["output"], record=Path("a.mp4")), False), (BASE, True)],
    ids=["any camera", "recording", "a service with a named camera"],
)
def test_a_run_without_limit_waits_for_a_camera(
    settings: Settings, waits: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It showed the demonstration for good, or ended."""
    desk = Desk()
    clock = FakeClock()
    monkeypatch.setattr("app.cli.headless.time", SimpleNamespace(monotonic=clock, sleep=time.sleep))

    def look(session: HeadlessRun) -> None:
        if session.status.phase is Phase.NO_CAMERA and not desk.camera:
            clock.now_s += headless.START_LIMIT_S
            assert desk.newest().kind is PictureKind.STANDBY
            desk.camera = clock.now_s > 4 * headless.START_LIMIT_S
        if session.status.frames_out > 3:
            session.end()

    session = watched(Pipeline(settings, parts=desk.parts(), timing=IMPATIENT), look, waits=waits)
    assert session.failure is None and desk.camera and not desk.demonstrations


@pytest.mark.parametrize(
    ("settings", "frames"), [(AUTO, 3), (BASE, None)], ids=["limited", "named"]
)
def test_other_runs_fail_without_a_camera(settings: Settings, frames: int | None) -> None:
    session = watched(Pipeline(settings, parts=Desk().parts()), ignore, frames=frames)
    assert session.failure == "No camera was found; connect one."


def test_a_run_has_started_although_its_background_opens_slowly(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A failure of its camera, however late, would end it as a failed start."""
    monkeypatch.setattr(headless, "STANDBY_START_S", 0.2)
    world = FakeWorld()
    hang = Hold()
    world.faults.put("open_background", hang)

    def look(session: HeadlessRun) -> None:
        # Beside a busy processor, the run may have started before its background is being opened.
        if session.has_started and hang.entered.is_set():
            hang.go_on.set()
            session.end()

    pipeline = Pipeline(
        with_wall(tmp_path),
        parts=world.parts(),
        timing=Timing(background_wait_s=0.0),
    )
    session = watched(pipeline, look)
    assert hang.entered.is_set() and session.has_started and session.failure is None


def test_a_recording_to_which_no_frame_comes_fails_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """It waited for ever."""
    monkeypatch.setattr(headless, "START_LIMIT_S", 0.0)
    monkeypatch.setattr(FakeSource, "read", always(None))
    settings = BASE.replaced_at(["output"], record=Path("a.mp4"))
    pipeline = Pipeline(settings, parts=FakeWorld().parts(), timing=Timing(source_timeout_s=30.0))

    assert "No frame was matted" in (watched(pipeline, ignore).failure or "")


def test_a_network_may_take_longer_to_be_built_than_a_frame_to_come(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """On a busy computer, the start ended while it imported packages."""
    world = FakeWorld()
    building = Hold()
    world.faults.put("build_engine", building)
    usual_s = headless.START_LIMIT_S
    looks = 0

    def look(session: HeadlessRun) -> None:
        nonlocal looks
        looks += session.status.building is Building.MODEL
        if looks == 1:
            monkeypatch.setattr(headless, "START_LIMIT_S", 0.0)
        if looks == 3:
            monkeypatch.setattr(headless, "START_LIMIT_S", usual_s)
            building.go_on.set()
        if session.status.frames_out > 0:
            session.end()

    session = watched(Pipeline(BASE, parts=world.parts()), look, seconds=60.0)

    assert session.failure is None and looks >= 3


def test_a_network_that_has_been_loaded_for_long_still_gets_the_time_of_a_frame(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The start ended at the first look after the network was there."""
    monkeypatch.setattr(headless, "POLL_S", 0.01)
    clock = FakeClock()
    monkeypatch.setattr("app.cli.headless.time", SimpleNamespace(monotonic=clock, sleep=time.sleep))
    world = FakeWorld()
    building = Hold()
    world.faults.put("build_engine", building)
    first_step = Hold()
    world.faults.put("step", first_step)
    looks_between = 0

    def look(session: HeadlessRun) -> None:
        nonlocal looks_between
        is_loading = session.status.building is Building.MODEL and building.entered.is_set()
        if is_loading and not building.go_on.is_set():
            clock.now_s += 2 * headless.START_LIMIT_S
            building.go_on.set()
        if first_step.entered.is_set() and session.status.building is None:
            looks_between += 1
        if looks_between == 3:
            first_step.go_on.set()
        if session.status.frames_out > 0:
            session.end()

    session = watched(Pipeline(BASE, parts=world.parts()), look, seconds=600.0)

    assert session.failure is None and looks_between >= 3


def test_a_service_waits_for_a_virtual_camera() -> None:
    world = FakeWorld()
    world.faults.put("open_virtual_camera", SinkOpenError("There is no virtual camera."))
    polls = 0

    def look(session: HeadlessRun) -> None:
        nonlocal polls
        polls += bool(session.status.problems)
        if polls == 3:
            world.faults.heal()
        if world.sinks and session.status.virtual_camera is not None:
            session.end()

    session = watched(Pipeline(BASE, parts=world.parts(), timing=IMPATIENT), look, waits=True)
    assert session.failure is None and polls >= 3


def composite_of(frame: Frame | None, kind: PictureKind = PictureKind.COMPOSITE) -> Outgoing:
    return Outgoing(Picture(np.zeros((48, 64, 3), np.uint8), kind, frame=frame))


def test_a_before_after_picture_is_made_of_demo_frames_only(tmp_path: Path) -> None:
    path = tmp_path / "before-after.png"
    demo = DemoSource(64, 48, 30, realtime=False).read()
    assert demo is not None
    camera = Frame(demo.image, 0, 0.0)
    for picture in (
        composite_of(camera),
        composite_of(None),
        composite_of(demo, PictureKind.UNMATTED),
    ):
        assert not write_before_after(path, picture) and not path.exists()
    assert write_before_after(path, composite_of(replace(demo, whole=demo.image))) and path.exists()
