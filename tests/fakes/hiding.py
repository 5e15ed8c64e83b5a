"""An engine whose strict mode hides somebody."""

from __future__ import annotations

from dataclasses import replace

from app.core.types import Matte
from app.testing.parts import FakeEngine, StepInput


class HidingEngine(FakeEngine):
    """Says at the level strict that it hides somebody."""

    def matte(self, step: StepInput) -> Matte:
        matte = super().matte(step)
        return replace(matte, hides_person=step.edges.strict == "strict")
