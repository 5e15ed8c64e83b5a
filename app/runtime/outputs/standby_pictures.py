"""Stand-by cards, drawn on a thread of their own so that no output waits for one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np

from app.backgrounds.standby import StandbyCard
from app.core.errors import Stage
from app.core.settings import OutputSettings
from app.core.types import BgrImage, Picture, PictureKind
from app.runtime.board import StatusBoard
from app.runtime.worker import Preparer

PLACEHOLDER_GREY = 24
"""Grey level (0..255) of the picture sent until the first card is drawn; about as dark as the card's edge."""
MAX_CACHED = 4
CARD = "standby-card"
"""The part of its stage that reports a card that cannot be drawn as wanted."""


CardKey = tuple[str, Path | None, int, int]
"""What a card depends on: text, image, width and height."""


def _plain(width: int, height: int) -> BgrImage:
    return np.full((height, width, 3), PLACEHOLDER_GREY, np.uint8)


class StandbyPictures:
    """Draws and caches the cards of the settings in force. `get` is thread-safe."""

    def __init__(
        self,
        board: StatusBoard,
        make_card: Callable[[str, Path | None], StandbyCard] = StandbyCard,
        default_text: Callable[[], str] = lambda: "",
    ) -> None:
        """make_card: makes the card of a text and an image file; raises BackgroundError.

        default_text: returns the text of a card without text and image, in the user's language (any thread).
        """
        self._default_text = default_text
        self._board = board
        self._make_card = make_card
        self._lock = threading.Lock()
        self._shown: tuple[str, Path | None] | None = None
        """Text and image of the card returned last."""
        self._cached: dict[tuple[int, int], Picture] = {}
        """Its pictures by size; one that could not be drawn is without its image, or plain."""
        self._requested: CardKey | None = None
        self._fallback: Picture | None = None
        """What was returned last: it stands in for the card that is being drawn, if the size is the same."""
        self.preparer: Preparer[CardKey, Picture] = Preparer(CARD, self._draw, lambda picture: None, low_priority=True)

    def get(self, settings: OutputSettings, width: int, height: int) -> Picture:
        """Return the card at this size without waiting; until it is drawn, the last card or a plain picture."""
        text = settings.standby_text.strip() or ("" if settings.standby_image else self._default_text())
        key = text, settings.standby_image, width, height
        with self._lock:
            if key[:2] != self._shown:
                self._begin(key[:2])
            card = self._cached.get((width, height))
            if card is not None:
                self._requested, self._fallback = None, card
                return card
            if key != self._requested or not self.preparer.busy:
                self._requested = key
                self.preparer.request(key)
            if self._fallback is None or self._fallback.size != (width, height):
                self._fallback = Picture(_plain(width, height), PictureKind.STANDBY)
            return self._fallback

    def retry(self) -> None:
        """Draw the next card anew: its image may be there now (any thread)."""
        with self._lock:
            self._begin(None)

    def _begin(self, shown: tuple[str, Path | None] | None) -> None:
        """Draw all cards anew, of this text and image; close the problem of the last ones."""
        self._shown = shown
        self._cached.clear()
        self._board.report(Stage.OUTPUT, None, CARD)

    def _drawn(self, key: CardKey) -> tuple[BgrImage, Exception | None]:
        """Return the card, without its image if that fails, a plain picture if that fails too; and the failure."""
        text, image, width, height = key
        problem: Exception | None = None
        for tried in dict.fromkeys((image, None)):
            try:
                shown = text or ("" if tried else self._default_text())
                return self._make_card(shown, tried).image(width, height), problem
            except Exception as error:  # noqa: BLE001, PERF203 - reported; it would be drawn again at each tick
                problem = problem or error
        return _plain(width, height), problem

    def _draw(self, key: CardKey) -> Picture:
        drawn, problem = self._drawn(key)
        picture = Picture(drawn, PictureKind.STANDBY)
        with self._lock:
            if key[:2] == self._shown:
                while len(self._cached) >= MAX_CACHED:
                    del self._cached[next(iter(self._cached))]
                self._cached[picture.size] = picture
                if problem is not None:
                    self._board.report(Stage.OUTPUT, problem, CARD)
        return picture
