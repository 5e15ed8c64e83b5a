"""Open problems: each part of the program reports and closes its own."""

from __future__ import annotations

import pytest

from app.core.errors import SourceOpenError
from app.core.stage import Stage
from app.runtime.board import StatusBoard


def _open(board: StatusBoard) -> list[str]:
    return [problem.message for problem in board.read().problems]


def test_two_parts_of_a_stage_have_a_problem_each() -> None:
    board = StatusBoard()
    board.report(Stage.BACKGROUND, SourceOpenError("The film is damaged."), "film")
    board.report(Stage.BACKGROUND, SourceOpenError("The picture is missing."), "card")
    assert _open(board) == ["The film is damaged.", "The picture is missing."]
    board.report(Stage.BACKGROUND, None, "card")
    assert _open(board) == ["The film is damaged."], "the older problem is still there"
    board.report(Stage.BACKGROUND, None, "film")
    assert not _open(board)


def test_a_part_has_one_problem() -> None:
    board = StatusBoard()
    board.report(Stage.CAPTURE, "The camera is busy.")
    board.report(Stage.CAPTURE, "The camera is gone.")
    board.report(Stage.CAPTURE, "The camera is gone.")
    assert _open(board) == ["The camera is gone."]
    board.report(Stage.CAPTURE, None, "another part")
    assert _open(board) == ["The camera is gone."]
    board.report(Stage.CAPTURE, None)
    assert not _open(board)
    errors = board.read().errors
    assert errors == ("The camera is busy.", "The camera is gone.")


def test_the_log_has_what_began_and_what_is_over(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "app.runtime.board")
    board = StatusBoard()
    board.report(Stage.CAPTURE, "The camera is gone.")
    for _ in range(2):
        board.report(Stage.CAPTURE, None)
    assert caplog.messages == [
        "The camera is gone.",
        "Over: The camera is gone.",
    ]
