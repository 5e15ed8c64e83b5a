"""A repeated message is written once, with a count."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from app.config import logs
from app.config.log_repeats import INTERVAL_S, RepeatsHandler


class Lines(logging.Handler):
    """Keeps the records it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.records: list[logging.LogRecord] = []
        self.closed = False

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)
        self.lines.append(record.getMessage())

    def close(self) -> None:
        self.closed = True
        super().close()


@pytest.fixture
def target() -> Lines:
    return Lines()


@pytest.fixture
def handler(target: Lines) -> Iterator[RepeatsHandler]:
    handler = RepeatsHandler(target)
    yield handler
    handler.close()


def said(message: str, at_s: float = 0.0, name: str = "app.a") -> logging.LogRecord:
    return logging.makeLogRecord({"msg": message, "name": name, "created": at_s, "levelno": logging.INFO})


def test_a_repeated_message_is_one_line_and_a_count(handler: RepeatsHandler, target: Lines) -> None:
    for at_s in (0.0, 5.0, 10.0, 15.0):
        handler.handle(said("PipeWire: no server", at_s))
    assert target.lines == ["PipeWire: no server"]
    handler.handle(said("PipeWire runs", 20.0))
    assert target.lines == ["PipeWire: no server", "… repeated 3 times", "PipeWire runs"]


def test_once_is_not_times(handler: RepeatsHandler, target: Lines) -> None:
    for message in ("a", "a", "b", "a"):
        handler.handle(said(message))
    assert target.lines == ["a", "… repeated once", "b", "a"]


def test_what_goes_on_is_counted_once_a_minute(handler: RepeatsHandler, target: Lines) -> None:
    for second in range(0, 3 * int(INTERVAL_S), 5):
        handler.handle(said("again", float(second)))
    assert target.lines == ["again", "… repeated 12 times", "… repeated 12 times"]
    handler.handle(said("from elsewhere", 4 * INTERVAL_S, "app.b"))
    assert target.lines[3:] == ["from elsewhere", "… repeated 11 times"]
    assert target.records[-1].name == "app.a"


def test_loggers_do_not_break_each_others_count(handler: RepeatsHandler, target: Lines) -> None:
    for _ in range(3):
        handler.handle(said("a", name="app.a"))
        handler.handle(said("b", name="app.b"))
    assert target.lines == ["a", "b"]


def test_another_level_or_error_is_another_message(handler: RepeatsHandler, target: Lines) -> None:
    for level, error in ((20, None), (30, None), (30, ValueError()), (30, OSError())):
        record = said("a")
        record.levelno, record.exc_info = level, (type(error), error, None) if error is not None else None
        handler.handle(record)
    assert target.lines == ["a"] * 4


def test_a_count_keeps_no_traceback(handler: RepeatsHandler, target: Lines) -> None:
    error = ValueError()
    for _ in range(2):
        record = said("a")
        record.exc_info = ValueError, error, None
        handler.handle(record)
    handler.close()
    assert target.lines == ["a", "… repeated once"]
    assert target.records[0].exc_info
    assert target.records[1].exc_info is None
    assert target.closed


def test_the_log_counts_at_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    path = logs.set_up_window()
    assert path is not None
    for _ in range(3):
        logging.getLogger("app.test").warning("The camera is busy.")
    logs.set_up_console()
    assert path.read_text().splitlines()[-1].endswith("app.test: … repeated 2 times")
    assert capsys.readouterr().err == "mattecam: The camera is busy.\nmattecam: … repeated 2 times\n"
