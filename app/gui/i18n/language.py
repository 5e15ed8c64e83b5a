"""Set the language of the window."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PyQt6.QtCore import QCoreApplication, QLibraryInfo, QLocale, QTranslator

from app.gui.i18n.compiled import compiled

FOLDER = Path(__file__).resolve().parents[1] / "translations"


def translation_file(locale: QLocale) -> Path | None:
    """Return the .ts file of the first language of a locale for which there is one; None for English."""
    for language in locale.uiLanguages():
        code = language.partition("-")[0]
        if code == "en":
            return None
        path = FOLDER / f"mattecam_{code}.ts"
        if path.is_file():
            return path
    return None


class Translation:
    """The translations of the program and of Qt that are installed, and the format of numbers."""

    def __init__(self, app: QCoreApplication) -> None:
        self._app = app
        self._before = QLocale()
        self._installed: list[QTranslator] = []

    def use(self, locale: QLocale | None) -> None:
        """Change the language; None: that of the system. Texts that are shown already do not change."""
        self.remove()
        locale = locale or self._before
        QLocale.setDefault(locale)
        path = translation_file(locale)
        if path is None:
            return
        of_qt, ours = QTranslator(), QTranslator()
        of_qt.load(locale, "qtbase", "_", QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath))
        ours.loadFromData(compiled(path))  # type: ignore[arg-type]  # takes bytes
        for translator in (of_qt, ours):
            self._app.installTranslator(translator)
            self._installed.append(translator)

    def remove(self) -> None:
        """Return to English and to the format of numbers before. Idempotent."""
        for translator in self._installed:
            self._app.removeTranslator(translator)
        self._installed.clear()
        QLocale.setDefault(self._before)


@contextmanager
def translate(app: QCoreApplication, locale: QLocale | None = None) -> Iterator[Translation]:
    """Use a language in the block; None: that of the system."""
    translation = Translation(app)
    translation.use(locale)
    try:
        yield translation
    finally:
        translation.remove()
