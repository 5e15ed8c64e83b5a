"""The answer of `ctl zones`."""

from __future__ import annotations

from collections.abc import Sequence

from app.core.messages.control import AnswerText
from app.core.settings import Zone
from app.core.text import Text


def described_zones(zones: Sequence[Zone]) -> Text:
    """Return the answer that counts the zones."""
    keep = sum(zone.kind == "keep" for zone in zones)
    drop = len(zones) - keep
    if keep:
        return AnswerText.KEEP_ZONES(keep=keep, drop=drop)
    return AnswerText.DROP_ZONES(drop=drop) if drop else AnswerText.NO_ZONES()
