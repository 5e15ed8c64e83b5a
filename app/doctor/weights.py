"""Which networks are on hand?"""

from __future__ import annotations

from collections.abc import Collection

from app.doctor.finding import Finding, State

_CHECK = "models"
_BUNDLED = "student"
_BEST = "rvm-mobilenetv3"


def check_weights(on_hand: Collection[str]) -> tuple[Finding, ...]:
    """One finding. on_hand: the names of the models whose weights were found."""
    names = ", ".join(sorted(on_hand))
    if _BUNDLED not in on_hand:
        return (
            Finding(
                _CHECK,
                State.PROBLEM if not on_hand else State.WARNING,
                f"The bundled model is missing from this installation (on hand: {names or 'none'}).",
                "Without a model nobody can be cut out.",
                f"Install the program anew, or fetch a model:\nrun.py weights download {_BEST}",
            ),
        )
    if set(on_hand) == {_BUNDLED}:
        return (
            Finding(
                _CHECK,
                State.WARNING,
                "Only the small bundled model is on hand.",
                "The published models cut out finer edges, above all hair.",
                f"run.py weights download {_BEST}",
            ),
        )
    return (Finding(_CHECK, State.OK, f"On hand: {names}."),)
