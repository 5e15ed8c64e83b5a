"""`ctl pause`, `freeze`, `resume`, `scene` and `snapshot`: what the outputs show once they are answered."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from app.control.pause_mark import FILE, PauseMark
from app.core.errors import UsageError
from app.core.types import PictureKind
from tests.control.conftest import Program
from tests.waiting import eventually


def test_pause_is_answered_when_the_outputs_show_the_card(program: Program) -> None:
    assert "stand-by card" in program.run("pause")
    assert set(program.sent_after()) == {PictureKind.STANDBY}
    assert program.controller.status()["paused"] is True
    assert "Paused" in program.run("pause"), "a second pause does not resume"
    assert program.settings.paused
    assert program.run("resume") == "Resumed."
    eventually(lambda: PictureKind.COMPOSITE in program.sent_after())


def test_a_pause_that_a_crash_would_end_says_why(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    PauseMark(tmp_path / "gone").follow(lambda: True)
    reason = "the folder does not exist; create it or choose another one"
    assert (
        f"A crash would end the pause, because {tmp_path / 'gone' / FILE} cannot be written: {reason}." in caplog.text
    )


def test_freeze_while_paused_says_what_the_outputs_show(program: Program) -> None:
    assert program.run("freeze") == "Frozen: the outputs keep the last frame."
    program.run("pause")
    assert program.run("freeze") == "Frozen, and paused: the outputs show the stand-by card."
    assert set(program.sent_after()) == {PictureKind.STANDBY}


def test_pause_and_freeze_can_be_switched_and_toggled(program: Program) -> None:
    program.controller = program.controller_with(confirm_s=0.2)  # resumed while frozen, no frame confirms it
    states = []
    for text in ("pause", "freeze on", "pause toggle", "pause toggle", "freeze off", "freeze toggle", "resume"):
        program.run(text)
        states.append((program.settings.paused, program.settings.frozen))
    assert states == [(1, 0), (1, 1), (0, 1), (1, 1), (1, 0), (1, 1), (0, 0)]


def test_a_snapshot_is_what_may_leave_at_that_moment(program: Program, tmp_path: Path) -> None:
    eventually(lambda: PictureKind.COMPOSITE in program.sent_after())
    assert program.run(f"snapshot {tmp_path / 'a.png'}") == f"Saved {tmp_path / 'a.png'}."
    program.run("pause")
    with pytest.raises(UsageError, match=r"must end in \.png, not “a\.txt”"):
        program.run(f"snapshot {tmp_path / 'a.txt'}")
    program.run(f"snapshot {tmp_path / 'paused.png'}")
    blue, card = (cv2.imread(str(tmp_path / name)) for name in ("a.png", "paused.png"))
    assert blue is not None
    assert card is not None
    assert np.any(np.all(blue == (255, 0, 0), axis=2))
    assert not np.any(np.all(card == (255, 0, 0), axis=2)), "while paused, a snapshot shows the card"
