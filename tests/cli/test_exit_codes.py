"""Exit codes: 2 for what was asked wrongly, named files, devices and names included; 1 for what fails while it runs.

Every command, every option that takes a value, and the commands of the running program.
"""

from __future__ import annotations

import errno
import os
import shlex
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
import typer
from typer.core import TyperGroup

from app.cli import main
from app.config.scenes import SceneStore, default_path
from app.control.controller import SettingsController
from app.core import EXIT_DONE, EXIT_FAILED, EXIT_INTERRUPTED, EXIT_USAGE
from app.core.paths import program_command
from app.matting.choice.hardware import torch_usable
from app.runtime.context import default_parts
from app.runtime.pipeline import Pipeline
from app.runtime.status import Phase
from app.settings import Settings
from mattecam.testing import FakeEngine
from models.errors import DownloadError
from tests.clips import write_clip, write_inputs
from tests.control.conftest import Recorder, serving
from tests.fakes.states import in_phase
from tests.offline.converting import HalfEngine, build_half
from tests.output.recordings import full_disk
from tests.stand_ins import always, forbidden
from tests.waiting import eventually

DEMO = "--source demo --size 320x240 --virtual-camera off --model mattecam"

REFUSED: tuple[tuple[str, str], ...] = (
    ("headless --fps abc", "--fps: “abc” is not possible: it must be a number."),
    ("headless --size huge", "--size: “huge” is not possible; write WIDTHxHEIGHT."),
    ("headless --size 99999x1", "--size: “99999” is not possible: it must be at most"),
    ("headless --pan 1", "--pan: “1” is not possible; write X,Y."),
    ("headless --seconds 0", "--seconds: “0” is not possible: it must be at least 0.1."),
    ("headless --frames 1.5", "--frames: “1.5” is not possible: it must be a whole number."),
    ("headless --model gpt", "“gpt” is not possible: it must be one of auto,"),
    (
        "headless --background '#00b14'",
        "--background: “#00b14” is not possible: it must be a colour like",
    ),
    (
        "headless --background blur:101",
        "--background: “101” is not possible: it must be at most 100.",
    ),
    (
        "headless --background https://example.org/room.jpg",
        "There is no background “https://example.org/room.jpg”",
    ),
    (f"headless --background {'a' * 300}", "There is no background “aaa"),
    ("headless --pan 2,0", "--pan: “2” is not possible: it must be at most 1."),
    (
        "headless --record talk.avi",
        "talk.avi cannot be started: the name of a video must end in .mp4, .m4v, .mov",
    ),
    ("headless --microphone ''", "--microphone: “” is not possible: it is empty."),
    ("headless --source ''", "is no source; use auto, demo"),
    ("headless --config missing.json", "There is no settings file missing.json; check --config."),
    ("headless --config note.txt", "The settings file note.txt cannot be used"),
    ("headless --config pics", "There is no settings file pics; check --config."),
    ("headless --profile nowhere", "There is no scene “nowhere”"),
    ("headless --zones missing.json", "The zones file missing.json does not exist"),
    ("headless --zones pics", "The zones file pics cannot be used: it is a folder."),
    ("headless --status-json note.txt", "note.txt exists and holds no measurements"),
    ("headless --status-json no/such/s.json", "The status file no/such/s.json cannot be written"),
    (
        "headless --status-json pics",
        "The status file pics cannot be written: a folder has this name",
    ),
    ("headless --status-json -", "“-” does not stand for standard input or output"),
    (
        "headless --record x.mp4 --record-alpha x.mp4",
        "x.mp4 cannot be written: it is also another output",
    ),
    (
        "headless --source one.mp4 --record one.mp4",
        "one.mp4 cannot be written: it is also the source",
    ),
    (
        "headless --no-such-option",
        "No such option: --no-such-option; `python3 run.py headless --help`",
    ),
    ("headless --strct on", "No such option: --strct (Possible options: --source, --strict)"),
    (
        "headless --fps",
        "Option '--fps' requires an argument; `python3 run.py [COMMAND] --help` shows the usage.",
    ),
    ("headless --verbose=yes", "Option '--verbose' does not take a value"),
    ("headless now", "(now); `python3 run.py headless --help` shows the usage."),
    (
        "no-such-command",
        "No such command 'no-such-command'; `python3 run.py --help` shows the usage.",
    ),
    ("devise", "No such command 'devise'. Did you mean 'devices'?"),
    ("--source demo devices", "Options go after the command: `python3 run.py devices --…`."),
    ("devices now", "(now); `python3 run.py devices --help` shows the usage."),
    ("doctor now", "(now); `python3 run.py doctor --help` shows the usage."),
    ("version now", "(now); `python3 run.py version --help` shows the usage."),
    ("bench --weights missing.pth", "missing.pth"),
    ("bench --model mattecam-plate --plate missing.png", "missing.png"),
    (
        "bench --size 64x64 --downsample-ratio 0.1 --model mattecam",
        "A frame of 64×64 at the detail 0.1 is too small",
    ),
    (
        "bench --device mps --executor openvino",
        "The executor openvino does not run on the device mps; choose the executor eager, or one of the devices cpu, "
        "intel.",
    ),
    (
        "bench --device intel --executor eager",
        "The executor eager does not run on the device intel; choose the executor openvino, or one of the devices cpu, "
        "cuda, mps.",
    ),
    ("convert", "Missing argument 'OUT'; `python3 run.py convert --help` shows the usage."),
    ("convert one.mp4", "OUT is missing; name the result after one.mp4."),
    ("convert one.mp4 ''", "'' does not stand for a file"),
    ("convert one.mp4 out.mp4 --alpha ''", "'' does not stand for a file"),
    *(
        (line, "'-' does not stand for a file, a folder or a stream")
        for line in ("convert one.mp4 -", "convert - out.mp4", "convert one.mp4 out.mp4 --alpha -")
    ),
    ("convert one out.mp4", "out.mp4 is not a folder"),
    ("convert one.mp4 base.avi out.webm", "out.webm is not a folder"),
    ("convert one.mp4 out.mp4 --jobs 1", "out.mp4 is not a folder"),
    ("convert photo.jpg base.avi out.png", "out.png is not a folder"),
    ("convert one out --alpha alpha.mp4", "alpha.mp4 is not a folder"),
    ("convert photo.jpg x.mp4", "photo.jpg is an image, and x.mp4 is no name of one"),
    ("convert photo.heic out.png", "photo.heic is not a readable image; use a JPEG, PNG"),
    ("convert base.avi one.mp4", "one.mp4 exists already; add --overwrite"),
    ("convert base.avi out.mp4 --alpha one.mp4", "one.mp4 exists already; add --overwrite"),
    ("convert pics pics/", "pics cannot be written: it is also the source"),
    ("convert one.mp4 o.mp4 --alpha ./o.mp4", "o.mp4 cannot be written: it is also another output"),
    ("convert one.mp4 pipe.mp4 --overwrite", "pipe.mp4 is a pipe or a device"),
    ("convert one.mp4 o --jobs 0", "--jobs: “0” is not possible: it must be at least 1."),
    (
        "convert one.mp4 s3x://bucket/films",
        "s3x://bucket/films cannot be reached: Protocol not known",
    ),
    ("convert note.txt out.mp4", "note.txt is not a readable video"),
    ("convert pics out.mp4 --fps fast", "“fast” is no frame rate"),
    ("convert empty out.mp4", "empty contains no images"),
    (
        "convert nested out",
        "and folders in it are not searched for images or videos; name the folder that",
    ),
    ("convert missing.mp4 new/", "There is no file or folder missing.mp4"),
    (
        f"convert {'a' * 300} out.mp4",
        f"mattecam: {'a' * 300} cannot be read: its name is too long; check its name",
    ),
    (
        "convert one.mp4 no/such/out.mp4",
        "no/such/out.mp4 cannot be written: the file or its folder does not exist",
    ),
    (
        "convert one.mp4 note.txt/out.mp4",
        "note.txt/out.mp4 cannot be written: a part of the path is not a folder",
    ),
    ("convert one.mp4 x.mp4 --background note.txt", "note.txt is not a readable video"),
    (
        "convert one.mp4 x.mp4 --background missing.png",
        "missing.png does not exist; choose another one.",
    ),
    ("convert one.mp4 x.mp4 --weights missing.pth", "missing.pth"),
    ("convert one.mp4 x.mp4 --plate missing.png --model mattecam-plate", "missing.png"),
    ("convert one.mp4 x.mp4 --zones note.txt", "The zones file note.txt cannot be used"),
    ("convert one.mp4 x.mp4 --config note.txt", "The settings file note.txt cannot be used"),
    ("weights download", "Missing argument 'NAME'"),
    ("weights download gpt", "There are no weights named gpt"),
    ("weights download mattecam", "The weights of mattecam are part of the program"),
    ("weights list now", "(now); `python3 run.py weights list --help` shows the usage."),
    ("weights verify now", "(now); `python3 run.py weights verify --help` shows the usage."),
    ("weights remove", "No such command 'remove'"),
    ("ctl", "Missing argument 'COMMAND'"),
    ("ctl dance", "There is no command “dance”"),
    ("ctl pause maybe", "the choices are on, off, toggle"),
    ("ctl set output.mirror", "output.mirror needs a value"),
    ("ctl framing sun", "There is no command “framing” any more; write `set people.framing calm`"),
)
"""(words after `run.py`, part of the sentence): asked wrongly."""

