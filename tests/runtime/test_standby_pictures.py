"""Cards are drawn beside the outputs' clock, which never waits for one."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from app.compositing.standby import StandbyCard
from app.core.settings import OutputSettings
from app.core.stage import Stage
from app.core.types import BgrImage, Picture, PictureKind
from app.privacy.gate import Gate
from app.runtime.board import StatusBoard
from app.runtime.engines.plan import StandBy
from app.runtime.outputs.output_clock import OutputClock
from app.runtime.outputs.standby_pictures import PLACEHOLDER_GREY, StandbyPictures
from app.runtime.shared import SettingsOwner, Shared
from app.runtime.worker import LatestSlot
from tests.fakes.world import BASE, FakeWorld
from tests.waiting import eventually

SOON = OutputSettings(standby_text="soon")


@pytest.fixture
def board() -> StatusBoard:
    return StatusBoard()


@pytest.fixture
def cards(board: StatusBoard) -> Iterator[StandbyPictures]:
    made = StandbyPictures(board)
    made.preparer.start()
    yield made
    assert made.preparer.stop(60)


def is_plain(picture: Picture) -> bool:
    return bool((picture.image == PLACEHOLDER_GREY).all())


def settled(cards: StandbyPictures, settings: OutputSettings, width: int, height: int) -> Picture:
    eventually(lambda: not is_plain(cards.get(settings, width, height)))
    return cards.get(settings, width, height)


class SlowCard(StandbyCard):
    """Is drawn once `may_draw` is set; one without text fails."""

    def __init__(self, text: str, image: Path | None) -> None:
        SlowCard.begun.set()
        assert SlowCard.may_draw.wait(60)
        if not text:
            raise RuntimeError("an error that nobody foresaw")
        super().__init__(text, image)

    begun, may_draw = threading.Event(), threading.Event()


@pytest.fixture
def slow(board: StatusBoard) -> Iterator[StandbyPictures]:
    SlowCard.begun, SlowCard.may_draw = threading.Event(), threading.Event()
    made = StandbyPictures(board, SlowCard)
    made.preparer.start()
    yield made
    assert made.preparer.stop(60)


def test_a_card_that_fails_after_another_one_was_chosen_is_no_problem(
    slow: StandbyPictures, board: StatusBoard
) -> None:
    slow.get(OutputSettings(), 64, 48)
    assert SlowCard.begun.wait(60)
    slow.get(SOON, 64, 48)
    SlowCard.may_draw.set()
    assert np.array_equal(settled(slow, SOON, 64, 48).image, StandbyCard("soon", None).image(64, 48))
    assert not board.read().problems


def test_something_plain_until_the_card_is_drawn(slow: StandbyPictures) -> None:
    first = slow.get(SOON, 64, 48)
    assert is_plain(first) and first.size == (64, 48) and first.kind is PictureKind.STANDBY
    assert slow.get(SOON, 64, 48) is first
    SlowCard.may_draw.set()
    card = settled(slow, SOON, 64, 48)
    assert card.kind is PictureKind.STANDBY
    assert np.array_equal(card.image, StandbyCard("soon", None).image(64, 48))


def test_another_text_shows_the_last_card_meanwhile(cards: StandbyPictures) -> None:
    first = settled(cards, SOON, 64, 48)
    later = OutputSettings(standby_text="later")
    assert cards.get(later, 64, 48) is first
    eventually(lambda: cards.get(later, 64, 48) is not first)
    assert is_plain(cards.get(later, 80, 48)), "a card of another size does not stand in"


def test_every_size_comes_in_the_end(cards: StandbyPictures) -> None:
    for width in (64, 80, 96, 112, 128, 144, 64, 80):
        assert settled(cards, SOON, width, 48).size == (width, 48)


def test_an_image_that_cannot_be_read_is_reported_and_left_out(
    tmp_path: Path, cards: StandbyPictures, board: StatusBoard
) -> None:
    gone = OutputSettings(standby_image=tmp_path / "gone.png")

    def problems(wanted: OutputSettings) -> list[str]:
        assert settled(cards, wanted, 64, 48).kind is PictureKind.STANDBY
        return [problem.message for problem in board.read().problems]

    for _ in range(2):
        eventually(lambda: any("gone.png" in message for message in problems(gone)))
        assert not problems(SOON)


def test_the_card_in_place_of_an_image_has_the_text_of_the_language(tmp_path: Path) -> None:
    """It was English in every language."""
    cards = StandbyPictures(StatusBoard(), default_text=lambda: "Einen Moment")
    cards.preparer.start()
    shown = settled(cards, OutputSettings(standby_image=tmp_path / "gone.png"), 160, 90)
    assert np.array_equal(shown.image, StandbyCard("Einen Moment").image(160, 90))
    assert cards.preparer.stop(60)


def test_a_card_that_cannot_be_drawn_is_reported_and_not_drawn_again() -> None:
    drawn = []

    class Broken(StandbyCard):
        def image(self, width: int, height: int) -> BgrImage:
            drawn.append(width)
            raise RuntimeError("an error that nobody foresaw")

    board = StatusBoard()
    cards = StandbyPictures(board, Broken)
    cards.preparer.start()
    eventually(lambda: cards.get(SOON, 64, 48) is not None and bool(board.read().problems))
    eventually(lambda: not cards.preparer.busy)
    assert [problem.stage for problem in board.read().problems] == [Stage.OUTPUT]
    count = len(drawn)
    assert is_plain(cards.get(SOON, 64, 48)) and not cards.preparer.busy
    assert len(drawn) == count == 1
    assert cards.preparer.stop(60)


class AlwaysAPicture(LatestSlot[Picture | StandBy]):
    """A network so fast that no tick of the clock is without a picture."""

    def get(self, timeout_s: float | None = None) -> Picture:
        return Picture(np.zeros((48, 64, 3), np.uint8), PictureKind.COMPOSITE, hides=BASE.hides)


def test_an_image_that_cannot_be_read_is_reported_before_its_card_is_needed(tmp_path: Path) -> None:
    """It was reported when the first card left, which is too late to choose another one."""
    gone = BASE.output.replace(standby_image=tmp_path / "gone.png")
    shared = Shared(SettingsOwner(BASE.replace(output=gone)), FakeWorld().parts())
    cards = StandbyPictures(shared.board)
    preview = LatestSlot[Picture]()
    clock = OutputClock(shared, AlwaysAPicture(), Gate(lambda: shared.owner.current, cards.get), (), preview)
    cards.preparer.start()
    clock.thread.start()

    def reported() -> list[str]:
        return [problem.message for problem in shared.board.read().problems]

    eventually(lambda: any("gone.png" in message for message in reported()))
    newest = preview.get(60)
    assert newest is not None and newest.kind is PictureKind.COMPOSITE
    shared.owner.change(lambda settings: settings.replace(output=SOON))
    eventually(lambda: not reported())
    assert clock.thread.stop(60) and cards.preparer.stop(10)
