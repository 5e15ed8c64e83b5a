"""Logs, files of a run, private pictures and locks; and how the program is named and started."""

from __future__ import annotations

import errno
import logging
import os
import re
import sys
import threading
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import Mock

import cv2
import numpy as np
import pytest

from app.capture.video_file import VideoFileSource
from app.cli.start import checked_files
from app.config import logs
from app.control.commands import Command
from app.control.transport import ControlAddress, ControlError, ask
from app.core import paths
from app.core.errors import BackgroundError, MattecamError, SourceOpenError, UsageError, t
from app.core.files import lock_file, why_not_written
from app.core.settings import CaptureSettings, OutputSettings
from app.media.image_file import write_picture
from app.settings import Settings
from models import program
from models.errors import WeightsNotFoundError
from models.program import program_command
from models.weights import find
from tests.paths import ROOT
from tests.stand_ins import always

log = logging.getLogger("app.test")


def window_log(*, verbose: bool = False) -> Path:
    """Set up the logs of the window and return their file; no fixture, because `capsys` starts anew after those."""
    path = logs.set_up_window(verbose=verbose)
    assert path is not None
    return path


def test_the_console_shows_warnings_in_one_line_and_the_log_of_the_window_all(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    file = window_log()
    assert file == paths.data_dir() / "logs" / "mattecam.log"
    log.info("opened the camera")
    log.warning("The camera %s is busy.", "/dev/video0", exc_info=ValueError("inner"))
    logs.set_up_console()
    assert caplog.handler in logging.getLogger().handlers, "setting up again replaces only its own"
    log.info("detail")
    log.warning("once")
    sys.excepthook(KeyboardInterrupt, KeyboardInterrupt(), None)  # no defect
    assert capsys.readouterr() == (
        "",
        "mattecam: The camera /dev/video0 is busy.\nmattecam: once\nKeyboardInterrupt\n",
    )
    assert (
        "opened the camera" in (content := file.read_text("utf-8"))
        and "ValueError: inner" in content
    )
    file.unlink()
    file.parent.rmdir()
    file.parent.write_text("a file in its place")
    assert logs.set_up_window() is None
    reason = "a file is where the folder should be; choose another folder"
    assert f"without its log file {file}: {reason}." in capsys.readouterr().err


def test_verbose_shows_everything_of_our_own(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up_console(verbose=True)
    log.debug("detail")
    logging.getLogger("some.library").info("chatter")
    log.warning("outer", exc_info=ValueError("inner"))
    shown = capsys.readouterr().err

    assert [part in shown for part in ("detail", "ValueError: inner", "chatter")] == [
        True,
        True,
        False,
    ]


@pytest.mark.skipif(os.name != "posix", reason="modes of files")
def test_nobody_else_reads_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    file = paths.data_dir() / "logs" / "mattecam.log"
    file.parent.mkdir(parents=True)
    file.touch(0o644)  # of version 0.2
    monkeypatch.setattr(logs, "FILE_BYTES", 100)
    logs.set_up_window()
    for number in range(3):
        log.info("a line of the log, number %d, long enough for another file", number)
    modes = {path.name: path.stat().st_mode & 0o777 for path in file.parent.iterdir()}

    assert len(modes) == 4 and set(modes.values()) == {0o600}


def test_a_log_that_another_program_has_open_grows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On Windows, each line was lost from then on, and a traceback printed for it."""
    monkeypatch.setattr(os, "rename", Mock(side_effect=PermissionError(13, "open elsewhere")))
    path = tmp_path / "mattecam.log"
    log = logs.PrivateLog(path, maxBytes=40, backupCount=2, encoding="utf-8")
    lines = [f"line {number} of a log that is full" for number in range(4)]

    for line in lines:
        log.emit(logging.LogRecord("app", logging.INFO, "", 0, line, (), None))
    log.close()

    assert path.read_text(encoding="utf-8").splitlines() == lines


@pytest.mark.parametrize("verbose", [False, True])
def test_the_log_shows_control_characters(
    verbose: bool,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = window_log(verbose=verbose)
    log.warning("The file %s is gone.", "a\x1b[2J\x9b1m\u202e\nERROR forged\r.png")
    shown = "The file a\\u001b[2J\\u009b1m\\u202e\\nERROR forged\\u000d.png is gone."

    for text in (file.read_text("utf-8"), capsys.readouterr().err):
        assert [line.endswith(shown) for line in text.splitlines()] == [True]


@pytest.mark.error_logs
def test_uncaught_exceptions_are_logged_wherever_they_happen(
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = window_log()

    def fails() -> None:
        raise ZeroDivisionError("in a thread")

    thread = threading.Thread(target=fails, name="worker")
    thread.start()
    thread.join()
    try:
        raise KeyError("on the main thread")
    except KeyError as error:
        sys.excepthook(KeyError, error, error.__traceback__)
    shown = capsys.readouterr().err.splitlines()
    assert shown == [
        "mattecam: A defect in the program, ZeroDivisionError in worker: in a thread",
        "mattecam: A defect in the program, KeyError: 'on the main thread'",
    ]
    assert file.read_text("utf-8").count("Traceback") == 2


def test_the_log_leaves_out_the_folder_of_an_error_that_python_quotes(tmp_path: Path) -> None:
    """The text of an error doubles backslashes: on Windows, each file was named with its folders."""
    file = tmp_path / "a\\b" / "plan.png"
    error = FileNotFoundError(errno.ENOENT, "No such file or directory", str(file))
    record = said("it cannot be read")
    record.exc_info = (type(error), error, None)

    shortened = logs.named_only(f"it cannot be read: {error}", record)

    assert shortened == "it cannot be read: [Errno 2] No such file or directory: 'plan.png'"


def said(message: str, at_s: float = 0.0, name: str = "app.a") -> logging.LogRecord:
    return logging.makeLogRecord(
        {"msg": message, "name": name, "created": at_s, "levelno": logging.INFO}
    )


@pytest.mark.parametrize(
    ("messages", "interval_s", "written"),
    [
        ("aaaab", 50.0, "ab"),
        ("aabaAa", 5.0, "abA"),
        ("abcdefg" * 20, 2.0, "abcdefg"),
        ("abab", 600.0, "abab"),
    ],
    ids=[
        "one",
        "in turn and from elsewhere",
        "of a camera that fails in each format",
        "much later",
    ],
)
def test_what_a_logger_repeats_is_left_out(messages: str, interval_s: float, written: str) -> None:
    """“Host is down”, every five seconds, were 17 of 19 lines. A capital comes from another logger."""
    repeats = logs.Repeats()
    records = [
        said(each.lower(), interval_s * number, f"app.{each.isupper()}")
        for number, each in enumerate(messages)
    ]

    assert (
        "".join(
            each for each, record in zip(messages, records, strict=True) if repeats.filter(record)
        )
        == written
    )


def test_another_level_or_error_is_another_message_and_few_are_kept() -> None:
    repeats = logs.Repeats()
    for level, error in ((20, None), (30, None), (30, ValueError()), (30, OSError())):
        record = said("a")
        record.levelno = level
        record.exc_info = (type(error), error, None) if error is not None else None
        assert repeats.filter(record)
    for number in range(logs.MOST_SAID):
        assert repeats.filter(said(str(number)))
    assert repeats.filter(said("0", 1.0)) is False and repeats.filter(said("a"))


FOLDER = str(
    Path(
        "C:/Users/me/My private pictures"
        if sys.platform == "win32"
        else "/home/me/My private pictures"
    )
)
BEACH = Path(FOLDER) / "beach 1.png"


def test_a_picture_is_named_without_its_folder_and_in_any_encoding(
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = window_log()
    damaged = t("The image {file} is damaged; save it again or choose another one.", file=BEACH)
    log.info("%s cannot be decoded: %s", BEACH, "end of file")
    log.info("Shortcut for %s %s", "background", str(BEACH))
    log.warning("%s", damaged)
    log.warning("%s", BackgroundError(damaged))
    error = BackgroundError(damaged)
    error.__cause__ = FileNotFoundError(2, "No such file or directory", str(BEACH))
    log.warning("The background failed.", exc_info=error)
    own = paths.data_dir() / "models" / "a.pth"
    device = Path("/dev/video0")
    log.info("%s %s %s", device, own, "/")
    (private,) = (
        each for each in logging.getLogger().handlers if isinstance(each, logs.PrivateLog)
    )
    private.handle(said("opened caf\udce9.png"))  # what pytest captures it passes on as UTF-8
    written = file.read_text("utf-8")

    assert FOLDER not in written
    assert written.count("beach 1.png") == 5, "the second warning repeats the first"
    assert f"{device} {own} /" in written, "devices and own folders stay"
    assert "opened caf\\udce9.png" in written
    assert FOLDER in capsys.readouterr().err, "the terminal shows where the user finds it"


def run_to(source: Path | str = "demo", **files: Path) -> Settings:
    return Settings(capture=CaptureSettings(source=str(source)), output=OutputSettings(**files))


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "a.mkv"
    path.write_bytes(b"video")
    return path


@pytest.mark.posix("named pipes in folders")
def test_a_recording_whose_name_is_taken_gets_a_free_one(tmp_path: Path, clip: Path) -> None:
    """A service that starts again with --record FILE replaced its last recording."""
    (tmp_path / "a (2).mkv").touch()
    settings, sentence = checked_files(
        run_to(record=clip, record_alpha=tmp_path / "alpha.mkv"),
        None,
    )
    assert settings.output.record == tmp_path / "a (3).mkv"
    assert settings.output.record_alpha == tmp_path / "alpha.mkv"
    assert (
        sentence
        == f"Files of this name exist and are kept: {clip}. This run records to {tmp_path / 'a (3).mkv'}."
    )
    os.mkfifo(tmp_path / "a.mp4")  # kept as a file is
    assert (
        checked_files(run_to(record=tmp_path / "a.mp4"), None)[0].output.record
        == tmp_path / "a (2).mp4"
    )
    (tmp_path / "empty.mkv").touch()  # as mktemp makes it
    for name in ("new.mkv", "empty.mkv"):
        free = run_to(record=tmp_path / name)
        assert checked_files(free, tmp_path / "status.json") == (free, None)
    checked_files(run_to(), Path(os.devnull))
    assert {path.name for path in tmp_path.iterdir()} == {
        "a.mkv",
        "a (2).mkv",
        "a.mp4",
        "empty.mkv",
    }


@pytest.mark.skipif(os.name != "posix", reason="links need a permission on Windows")
def test_no_source_is_replaced_and_the_status_replaces_nothing_but_a_status(
    tmp_path: Path,
    clip: Path,
) -> None:
    link = tmp_path / "b.mkv"
    link.symlink_to(clip)
    with pytest.raises(UsageError, match="also the source"):
        checked_files(run_to(clip, record=link), None)
    for source in (clip, "demo"):
        with pytest.raises(UsageError):
            checked_files(run_to(source), clip)
    assert clip.read_bytes() == b"video"
    earlier = tmp_path / "status.json"
    for text in ("", '{\n  "frames_in": 3'):
        earlier.write_text(text)
        checked_files(run_to(), earlier)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("no/status.json", "the file or its folder does not exist"),
        ("a.mkv/status.json", "a part of the path is not a folder"),
        (".", "a folder has this name"),
    ],
)
@pytest.mark.usefixtures("clip")
def test_a_status_file_that_cannot_be_written_is_named_at_the_start(
    tmp_path: Path,
    name: str,
    reason: str,
) -> None:
    with pytest.raises(MattecamError, match=rf"status file .* cannot be written: {reason}"):
        checked_files(run_to(), tmp_path / name)


def test_a_source_folder_is_started_with_run_py_and_an_installed_copy_by_its_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert paths.documents_dir() == ROOT / "docs"
    assert paths.start_command() == [sys.executable, "-I", str(ROOT / "run.py")]
    monkeypatch.setattr(program, "SCRIPT", tmp_path / "run.py")
    assert Path(paths.start_command()[0]).stem == "mattecam"


@pytest.mark.parametrize(
    ("platform", "is_source", "expected"),
    [
        ("linux", True, "python3 run.py"),
        ("darwin", True, "python3 run.py"),
        ("win32", True, "py run.py"),
        ("linux", False, "mattecam"),
        ("win32", False, "mattecam"),
    ],
)
def test_advice_names_the_command_of_this_copy_and_system(
    platform: str, is_source: bool, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was `python3 run.py` everywhere, also on Windows and in errors of the Python API."""
    monkeypatch.setattr(program, "sys", SimpleNamespace(platform=platform))
    if not is_source:
        monkeypatch.setattr(program, "SCRIPT", tmp_path / "run.py")
    monkeypatch.setenv("MATTECAM_DATA_DIR", str(tmp_path))

    assert program_command() == expected
    with pytest.raises(
        WeightsNotFoundError, match=f"download them with `{expected} weights download u2net`"
    ):
        find("u2net")
    with pytest.raises(SourceOpenError, match=rf"\(`{expected} convert` converts folders\)"):
        VideoFileSource(tmp_path)
    with pytest.raises(ControlError, match=f"start it with `{expected}` or `{expected} headless`"):
        ask(Command("status"), at=always(ControlAddress(tmp_path, "pipe")))


def test_packages_are_installed_into_the_environment_of_this_copy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "executable", "/my env/bin/python")
    quoted = '"/my env/bin/python"' if sys.platform == "win32" else "'/my env/bin/python'"
    assert paths.how_to_install("ray") == f"run `{quoted} -m pip install ray`"
    monkeypatch.setattr("importlib.util.find_spec", always(None))
    assert "this copy has no pip" in paths.how_to_install("ray")


@pytest.mark.skipif(os.name != "posix", reason="needs file modes")
def test_only_the_owner_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    path.write_text("an older file, open to all")
    path.chmod(0o644)
    write_picture(path, np.full((4, 6, 3), 77, np.uint8))
    assert path.stat().st_mode & 0o777 == 0o600
    image = cv2.imread(str(path))
    assert image is not None and image.shape == (4, 6, 3) and (image == 77).all()


def test_a_picture_that_a_format_cannot_hold_is_an_error_of_the_file(tmp_path: Path) -> None:
    """WebP ends at 16,383 pixels."""
    with pytest.raises(OSError, match=r"16384x4 cannot be \.webp"):
        write_picture(tmp_path / "wide.webp", np.zeros((4, 16_384, 3), np.uint8))
    assert not list(tmp_path.iterdir())


def test_a_lock_that_windows_ceases_to_wait_for_is_held(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A second start ended after ten seconds, while the first one installed the packages."""
    refuses = Mock(side_effect=OSError(errno.EDEADLK, "Resource deadlock avoided"))
    monkeypatch.setitem(sys.modules, "msvcrt", Mock(locking=refuses))
    monkeypatch.setattr(sys, "platform", "win32")

    assert lock_file(tmp_path / "lock", wait=True) is None


NO_LOCKS = {
    "NFS without a lock service": errno.ENOLCK,
    "SMB and FUSE": errno.EOPNOTSUPP,
    "a file system that lacks the call": errno.ENOSYS,
}


@pytest.mark.skipif(os.name != "posix", reason="replaces the lock of POSIX")
@pytest.mark.parametrize("number", NO_LOCKS.values(), ids=list(NO_LOCKS))
@pytest.mark.parametrize("wait", [True, False])
def test_a_file_system_without_locks_is_used_with_a_sentence(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    number: int,
    wait: bool,
) -> None:
    """Batches and the set-up of the environment ended there."""
    monkeypatch.setattr("fcntl.flock", Mock(side_effect=OSError(number, os.strerror(number))))

    file = lock_file(tmp_path / "lock", wait=wait)

    assert file is not None
    file.close()
    assert caplog.messages == [
        f"Files in {tmp_path} cannot be locked, as on some network drives; use this folder in one Mattecam at a time."
    ]
    caplog.clear()
    with pytest.raises(OSError, match=re.escape(os.strerror(number))):
        lock_file(tmp_path / "lock", wait=wait, required=True)


@pytest.mark.skipif(os.name != "posix", reason="replaces the lock of POSIX")
def test_a_lock_that_fails_otherwise_is_an_error(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("fcntl.flock", Mock(side_effect=OSError(errno.EIO, "Input/output error")))
    with pytest.raises(OSError, match="Input/output"):
        lock_file(tmp_path / "lock", wait=False)


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such links")
def test_a_lock_does_not_follow_a_link(tmp_path: Path) -> None:
    """Whoever can write to the folder had a file created anywhere."""
    elsewhere = tmp_path / "elsewhere"
    (tmp_path / "lock").symlink_to(elsewhere)

    with pytest.raises(OSError, match="symbolic link") as caught:
        lock_file(tmp_path / "lock", wait=False)

    assert "symbolic link" in why_not_written(caught.value)
    assert not elsewhere.exists()
