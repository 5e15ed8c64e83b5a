"""Check which models are installed."""

from __future__ import annotations

from collections.abc import Collection

from app.core.messages.doctor import ModelFinding
from app.doctor.finding import Command, Finding, State
from models.table import NETWORKS, bundled, recommended

_CHECK = "models"
_DOWNLOAD = Command(f"python3 run.py weights download {recommended().name}")


def check_weights(installed: Collection[str]) -> tuple[Finding, ...]:
    """Return one finding. installed: names of the models whose weights were found."""
    models = sorted(installed)
    if bundled().name not in installed:
        return (
            Finding(
                _CHECK,
                State.WARNING if models else State.PROBLEM,
                ModelFinding.BUNDLED_MISSING(models=tuple(models)) if models else ModelFinding.NONE(),
                ModelFinding.WHY_NEEDED(),
                (ModelFinding.FIX_MISSING(), _DOWNLOAD),
            ),
        )
    if all(NETWORKS[name].bundled for name in installed):
        detail, why = ModelFinding.ONLY_BUNDLED(), ModelFinding.WHY_MORE()
        return (Finding(_CHECK, State.WARNING, detail, why, (_DOWNLOAD,)),)
    return (Finding(_CHECK, State.OK, ModelFinding.INSTALLED(models=tuple(models))),)
