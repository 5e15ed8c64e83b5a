"""Set the language of the window."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from xml.etree import ElementTree

from PyQt6.QtCore import QCoreApplication, QLibraryInfo, QLocale, QTranslator

FOLDER = Path(__file__).resolve().parents[1] / "translations"


@cache
def read_translation(path: Path) -> dict[tuple[str, str, str], str]:
    """Return the texts of a .ts file by (context, English text, comment). It is a part of the program."""
    return {
        (context.findtext("name", ""), message.findtext("source", ""), message.findtext("comment", "")): text
        for context in ElementTree.parse(path).iter("context")  # noqa: S314
        for message in context.iter("message")
        if (text := message.findtext("translation", ""))
    }


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


class Texts(QTranslator):
    """Answers from a .ts file, so that nothing has to be compiled."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._texts = read_translation(path)

    def isEmpty(self) -> bool:
        """Tell Qt to ask."""
        return False

    def translate(self, context: str | None, source: str | None, comment: str | None = None, n: int = -1) -> str:
        """Return the translation, or the English text."""
        return self._texts.get((context or "", source or "", comment or ""), source or "")


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
        of_qt = QTranslator()
        of_qt.load(locale, "qtbase", "_", QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath))
        for translator in (Texts(path), of_qt):  # Qt asks the last one first
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
