"""Translations of the window: Qt's files of one language, and the texts of the program in it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import ClassVar
from xml.etree import ElementTree

from PyQt6.QtCore import QCoreApplication, QLibraryInfo, QLocale, QTranslator

from app.core.errors import Text, Value, fill, text_of
from app.runtime.status import Phase
from models.errors import for_window
from models.table import NETWORKS

FOLDER = Path(__file__).resolve().parent / "translations"


def translation_file(locale: QLocale) -> Path | None:
    """Return the .ts file of the first language of a locale that has one; None for English."""
    for language in locale.uiLanguages():
        code = language.partition("-")[0]
        if code == "en":
            return None
        path = FOLDER / f"mattecam_{code}.ts"
        if path.is_file():
            return path
    return None


@cache
def texts_in(path: Path) -> Mapping[tuple[str, str], str]:
    """Return the translations of a .ts file of the program, by text and comment."""
    translations = {}
    for message in ElementTree.parse(path).iter("message"):  # noqa: S314
        key = (message.findtext("source", ""), message.findtext("comment", ""))
        translations[key] = message.findtext("translation", "")
    return translations


class Translation:
    """The language of the window and of Qt's own texts, and the format of numbers.

    Qt has no part in the window's texts: it would lock them, while other threads name backgrounds
    for `ctl`.
    """

    # By text and comment; empty in English. Replaced as a whole: other threads read it.
    texts: ClassVar[Mapping[tuple[str, str], str]] = {}

    def __init__(self, app: QCoreApplication, locale: QLocale | None) -> None:
        """locale: of the language; None: that of the system.
        Texts that are shown already do not change.
        """
        self._app = app
        self._before = QLocale()
        self._of_qt = QTranslator()
        locale = locale or self._before
        QLocale.setDefault(locale)
        path = translation_file(locale)
        if path is not None:
            Translation.texts = texts_in(path)
            folder = QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)
            self._of_qt.load(locale, "qtbase", "_", folder)
            app.installTranslator(self._of_qt)

    def remove(self) -> None:
        """Return to English and to the format of numbers before. Idempotent."""
        Translation.texts = {}
        self._app.removeTranslator(self._of_qt)
        QLocale.setDefault(self._before)


# Places in templates for names of models.
MODEL_PLACES = ("model", "models", "bundled")


def tr(text: str, comment: str = "") -> str:
    """Return a literal in the language of the window.

    comment: tells equal texts apart. Thread-safe.
    """
    return Translation.texts.get((text, comment), text)


def translated(text: str) -> str:
    """Return a text in the language of the window, without options.

    A plain `str` is returned as it is.
    """
    if not isinstance(text, Text):
        return text
    template = tr(for_window(text.template))
    titles = {place: _titles(text.values[place]) for place in MODEL_PLACES if place in text.values}
    return fill(template, {**text.values, **titles}, translated)


def _titles(models: Value) -> Value:
    """Return names of models as their titles in quotation marks."""
    if isinstance(models, tuple | list):
        return tuple(map(_titles, models))
    return tr("“{0}”").format(describe_model(str(models)))


def translated_error(error: Exception) -> str:
    """Return the text of an error in the language of the window."""
    return translated(text_of(error))


def standby_text(phase: Phase = Phase.WAITING, preparing: Text | None = None) -> str:
    """Return the text of the stand-by card while the settings have none.

    It is in the language of the window.
    """
    if preparing is not None and phase.shows_preparation:
        return translated(preparing)
    if phase is Phase.NO_CAMERA:
        return tr("No camera")
    return tr("One moment, please")


def describe_model(name: str) -> str:
    """Return the translated title of a model; an unknown name is returned unchanged."""
    if name in NETWORKS:
        return tr(NETWORKS[name].title)
    if name == "auto":
        return tr("Automatic")
    return name


def decimal(value: float, places: int) -> str:
    """Return a number with so many decimal places, such as `29.4` or `29,4`."""
    return QLocale().toString(value, "f", places)


def short(value: float, digits: int = 6) -> str:
    """Return a number with so many digits at most, and no trailing zeros, such as `30`."""
    return QLocale().toString(value, "g", digits)
