"""The program's own sentences in the language of the window.

The core writes every sentence in English and knows nothing of languages: logs, the command line and the diagnostics
show it as it is. What the window shows goes through `shown`, which finds out of which template a sentence was made (see
`translations/messages.json`), takes out what was put in, and puts it into the translation.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from PyQt6.QtCore import QCoreApplication

from app.core.errors import text_of
from app.core.text import Text, code_of, fill

CONTEXT = "messages"
"""The context of all messages in the translations of Qt."""
CATALOGUE = Path(__file__).resolve().parents[1] / "translations" / "messages.json"
REMEMBERED = 512
"""Sentences kept with their translation: the status brings the same ones several times a second."""
MAX_DEPTH = 4
"""A sentence may hold a reason, and the reason a name: nothing is nested deeper."""
WORDS_WEIGHT = 3
"""Templates with less that is constant hold no words, but a stop or a colon."""

_PLACE = re.compile(r"\{(\d)\}")
_LIST = ", "


@dataclass(frozen=True, slots=True)
class Template:
    """A sentence with places `{0}`, `{1}` …, and its translation, which has the same places in any order."""

    pieces: tuple[str, ...]
    """What is constant: before, between and after the places."""
    translation: str

    @classmethod
    def of(cls, source: str, translation: str) -> Template:
        """The template written as in the catalogue."""
        return cls(tuple(_PLACE.split(source)[::2]), translation)

    @property
    def weight(self) -> int:
        """How much of it is constant."""
        return sum(map(len, self.pieces))

    def arguments(self, sentence: str) -> list[str] | None:
        """What was put into the places; None where the sentence is made of something else."""
        first, *middle, last = self.pieces
        if not sentence.startswith(first) or not sentence.endswith(last):
            return None
        begin, end = len(first), len(sentence) - len(last)
        found = []
        for piece in middle:
            place = sentence.find(piece, begin, end)
            if place < 0:
                return None
            found.append(sentence[begin:place])
            begin = place + len(piece)
        return [*found, sentence[begin:end]] if begin <= end else None

    def filled(self, arguments: list[str]) -> str:
        """The translation with these arguments."""
        return _PLACE.sub(lambda place: arguments[int(place[1])], self.translation)


class Catalogue:
    """The translations into one language."""

    def __init__(self, translations: Mapping[str, str]) -> None:
        """translations: by English sentence, both with the same places."""
        self._fixed = {source: text for source, text in translations.items() if not _PLACE.search(source)}
        self._templates = sorted(
            (Template.of(*pair) for pair in translations.items() if pair[0] not in self._fixed),
            key=lambda template: template.weight,
            reverse=True,
        )
        self.translated = lru_cache(REMEMBERED)(self._translated)
        """The sentence (or lines of them) translated; what is not known stays as it is."""

    def _translated(self, text: str) -> str:
        lines = (self._found(line, MAX_DEPTH) or line for line in text.split("\n"))
        return "\n".join(lines)

    def _found(self, sentence: str, depth: int, min_weight: int = 0) -> str | None:
        """The translation of one sentence or phrase; None where it is made of no template so heavy."""
        fixed = self._fixed.get(sentence)
        if fixed is not None or depth == 0:
            return fixed
        for template in self._templates:
            if template.weight < min_weight:
                break
            arguments = template.arguments(sentence)
            if arguments is not None:
                return template.filled([self._argument(argument, depth - 1) for argument in arguments])
        return None

    def _argument(self, text: str, depth: int) -> str:
        """What was put into a place: a phrase, a list of phrases, or something that is no language, such as a path."""
        core = text.strip()
        found = self._list(core, depth) or self._found(core, depth) if core else None
        return text if found is None else text.replace(core, found, 1)

    def _list(self, text: str, depth: int) -> str | None:
        """Phrases with commas between them; None where it is anything else."""
        if _LIST not in text:
            return None
        items = [self._found(item, depth, WORDS_WEIGHT) for item in text.split(_LIST)]
        known = [item for item in items if item is not None]
        return _LIST.join(known) if len(known) == len(items) else None


_spoken = Catalogue({})


def translated(text: str) -> str:
    """Return a text in the language of the window."""
    if not isinstance(text, Text):
        return _spoken.translated(text)
    template = QCoreApplication.translate(CONTEXT, text.message.value, code_of(text.message))
    return fill(template, text.values, translated)


def translated_error(error: Exception) -> str:
    """Return the text of an error in the language of the window."""
    return translated(text_of(error))


def catalogue(language: str) -> Catalogue:
    """The translations into a language, such as `de`; none for a language that there are none for."""
    entries: dict[str, dict[str, str]] = json.loads(CATALOGUE.read_text("utf-8"))
    return Catalogue({source: texts[language] for source, texts in entries.items() if texts.get(language)})


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Let `shown` translate into this language meanwhile; empty for English."""
    global _spoken
    before, _spoken = _spoken, catalogue(language) if language else Catalogue({})
    try:
        yield
    finally:
        _spoken = before
