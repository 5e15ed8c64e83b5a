"""A run without a window: by itself, as the command `headless`, and as the proof of it."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from configparser import ConfigParser
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import Mock

import av
import numpy as np
import pytest

from app.capture.demo import DemoSource
from app.cli import headless, main
from app.cli.headless import HeadlessRun, Limits, described, records, summary, write_before_after
from app.config import settings_file
from app.control.commands import Command, Status
from app.control.program import PAUSE_FILE
from app.control.server import ControlServer
from app.control.transport import SOCKET_FILE, ask, default_address
from app.core import paths
from app.core.errors import BackgroundError, MattecamError, ModelError, SinkOpenError, Stage
from app.core.settings import BackgroundSettings
from app.core.types import Frame, Outgoing, Picture, PictureKind, SourceInfo
from app.effects.zones import Zone
from app.matting.interface import EngineInfo
from app.runtime.context import Timing
from app.runtime.pipeline import Pipeline
from app.runtime.status import Building, Latencies, Latency, Phase, PipelineStatus
from app.settings import Settings
from mattecam.testing import FakeClock, FakeSource
from tests.clips import write_clip
from tests.fakes.states import has_problems
from tests.fakes.world import BASE, IMPATIENT, Desk, FakeWorld, Hold, ignore, with_wall
from tests.output.test_interrupted import crashed_recording
from tests.paths import ROOT
from tests.stand_ins import always, replacing_at
from tests.waiting import accepts, beside, eventually


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


SMALL = ["--source", "demo", "--size", "320x240", "--virtual-camera", "off", "--model", "mattecam"]


def one_sentence(capsys: pytest.CaptureFixture[str]) -> str:
    """Return what the program says on standard error, without its start; assert that it is a single line."""
    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("mattecam: ")]
    lines = [
        line
        for line in said
        if "Preparing for this computer" not in line and ": Using " not in line
    ]
    assert len(lines) == 1, lines
    return lines[0]


def quit_once(reached: Callable[[Status], bool]) -> Future[Status]:
    """End the run of this process, by a command, once its status is as wanted; return that status."""

    def commanded() -> Status:
        eventually(lambda: accepts(default_address().folder / SOCKET_FILE))
        while not reached(status := ask(Command("status")).status or {}):
            time.sleep(headless.POLL_S)
        assert ask(Command("quit")).done
        return status

    return beside(commanded)


@pytest.mark.usefixtures("fake_engine")
def test_a_missing_microphone_does_not_end_a_recording(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "out.mp4"
    files = ["--record", str(out), "--microphone", "no-such-microphone"]
    quit_once(lambda status: status["encoded_frames"] >= 10)

    assert main.main(["headless", *SMALL, "--background", "#00b140", *files]) == 0
    assert (
        "without sound" in (said := capsys.readouterr().err)
        or "no sound" in said
        or "Sound cannot" in said
    )
    with av.open(str(out)) as container:
        assert container.streams.audio and container.streams.video[0].frames >= 10


def test_a_run_records_and_writes_its_status(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "out.mp4"
    alpha = tmp_path / "alpha.mp4"
    status = tmp_path / "status.json"
    files = ["--record", str(out), "--record-alpha", str(alpha), "--status-json", str(status)]
    assert main.main(["headless", *SMALL, "--background", "#00b140", "--frames", "20", *files]) == 0
    told = capsys.readouterr()
    recorded, matte, summary = told.out.splitlines()
    assert (recorded, matte) == (f"Recorded {out}", f"Recorded {alpha}")
    assert "frames in" in summary
    # A preparation that takes long is told between them.
    said = told.err.splitlines()
    assert said[0] == "mattecam: Using the default settings."
    assert said[-1].startswith("mattecam: Demo 320x240 at 30 fps, mattecam on")
    fields = json.loads(status.read_text())
    expected = {"size": [320, 240], "model": "mattecam", "background": "#00b140", "errors": []}
    assert {name: fields[name] for name in expected} == expected and fields["frames_out"] >= 20
    assert 0 < fields["cpu_percent"] <= 100 * (os.cpu_count() or 1)
    assert set(fields["latency_ms"]) == {"capture", "step", "output", "end_to_end"}
    assert fields["latency_ms"]["step"]["median"] > 0
    for path in (out, alpha):
        with av.open(str(path)) as video:
            assert (video.streams.video[0].width, video.streams.video[0].height) == (320, 240)


@pytest.mark.usefixtures("fake_engine")
def test_a_status_that_cannot_be_written_hides_no_summary(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        headless,
        "write_status",
        Mock(side_effect=MattecamError("The disk is full.")),
    )
    words = [
        "--background",
        "#00b140",
        "--frames",
        "3",
        "--status-json",
        str(tmp_path / "status.json"),
    ]
    assert main.main(["headless", *SMALL, *words]) == 1
    told = capsys.readouterr()
    assert "frames in" in told.out and "The disk is full." in told.err


AUTOMATIC = [*SMALL[:4], "--virtual-camera", "auto", "--model", "mattecam"]


@pytest.fixture
def without_outputs(monkeypatch: pytest.MonkeyPatch) -> None:
    class Complete(HeadlessRun):
        def _is_over(self) -> bool:
            # However late it comes.
            has_all = self.sample is not None and self.status.encoded_frames > 0
            return super()._is_over() and (has_all or not records(self.pipeline.settings))

    monkeypatch.setattr("app.output.table.list_virtual_cameras", always([]))
    monkeypatch.setattr(headless, "PROOF_S", 0.3)
    monkeypatch.setattr(headless, "HeadlessRun", Complete)


@pytest.mark.parametrize("source", ["demo", "auto"])
@pytest.mark.usefixtures("without_outputs")
def test_without_outputs_the_demonstration_makes_a_proof_that_no_command_changes(
    source: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a camera as well: the first `python3 run.py` on any machine shows a real result."""
    monkeypatch.setattr(
        headless,
        "ControlServer",
        Mock(side_effect=AssertionError("a control server listens")),
    )
    monkeypatch.setattr("app.capture.table.list_cameras", tuple)
    assert main.main(["headless", *AUTOMATIC, "--source", source]) == 0
    told = capsys.readouterr()
    clip, picture, summary = told.out.splitlines()
    assert (
        min(Path(clip).stat().st_size, Path(picture).stat().st_size) > 1000
        and "mattecam" in summary
    )
    said = "No camera was found, so the sample shows the demonstration." in told.err
    assert said == (source == "auto")
    with pytest.raises(AssertionError, match="listens"):
        main.main(["headless", *SMALL, "--frames", "1"])


