"""`ctl background` and `background-view` against a running pipeline."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from app.control.backgrounds import BackgroundFile
from app.control.commands import Command
from app.core.errors import BackgroundError, MattecamError, UsageError
from app.core.settings import BackgroundSettings, Settings
from app.core.types import PictureKind
from app.testing.parts import shows_room
from tests.control.conftest import Program
from tests.waiting import beside, eventually


def test_a_background_is_answered_when_it_is_in_use(program: Program) -> None:
    entered, gate = threading.Event(), threading.Event()

    def slow() -> None:
        entered.set()
        gate.wait(60)

    program.world.faults.put("open_background", slow)
    answer = beside(lambda: program.run("background Beach"))
    assert entered.wait(60)
    time.sleep(0.1)
    assert not answer.done()
    gate.set()
    assert answer.result(60) == "Background: Beach."


def test_what_is_still_pending_at_the_time_limit_is_named(program: Program, tmp_path: Path) -> None:
    program.world.faults.put("open_background", program.world.faults.hang)
    hasty = program.controller_with(confirm_s=0.2)
    assert "still being prepared" in hasty.run(Command("background", "Beach"))


def test_a_background_that_fails_is_an_error_and_changes_nothing(program: Program) -> None:
    before = program.settings
    program.world.faults.put("open_background", BackgroundError("Beach is damaged; choose another."))
    for _ in range(2):
        with pytest.raises(MattecamError, match="Beach is damaged"):
            program.run("background Beach")
        assert program.settings == before
    for name, words in (("moon", "the backgrounds are 0 none"), ("9" * 200, "no background and no file")):
        with pytest.raises(UsageError, match=words):
            program.run(f"background {name}")
    assert program.settings == before


@pytest.mark.parametrize("command", ["background Beach", "scene Talk"])
def test_a_failing_background_does_not_expose_the_room_again(program: Program, command: str) -> None:
    program.scenes.put("Talk", Settings(background=BackgroundSettings(kind="image", path=program.files[0].path)))
    program.run("background none")
    eventually(lambda: PictureKind.UNMATTED in program.sent_after())
    program.world.faults.put("open_background", BackgroundError("Beach is damaged; choose another."))
    with pytest.raises(MattecamError, match="Beach is damaged"):
        program.run(command)
    assert program.settings.background.kind == "image"
    before = len(program.world.pictures())
    assert PictureKind.UNMATTED not in program.sent_after(20)
    assert not any(shows_room(picture.image) for picture in program.world.pictures()[before:])


def test_a_pause_does_not_wait_for_the_file_of_a_background(program: Program) -> None:
    """A network drive that does not answer delays its own command only; nothing that changed meanwhile is lost."""
    asked, go_on = threading.Event(), threading.Event()

    class SlowDrive(list[BackgroundFile]):
        def __iter__(self) -> Iterator[BackgroundFile]:
            asked.set()
            assert go_on.wait(60)
            return super().__iter__()

    quick, program.files = program.files, SlowDrive(program.files)
    slow = beside(lambda: program.run("background Beach"))
    try:
        assert asked.wait(60)
        program.files = quick
        assert "stand-by card" in program.run("pause")
        program.run("set background.fit fit")
    finally:
        go_on.set()
        slow.result(60)
    background = program.settings.background
    assert (background.path, background.fit) == (quick[0].path, "fit")
    assert program.settings.paused


@pytest.mark.parametrize("command", ["background {file}", "background Beach", "set background.path {file}"])
def test_a_file_that_was_edited_is_shown_when_it_is_named_again(program: Program, command: str) -> None:
    file = program.files[0].path
    program.run("background Beach")
    eventually(lambda: shows_room(program.world.newest().image))
    cv2.imwrite(str(file), np.full((48, 64, 3), 77, np.uint8))
    program.run(command.format(file=file))
    eventually(lambda: tuple(program.world.newest().image[0, 0]) == (77, 77, 77))
