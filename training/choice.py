"""Which photo of a pack the next sample shows."""

from __future__ import annotations

from training.framing import Rng
from training.sources import WHOLE_BODY
from training.store import Entry

_PORTRAITS = 0.6
"""Share of portraits (heads and shoulders, half bodies) among the photos drawn."""


def by_framing(entries: list[Entry]) -> tuple[list[Entry], list[Entry]]:
    """Return portraits and the other entries."""
    return [e for e in entries if e.group not in WHOLE_BODY], [
        e for e in entries if e.group in WHOLE_BODY
    ]


def one_of(rng: Rng, entries: tuple[list[Entry], list[Entry]]) -> Entry:
    """Return one of the portraits and others of `by_framing`."""
    portraits, others = entries
    wanted = portraits if (rng.random() < _PORTRAITS and portraits) or not others else others
    return wanted[rng.integers(len(wanted))]


def preferred(
    rng: Rng, few: list[Entry], share: float, others: tuple[list[Entry], list[Entry]]
) -> Entry:
    """Return one of `few` with the probability `share`, else one of `others`."""
    return few[rng.integers(len(few))] if rng.random() < share and few else one_of(rng, others)
