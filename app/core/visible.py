"""Text without characters that a terminal obeys or that reorder what is read."""

from __future__ import annotations

import re

_OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""Control characters but for line feed and tab, line separators, and marks that change the direction of text."""


def visible(text: str) -> str:
    r"""Return the text with control characters as `\u001b`, which JSON understands as well."""
    return _OBEYED.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
