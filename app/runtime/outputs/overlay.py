"""Draws the overlay over pictures; renders it on a thread of its own when settings, size or minute change."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from app.compositing.overlay import Overlay, OverlayKey, wanted_overlay
from app.core.settings import Settings
from app.core.stage import Stage
from app.core.types import Picture
from app.runtime.board import StatusBoard
from app.runtime.prepare import Preparer


class OverlayPainter:
    """Owned by the inference thread, but for `preparer`, which the pipeline starts and stops."""

    def __init__(self, render: Callable[[OverlayKey], Overlay], board: StatusBoard) -> None:
        self.preparer: Preparer[OverlayKey, Overlay] = Preparer(
            "overlay-renderer", render, lambda overlay: None, Stage.OVERLAY, low_priority=True
        )
        self._board = board
        self._requested: OverlayKey | None = None
        self.current: Overlay | None = None
        """What `painted` draws; None for nothing."""
        self._size = (0, 0)

    def follow(self, settings: Settings, width: int, height: int) -> None:
        """Take what has been rendered, and have rendered what is wanted for frames of this size."""
        wanted = wanted_overlay(settings.overlay, width, height, settings.output.mirror)
        if wanted != self._requested:
            self._requested = wanted
            if wanted is None:
                self._board.report(Stage.OVERLAY, None)
            else:
                self.preparer.request(wanted)
            if wanted is None or self._size != (width, height):
                self.current = None
        outcome = self.preparer.take()
        if outcome is None or outcome.key != self._requested:
            return
        self.current, self._size = outcome.value, (width, height)
        self._board.report(Stage.OVERLAY, outcome.error)

    def painted(self, picture: Picture) -> Picture:
        """Return the picture with the overlay, on a copy of its pixels."""
        if self.current is None:
            return picture
        return overlaid(replace(picture, image=picture.image.copy()), self.current)


def overlaid(picture: Picture, overlay: Overlay) -> Picture:
    """Draw an overlay over a picture whose pixels belong to the caller; return it with the layers that it has now."""
    covered = overlay.draw(picture.image)
    return replace(picture, layers=replace(picture.layers, patches=overlay.patches, covered=covered))