# Parts of lines whose fault is found when the engine is built, or after that.
BUILDS_AN_ENGINE = (
    "missing.pth",
    "--plate missing.png",
    "--size 64x64",
    "--device mps",
    "--device intel",
    "/out.mp4",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Inputs, a folder with a folder of videos, and a text."""
    place = tmp_path_factory.mktemp("refused")
    write_inputs(place)
    (place / "nested" / "day").mkdir(parents=True)
    write_clip(place / "nested" / "day" / "clip.mp4", 1)
    (place / "note.txt").write_text("text")
    (place / "empty").mkdir()
    if sys.platform != "win32":
        os.mkfifo(place / "pipe.mp4")
    return place


@pytest.mark.parametrize("case", REFUSED, ids=[words for words, _ in REFUSED])
def test_a_wrong_input_is_2_and_gets_one_sentence(
    case: tuple[str, str],
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    words, sentence = case
    if "pipe.mp4" in words and sys.platform == "win32":
        pytest.skip("Windows lacks named pipes in folders")
    if "aaa out.mp4" in words and sys.platform == "win32":
        pytest.skip("Windows tells no name that is too long from one that is not there")
    if words.startswith("bench --model mattecam-plate") and not torch_usable():
        pytest.skip("needs torch")
    if "s3x:" in words:
        pytest.importorskip("fsspec")
    monkeypatch.chdir(folder)
    if not any(part in words for part in BUILDS_AN_ENGINE):
        for build in ("app.offline.convert.build_engine", "app.cli.bench.prepare"):
            monkeypatch.setattr(build, forbidden("something was loaded"))
    before = sorted(folder.rglob("*"))

    assert main.main(shlex.split(words)) == EXIT_USAGE

    captured = capsys.readouterr()
    assert captured.out == ""
    line = captured.err.splitlines()[-1]
    assert line.startswith("mattecam: ")
    assert sentence.replace("python3 run.py", program_command()) in line.replace(os.sep, "/")
    assert len(captured.err.splitlines()) == 1 or "bench" in words  # which tells its progress
    assert sorted(folder.rglob("*")) == before


NONSENSE = "?!"
# Options that take every text, or refuse it at the
# start of the run, as the tables beside this one show.
ANY_TEXT = {
    "--source": "a file, which headless opens",
    "--format": "a camera without it uses another",
    "--virtual-camera": "a device, which headless opens",
    "--microphone": "a recording goes on without it",
    "--weights": "a file, which the engine opens",
    "--plate": "a file, which the engine opens",
    "--cluster": "a word that is no address is a clip",
    "--status-json": "a file that is written",
}


def valued_options(
    group: TyperGroup,
    above: tuple[str, ...] = (),
) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield every option with a value, after the words of its command."""
    for parameter in group.params:
        if parameter.param_type_name == "option" and not getattr(parameter, "is_flag", False):
            yield above, parameter.opts[0]
    for name, command in getattr(group, "commands", {}).items():
        yield from valued_options(command, (*above, name))


def every_option() -> list[Any]:
    group = typer.main.get_command(main.app)
    assert isinstance(group, TyperGroup)
    found = [each for each in valued_options(group) if each[1] not in ANY_TEXT]
    return [pytest.param(*each, id=" ".join((*each[0], each[1]))) for each in found]


@pytest.mark.parametrize(("command", "option"), every_option())
def test_a_value_that_means_nothing_is_2_for_every_option(
    command: tuple[str, ...],
    option: str,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(folder)
    for start in (
        "app.gui.application.run_window",
        "app.cli.headless.run",
        "app.offline.convert.build_engine",
    ):
        monkeypatch.setattr(start, forbidden("it was started"))
    names = ["photo.jpg", "out.png"] if command == ("convert",) else []

    assert main.main([*command, *names, option, NONSENSE]) == EXIT_USAGE

    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("mattecam: ")


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ("--source missing.mp4", "missing.mp4"),
        ("--source note.txt", "note.txt"),
        ("--source camera:87", "87"),
        ("--source /dev/video87", "/dev/video87"),
        ("--source 'No such camera'", "No such camera"),
        ("--weights missing.pth --model rvm-mobilenetv3", "missing.pth"),
        ("--plate . --model mattecam-plate", "cannot be read (it is a folder)"),
        (
            "--device mps --executor openvino",
            "The executor openvino does not run on the device mps",
        ),
        ("--device intel --executor eager", "The executor eager does not run on the device intel"),
        ("--background missing.png", "missing.png"),
        ("--background note.txt", "note.txt"),
        ("--record no/such/folder/out.mp4", "no/such/folder"),
        ("--record-alpha no/such/folder/out.mp4", "no/such/folder"),
        ("--virtual-camera /dev/video87", "There is no virtual camera"),
    ],
)
def test_a_start_that_fails_for_what_was_named_is_2_and_names_it(
    words: str,
    named: str,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    request: pytest.FixtureRequest,
    tmp_path: Path,
) -> None:
    request.getfixturevalue("monkeypatch").chdir(folder)
    if not words.startswith(("--weights", "--plate", "--device")):
        request.getfixturevalue("fake_engine")
    record = [] if "--virtual-camera" in words else ["--record", str(tmp_path / "out.mp4")]

    code = main.main(
        ["headless", *shlex.split(DEMO), "--seconds", "20", *record, *shlex.split(words)]
    )

    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("mattecam: ")]
    (line,) = [
        each
        for each in said
        if "Preparing for this computer" not in each and ": Using " not in each
    ]
    assert code == EXIT_USAGE and named in line.replace(os.sep, "/")


