"""Lists, adds, renames and removes the user's backgrounds off the GUI thread, also those dropped or pasted."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PyQt6.QtCore import QEvent, QMimeData, QObject, QUrl, pyqtSignal
from PyQt6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDragMoveEvent, QDropEvent, QImage
from PyQt6.QtNetwork import QNetworkAccessManager, QNetworkReply, QNetworkRequest
from PyQt6.QtWidgets import QWidget

from app.compositing.library import bundled_backgrounds, own_backgrounds, title
from app.core.errors import BackgroundError, text_of
from app.core.types import BgrImage
from app.gui.backgrounds import files
from app.gui.backgrounds.tile_view import THUMBNAIL
from app.gui.backgrounds.tiles import FIXED_KINDS, Tile, TileKind, TileModel, bundled_name, fixed_names
from app.gui.i18n.messages import translated_error
from app.gui.preview.qimage import from_qimage, to_qimage
from app.gui.state.tasks import Tasks
from app.gui.widgets.qt import existing

FETCH_TIMEOUT_MS = 20_000
MAX_FETCH_BYTES = 60_000_000


class BackgroundLibrary(QObject):
    """Changes the files of the user's backgrounds and keeps the tile model up to date."""

    added = pyqtSignal(object)
    """Path of a new background that should be chosen."""
    renamed = pyqtSignal(object, object)
    """(old path, new path)"""
    removed = pyqtSignal(str, object)
    """(name, what restores it; None where its path in the trash is unknown)"""
    restored = pyqtSignal(object, object)
    """(former path, path) of a background that is back from the trash, or could not be removed"""
    not_trashed = pyqtSignal(object)
    """The Tile of a file that was kept because it could not be moved to the trash."""
    failed = pyqtSignal(object)  # a str would lose the message of a Text
    """What failed, in one sentence."""

    def __init__(self, model: TileModel, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self._tasks = tasks
        self._network: QNetworkAccessManager | None = None
        self._removed: tuple[str, Path | None, Path] | None = None
        """Name, path in the trash and former path of the background removed last."""
        self._model.set_tiles(_tiles(()))

    def reload(self) -> None:
        """List the files again."""
        self._tasks.run(own_backgrounds, self._show)

    def add_files(self, paths: list[Path]) -> None:
        """Copy files to the library; the last one is chosen."""
        for path in paths:
            self._tasks.run(partial(files.add_background, path), self._added, self._fail)

    def add_image(self, image: QImage, name: str = "") -> None:
        """Add a pasted or dropped image."""
        if image.isNull():
            self.failed.emit(self.tr("The clipboard holds no image. Copy an image first."))
            return
        name = files.clean_name(name)[: files.LONGEST_NAME] or self.tr("Image")
        work = partial(files.add_picture, from_qimage(image), name)
        self._tasks.run(work, self._added, self._fail)

    def fetch(self, url: QUrl) -> None:
        """Download an image whose URL was dropped, and add it."""
        if self._network is None:
            self._network = QNetworkAccessManager(self)
        request = QNetworkRequest(url)
        request.setTransferTimeout(FETCH_TIMEOUT_MS)
        reply = existing(self._network.get(request))
        reply.downloadProgress.connect(lambda got, _total: reply.abort() if got > MAX_FETCH_BYTES else None)
        reply.finished.connect(lambda: self._fetched(reply))

    def rename(self, tile: Tile, name: str) -> None:
        """Rename a file of the user."""
        if tile.path is not None and tile.own:
            old = tile.path

            def done(new: Path) -> None:
                self.renamed.emit(old, new)
                self.reload()

            self._tasks.run(partial(files.rename_background, old, name), done, self._fail)

    def remove(self, tile: Tile) -> None:
        """Move a file of the user to the trash; emit `not_trashed` if that is not possible."""
        if tile.path is not None and tile.own:
            original = tile.path

            def done(trash: Path | None) -> None:
                if trash is not None or self._removed is None or self._removed[2] != original:  # else asked for twice
                    self._tell_removed(tile.name, trash, original)
                self.reload()

            def failed(error: Exception) -> None:
                self.restored.emit(original, original)
                if isinstance(error, BackgroundError):
                    self.not_trashed.emit(tile)
                else:
                    self._fail(error)

            self._tasks.run(partial(files.remove_background, original), done, failed)

    def take_over(self, other: BackgroundLibrary) -> None:
        """Tell again what another window removed last."""
        if other._removed is not None:
            self._tell_removed(*other._removed)

    def _tell_removed(self, name: str, trash: Path | None, original: Path) -> None:
        self._removed = name, trash, original
        self.removed.emit(name, None if trash is None else partial(self._restore, trash, original))

    def delete(self, tile: Tile) -> None:
        """Delete a file of the user for good."""
        if tile.path is not None and tile.own:
            path = tile.path

            def failed(error: Exception) -> None:
                self.restored.emit(path, path)
                self._fail(error)

            self._tasks.run(partial(files.delete_background, path), lambda _none: self.reload(), failed)

    def _restore(self, trash: Path, original: Path) -> None:
        def done(path: Path) -> None:
            self.reload()
            self.restored.emit(original, path)

        self._tasks.run(partial(files.restore_background, trash, original), done, self._fail)

    def _show(self, own: tuple[tuple[Path, str], ...]) -> None:
        self._model.set_tiles(_tiles(own))
        for tile in self._model.tiles:
            if tile.path is not None and self._model.image_of(tile) is None:
                self._make_thumbnail(tile, tile.path)

    def _make_thumbnail(self, tile: Tile, path: Path) -> None:
        # Twice the size of the tile, for screens scaled to 200 %.
        work = partial(files.thumbnail, path, 2 * THUMBNAIL.width(), 2 * THUMBNAIL.height())

        def done(image: BgrImage) -> None:
            self._model.set_image(tile, to_qimage(image))

        self._tasks.run(work, done, lambda error: self._model.set_broken(tile, translated_error(error)))

    def _added(self, path: Path) -> None:
        self.reload()
        self.added.emit(path)

    def _fetched(self, reply: QNetworkReply) -> None:
        reply.deleteLater()
        image = QImage()
        if reply.error() is QNetworkReply.NetworkError.NoError:
            image.loadFromData(reply.readAll())
        if image.isNull():
            self.failed.emit(
                self.tr("No image could be loaded from {0}. Save it to a file and add the file.").format(
                    reply.url().host()
                )
            )
        else:
            self.add_image(image, Path(reply.url().path()).stem)

    def _fail(self, error: Exception) -> None:
        self.failed.emit(text_of(error))


def _tiles(own: tuple[tuple[Path, str], ...]) -> list[Tile]:
    """Return all tiles from left to right: the user's files first, "None" last. own: see `own_backgrounds`."""
    none, *fixed = (Tile(kind, name) for kind, name in zip(FIXED_KINDS, fixed_names(), strict=True))
    return [
        *(Tile(_kind(path), name, path, own=True) for path, name in own),
        *fixed,
        *(Tile(_kind(path), bundled_name(title(path)), path) for path in bundled_backgrounds()),
        none,
    ]


def _kind(path: Path) -> TileKind:
    return TileKind.VIDEO if files.is_video(path) else TileKind.IMAGE


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
