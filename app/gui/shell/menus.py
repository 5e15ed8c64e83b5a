"""The menu bar: everything the window can do, with its keys."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PyQt6.QtCore import QObject, QUrl
from PyQt6.QtGui import QAction, QActionGroup, QDesktopServices, QGuiApplication, QKeySequence
from PyQt6.QtWidgets import QMenu

from app.gui.dialogs.doctor_dialog import APPS_PAGE
from app.gui.preview.rendering import ViewMode
from app.gui.state.preferences import WindowPreferences

if TYPE_CHECKING:
    from app.gui.shell.main_window import MainWindow


class Menus(QObject):
    """Builds the menus of a window."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._program()
        self._view()
        self._background()
        self.scenes = self._menu(self.tr("&Scenes"))
        self._help()

    def _menu(self, title: str) -> QMenu:
        menu = QMenu(title, self._window)
        bar = self._window.menuBar()
        if bar is not None:
            bar.addMenu(menu)
        return menu

    def _add(self, menu: QMenu, text: str, key: str, act: Callable[[], object]) -> QAction:
        action = QAction(text, menu)
        if key:
            action.setShortcut(QKeySequence(key))
        action.triggered.connect(lambda _on: act())
        menu.addAction(action)
        return action

    def _program(self) -> None:
        window, menu = self._window, self._menu(self.tr("&Program"))
        bar = window.actions_bar
        for text, key, target in (
            (self.tr("Pause"), "P", bar.pause),
            (self.tr("Freeze"), "F", bar.freeze),
            (self.tr("Record"), "R", bar.record),
            (self.tr("Snapshot"), "S", bar.snapshot),
        ):
            self._add(menu, text, key, target.click)
        self._add(menu, self.tr("Open the folder of recordings"), "", self._open_recordings)
        menu.addSeparator()
        self._add(menu, self.tr("Set-up assistant…"), "", window.show_assistant)
        menu.addSeparator()
        self._add(menu, self.tr("Quit"), "Ctrl+Q", window.quit)

    def _view(self) -> None:
        window, menu = self._window, self._menu(self.tr("&View"))
        for number, mode in enumerate(ViewMode, start=1):
            self._add(menu, window.actions_bar.mode_name(mode), f"Alt+{number}",
                      partial(window.actions_bar.set_mode, mode))  # fmt: skip
        menu.addSeparator()
        self._switch(menu, self.tr("Mirror the preview"), "M", "mirror_preview")
        self._switch(menu, self.tr("Figures on the preview"), "I", "show_readout")
        self._switch(menu, self.tr("Side panel"), "F9", "show_panel")
        self._switch(menu, self.tr("Performance plot"), "F8", "show_plot")
        menu.addSeparator()
        themes = QMenu(self.tr("Colours"), menu)
        menu.addMenu(themes)
        group = QActionGroup(themes)
        for theme, text in (
            ("system", self.tr("As the system")),
            ("light", self.tr("Light")),
            ("dark", self.tr("Dark")),
        ):
            action = self._add(themes, text, "", partial(window.preferences.change, theme=theme))
            action.setCheckable(True)
            action.setChecked(window.preferences.current.theme == theme)
            group.addAction(action)

    def _switch(self, menu: QMenu, text: str, key: str, field: str) -> None:
        preferences = self._window.preferences
        action = self._add(menu, text, key, lambda: None)
        action.setCheckable(True)
        action.setChecked(getattr(preferences.current, field))
        action.toggled.connect(lambda on: preferences.change(**{field: on}))

        def show(new: WindowPreferences) -> None:
            action.setChecked(getattr(new, field))

        preferences.changed.connect(show)

    def _background(self) -> None:
        strip, menu = self._window.strip, self._menu(self.tr("&Background"))
        self._add(menu, self.tr("Add…"), "Ctrl+O", strip.ask_for_files)
        self._add(menu, self.tr("Paste"), "Ctrl+V", self._paste)
        menu.addSeparator()
        self._add(menu, self.tr("Rename…"), "", strip.rename_current)
        self._add(menu, self.tr("Remove"), "", strip.remove_current)

    def _help(self) -> None:
        window, menu = self._window, self._menu(self.tr("&Help"))
        self._add(menu, self.tr("Check this computer…"), "", window.show_doctor)
        self._add(menu, self.tr("Choosing the camera in other programs"), "", self._open_apps_page)
        self._add(menu, self.tr("Log"), "Ctrl+L", window.show_log)
        self._add(menu, self.tr("Copy diagnostics"), "", window.copy_diagnostics)
        self._add(menu, self.tr("About Mattecam"), "", window.show_about)

    def _paste(self) -> None:
        clipboard = QGuiApplication.clipboard()
        if clipboard is not None and not self._window.strip.drops.take(clipboard.mimeData()):
            self._window.error_bar.show_message(self.tr("There is no picture to paste; copy an image or a file first."))

    def _open_apps_page(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(APPS_PAGE)))

    def _open_recordings(self) -> None:
        folder = self._window.preferences.recordings_dir
        while not folder.exists() and folder != folder.parent:
            folder = folder.parent
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))
