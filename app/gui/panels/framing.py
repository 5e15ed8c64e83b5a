"""Digital zoom and pan."""

from __future__ import annotations

from PyQt6.QtCore import QLocale
from PyQt6.QtWidgets import QVBoxLayout, QWidget

from app.core.framing import WHOLE
from app.core.settings import MAX_ZOOM, Settings
from app.gui.state.preferences_store import PreferencesStore
from app.gui.state.store import SettingsStore
from app.gui.widgets.controls import ValueSlider, describe, label, link_button

STEPS = 100
"""Slider steps per unit of the setting."""


class FramingControls(QWidget):
    """Sliders for the zoom and, while zoomed, for both directions. Left and right are those of the preview."""

    def __init__(self, store: SettingsStore, preferences: PreferencesStore) -> None:
        super().__init__()
        self._store, self._preferences = store, preferences
        self._zoom = ValueSlider(
            STEPS, round(MAX_ZOOM * STEPS), _times, self.tr("Zoom"),
            self.tr("Enlarges a part of the camera image"), "zoomSlider",
        )  # fmt: skip
        self._horizontal = ValueSlider(
            -STEPS, STEPS, _percent, self.tr("Horizontal position"), self.tr("Moves the image left or right"),
            "panXSlider",
        )  # fmt: skip
        self._vertical = ValueSlider(
            -STEPS,
            STEPS,
            _percent,
            self.tr("Vertical position"),
            self.tr("Moves the image up or down"),
            "panYSlider",
        )
        self._hint = label(self.tr("Turn the mouse wheel over the preview to zoom; drag to move."), "faint", wrap=True)
        self._reset = link_button(self.tr("Reset zoom"))
        describe(
            self._reset, self.tr("Reset zoom"), self.tr("Show the whole camera image"),
            "framingReset",
        )  # fmt: skip
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        for widget in (self._zoom, self._horizontal, self._vertical, self._hint, self._reset):
            column.addWidget(widget)
        self._zoom.value_changed.connect(lambda value: store.edit("framing", zoom=value / STEPS))
        self._horizontal.value_changed.connect(lambda value: store.edit("framing", pan_x=self._sign * value / STEPS))
        self._vertical.value_changed.connect(lambda value: store.edit("framing", pan_y=value / STEPS))
        self._reset.clicked.connect(lambda: store.edit("framing", **dict(WHOLE)))
        store.changed.connect(self._show)
        preferences.changed.connect(lambda _new: self._show(store.current))
        self._show(store.current)

    @property
    def _sign(self) -> int:
        return -1 if self._preferences.current.mirror_preview else 1

    def _show(self, settings: Settings) -> None:
        framing = settings.framing
        self._zoom.show_value(round(framing.zoom * STEPS))
        self._horizontal.show_value(round(self._sign * framing.pan_x * STEPS))
        self._vertical.show_value(round(framing.pan_y * STEPS))
        for pan in (self._horizontal, self._vertical):
            pan.setEnabled(framing.zoom > 1)
        self._reset.setEnabled(framing != WHOLE)


def _times(value: int) -> str:
    return f"{QLocale().toString(value / STEPS, 'f', 2)} ×"


def _percent(value: int) -> str:
    return f"{value:+d} %" if value else "0 %"
