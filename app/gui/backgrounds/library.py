"""The user's backgrounds: their files, listed, added, renamed and removed off the GUI thread."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from os.path import lexists
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from PyQt6.QtCore import QEvent, QFile, QMimeData, QObject, QStandardPaths, pyqtSignal
from PyQt6.QtGui import QDragMoveEvent, QDropEvent, QGuiApplication, QImage
from PyQt6.QtWidgets import QWidget

from app.backgrounds import open_background
from app.backgrounds.kinds import BACKGROUND_SUFFIXES, bundled_backgrounds, own_backgrounds, title
from app.core import files, geometry, paths
from app.core.errors import BackgroundError, Text, t, text_of
from app.core.files import (
    names_device,
    new_file_held,
    same_file,
    version_of,
    when_closed,
    why_not_written,
)
from app.core.settings import BackgroundSettings
from app.core.threads import poll_until
from app.core.types import BgrImage
from app.gui.backgrounds.tiles import (
    FIXED_KINDS,
    THUMBNAIL,
    Tile,
    TileModel,
    bundled_name,
    fixed_names,
)
from app.gui.bridge import from_qimage, to_qimage
from app.gui.state import Tasks
from app.gui.translation import tr, translated
from app.gui.widgets.qt import existing
from app.media.image_file import MAX_SIDE, kind_of_file, write_picture

# (width, height) in pixels at which a new file is decoded once.
CHECK_SIZE = (160, 90)
# Characters of a name from the web, of four bytes at most each: file systems take 255
# bytes.
LONGEST_NAME = 60
# Interval of tries to move a file to the trash.
POLL_S = 0.05
USER_DATA = QStandardPaths.StandardLocation.GenericDataLocation


@contextmanager
def _named_errors(message: Callable[..., Text], file: str | Path) -> Iterator[None]:
    """Raise BackgroundError with a message about a file in place of an OSError."""
    try:
        yield
    except OSError as error:
        raise BackgroundError(message(file=file, reason=why_not_written(error))) from error


def thumbnail(path: Path, width: int, height: int) -> BgrImage:
    """Return a thumbnail of a background file, filling (width, height).

    Raises BackgroundError for a damaged file.
    """
    settings = BackgroundSettings(kind=kind_of_file(path), path=path)
    background = open_background(settings, realtime=False)
    try:
        backdrop = background.backdrop(width, height, 0.0)
    finally:
        background.close()
    if not isinstance(backdrop, np.ndarray):
        raise BackgroundError(
            t("{file} contains no readable frame; remove it or add it again.", file=path.name),
        )
    return backdrop


def add_background(path: Path) -> Path:
    """Check a file and copy it to the backgrounds folder; return the copy. Raises MattecamError."""
    if path.suffix.lower() not in BACKGROUND_SUFFIXES:
        raise BackgroundError(
            t(
                "{file} is neither an image nor a video; use a PNG, JPEG, WebP or MP4 file.",
                file=path.name,
            ),
        )
    # A damaged file must not enter the library.
    thumbnail(path, *CHECK_SIZE)
    folder = paths.backgrounds_dir()
    with _named_errors(partial(t, "{file} could not be copied: {reason}."), path.name):
        folder.mkdir(parents=True, exist_ok=True)
        # Others may add a file of the same name now.
        with TemporaryDirectory(prefix=".", dir=folder) as own:
            part = Path(own) / "part"
            shutil.copyfile(path, part)
            with new_file_held(folder, path.stem, path.suffix.lower()) as target:
                when_closed(partial(part.replace, target))
    return target


def add_picture(image: BgrImage, name: str) -> Path:
    """Save a pasted or dropped image as a PNG file in the backgrounds folder. Raises MattecamError.

    A larger one than any output needs, which might not be read again, is scaled down.
    """
    height, width = image.shape[:2]
    if max(height, width) > MAX_SIDE:
        size = geometry.contain_size(width, height, MAX_SIDE, MAX_SIDE)
        image = geometry.scale(image, *size)
    with (
        new_file_held(paths.backgrounds_dir(), name, ".png") as target,
        _named_errors(partial(t, "{file} could not be written: {reason}."), target),
    ):
        write_picture(target, image)
    return target


def clean_name(name: str) -> str:
    """Return what a file name may have of a name; it may be empty."""
    # Windows allows none of these, and cuts spaces and dots from the end.
    forbidden = '/\\:*?"<>|'
    allowed = [each for each in name if each.isprintable() and each not in forbidden]
    return "".join(allowed).strip(" .")


def rename_background(path: Path, name: str) -> Path:
    """Rename a file, keeping its suffix; return the new path. Raises BackgroundError."""
    cleaned = clean_name(name)
    if not cleaned:
        raise BackgroundError(t("The name of a background must contain letters or digits."))
    if names_device(cleaned):
        raise BackgroundError(
            t("Windows keeps the name “{name}” for a device; choose another name.", name=cleaned),
        )
    target = path.with_name(cleaned + path.suffix)
    if target.name == path.name:
        return path
    # Windows and macOS do not tell capital letters apart.
    is_other_file = not same_file(path, target)
    if lexists(target) and is_other_file:
        raise BackgroundError(
            t("A background “{name}” already exists; choose another name.", name=cleaned),
        )
    with _named_errors(partial(t, "{file} could not be renamed: {reason}."), path.name):
        when_closed(partial(path.rename, target))
    return target


def remove_background(path: Path) -> None:
    """Move a file to the trash.

    Raises BackgroundError, and keeps the file, where the system has none for it.
    """
    # Qt does not make the folder that the trash of a new account is in.
    with suppress(OSError):
        Path(QStandardPaths.writableLocation(USER_DATA)).mkdir(parents=True, exist_ok=True)

    def is_gone() -> bool:
        moved, _trash = QFile.moveToTrash(str(path))
        return moved or not lexists(path)

    # Windows moves no file that is open, as for its thumbnail.
    limit_s = files.HELD_S if files.WINDOWS else 0.0
    if not poll_until(is_gone, limit_s, POLL_S):
        raise BackgroundError(
            t(
                "{file} could not be moved to the trash; remove it from {folder} yourself.",
                file=path.name,
                folder=path.parent,
            )
        )


class BackgroundLibrary(QObject):
    """Lists the backgrounds in the tile model; adds what is chosen, dropped or pasted."""

    # Path of a new background that should be chosen.
    added = pyqtSignal(object)
    # What failed, in one sentence.
    failed = pyqtSignal(object)  # a str would lose the message of a Text

    def __init__(self, model: TileModel, tasks: Tasks, parent: QObject) -> None:
        super().__init__(parent)
        self._model = model
        self._tasks = tasks
        self._model.set_tiles(_tiles())

    def reload(self) -> None:
        """List the files again."""
        folder = paths.backgrounds_dir()
        self._tasks.run(
            lambda: _tiles(own_backgrounds()), self._show, self.fail, newest=True, file=folder
        )

    def add_files(self, paths: list[Path]) -> None:
        """Copy files to the library, one after the other; the last one is chosen."""

        def go_on(tell: Callable[[Any], object], outcome: object) -> None:
            tell(outcome)
            self.add_files(paths[1:])

        if paths:
            first = paths[0]
            added = partial(go_on, self._added)
            failed = partial(go_on, self.fail)
            self._tasks.run(partial(add_background, first), added, failed, file=first)

    def add_image(self, image: object, name: str = "") -> None:
        """Add a pasted or dropped QImage."""
        if not isinstance(image, QImage) or image.isNull():
            self.failed.emit(tr("The clipboard holds no image. Copy an image first."))
            return
        name = clean_name(name)[:LONGEST_NAME]
        if not name or names_device(name):
            name = tr("Image")
        add = partial(add_picture, from_qimage(image), name)
        self._tasks.run(add, self._added, self.fail, file=paths.backgrounds_dir())

    def _show(self, tiles: list[Tile]) -> None:
        self._model.set_tiles(tiles)
        for tile in tiles:
            if tile.path is not None and self._model.image_of(tile) is None:
                # Twice the size of the tile, for screens scaled to 200 %.
                make = partial(thumbnail, tile.path, 2 * THUMBNAIL.width(), 2 * THUMBNAIL.height())
                show = partial(self._show_thumbnail, tile)
                self._tasks.run(make, show, partial(self._show_problem, tile), file=tile.path)

    def _show_thumbnail(self, tile: Tile, image: BgrImage) -> None:
        self._model.show_file(tile, to_qimage(image))

    def _show_problem(self, tile: Tile, error: Exception) -> None:
        self._model.show_file(tile, translated(text_of(error)))

    def _added(self, path: Path) -> None:
        self.reload()
        self.added.emit(path)

    def fail(self, error: Exception) -> None:
        """Tell that a file was not added or changed."""
        self.failed.emit(text_of(error))

    def watch(self, widget: QWidget) -> None:
        """Add files and images that are dropped on a widget or in it."""
        widget.setAcceptDrops(True)
        widget.installEventFilter(self)

    def paste(self) -> None:
        """Add what is on the clipboard."""
        add = self._addition(existing(QGuiApplication.clipboard()).mimeData())
        if add is None:
            self.failed.emit(tr("There is no image to paste. Copy an image or a file first."))
        else:
            add()

    def _addition(self, mime: QMimeData | None) -> Callable[[], object] | None:
        """Return what adds the data; None where nothing of it can be added."""
        if mime is None:
            return None
        local = [Path(url.toLocalFile()) for url in mime.urls() if url.isLocalFile()]
        if local:
            return partial(self.add_files, local)
        if mime.hasImage():
            return lambda: self.add_image(mime.imageData())
        return None

    def eventFilter(self, _watched: QObject | None, event: QEvent | None) -> bool:
        # Events of dragging are of this class too.
        if not isinstance(event, QDropEvent):
            return False
        add = self._addition(event.mimeData())
        if add is None:
            return False
        event.acceptProposedAction()
        if not isinstance(event, QDragMoveEvent):
            add()
        return True


def _tiles(own: tuple[tuple[Path, str], ...] = ()) -> list[Tile]:
    """Return all tiles from left to right, by their numbers, but "None" last.

    own: see `own_backgrounds`.
    """
    fixed = [Tile(kind, name) for kind, name in zip(FIXED_KINDS, fixed_names(), strict=True)]
    tiles = fixed[1:]
    for path, name in own:
        version = version_of(path)
        tiles.append(Tile(kind_of_file(path), name, path, own=True, version=version))
    for path in bundled_backgrounds():
        tiles.append(Tile(kind_of_file(path), bundled_name(title(path)), path))
    tiles.append(fixed[0])
    return tiles
