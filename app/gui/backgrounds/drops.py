"""Pictures that come by drag and drop or by paste."""

from __future__ import annotations

from pathlib import Path

from PyQt6.QtCore import QEvent, QMimeData, QObject
from PyQt6.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent, QImage
from PyQt6.QtWidgets import QWidget

from app.gui.backgrounds.library import BackgroundLibrary


class BackgroundDrops(QObject):
    """Lets widgets take files, images and addresses of images, and adds them to the library."""

    def __init__(self, library: BackgroundLibrary, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._library = library

    def watch(self, widget: QWidget) -> None:
        """Let something be dropped on this widget."""
        widget.setAcceptDrops(True)
        widget.installEventFilter(self)

    def take(self, mime: QMimeData | None) -> bool:
        """Add what the data holds; False where it holds no background."""
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
                return True
        elif isinstance(event, QDropEvent) and self.take(event.mimeData()):
            event.acceptProposedAction()
            return True
        return super().eventFilter(watched, event)


def _usable(mime: QMimeData | None) -> bool:
    if mime is None:
        return False
    return mime.hasImage() or any(url.isLocalFile() or url.scheme() in ("http", "https") for url in mime.urls())
