"""Report the precision in which the bundled network runs on this processor."""

from __future__ import annotations

from app.core.errors import MattecamError
from app.core.messages.doctor import ModelFinding
from app.core.settings import EngineSettings
from app.doctor.finding import Finding, State
from app.matting.selection import hardware
from app.matting.selection.choice import choose
from models.table import bundled


def check_processor() -> tuple[Finding, ...]:
    """Return the precision that `auto` selects on the processor; nothing if the bundled model cannot run."""
    try:
        precision = choose(EngineSettings(model=bundled().name, device="cpu")).precision
    except MattecamError:
        return ()
    detail = ModelFinding.PRECISION(processor=hardware.processor(), precision=precision)
    return (Finding("processor", State.OK, detail),)
