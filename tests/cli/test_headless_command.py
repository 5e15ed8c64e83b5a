"""The command `headless`, and the proof that it makes where nobody watches."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from concurrent.futures import Future
from configparser import ConfigParser
from pathlib import Path
from unittest.mock import Mock

import av
import pytest

from app.cli import headless, main
from app.cli.headless import HeadlessRun, records
from app.config import settings_file
from app.control.commands import Command, Status
from app.control.program import PAUSE_FILE
from app.control.server import ControlServer
from app.control.transport import ask, default_address
from app.core import paths
from app.core.errors import MattecamError
from app.core.settings import BackgroundSettings
from app.effects.zones import Zone
from app.settings import Settings
from tests.clips import write_clip
from tests.output.test_interrupted import crashed_recording
from tests.paths import ROOT
from tests.stand_ins import always
from tests.waiting import beside, eventually

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
        eventually(lambda: default_address().knock())
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
    said: list[str] = []

    def is_said() -> bool:
        # It is looked for on a thread of its own, which a short run may not wait for.
        lines = capsys.readouterr().err.splitlines()
        said.extend(line for line in lines if "What it recorded was kept" in line)
        return bool(said)

    eventually(is_said)
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
