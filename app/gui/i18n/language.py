"""Set the language of the window."""

from __future__ import annotations

import struct
from functools import cache
from pathlib import Path
from xml.etree import ElementTree

from PyQt6.QtCore import QCoreApplication, QLibraryInfo, QLocale, QTranslator

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
