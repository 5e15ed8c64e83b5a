"""The features that the pictures of `docs/features.md` show, and their settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.core.paths import assets_dir
from app.effects.zones import Zone
from app.settings import Settings

EVENING = assets_dir() / "backgrounds" / "8-evening-lights.jpg"
DOOR = Zone(points=((0.0, 0.0), (0.24, 0.0), (0.24, 1.0), (0.0, 1.0)), filled=True, radius=0.0)
"""At the side of the demo picture."""
ZONE = Zone(points=((0.4, 0.0), (0.69, 0.0), (0.69, 1.0), (0.4, 1.0)), filled=True, radius=0.0)
"""Over the door of the room in the picture of zones."""


@dataclass(frozen=True)
class Feature:
    """One feature as the user switches it on."""

    people: Mapping[str, Any] = field(default_factory=dict)
    light: Mapping[str, Any] = field(default_factory=dict)
    strict: Mapping[str, Any] = field(default_factory=dict)
    background: Mapping[str, Any] = field(default_factory=dict)

    def settings(self, base: Settings) -> Settings:
        """Return `base` with this feature and none of the others."""
        plain = Settings()
        return base.replace(
            people=plain.people.replace(**self.people),
            light=plain.light.replace(**self.light),
            strict=plain.strict.replace(**self.strict),
            matting=base.matting.replace(edges=plain.matting.edges),
            background=plain.background.replace(**self.background),
        )


_IMAGE = {"kind": "image", "path": EVENING}
_STILL = {"level": "off"}
"""Strict mode hides pictures in which nothing moves."""
FRAMING = Feature(people={"framing": "close"}, strict=_STILL, background=_IMAGE)
ZONES = Feature(people={"zones": (ZONE,)}, strict=_STILL, background=_IMAGE)
LIGHT = Feature(light={"match": 60, "portrait": 60}, strict=_STILL, background=_IMAGE)
BOKEH = Feature(strict=_STILL, background={"kind": "blur", "blur_strength": 45, "bokeh": True})
