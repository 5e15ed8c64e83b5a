"""Set the language of the window."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PyQt6.QtCore import QCoreApplication, QLibraryInfo, QLocale, QTranslator

FOLDER = Path(__file__).resolve().parents[1] / "translations"


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
        qt_folder = QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)
        for name, folder in (("qtbase", qt_folder), ("mattecam", str(FOLDER))):
            translator = QTranslator()
            if translator.load(locale, name, "_", folder):
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
