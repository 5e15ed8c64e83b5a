"""When a screen is captured: not before every window has hidden the room, and not after the screen was left."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import closing
from typing import ClassVar

import numpy as np
import pytest

from app.compositing import screen_use
from app.compositing.screen import ScreenBackground
from app.compositing.screen_use import ScreenUse
from app.core.errors import BackgroundError
from app.core.settings import BackgroundSettings
from app.core.types import BgrImage
from tests.fresh_python import printed_by
from tests.waiting import beside, eventually

SETTINGS = BackgroundSettings(kind="screen")


class Screen:
    """Notes for every image whether it was taken while the use was noted."""

    moves: ClassVar[bool] = False
    screens: ClassVar[None] = None

    def __init__(self, use: ScreenUse, noted: list[bool]) -> None:
        self._use, self._noted = use, noted

    def grab(self) -> BgrImage:
        self._noted.append(self._use.captured)
        return np.zeros((9, 16, 3), np.uint8)

    def close(self) -> None:
        self._noted.append(self._use.captured)


def opened(use: ScreenUse, noted: list[bool]) -> ScreenBackground:
    return ScreenBackground(SETTINGS, lambda target: Screen(use, noted), use)


def test_no_image_is_taken_before_the_window_has_confirmed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A window that was busy for more than 0.3 s was captured with the room in it."""
    monkeypatch.setattr(screen_use, "DESKTOP_S", 0.05)
    use, noted, asked = ScreenUse(), list[bool](), threading.Event()
    use.listen(asked.set)
    opener = beside(lambda: opened(use, noted))
    assert asked.wait(60)
    assert use.captured
    time.sleep(0.5)
    assert not opener.done() and noted == []
    use.confirm_hidden()
    background = opener.result(60)
    background.backdrop(16, 9, 0.0)
    background.close()
    assert noted and all(noted), "the use is noted from before the first image until the screen is closed"
    assert not use.captured


def test_a_window_that_does_not_answer_is_not_captured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(screen_use, "HIDING_LIMIT_S", 0.05)
    use, noted = ScreenUse(), list[bool]()
    use.listen(lambda: None)
    with pytest.raises(BackgroundError, match="did not hide your room"):
        opened(use, noted)
    assert noted == [] and not use.captured


@pytest.mark.parametrize("ends", [ScreenUse.stop, ScreenUse.close])
def test_a_capture_that_waits_for_the_window_can_be_ended(ends: Callable[[ScreenUse], None]) -> None:
    use, noted, asked = ScreenUse(), list[bool](), threading.Event()
    use.listen(asked.set)
    opener = beside(lambda: opened(use, noted))
    assert asked.wait(60)
    ends(use)
    with pytest.raises(BackgroundError):
        opener.result(60)
    assert noted == [] and not use.captured


def test_leaving_ends_the_capture_at_once() -> None:
    use, noted = ScreenUse(), list[bool]()
    with closing(opened(use, noted)) as background:
        background.backdrop(16, 9, 0.0)
        use.stop()
        eventually(lambda: not use.captured)
        taken = len(noted)
        background.backdrop(16, 9, 0.0)
        assert len(noted) == taken


def test_a_screen_that_cannot_be_captured_is_not_in_use() -> None:
    use = ScreenUse()

    def refused(target: str) -> Screen:
        raise BackgroundError(f"There is no {target}.")

    with pytest.raises(BackgroundError, match="There is no screen:1"):
        ScreenBackground(SETTINGS, refused, use)
    assert not use.captured


HANGS = """
import threading
from app.cli import main
from app.compositing.screen_use import ReadingThread

def hang(argv):
    thread = ReadingThread(threading.Event().wait, "background video", "decoder", 0.1)
    thread.start()
    thread.close()
    print("done")
    return 0

main.main = hang
main.run_to_exit([])
"""


def test_a_thread_that_reads_for_ever_does_not_keep_the_program_alive() -> None:
    assert printed_by(HANGS) == "done\n"
