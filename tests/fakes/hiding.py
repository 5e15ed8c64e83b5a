"""An engine whose strict mode hides somebody."""

from __future__ import annotations

from dataclasses import replace

from app.core.settings import EdgeSettings
from app.core.types import Backdrop, BgrImage, Matte
from app.matting.base.interface import MatteEditor
from app.testing.engine import FakeEngine


class HidingEngine(FakeEngine):
    """Says at the level strict that it hides somebody."""

    def matte(
        self, frame: BgrImage, backdrop: Backdrop, edges: EdgeSettings, edit: MatteEditor | None, want_foreground: bool
    ) -> Matte:
        matte = super().matte(frame, backdrop, edges, edit, want_foreground)
        return replace(matte, hides_person=edges.strict == "strict")
