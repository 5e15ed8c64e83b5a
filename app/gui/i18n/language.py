"""Set the language of the window."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PyQt6.QtCore import QCoreApplication, QLibraryInfo, QLocale, QTranslator

FOLDER = Path(__file__).resolve().parents[1] / "translations"


@contextmanager
def translate(app: QCoreApplication, locale: QLocale | None = None) -> Iterator[None]:
    """Install the translations of the program and of Qt, and the format of numbers; remove them on exit.

    locale: by default that of the system.
    """
    before = QLocale()
    locale = locale or before
    QLocale.setDefault(locale)
    installed = []
    qt_folder = QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)
    for name, folder in (("qtbase", qt_folder), ("mattecam", str(FOLDER))):
        translator = QTranslator()
        if translator.load(locale, name, "_", folder):
            app.installTranslator(translator)
            installed.append(translator)
    try:
        yield
    finally:
        for translator in installed:
            app.removeTranslator(translator)
        QLocale.setDefault(before)
