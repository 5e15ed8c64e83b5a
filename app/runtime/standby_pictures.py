"""Stand-by cards as pictures, for every thread that needs one."""

from __future__ import annotations

import threading
from pathlib import Path

from app.compositing.standby import StandbyCard
from app.errors import BackgroundError
from app.runtime.board import StatusBoard
from app.runtime.status import Stage
from app.settings import OutputSettings
from app.types import Picture, PictureKind


class StandbyPictures:
    """Makes and keeps the card of the settings in force. Thread-safe."""

    def __init__(self, board: StatusBoard) -> None:
        self._board = board
        self._lock = threading.Lock()
        self._key: tuple[str, Path | None, int, int] | None = None
        self._picture: Picture | None = None

    def picture(self, settings: OutputSettings, width: int, height: int) -> Picture:
        """The card at this size; a picture of the user's that cannot be read is left out and reported."""
        key = (settings.standby_text, settings.standby_image, width, height)
        with self._lock:
            if self._picture is None or key != self._key:
                try:
                    card = StandbyCard(settings.standby_text, settings.standby_image)
                except BackgroundError as error:
                    self._board.report(Stage.BACKGROUND, error)
                    card = StandbyCard(settings.standby_text, None)
                self._picture = Picture(card.image(width, height), PictureKind.STANDBY)
                self._key = key
            return self._picture
