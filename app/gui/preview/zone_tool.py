"""The brush that paints keep and drop zones on the preview."""

from __future__ import annotations

from typing import Literal

from PyQt6.QtCore import QObject, pyqtSignal

from app.core.settings import Zone

ZoneKind = Literal["keep", "drop"]
MAX_POINTS = 1000
STEP = 0.2
"""Least distance between two points of a stroke, relative to the radius of the brush."""


class ZoneTool(QObject):
    """The selected brush and the stroke that is being painted. A stroke takes effect when the button is released."""

    changed = pyqtSignal()
    """The brush or the stroke changed."""

    def __init__(self) -> None:
        super().__init__()
        self.kind: ZoneKind | None = None
        """What the brush paints; None while it is not in use."""
        self.radius = 0.05
        """Of the brush, as a fraction of the height of the camera's frame."""
        self.stroke: tuple[tuple[float, float], ...] = ()
        """Points of the stroke, in fractions of the camera's frame."""

    def choose(self, kind: ZoneKind | None) -> None:
        """Take a brush, or put it away."""
        self.kind, self.stroke = kind, ()
        self.changed.emit()

    def add(self, x: float, y: float) -> None:
        """Continue the stroke to a position in the camera's frame; positions beyond it are moved to its edge."""
        point = min(max(x, 0.0), 1.0), min(max(y, 0.0), 1.0)
        if self.stroke:
            last = self.stroke[-1]
            if max(abs(point[0] - last[0]), abs(point[1] - last[1])) < STEP * self.radius:
                return
        if len(self.stroke) < MAX_POINTS:
            self.stroke = (*self.stroke, point)
            self.changed.emit()

    def finish(self, camera: str) -> Zone | None:
        """End the stroke and return its zone for this camera; None if there was none."""
        stroke, self.stroke = self.stroke, ()
        if self.kind is None or not stroke:
            return None
        return Zone(kind=self.kind, points=stroke, radius=self.radius, camera=camera)
