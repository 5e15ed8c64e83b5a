"""Cards are drawn beside the outputs' clock, which never waits for one."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from app.compositing.standby import StandbyCard
from app.core.settings import OutputSettings
from app.core.types import BgrImage, Picture, PictureKind
from app.runtime import standby_pictures
from app.runtime.board import StatusBoard
from app.runtime.standby_pictures import PLAIN, StandbyPictures
from tests.waiting import eventually

SOON = OutputSettings(standby_text="soon")


@pytest.fixture
def cards() -> Iterator[StandbyPictures]:
    made = StandbyPictures(StatusBoard())
    made.start()
    yield made
    assert made.stop(10)


def is_plain(picture: Picture) -> bool:
    return bool((picture.image == PLAIN).all())


def settled(cards: StandbyPictures, settings: OutputSettings, width: int, height: int) -> Picture:
    eventually(lambda: not is_plain(cards.soon(settings, width, height)))
    return cards.soon(settings, width, height)


def test_something_plain_until_the_card_is_drawn(cards: StandbyPictures, monkeypatch: pytest.MonkeyPatch) -> None:
    may_draw = threading.Event()

    class Slow(StandbyCard):
        def image(self, width: int, height: int) -> BgrImage:
            may_draw.wait(10)
            return super().image(width, height)

    monkeypatch.setattr(standby_pictures, "StandbyCard", Slow)
    first = cards.soon(SOON, 64, 48)
    assert is_plain(first) and first.size == (64, 48) and first.kind is PictureKind.STANDBY
    assert cards.soon(SOON, 64, 48) is first
    may_draw.set()
    card = settled(cards, SOON, 64, 48)
    assert card.kind is PictureKind.STANDBY
    assert np.array_equal(card.image, StandbyCard("soon", None).image(64, 48))


def test_another_text_shows_the_last_card_meanwhile(cards: StandbyPictures) -> None:
    first = settled(cards, SOON, 64, 48)
    later = OutputSettings(standby_text="later")
    assert cards.soon(later, 64, 48) is first
    eventually(lambda: cards.soon(later, 64, 48) is not first)
    assert cards.soon(SOON, 64, 48) is first


def test_every_size_comes_in_the_end(cards: StandbyPictures) -> None:
    for width in (64, 80, 96, 112, 128, 144, 64, 80):
        assert settled(cards, SOON, width, 48).size == (width, 48)


def test_who_may_wait_gets_the_card_itself(tmp_path: Path) -> None:
    board = StatusBoard()
    cards = StandbyPictures(board)
    picture = cards.picture(OutputSettings(standby_image=tmp_path / "gone.png"), 64, 48)
    assert picture.kind is PictureKind.STANDBY and not is_plain(picture)
    assert "gone.png" in board.read(busy="", readers=None, frames_dropped=0).problems[0].message