@pytest.mark.usefixtures("without_outputs", "fake_engine")
def test_a_service_makes_no_sample_and_waits(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.capture.table.list_cameras", tuple)
    last = quit_once(lambda status: status["phase"] == "no_camera")
    unit = ConfigParser(strict=False)
    unit.read(ROOT / "deploy/mattecam.service")
    assert unit["Unit"]["StartLimitIntervalSec"] == "0", "systemd gives up after five starts"
    command, *words = unit["Service"]["ExecStart"].split()
    assert command == "/usr/bin/mattecam", "as the Debian package installs it"
    assert main.main([*words, *AUTOMATIC, "--source", "auto"]) == 0
    assert last.result(60)["recording"] is None
    assert not (paths.data_dir() / "proof").exists()
    assert "No camera was found" in capsys.readouterr().err


@pytest.mark.usefixtures("fake_engine")
def test_a_pause_outlives_a_crash_from_the_first_command_on_and_no_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A command that came at once was told of no pause, or undone; a pause at the end left the mark of a crash."""
    states: list[object] = []

    class AskedAtOnce(ControlServer):
        def start(self) -> None:
            super().start()
            for command in (Command("status"), Command("pause", "off")):
                ask(command)
                states.append((ask(Command("status")).status or {})["paused"])

        def stop(self, timeout_s: float = 5.0, *, last: Callable[[], object] = bool) -> bool:
            ask(Command("pause", "on"))

            def forget() -> None:
                last()
                # No other run has paused meanwhile.
                states.append(not mark.exists() and default_address().knock())

            return super().stop(timeout_s, last=forget)

    monkeypatch.setattr(headless, "ControlServer", AskedAtOnce)
    mark = default_address().folder / PAUSE_FILE
    mark.touch()
    quit_once(lambda _: len(states) == 2)
    assert main.main(["headless", *SMALL, "--background", "green"]) == 0
    assert states == [True, False, True]


@pytest.mark.usefixtures("without_outputs", "fake_engine")
def test_the_recording_that_a_crash_left_is_named_in_one_line_at_the_next_start(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    crashed_recording(tmp_path / "talk.recording.mkv")
    assert main.main(["headless", *SMALL, "--background", "green", "--frames", "3"]) == 0
    said = [
        line for line in capsys.readouterr().err.splitlines() if "What it recorded was kept" in line
    ]
    assert len(said) == 1 and str(tmp_path / "talk.recording.mkv") in said[0]


@pytest.mark.usefixtures("fake_engine")
def test_a_run_with_settings_that_took_the_place_of_unread_ones_is_paused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The service went live without the zones that could not be read."""
    config = tmp_path / "settings.json"
    settings_file.save(config, Settings(unconfirmed=True))
    words = [*SMALL, "--background", "green", "--config", str(config)]

    last = quit_once(lambda status: status["phase"] == "paused")

    assert main.main(["headless", *words]) == 0
    assert (last.result(60)["paused"], last.result(60)["frames_out"]) == (True, 0)
    assert "settings.json took the place of one that could not be read" in capsys.readouterr().err
    assert main.main(["headless", *words, "--frames", "3"]) == 2, "it would end without a result"
    assert "resume in the window once" in one_sentence(capsys)


@pytest.mark.usefixtures("without_outputs", "fake_engine")
def test_the_proof_of_a_users_source_is_the_composite_clip_only(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = write_clip(tmp_path / "in.mp4", 30, size=(320, 240))
    assert (
        main.main(["headless", *AUTOMATIC, "--source", str(source), "--background", "#00b140"]) == 0
    )
    clip, _ = capsys.readouterr().out.splitlines()
    assert [path.name for path in Path(clip).parent.iterdir()] == ["proof.mp4"]


@pytest.mark.usefixtures("fake_engine")
@pytest.mark.parametrize("of_the_film", [True, False])
def test_a_film_is_told_that_zones_of_a_camera_are_not_used(
    of_the_film: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = write_clip(tmp_path / "in.mp4", 30, size=(320, 240))
    config = tmp_path / "settings.json"
    zone = Zone(points=((0, 0),), camera=str(source.resolve()) if of_the_film else "usb-1")
    settings_file.save(config, Settings(people=Settings().people.replace(zones=(zone,))))
    words = [
        "--source",
        str(source),
        "--config",
        str(config),
        "--background",
        "green",
        "--frames",
        "3",
    ]

    assert main.main(["headless", *SMALL, *words]) == 0
    assert ("painted for a camera are not used" in capsys.readouterr().err) == (not of_the_film)


@pytest.mark.usefixtures("without_outputs", "fake_engine")
def test_a_measurement_writes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    for limit in (["--seconds", "0.1"], ["--frames", "3"]):
        assert main.main(["headless", *AUTOMATIC, *limit]) == 0
        assert len(capsys.readouterr().out.splitlines()) == 1
    assert not (paths.data_dir() / "proof").exists()


@pytest.mark.parametrize(
    "words", [["--seconds", "1"], ["--frames", "3"], ["--record", "out.mp4"], None]
)
@pytest.mark.usefixtures("without_outputs")
def test_neither_a_proof_nor_a_limited_run_shows_the_room_unnamed(
    words: list[str] | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings_file.save(tmp_path / "none.json", Settings(background=BackgroundSettings(kind="none")))
    if words is None:
        words = [*AUTOMATIC, "--background", "none"]
    else:
        words = [*SMALL, "--config", str(tmp_path / "none.json"), *words]

    assert main.main(["headless", *words]) == 2
    assert ("--record" if "--background" in words else "--background none") in one_sentence(capsys)
    assert not (paths.data_dir() / "proof").exists()
