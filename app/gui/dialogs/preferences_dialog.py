"""Preferences of the window: language, theme, what closing the window does, start at login."""

from __future__ import annotations

from PyQt6.QtCore import QSignalBlocker, Qt
from PyQt6.QtWidgets import QDialog, QWidget

from app.core.settings import Settings
from app.gui.i18n.messages import translated
from app.gui.state.preferences import PreferencesStore, WindowPreferences
from app.gui.state.store import SettingsStore
from app.gui.widgets.controls import ElidedComboBox, button, check, combo, fill_combo, label, make_narrow
from app.gui.widgets.layout import column, row
from app.system import autostart

LANGUAGES = (("English", "en"), ("Deutsch", "de"), ("Español", "es"))
"""(name in the language itself, code)"""


class LanguageList(ElidedComboBox):
    """Changes the language of the window at once."""

    def __init__(self, preferences: PreferencesStore, object_name: str) -> None:
        super().__init__()
        make_narrow(self, self.tr("Language"), self.tr("Language of the window"), object_name)
        self.activated.connect(lambda _row: preferences.change(language=self.currentData()))
        preferences.changed.connect(self._show)
        self._show(preferences.current)

    def _show(self, preferences: WindowPreferences) -> None:
        fill_combo(self, [(self.tr("System"), "system"), *LANGUAGES], preferences.language)


class PreferencesDialog(QDialog):
    """Each control takes effect at once."""

    def __init__(self, preferences: PreferencesStore, store: SettingsStore, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("preferencesDialog")
        self.setWindowTitle(self.tr("Preferences"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._preferences = preferences
        self.language = LanguageList(preferences, "languageCombo")
        self.theme = combo(self.tr("Theme"), self.tr("Light or dark colours"), "themeCombo")
        self._to_tray = check(
            self.tr("Keep running in the tray when the window is closed"),
            self.tr("Other programs keep receiving your video"),
            "closeToTrayCheck",
        )
        self._autostart = check(
            self.tr("Start when you log in"),
            self.tr("Starts Mattecam minimised with your desktop"),
            "autostartCheck",
        )
        self._autostart.setChecked(autostart.enabled())
        self._autostart.setVisible(autostart.supported())
        self._shortcuts = check(
            self.tr("Global shortcuts"),
            self.tr("Ctrl+Alt+Shift with P, F or 1 … 9 pauses, freezes, or chooses a background in every program"),
            "globalShortcutsCheck",
        )
        self._problem = label("", "warning", wrap=True)
        self._problem.setVisible(False)
        close = button(self.tr("Close"), self.tr("Close the preferences"), "preferencesClose", self.close)
        captions = label(self.tr("Language")), label(self.tr("Theme"))
        for caption, box in zip(captions, (self.language, self.theme), strict=True):
            caption.setBuddy(box)
        column(self, captions[0], self.language, captions[1], self.theme, self._to_tray, self._autostart,
               self._shortcuts, self._problem, None, row(None, None, close), spacing=8, margins=18)  # fmt: skip
        self.setMinimumWidth(400)
        self.theme.activated.connect(lambda _row: preferences.change(theme=self.theme.currentData()))
        self._to_tray.toggled.connect(lambda on: preferences.change(close_to_tray=on))
        self._autostart.toggled.connect(self._set_autostart)
        self._shortcuts.toggled.connect(lambda on: store.set("global_shortcuts", on))
        store.changed.connect(self._show_settings)
        self._show_settings(store.current)
        preferences.changed.connect(self._show)
        self._show(preferences.current)

    def _show_settings(self, settings: Settings) -> None:
        with QSignalBlocker(self._shortcuts):
            self._shortcuts.setChecked(settings.global_shortcuts)

    def _set_autostart(self, on: bool) -> None:
        try:
            if on:
                autostart.enable()
            else:
                autostart.disable()
        except autostart.AutostartError as error:
            self._problem.setText(translated(error.text))
        else:
            self._problem.setText("")
        self._problem.setVisible(bool(self._problem.text()))
        with QSignalBlocker(self._autostart):
            self._autostart.setChecked(autostart.enabled())

    def _show(self, preferences: WindowPreferences) -> None:
        themes: list[tuple[str, object]] = [
            (self.tr("System"), "system"),
            (self.tr("Light"), "light"),
            (self.tr("Dark"), "dark"),
        ]
        fill_combo(self.theme, themes, preferences.theme)
        with QSignalBlocker(self._to_tray):
            self._to_tray.setChecked(bool(preferences.close_to_tray))
