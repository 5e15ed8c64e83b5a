"""The language of the window: the system's, where there is a translation."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PyQt6.QtCore import QCoreApplication, QLibraryInfo, QLocale, QTranslator

from app.gui.i18n import messages

FOLDER = Path(__file__).resolve().parents[1] / "translations"


@contextmanager
def translate(app: QCoreApplication, locale: QLocale | None = None) -> Iterator[None]:
    """Translate the program and Qt's own words into the system's language meanwhile."""
    locale = locale or QLocale()
    installed = []
    language = ""
    qt_folder = QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)
    for name, folder in (("qtbase", qt_folder), ("mattecam", str(FOLDER))):
        translator = QTranslator()
        if translator.load(locale, name, "_", folder):
            app.installTranslator(translator)
            installed.append(translator)
            language = translator.language() if name == "mattecam" else language
    try:
        with messages.speaking(language):
            yield
    finally:
        for translator in installed:
            app.removeTranslator(translator)
