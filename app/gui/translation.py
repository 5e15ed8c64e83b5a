"""Translations of the window: Qt's files of one language, and the texts of the program in it."""

from __future__ import annotations

import struct
from functools import cache
from pathlib import Path
from xml.etree import ElementTree

from PyQt6.QtCore import QCoreApplication, QLibraryInfo, QLocale, QTranslator

from app.core.errors import Text, Value, fill, text_of
from app.core.paths import advice
from app.runtime.status import Phase
from models.faults import for_window
from models.table import NETWORKS

MAGIC = bytes.fromhex("3cb86418caef9c95cd211cbf60a1bddd")
HASHES, MESSAGES = 0x42, 0x69
"""Sections: where the message with a hash begins, and all messages."""
END, TRANSLATION, SOURCE, COMMENT = 1, 3, 6, 8
"""Parts of a message."""


@cache
def compiled(path: Path) -> bytes:
    """Return the translations of a .ts file, which is a part of the program.

    Messages without a context, as here, are found for any. The result must live as long as the translators that read
    it, which do not copy it: the cache keeps it.
    """
    places: list[tuple[int, int]] = []
    messages = bytearray()
    for message in ElementTree.parse(path).iter("message"):  # noqa: S314
        source, comment = (message.findtext(part, "").encode() for part in ("source", "comment"))
        places.append((_hash(source + comment), len(messages)))
        messages += _part(TRANSLATION, message.findtext("translation", "").encode("utf-16-be"))
        messages += _part(SOURCE, source) + _part(COMMENT, comment) + bytes([END])
    hashes = b"".join(struct.pack(">II", *place) for place in sorted(places))
    return MAGIC + _part(HASHES, hashes) + _part(MESSAGES, bytes(messages))


def _part(tag: int, content: bytes) -> bytes:
    return struct.pack(">BI", tag, len(content)) + content


def _hash(text: bytes) -> int:
    """Return the hash of the ELF format, by which Qt finds a message."""
    value = 0
    for byte in text:
        value = (value << 4) + byte
        high = value & 0xF0000000
        value = (value ^ high >> 24) & ~high
    return value or 1


FOLDER = Path(__file__).resolve().parent / "translations"


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

    def __init__(self, app: QCoreApplication, locale: QLocale | None) -> None:
        """locale: of the language; None: that of the system. Texts that are shown already do not change."""
        self._app = app
        self._before = QLocale()
        self._installed: list[QTranslator] = []
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


MODEL_PLACES = ("model", "models", "bundled")
"""Places in templates for names of models."""


def tr(text: str, comment: str = "") -> str:
    """Return a literal in the language of the window, as `QObject.tr`. comment: tells equal texts apart."""
    return QCoreApplication.translate("", text, comment)


def translated(text: str) -> str:
    """Return a text in the language of the window, without options, and with the command of this copy in its advice.

    A plain `str` is returned as it is.
    """
    if not isinstance(text, Text):
        return text
    template = advice(tr(for_window(text.template)))
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
    """Return the text of the stand-by card while the settings have none, in the language of the window."""
    if phase is Phase.NO_CAMERA:
        return tr("No camera")
    if phase is Phase.STARTING and preparing is not None:
        return translated(preparing)
    return tr("One moment, please")


def describe_model(name: str) -> str:
    """Return the translated title of a model; an unknown name is returned unchanged."""
    if name in NETWORKS:
        return tr(NETWORKS[name].title)
    return tr("Automatic") if name == "auto" else name


def decimal(value: float, places: int) -> str:
    """Return a number with so many decimal places, such as `29.4` or `29,4`."""
    return QLocale().toString(value, "f", places)


def short(value: float, digits: int = 6) -> str:
    """Return a number with at most so many digits and no trailing zeros, such as `30` or `29.97`."""
    return QLocale().toString(value, "g", digits)
