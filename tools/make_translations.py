"""Keeps the translations in step with the program.

`python -m tools.make_translations` reads the texts of `app/gui` into `mattecam_XX.ts` (PyQt's own pylupdate; what is
translated already stays) and compiles each into the `mattecam_XX.qm` that Qt loads. PyQt comes without a compiler, and
the format is small: a table of hashes, sorted, that point to messages.

The sentences of the core, such as its errors and what the doctor finds, are in `messages.json` for all languages: new
ones are added there without a translation, those that no code makes any more are taken out. A sentence with a choice of
words in it, such as `{0} {1} could not be read`, may be replaced by one entry for each choice.
"""

from __future__ import annotations

import json
import struct
import xml.etree.ElementTree as Tree
from pathlib import Path

from app.gui.translations import sources

FOLDER = Path(__file__).resolve().parents[1] / "app" / "gui" / "translations"
LANGUAGES = ("de", "es")
MESSAGES = FOLDER / "messages.json"

MAGIC = bytes.fromhex("3cb86418caef9c95cd211cbf60a1bddd")
SECTION_LANGUAGE, SECTION_HASHES, SECTION_MESSAGES = 0xA7, 0x42, 0x69
TAG_END, TAG_TRANSLATION, TAG_SOURCE, TAG_CONTEXT, TAG_COMMENT = 1, 3, 6, 7, 8


def update() -> None:
    """Read new texts of the program into the .ts files."""
    from PyQt6.lupdate.lupdate import lupdate

    program = [str(path) for path in sorted(FOLDER.parent.rglob("*.py")) if path.parent != FOLDER]
    lupdate(  # type: ignore[no-untyped-call]
        program, [str(FOLDER / f"mattecam_{language}.ts") for language in LANGUAGES], no_obsolete=True
    )


def update_messages() -> None:
    """Bring `messages.json` in step with the program."""
    entries: dict[str, dict[str, str]] = json.loads(MESSAGES.read_text("utf-8"))
    for sentence in sources.unused(entries):
        del entries[sentence]
    entries |= {sentence: dict.fromkeys(LANGUAGES, "") for sentence in sources.missing(entries)}
    MESSAGES.write_text(json.dumps(entries, ensure_ascii=False, indent=1) + "\n", "utf-8")


def compile_translation(source: Path) -> bytes:
    """The content of the .qm file for a .ts file; what is not translated is left out."""
    root = Tree.parse(source).getroot()
    messages = bytearray()
    hashes: list[tuple[int, int]] = []
    for context in root.iter("context"):
        name = (context.findtext("name") or "").encode()
        for message in context.iter("message"):
            translation = message.findtext("translation")
            if not translation:
                continue
            text = (message.findtext("source") or "").encode()
            comment = (message.findtext("comment") or "").encode()
            hashes.append((_elf_hash(text + comment), len(messages)))
            messages += _record(TAG_TRANSLATION, translation.encode("utf-16-be"))
            for tag, value in ((TAG_SOURCE, text), (TAG_CONTEXT, name), (TAG_COMMENT, comment)):
                messages += _record(tag, value)
            messages.append(TAG_END)
    table = b"".join(struct.pack(">II", *entry) for entry in sorted(hashes))
    language = (root.get("language") or "").encode()
    sections = ((SECTION_LANGUAGE, language), (SECTION_HASHES, table), (SECTION_MESSAGES, bytes(messages)))
    return MAGIC + b"".join(_record(tag, content) for tag, content in sections)


def _record(tag: int, content: bytes) -> bytes:
    return struct.pack(">BI", tag, len(content)) + content


def _elf_hash(text: bytes) -> int:
    """The hash of the ELF format, as Qt looks messages up by it."""
    value = 0
    for byte in text:
        value = (value << 4) + byte
        high = value & 0xF0000000
        value = (value ^ (high >> 24)) & ~high
    return value or 1


if __name__ == "__main__":
    update()
    update_messages()
    for code in LANGUAGES:
        path = FOLDER / f"mattecam_{code}.ts"
        path.with_suffix(".qm").write_bytes(compile_translation(path))
