"""The features that the pictures of `docs/features.md` show: their settings and the control of the window."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.core.paths import assets_dir
from app.core.settings import MattingSettings, Settings, Zone

EVENING = assets_dir() / "backgrounds" / "8-evening-lights.jpg"
DOOR = Zone(points=((0.0, 0.0), (0.24, 0.0), (0.24, 1.0), (0.0, 1.0)), filled=True, radius=0.0)


@dataclass(frozen=True)
class Feature:
    """One feature as the user switches it on."""

    name: str
    control: str = ""
    """Object name of a control that its screenshot shows; empty: there is none, but a sequence."""
    people: Mapping[str, Any] = field(default_factory=dict)
    edges: Mapping[str, Any] = field(default_factory=dict)
    background: Mapping[str, Any] = field(default_factory=dict)

    def settings(self, base: Settings) -> Settings:
        """Return `base` with this feature and none of the others."""
        plain = Settings()
        edges = plain.matting.edges.replace(**self.edges)
        matting: MattingSettings = base.matting.replace(edges=edges)
        return base.replace(
            people=plain.people.replace(**self.people),
            matting=matting,
            background=plain.background.replace(**self.background),
        )


_IMAGE = {"kind": "image", "path": EVENING}
FEATURES = (
    Feature("auto-framing", people={"auto_framing": "close"}, background=_IMAGE),
    Feature("zones", "dropBrush", people={"zones": (DOOR,)}, background=_IMAGE),
    Feature("light", edges={"light_match": 60, "portrait_light": 40}, background=_IMAGE),
    Feature("bokeh", "background.bokeh", edges={"strict": "off"}, background={"blur_strength": 45, "bokeh": True}),
)
