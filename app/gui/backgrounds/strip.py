"""The background strip below the preview, and the options of the background in use above it."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from pathlib import Path

from PyQt6.QtCore import QPoint, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QColor, QKeySequence, QShortcut
from PyQt6.QtWidgets import (
    QColorDialog,
    QComboBox,
    QFrame,
    QLabel,
    QMenu,
    QPushButton,
    QSizePolicy,
    QWidget,
)

from app.backgrounds.kinds import BACKGROUND_SUFFIXES
from app.config.exposure import exposed_by
from app.config.setting import GREEN
from app.core import files
from app.core.declaration import opens_alike
from app.core.errors import BackgroundError, t
from app.core.settings import BackgroundSettings, shown_strength
from app.gui.backgrounds.library import BackgroundLibrary, remove_background, rename_background
from app.gui.backgrounds.tiles import Tile, TileModel, TileView
from app.gui.questions import (
    UserFolder,
    ask_before_loss,
    ask_before_unmatted,
    ask_for_files,
    ask_for_name,
    path_of,
)
from app.gui.state import SettingsStore, Tasks
from app.gui.translation import tr
from app.gui.widgets.controls import ValueSlider, button, combo, fill_combo, label, percent
from app.gui.widgets.qt import AfterLayout, column, existing, row
from app.media.image_file import kind_of_file
from app.settings import Settings


class StripHeader(QWidget):
    """Options of the kind of background in use, and buttons."""

    def __init__(
        self,
        store: SettingsStore,
        choose_colour: Callable[[], None],
        show_all: QPushButton,
        add: QPushButton,
    ) -> None:
        super().__init__()
        self._blur = ValueSlider(
            0,
            100,
            percent,
            tr("Blur strength"),
            tr("How strongly the real background is blurred"),
            "blurSlider",
        )
        self._blur.setMaximumWidth(340)
        self._blur.value_changed.connect(
            lambda value: store.edit("background", blur_strength=value),
        )
        self._fit = combo(tr("Fit"), tr("How the image is fitted to the frame"), "fitCombo")
        self._fit.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self._fit.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self._fit.setMinimumContentsLength(5)
        self._fit.activated.connect(
            lambda _row: store.edit("background", fit=self._fit.currentData()),
        )
        colour = button(
            tr("Choose colour…"),
            tr("Colour of the background"),
            "colourButton",
            choose_colour,
            name=tr("Choose colour"),
        )
        warning = label(tr("Shows your real background."), "warning", wrap=True)
        warning.setObjectName("unmattedWarning")
        self._of_kind: dict[str, tuple[QWidget, ...]] = {
            "blur": (_caption(tr("Blur strength"), self._blur), self._blur),
            "file": (_caption(self._fit.accessibleName(), self._fit), self._fit),
            "colour": (colour,),
            "none": (warning,),
        }
        options: list[QWidget] = []
        for of_kind in self._of_kind.values():
            options += of_kind
        line = row(self, *options, None, show_all, add, spacing=8)
        for option in (self._blur, self._fit, warning):
            # More than the empty space after it.
            line.setStretchFactor(option, 9)
        store.changed.connect(self._show)
        self._show(store.current)

    def _show(self, settings: Settings) -> None:
        background = settings.background
        self._blur.set_least(round(shown_strength(0, settings.strict.level)))
        self._blur.show_value(round(settings.shown_blur))
        fits: list[tuple[str, object]] = [
            (tr("Fill the frame"), "fill"),
            (tr("Show the whole image"), "fit"),
        ]
        fill_combo(self._fit, fits, background.fit)
        # Images and videos have the same options.
        kind = background.kind if background.kind in self._of_kind else "file"
        # "Green" has a tile of its own, whose colour is not chosen.
        is_green = kind == "colour" and background.colour.lower() == GREEN
        for each, options in self._of_kind.items():
            for option in options:
                option.setVisible(each == kind and not is_green)


def _caption(text: str, named: QWidget) -> QLabel:
    made = label(text, "faint", wrap=True)
    made.setBuddy(named)
    return made


GAP = 4
# Largest height of the grid of all backgrounds, as a fraction of the window's.
GRID_SHARE = 0.75


class BackgroundStrip(QWidget):
    """Chooses the background by click, or by the number of its place.

    A number pressed again changes nothing.
    """

    # The background in use was chosen: if it failed, its file may be there now.
    chosen_again = pyqtSignal()
    # (old path, new path) of a file of the user
    renamed = pyqtSignal(object, object)

    def __init__(self, store: SettingsStore, tasks: Tasks) -> None:
        super().__init__()
        self._store = store
        self._tasks = tasks
        self.model = TileModel(store, self)
        self.library = BackgroundLibrary(self.model, tasks, self)
        self.view = self._make_view("backgroundList", wraps=False)
        self.view.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        bar = existing(self.view.horizontalScrollBar())
        self.view.setFixedHeight(self.view.tile_size.height() + bar.sizeHint().height() + 8)
        self.view.setMinimumWidth(self.view.tile_size.width())
        add = button(
            tr("Add…"),
            tr("Add images or videos. You can also drop or paste them."),
            "addBackgroundButton",
            self.ask_for_files,
            name=tr("Add a background"),
            icon_name="plus",
        )
        show_all = button(
            "",
            tr("Show all backgrounds in a grid"),
            "allBackgroundsButton",
            self.show_all,
            name=tr("All backgrounds"),
            icon_name="grid",
        )
        self._header = StripHeader(store, self.choose_colour, show_all, add)
        column(self, self._header, self.view, spacing=GAP)
        AfterLayout(self, self._fit)
        for number in range(1, 10):
            QShortcut(QKeySequence(str(number)), self, partial(self.choose_number, number))
        # A key combination, so that no single key press can show the real background.
        QShortcut(QKeySequence("Ctrl+0"), self, partial(self.choose_number, 0))
        QShortcut(
            QKeySequence.StandardKey.Delete,
            self.view,
            partial(self._of_current, self.ask_before_removal),
            context=Qt.ShortcutContext.WidgetShortcut,
        )
        QShortcut(
            QKeySequence("F2"),
            self.view,
            partial(self._of_current, self.ask_for_name),
            context=Qt.ShortcutContext.WidgetShortcut,
        )
        for each in self.findChildren(QShortcut):
            # A key that is held must not remove one tile after the other.
            each.setAutoRepeat(False)
        self.library.added.connect(self._use_added)
        self.model.rowsInserted.connect(self._show_chosen)
        store.changed.connect(self._show_chosen)
        self._show_chosen()

    def _make_view(self, name: str, *, wraps: bool) -> TileView:
        view = TileView(self.model, name, wraps=wraps)
        view.chosen.connect(self.choose)

        def open_menu(position: QPoint) -> None:
            tile = self.model.tile_at(view.indexAt(position))
            self.make_menu(tile).popup(view.mapToGlobal(position))

        view.customContextMenuRequested.connect(open_menu)
        return view

    def sizeHint(self) -> QSize:
        """The size with the tiles, whether they are shown or not."""
        header = self._header.sizeHint()
        return QSize(header.width(), header.height() + GAP + self.view.maximumHeight())

    def minimumSizeHint(self) -> QSize:
        """The size without the tiles, which the button "All backgrounds" shows too."""
        return self._header.minimumSizeHint()

    def _fit(self) -> None:
        """Leave the tiles out where the window is too low for them."""
        self.view.setVisible(self.height() >= self.sizeHint().height())

    def choose(self, tile: Tile) -> None:
        """Use this tile's background; ask before it shows more of the room."""
        # The real background does, or a blur of it that lets text be read.
        now = self._store.current
        new = tile.settings(now.background, now.window.own_colour)
        exposed = exposed_by(now.replace(background=new), now)
        if exposed:
            ask_before_unmatted(self, lambda: self._use(new), exposed[0])
        else:
            self._use(new)

    def choose_number(self, number: int) -> None:
        """Choose the tile of a number key."""
        tile = self.model.numbered(number)
        if tile is not None:
            self.choose(tile)

    def choose_colour(self) -> None:
        """Ask for the colour of the "Colour" tile, and use it."""
        dialog = QColorDialog(QColor(self.model.colour), self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.colorSelected.connect(self._use_colour)
        dialog.open()

    def ask_for_files(self) -> None:
        """Ask for files to add."""
        patterns = " ".join(f"*{suffix}" for suffix in sorted(BACKGROUND_SUFFIXES))
        name_filter = tr("Images and videos ({0})").format(patterns)
        folder = path_of(UserFolder.PicturesLocation)
        ask_for_files(
            self,
            tr("Add backgrounds"),
            self.library.add_files,
            name_filter,
            folder=folder,
        )

    def show_all(self) -> None:
        """Show all backgrounds in a grid over the window.

        It goes when one is chosen, or something beside it is clicked.
        """
        grid = QFrame(self, Qt.WindowType.Popup)
        grid.setObjectName("backgroundGrid")
        grid.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        grid.setAccessibleName(tr("All backgrounds"))
        view = self._make_view("backgroundGridList", wraps=True)
        view.chosen.connect(grid.close)
        column(grid, view, margins=8)
        # Margins, frame and scroll bar take 40 pixels across; 28 above and below.
        tiles_across = max(1, (self.width() - 40) // view.tile_size.width())
        lines = math.ceil(len(self.model.tiles) / tiles_across)
        whole_height = lines * view.tile_size.height() + 28
        height = min(whole_height, round(existing(self.window()).height() * GRID_SHARE))
        grid.setFixedSize(self.width(), height)
        grid.move(self.mapToGlobal(QPoint(0, self.height() - height)))
        view.setCurrentIndex(self.model.index(self.model.chosen_row))
        grid.show()
        view.setFocus()

    def _use(self, new: BackgroundSettings) -> None:
        current = self._store.current.background
        if new != current:
            self._store.edit("background", **dict(new))
        if opens_alike(new, current):
            self.chosen_again.emit()

    def _use_colour(self, colour: QColor) -> None:
        self._store.set("window.own_colour", colour.name())
        self._store.edit("background", kind="colour", colour=colour.name())

    def _use_added(self, path: Path) -> None:
        self._use(self._store.current.background.with_file(kind_of_file(path), path))

    def _show_chosen(self) -> None:
        """Make the chosen tile the current one."""
        row = self.model.chosen_row
        # Not while the user goes through the tiles with the keyboard. That of the window:
        # while a question is in front, no widget of the window has the focus.
        focused = existing(self.window()).focusWidget()
        if row >= 0 and focused is not self.view:
            self.view.setCurrentIndex(self.model.index(row))

    def make_menu(self, tile: Tile | None) -> QMenu:
        """Return the context menu of a tile, or of the empty area."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        if tile is not None:
            menu.addAction(tr("Use"), lambda: self.choose(tile))
            if tile.kind == "colour":
                menu.addAction(tr("Choose colour…"), self.choose_colour)
            if tile.own:
                menu.addAction(tr("Rename…"), lambda: self.ask_for_name(tile))
                menu.addAction(tr("Remove…"), lambda: self.ask_before_removal(tile))
            menu.addSeparator()
        menu.addAction(tr("Add…"), self.ask_for_files)
        return menu

    @property
    def current(self) -> Tile | None:
        """The tile to which renaming and removing apply."""
        return self.model.tile_at(self.view.currentIndex())

    def _of_current(self, change: Callable[[Tile], None]) -> None:
        if self.current is not None:
            change(self.current)

    def ask_for_name(self, tile: Tile) -> None:
        """Ask for a new name of a file of the user and rename it."""
        if tile.own:
            name = existing(tile.path).stem
            ask_for_name(self, tr("Rename background"), name, partial(self.rename, tile))

    def rename(self, tile: Tile, name: str) -> None:
        """Rename a file of the user; the settings follow it."""
        old = existing(tile.path)
        if self._plays(tile):
            self.library.fail(_plays_on_windows(old))
            return

        def done(new: Path) -> None:
            def follow(settings: Settings) -> Settings:
                if settings.background.path != old:
                    return settings
                return settings.replaced_at(["background"], path=new)

            self._change_both(follow)
            self.renamed.emit(old, new)
            self.library.reload()

        self._tasks.run(partial(rename_background, old, name), done, self.library.fail, file=old)

    def _change_both(self, update: Callable[[Settings], Settings]) -> None:
        """Change the settings in use, and those to be saved, which an option of this run hides."""
        self._store.change(update)
        self._store.change_saved(update)

    def _plays(self, tile: Tile) -> bool:
        """Return whether Windows keeps a video from being renamed or removed."""
        # It does so while the video is open as the background.
        if not files.WINDOWS or tile.kind != "video":
            return False
        return tile.chosen_by(self._store.current.background)

    def ask_before_removal(self, tile: Tile) -> None:
        """Ask whether to remove a file of the user."""
        if tile.own:
            text = tr("Remove the background “{0}”?").format(tile.name)
            consequence = tr("Its file goes to the trash.")
            ask_before_loss(self, text, consequence, tr("Remove"), partial(self.remove, tile))

    def remove(self, tile: Tile) -> None:
        """Remove a file of the user.

        In place of the one in use comes blur, or a colour where text could be read.
        """

        def without(settings: Settings) -> Settings:
            if not tile.chosen_by(settings.background):
                return settings
            blurred = settings.replaced_at(["background"], kind="blur")
            if blurred.text_is_readable:
                return settings.replaced_at(["background"], kind="colour")
            return blurred

        def done(_none: None) -> None:
            self._change_both(without)
            self.library.reload()

        path = existing(tile.path)
        if self._plays(tile):
            self.library.fail(_plays_on_windows(path))
            return
        self._tasks.run(partial(remove_background, path), done, self.library.fail, file=path)


def _plays_on_windows(file: Path) -> BackgroundError:
    return BackgroundError(
        t(
            "{file} plays as the background; choose another one, and then rename or remove it.",
            file=file.name,
        ),
    )
