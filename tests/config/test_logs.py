"""Targets of log messages, and logging of unhandled exceptions."""

from __future__ import annotations

import logging
import os
import sys
import threading

import pytest

from app.config import logs
from app.config.log_repeats import RepeatsHandler
from app.core.files import paths

log = logging.getLogger("app.test")


def test_the_console_shows_warnings_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up_console()
    log.info("detail")
    try:
        raise ValueError("inner")
    except ValueError:
        log.warning("The camera %s is busy.", "/dev/video0", exc_info=True)
    output = capsys.readouterr()
    assert output.err == "mattecam: The camera /dev/video0 is busy.\n"
    assert output.out == ""


def test_verbose_shows_everything_of_our_own(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up_console(verbose=True)
    log.debug("detail")
    logging.getLogger("some.library").info("chatter")
    try:
        raise ValueError("inner")
    except ValueError:
        log.warning("outer", exc_info=True)
    shown = capsys.readouterr().err
    assert "detail" in shown
    assert "ValueError: inner" in shown
    assert "chatter" not in shown


def test_setting_up_again_replaces_only_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    other = logging.NullHandler()
    logging.getLogger().addHandler(other)
    try:
        logs.set_up_window()
        logs.set_up_console()
        assert other in logging.getLogger().handlers
    finally:
        logging.getLogger().removeHandler(other)
    log.warning("once")
    assert capsys.readouterr().err == "mattecam: once\n"


def test_the_window_logs_to_a_file_too(capsys: pytest.CaptureFixture[str]) -> None:
    path = logs.set_up_window()
    assert path == paths.log_dir() / "mattecam.log"
    log.info("opened the camera")
    try:
        raise ValueError("inner")
    except ValueError:
        log.warning("The camera was lost.", exc_info=True)
    content = path.read_text()
    assert "opened the camera" in content
    assert "ValueError: inner" in content
    assert capsys.readouterr().err == "mattecam: The camera was lost.\n"


@pytest.mark.skipif(os.name != "posix", reason="modes of files")
def test_nobody_else_reads_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    file = paths.log_dir() / "mattecam.log"
    file.parent.mkdir(parents=True)
    file.touch(0o644)  # of version 0.2
    monkeypatch.setattr(logs, "FILE_BYTES", 100)
    logs.set_up_window()
    for number in range(3):
        log.info("a line of the log, number %d, long enough for another file", number)
    modes = {path.name: path.stat().st_mode & 0o777 for path in file.parent.iterdir()}
    assert len(modes) == 4 and set(modes.values()) == {0o600}


@pytest.mark.parametrize("verbose", [False, True])
def test_the_log_shows_control_characters(verbose: bool, capsys: pytest.CaptureFixture[str]) -> None:
    path = logs.set_up_window(verbose=verbose)
    assert path is not None
    log.warning("The file %s is gone.", "a\x1b[2J\x9b1m\u202e\nERROR forged\r.png")
    shown = "The file a\\u001b[2J\\u009b1m\\u202e\\nERROR forged\\u000d.png is gone."
    for text in (path.read_text(), capsys.readouterr().err):
        assert [line.endswith(shown) for line in text.splitlines()] == [True]


def test_a_log_folder_that_cannot_be_written_does_not_stop_the_program(capsys: pytest.CaptureFixture[str]) -> None:
    paths.data_dir().mkdir(parents=True)
    paths.log_dir().write_text("a file in its place")
    assert logs.set_up_window() is None
    assert "cannot be written" in capsys.readouterr().err


def test_no_standard_error_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    logs.set_up_console()
    log.warning("nobody reads this")
    (own,) = [handler for handler in logging.getLogger().handlers if handler.name == logs.HANDLER_NAME]
    assert isinstance(own, RepeatsHandler)
    assert type(own.target) is logging.NullHandler


@pytest.mark.error_logs
def test_uncaught_exceptions_are_logged_wherever_they_happen(capsys: pytest.CaptureFixture[str]) -> None:
    path = logs.set_up_window()
    assert path is not None

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
    assert path.read_text().count("Traceback") == 2


def test_an_interruption_is_no_defect(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up_console()
    sys.excepthook(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert "defect" not in capsys.readouterr().err
