"""The menu bar and its keyboard shortcuts."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PyQt6.QtCore import QObject, Qt, pyqtSignal
from PyQt6.QtGui import QAction, QActionGroup, QGuiApplication, QKeySequence
from PyQt6.QtWidgets import QMainWindow, QMenu

from app.core.settings import Settings
from app.gui.backgrounds.strip import BackgroundStrip
from app.gui.dialogs.questions import open_folder
from app.gui.preview.rendering import ViewMode
from app.gui.shell.windows import SecondaryWindows
from app.gui.state.store import SettingsStore
from app.gui.widgets.action_bar import ActionBar
from app.gui.widgets.qt import existing
from app.gui.widgets.theme import theme_names


def add_action(menu: QMenu, text: str, key: str, run: Callable[[], object]) -> QAction:
    """Add an entry to a menu. key: a keyboard shortcut, or nothing."""
    action = QAction(text, menu)
    action.setAutoRepeat(False)  # a key that is held must not pause and resume
    if key:
        action.setShortcut(QKeySequence(key))
    action.triggered.connect(lambda _on: run())
    menu.addAction(action)
    return action


class Menus(QObject):
    """Builds the menus of a window."""

    failed = pyqtSignal(str)
    """What failed, in one sentence."""

    def __init__(
        self,
        window: QMainWindow,
        windows: SecondaryWindows,
        action_bar: ActionBar,
        strip: BackgroundStrip,
        store: SettingsStore,
        end: Callable[[], object],
    ) -> None:
        """end: ends the program."""
        super().__init__(window)
        self._window, self._windows, self._store, self._end = window, windows, store, end
        self._action_bar, self._strip = action_bar, strip
        self._switches: dict[str, QAction] = {}
        """By the field of `WindowSettings` that each one shows."""
        self._themes: dict[str, QAction] = {}
        self._add_program_menu()
        self._add_view_menu()
        self._add_background_menu()
        self.scenes = self._add_menu(self.tr("&Scenes"))
        """The empty menu that `ScenesMenu` fills."""
        self._add_help_menu()
        store.changed.connect(self._show)
        self._show(store.current)

    def _add_menu(self, title: str) -> QMenu:
        return existing(existing(self._window.menuBar()).addMenu(title))

    def _add_program_menu(self) -> None:
        menu, bar = self._add_menu(self.tr("&Program")), self._action_bar
        hide = add_action(menu, self.tr("Hide me now"), "H", partial(self._store.set, "paused", True))
        hide.setShortcutContext(Qt.ShortcutContext.ApplicationShortcut)  # also while a dialog is in front
        self._pause, self._freeze, self._record, _snapshot = (
            add_action(menu, text, key, target.click)
            for text, key, target in (
                (self.tr("Pause"), "P", bar.pause),
                (self.tr("Freeze"), "F", bar.freeze),
                (self.tr("Record"), "R", bar.record),
                (self.tr("Snapshot"), "S", bar.snapshot),
            )
        )
        add_action(menu, self.tr("Open the recordings folder"), "", self._open_recordings)
        menu.addSeparator()
        add_action(menu, self.tr("Setup assistant…"), "", self._windows.open_assistant)
        add_action(menu, self.tr("Preferences…"), "Ctrl+,", self._windows.open_preferences)
        menu.addSeparator()
        add_action(menu, self.tr("Quit"), "Ctrl+Q", self._end)

    def _add_view_menu(self) -> None:
        menu, bar = self._add_menu(self.tr("&View")), self._action_bar
        for number, mode in enumerate(ViewMode, start=1):
            add_action(menu, bar.mode_name(mode), f"Alt+{number}", partial(bar.set_mode, mode))
        menu.addSeparator()
        self._add_switch(menu, self.tr("Mirror the preview"), "M", "mirror_preview")
        self._add_switch(menu, self.tr("Show frame rate and delay"), "I", "show_readout")
        self._add_switch(menu, self.tr("Side panel"), "F9", "show_panel")
        self._add_switch(menu, self.tr("All settings"), "", "all_settings")
        menu.addSeparator()
        self._add_theme_menu(menu)

    def _add_theme_menu(self, menu: QMenu) -> None:
        themes = QMenu(self.tr("Theme"), menu)
        menu.addMenu(themes)
        group = QActionGroup(themes)
        for text, theme in theme_names():
            action = self._themes[theme] = add_action(themes, text, "", partial(self._store.set, "window.theme", theme))
            action.setCheckable(True)
            group.addAction(action)

    def _add_switch(self, menu: QMenu, text: str, key: str, field: str) -> None:
        action = self._switches[field] = add_action(menu, text, key, lambda: None)
        action.setCheckable(True)
        action.setChecked(getattr(self._store.current.window, field))
        action.toggled.connect(partial(self._store.set, f"window.{field}"))

    def _show(self, settings: Settings) -> None:
        for field, action in self._switches.items():
            action.setChecked(getattr(settings.window, field))
        self._themes[settings.window.theme].setChecked(True)
        self._pause.setText(self.tr("Resume") if settings.paused else self.tr("Pause"))
        self._freeze.setText(self.tr("Unfreeze") if settings.frozen else self.tr("Freeze"))
        self._record.setText(self.tr("Record") if settings.output.record is None else self.tr("Stop recording"))

    def _add_background_menu(self) -> None:
        menu, strip = self._add_menu(self.tr("&Background")), self._strip
        add_action(menu, self.tr("Add…"), "Ctrl+O", strip.ask_for_files)
        add_action(menu, self.tr("Paste"), "Ctrl+V", self._paste)
        menu.addSeparator()
        of_own = (
            add_action(menu, self.tr("Rename…"), "", strip.rename_current),
            add_action(menu, self.tr("Remove"), "", strip.remove_current),
        )

        def enable() -> None:
            for action in of_own:
                action.setEnabled(strip.current is not None and strip.current.own)

        enable()
        strip.current_changed.connect(enable)

    def _add_help_menu(self) -> None:
        menu, windows = self._add_menu(self.tr("&Help")), self._windows
        add_action(menu, self.tr("Help…"), "", windows.open_help)
        add_action(menu, self.tr("Check this computer…"), "", windows.open_doctor)
        add_action(menu, self.tr("Keyboard shortcuts…"), "F1", windows.open_shortcuts)
        add_action(menu, self.tr("Log"), "Ctrl+L", windows.open_log)
        add_action(menu, self.tr("Copy diagnostics"), "", windows.copy_diagnostics)
        add_action(menu, self.tr("About Mattecam"), "", windows.open_about)

    def _paste(self) -> None:
        if not self._strip.library.add_from(existing(QGuiApplication.clipboard()).mimeData()):
            self.failed.emit(self.tr("There is no image to paste. Copy an image or a file first."))

    def _open_recordings(self) -> None:
        open_folder(self._store.recordings_dir)