@pytest.fixture
def no_cameras(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.capture.table.list_cameras", list)


@pytest.mark.usefixtures("fake_engine", "no_cameras")
@pytest.mark.parametrize("words", ["", "--source auto"])
def test_a_limited_run_without_any_camera_is_1_where_none_was_named(
    words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    without_source = shlex.split(DEMO)[2:]

    assert main.main(["headless", *without_source, "--frames", "3", *words.split()]) == EXIT_FAILED

    assert "camera" in capsys.readouterr().err


@pytest.fixture
def live() -> Iterator[None]:
    """Run a program with the demonstration, which executes commands."""
    settings = Settings().replaced_at(["capture"], source="demo", width=320, height=240)
    settings = settings.replaced_at(["output"], virtual_camera="off", pipewire="off")
    parts = replace(
        default_parts(),
        build_engine=lambda settings, width, height, framing: FakeEngine(settings, width, height),
        self_test=always(None),
    )
    pipeline = Pipeline(settings, parts=parts)
    controller = SettingsController(
        pipeline,
        backgrounds=list,
        scenes=SceneStore(default_path()),
        request_quit=Mock(),
        confirm_s=30.0,
    )
    pipeline.start()
    try:
        eventually(in_phase, pipeline, Phase.RUNNING)
        with serving(controller=controller):
            yield
    finally:
        assert pipeline.stop()


@pytest.mark.usefixtures("live")
@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("status", EXIT_DONE),
        ("background missing.png", EXIT_USAGE),
        ("background note.txt", EXIT_USAGE),
        ("get no.such.name", EXIT_USAGE),
        ("set capture.source missing.mp4", EXIT_USAGE),
        ("set capture.source camera:87", EXIT_USAGE),
        ("set output.virtual_camera /dev/video87", EXIT_USAGE),
        ("set output.standby_image note.txt", EXIT_USAGE),
        ("set people.zones note.txt", EXIT_USAGE),
        ("set capture.fps 100000", EXIT_USAGE),
        ("scene nowhere", EXIT_USAGE),
        ("record no/such/out.mp4", EXIT_USAGE),
        ("record one.mp4", EXIT_USAGE),
        ("record-alpha out.avi", EXIT_USAGE),
        ("snapshot no/such/out.png", EXIT_USAGE),
        ("snapshot out.jpg", EXIT_USAGE),
        ("record stop", EXIT_FAILED),
    ],
)
def test_a_command_to_the_running_program_has_the_same_codes(
    words: str,
    code: int,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(folder)

    assert main.main(["ctl", *shlex.split(words)]) == code

    assert bool(capsys.readouterr().err) is (code != EXIT_DONE)


def test_a_file_of_the_program_that_cannot_be_read_is_1(capsys: pytest.CaptureFixture[str]) -> None:
    """The user named a scene, and not the file of scenes."""
    with serving(controller=Recorder()):
        assert main.main(["ctl", "scene", "nowhere"]) == EXIT_FAILED
        assert "The scenes file cannot be read" in capsys.readouterr().err
        assert main.main(["ctl", "scene", "unknown"]) == EXIT_USAGE
        assert "There is no scene" in capsys.readouterr().err


def test_a_command_without_a_running_program_is_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["ctl", "set", "strict.level", "off"]) == EXIT_FAILED
    assert "Mattecam is not running for this user, or records a sample" in capsys.readouterr().err


