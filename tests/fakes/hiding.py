"""An engine whose strict mode hides somebody."""

from __future__ import annotations

from dataclasses import replace

from app.core.settings import EdgeSettings
from app.core.types import Backdrop, BgrImage, Matte
from app.matting.base.interface import MatteShaper
from app.testing.engine import FakeEngine


class HidingEngine(FakeEngine):
    """Says at the level strict that it hides somebody."""

    def step(self, frame: BgrImage, backdrop: Backdrop, edges: EdgeSettings, *, want_foreground: bool = False) -> Matte:
        matte = super().step(frame, backdrop, edges, want_foreground=want_foreground)
        return replace(matte, hides_person=edges.strict == "strict")

    def step_shaped(
        self,
        frame: BgrImage,
        backdrop: Backdrop,
        edges: EdgeSettings,
        shaper: MatteShaper | None,
        *,
        want_foreground: bool = False,
    ) -> Matte:
        matte = super().step_shaped(frame, backdrop, edges, shaper, want_foreground=want_foreground)
        return replace(matte, hides_person=edges.strict == "strict")
