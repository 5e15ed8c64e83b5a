"""Texts of a .ts file in the binary format that QTranslator reads, so that nothing is compiled beforehand.

Qt itself answers then. A translator written in Python would stop the program: another thread that translates holds Qt's
lock and waits for the interpreter lock, while the GUI thread, which changes the language, has the one and waits for the
other.
"""

from __future__ import annotations

import struct
from functools import cache
from pathlib import Path
from xml.etree import ElementTree

MAGIC = bytes.fromhex("3cb86418caef9c95cd211cbf60a1bddd")
HASHES, MESSAGES = 0x42, 0x69
"""Sections: where the message with a hash begins, and all messages."""
END, TRANSLATION, SOURCE, CONTEXT, COMMENT = 1, 3, 6, 7, 8
"""Parts of a message."""


@cache
def compiled(path: Path) -> bytes:
    """Return the translations of a .ts file, which is a part of the program.

    The result must live as long as the translators that read it, which do not copy it: the cache keeps it.
    """
    places: list[tuple[int, int]] = []
    messages = bytearray()
    for context in ElementTree.parse(path).iter("context"):  # noqa: S314
        for message in context.iter("message"):
            source, comment = (message.findtext(part, "").encode() for part in ("source", "comment"))
            places.append((_hash(source + comment), len(messages)))
            messages += _part(TRANSLATION, message.findtext("translation", "").encode("utf-16-be"))
            messages += _part(SOURCE, source) + _part(CONTEXT, context.findtext("name", "").encode())
            messages += _part(COMMENT, comment) + bytes([END])
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
