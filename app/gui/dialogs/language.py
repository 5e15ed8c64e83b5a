"""The list of the window's languages."""

from __future__ import annotations

from app.gui.state.preferences import WindowPreferences
from app.gui.state.preferences_store import PreferencesStore
from app.gui.widgets.controls import ElidedComboBox, fill_combo, make_narrow

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