def test_a_network_that_fails_midway_is_1(
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        "app.offline.convert.build_engine",
        lambda *_: HalfEngine(1, RuntimeError("bad")),
    )
    assert main.main(["convert", str(folder / "one.mp4"), str(tmp_path / "out.mp4")]) == EXIT_FAILED


@pytest.mark.posix("limits of the size of a file")
def test_a_full_disk_is_1(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.offline.convert.build_engine", build_half)
    clip = write_clip(tmp_path / "a.mp4", 60, size=(192, 96))
    with full_disk(4_000):
        assert main.main(["convert", str(clip), str(tmp_path / "out.mp4")]) == EXIT_FAILED
    no_space = Mock(side_effect=OSError(errno.ENOSPC, "No space left on device"))
    monkeypatch.setattr("app.offline.convert.VideoWriter", no_space)
    assert main.main(["convert", str(clip), str(tmp_path / "out.mp4")]) == EXIT_FAILED


@pytest.mark.parametrize(
    ("clips", "code"), [("missing.mp4", EXIT_USAGE), ("one.mp4 missing.mp4", EXIT_FAILED)]
)
@pytest.mark.parametrize("options", ["--jobs 1", "--jobs 1 --json"])
def test_the_only_clip_of_a_batch_that_cannot_be_used_is_2_and_one_of_several_1(
    clips: str,
    code: int,
    options: str,
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from tests.offline.batch.conftest import DirectExecutor

    monkeypatch.setattr("app.offline.convert.build_engine", build_half)
    monkeypatch.setattr("app.offline.executors.Processes", always(DirectExecutor()))
    monkeypatch.chdir(folder)

    assert main.main(["convert", *clips.split(), str(tmp_path), *options.split()]) == code


def test_a_download_that_fails_is_1(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "models.download.download",
        Mock(side_effect=DownloadError("The server is away.")),
    )
    assert main.main(["weights", "download", "u2net"]) == EXIT_FAILED


@pytest.mark.parametrize(
    "words", ["devices", "doctor", "bench", "ctl status", "weights list", "convert a.mp4 b.mp4"]
)
def test_an_interruption_is_130(words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(main, "_command", Mock(side_effect=KeyboardInterrupt))
    assert main.main(words.split()) == EXIT_INTERRUPTED
