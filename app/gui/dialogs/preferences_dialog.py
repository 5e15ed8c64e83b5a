"""Preferences of the window: language, theme, what closing the window does, start at login."""

from __future__ import annotations

from PyQt6.QtCore import QCoreApplication, QSignalBlocker, Qt
from PyQt6.QtWidgets import QComboBox, QDialog, QWidget

from app.core.settings import Settings
from app.gui.i18n.messages import translated
from app.gui.state.preferences import PreferencesStore, WindowPreferences
from app.gui.state.store import SettingsStore
from app.gui.widgets.controls import button, check, combo, fill_combo, label
from app.gui.widgets.layout import column, row
from app.gui.widgets.signals import follow
from app.system import autostart

translate = QCoreApplication.translate
LANGUAGES = (("English", "en"), ("Deutsch", "de"), ("Español", "es"))
"""(name in the language itself, code)"""


def language_list(preferences: PreferencesStore, object_name: str) -> QComboBox:
    """Return a list that changes the language of the window at once."""
    made = combo(
        translate("LanguageList", "Language"), translate("LanguageList", "Language of the window"), object_name
    )

    def show(new: WindowPreferences) -> None:
        fill_combo(made, [(translate("LanguageList", "System"), "system"), *LANGUAGES], new.language)

    made.activated.connect(lambda _row: preferences.change(language=made.currentData()))
    follow(preferences.changed, made, show)
    show(preferences.current)
    return made


class PreferencesDialog(QDialog):
    """Each control takes effect at once."""

    def __init__(self, preferences: PreferencesStore, store: SettingsStore, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("preferencesDialog")
        self.setWindowTitle(self.tr("Preferences"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._preferences = preferences
        self.language = language_list(preferences, "languageCombo")
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
