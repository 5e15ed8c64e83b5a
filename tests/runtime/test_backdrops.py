"""The background in use: opened beside the frames, followed, and recovered."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from app.compositing import Background, open_background
from app.core.settings import BackgroundSettings
from app.core.stage import Stage
from app.core.types import BgrImage, Frame
from app.media.video_input import VideoInput
from app.runtime.backdrops import PLAIN_GREY, Backdrops
from app.runtime.board import StatusBoard
from app.runtime.timing import Timing
from tests.compositing.files import colour_number, write_video
from tests.waiting import eventually

BLACK, WHITE = (BackgroundSettings(kind="colour", colour=colour) for colour in ("#000000", "#ffffff"))
FRAME = Frame(np.zeros((90, 160, 3), np.uint8), 0, 0.0)


class Opened:
    """Backdrops with a real preparer, and what was opened."""

    def __init__(self) -> None:
        self.requests: list[BackgroundSettings] = []
        self.gates: dict[str, threading.Event] = {}
        """What holds the opening of a colour."""
        self.board = StatusBoard()
        self.backdrops = Backdrops(self._open, self.board, Timing())
        self.backdrops.preparer.start()

    def _open(self, settings: BackgroundSettings) -> Background:
        self.requests.append(settings)
        if settings.colour in self.gates:
            assert self.gates[settings.colour].wait(60)
        return open_background(settings)

    def shown(self, settings: BackgroundSettings) -> BgrImage:
        self.backdrops.follow(settings)
        image = self.backdrops.backdrop(FRAME, 0.0)
        assert isinstance(image, np.ndarray)
        return image

    def use(self, settings: BackgroundSettings, holds: Callable[[BgrImage], bool]) -> None:
        eventually(lambda: holds(self.shown(settings)))


@pytest.fixture
def opened() -> Iterator[Opened]:
    made = Opened()
    yield made
    made.backdrops.close()
    assert made.backdrops.preparer.stop(60)


def ramp(folder: Path) -> BackgroundSettings:
    path = folder / "wide.png"
    cv2.imwrite(str(path), np.tile(np.linspace(0, 255, 640, dtype=np.uint8)[None, :, None], (90, 1, 3)))
    return BackgroundSettings(kind="image", path=path)


def test_a_new_view_opens_nothing_and_is_shown_at_once(opened: Opened, tmp_path: Path) -> None:
    middle = ramp(tmp_path)
    opened.use(middle, lambda image: bool(100 < image[45, 80, 0] < 155))
    for pan, low, high in ((-1, 0, 60), (1, 195, 255)):
        assert low <= opened.shown(middle.replace(pan_x=pan))[45, 80, 0] <= high
    assert opened.shown(middle.replace(fit="fit"))[45, 0, 0] < 10
    assert len(opened.requests) == 1
    opened.use(WHITE, lambda image: bool((image == 255).all()))
    assert len(opened.requests) == 2


def test_a_video_that_stops_is_reported_and_keeps_its_last_frame(
    opened: Opened, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stood still, and nobody was told."""
    monkeypatch.setattr(VideoInput, "rewind", lambda video: False)  # its drive is gone
    video = BackgroundSettings(kind="video", path=write_video(tmp_path / "film.mp4", frames=2))
    opened.use(video, lambda image: colour_number(image) == 0)
    eventually(lambda: bool(opened.shown(video).any() and opened.board.read().problems))
    (problem,) = opened.board.read().problems
    assert problem.stage is Stage.BACKGROUND and "film.mp4 can no longer be read" in problem.message
    assert not (opened.shown(video) == PLAIN_GREY).all()
    opened.use(BLACK, lambda image: not image.any())
    assert not opened.board.read().problems


def test_a_background_that_opens_closes_no_problem_of_the_stand_by_card(opened: Opened) -> None:
    opened.board.report(Stage.BACKGROUND, "The image of the stand-by card is missing.")
    opened.use(WHITE, lambda image: bool((image == 255).all()))
    (problem,) = opened.board.read().problems
    assert "stand-by card" in problem.message


def leave_before_it_opens(opened: Opened, left: BackgroundSettings, wanted: BackgroundSettings) -> None:
    """Over black, choose a background and another one before it is open; it opens, and the other one is held."""
    opened.use(BLACK, lambda image: not image.any())
    opened.gates = {each.colour: threading.Event() for each in (left, wanted)}
    opened.backdrops.follow(left)
    eventually(lambda: opened.requests[-1] == left)
    opened.backdrops.follow(wanted)
    opened.gates[left.colour].set()
    eventually(lambda: opened.requests[-1] == wanted)


def test_a_background_that_was_left_is_not_shown_after_the_return_to_the_one_before(opened: Opened) -> None:
    """It took the place of the one in use until that one had been opened again."""
    leave_before_it_opens(opened, WHITE, BLACK)
    assert not opened.shown(BLACK).any()
    opened.gates[BLACK.colour].set()
    eventually(lambda: not opened.backdrops.preparer.busy)
    assert not opened.shown(BLACK).any()


def test_a_blurred_room_that_was_left_before_it_opened_is_never_shown(opened: Opened) -> None:
    """It was shown, from one picture to the next, until that one had been opened."""
    leave_before_it_opens(opened, BackgroundSettings(kind="blur", colour="#111111"), WHITE)
    assert not opened.shown(WHITE).any()
    opened.gates[WHITE.colour].set()
    opened.use(WHITE, lambda image: bool((image == 255).all()))


def test_the_problem_of_a_background_ends_when_none_is_chosen(opened: Opened, tmp_path: Path) -> None:
    missing = BackgroundSettings(kind="image", path=tmp_path / "missing.png")
    opened.backdrops.follow(missing)
    eventually(lambda: not opened.backdrops.preparer.busy)
    opened.backdrops.follow(missing)
    assert opened.board.read().problems
    opened.backdrops.follow(missing.replace(kind="none"))
    assert not opened.board.read().problems
