"""Backgrounds added by drag and drop or paste."""

from __future__ import annotations

from pathlib import Path

from PyQt6.QtCore import QEvent, QMimeData, QObject, pyqtSignal
from PyQt6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDragMoveEvent, QDropEvent, QImage
from PyQt6.QtWidgets import QWidget

from app.gui.backgrounds.library import BackgroundLibrary


class BackgroundDrops(QObject):
    """Accepts files, images and image URLs dropped on widgets, and adds them to the library."""

    hovered = pyqtSignal(bool)
    """Whether something that can be added is dragged over a watched widget."""

    def __init__(self, library: BackgroundLibrary, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._library = library

    def watch(self, widget: QWidget) -> None:
        """Accept drops on this widget."""
        widget.setAcceptDrops(True)
        widget.installEventFilter(self)

    def add_from(self, mime: QMimeData | None) -> bool:
        """Add the files, image or URLs in the data; return False where there are none."""
        if mime is None:
            return False
        local = [Path(url.toLocalFile()) for url in mime.urls() if url.isLocalFile()]
        if local:
            self._library.add_files(local)
            return True
        if mime.hasImage():
            image = mime.imageData()
            self._library.add_image(image if isinstance(image, QImage) else QImage())
            return True
        remote = [url for url in mime.urls() if url.scheme() in ("http", "https")]
        for url in remote:
            self._library.fetch(url)
        return bool(remote)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        if isinstance(event, QDragEnterEvent | QDragMoveEvent):
            if _usable(event.mimeData()):
                event.acceptProposedAction()
                self.hovered.emit(True)
                return True
        elif isinstance(event, QDragLeaveEvent | QDropEvent):
            self.hovered.emit(False)
        if isinstance(event, QDropEvent) and self.add_from(event.mimeData()):
            event.acceptProposedAction()
            return True
        return super().eventFilter(watched, event)


def _usable(mime: QMimeData | None) -> bool:
    if mime is None:
        return False
    return mime.hasImage() or any(url.isLocalFile() or url.scheme() in ("http", "https") for url in mime.urls())
