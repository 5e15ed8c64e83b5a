"""Preparation for this machine before a start, with progress on standard error."""

from __future__ import annotations

from app.cli.terminal import notify
from app.core.errors import ModelError
from app.core.settings import EngineSettings


def prepare(settings: EngineSettings) -> None:
    """Compile and convert what the CPU needs, once after installation, so that no live picture stutters."""
    from app.matting.preparation.preparation import preparation
    from app.matting.selection.choice import choose

    try:
        needed = choose(settings).executor == "openvino"
    except ModelError:
        return  # the start reports it
    if needed:
        preparation.ensure(notify)
