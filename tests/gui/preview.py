"""Acts on the preview as a pointer does."""

from __future__ import annotations

from PyQt6.QtCore import QPoint, QPointF, Qt
from pytestqt.qtbot import QtBot

from app.gui.shell.application import Session
from tests.gui.controls import Controls


def ready(session: Session | Controls, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: session.window.preview.image is not None)


def at(session: Session | Controls, x: float, y: float) -> QPoint:
    """Return a point of the preview from fractions of the image."""
    rect = session.window.preview.picture_rect()
    return QPointF(rect.left() + x * rect.width(), rect.top() + y * rect.height()).toPoint()


def pull(session: Session | Controls, qtbot: QtBot, start: QPoint, end: QPoint) -> None:
    preview = session.window.preview
    qtbot.mousePress(preview, Qt.MouseButton.LeftButton, pos=start)
    for step in range(1, 5):
        qtbot.mouseMove(preview, start + (end - start) * step / 4)
    qtbot.mouseRelease(preview, Qt.MouseButton.LeftButton, pos=end)
