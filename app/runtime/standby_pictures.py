"""Stand-by cards as pictures, for every thread that needs one."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from app.compositing.standby import StandbyCard
from app.core.errors import BackgroundError
from app.core.settings import OutputSettings
from app.core.types import Picture, PictureKind
from app.runtime.board import StatusBoard
from app.runtime.prepare import Preparer
from app.runtime.status import Stage

PLAIN = 24
"""The grey that stands in for a card, of 255: about as dark as the card's edge."""
_KEPT = 4
"""The cards of so many sizes and texts are kept."""


@dataclass(frozen=True, slots=True)
class CardKey:
    """What a card depends on."""

    text: str
    image: Path | None
    width: int
    height: int


class StandbyPictures:
    """Makes and keeps the cards of the settings in force. Thread-safe.

    Drawing one takes long enough for readers to notice: `soon` leaves it to a thread that runs from `start` to `stop`.
    """

    def __init__(self, board: StatusBoard) -> None:
        self._board = board
        self._drawing = threading.Lock()
        self._drawn: dict[CardKey, Picture] = {}
        self._preparer: Preparer[CardKey, Picture] = Preparer("standby-card", self._card, lambda picture: None)
        self._asked: CardKey | None = None
        self._meanwhile: Picture | None = None
        self.start = self._preparer.start

    def picture(self, settings: OutputSettings, width: int, height: int) -> Picture:
        """The card at this size, drawn now if need be; a picture of the user's that cannot be read is left out and
        reported."""
        return self._card(CardKey(settings.standby_text, settings.standby_image, width, height))

    def soon(self, settings: OutputSettings, width: int, height: int) -> Picture:
        """The card at this size, or, while it is drawn, the last one or something plain. For one thread alone."""
        key = CardKey(settings.standby_text, settings.standby_image, width, height)
        card = self._drawn.get(key)
        if card is not None:
            self._asked, self._meanwhile = None, card
            return card
        if key != self._asked or not self._preparer.busy:
            self._asked = key
            self._preparer.request(key)
        if self._meanwhile is None or self._meanwhile.size != (width, height):
            self._meanwhile = Picture(np.full((height, width, 3), PLAIN, np.uint8), PictureKind.STANDBY)
        return self._meanwhile

    def stop(self, timeout_s: float) -> bool:
        """End the thread; False if it still runs."""
        self._preparer.request_stop()
        return self._preparer.join(timeout_s)

    def _card(self, key: CardKey) -> Picture:
        with self._drawing:
            if key not in self._drawn:
                try:
                    card = StandbyCard(key.text, key.image)
                except BackgroundError as error:
                    self._board.report(Stage.BACKGROUND, error)
                    card = StandbyCard(key.text, None)
                while len(self._drawn) >= _KEPT:
                    del self._drawn[next(iter(self._drawn))]
                self._drawn[key] = Picture(card.image(key.width, key.height), PictureKind.STANDBY)
            return self._drawn[key]
