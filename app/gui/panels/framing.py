"""Digital zoom, pan and auto-framing."""

from __future__ import annotations

from PyQt6.QtWidgets import QVBoxLayout, QWidget

from app.core.framing import WHOLE
from app.core.settings import MAX_ZOOM, Settings
from app.gui.state.preferences_store import PreferencesStore
from app.gui.state.store import SettingsStore
from app.gui.widgets.controls import combo, describe, fill_combo, label, link_button
from app.gui.widgets.page import field_row
from app.gui.widgets.signals import follow
from app.gui.widgets.slider_text import STEPS, offset, times
from app.gui.widgets.value_slider import ValueSlider


class FramingControls(QWidget):
    """Auto-framing, and sliders for the zoom and, while zoomed, both directions. Left and right are the preview's."""

    def __init__(self, store: SettingsStore, preferences: PreferencesStore) -> None:
        super().__init__()
        self._store, self._preferences = store, preferences
        self._zoom = ValueSlider(
            STEPS, round(MAX_ZOOM * STEPS), times, self.tr("Zoom"),
            self.tr("Enlarges a part of the camera image"), "zoomSlider",
        )  # fmt: skip
        self._horizontal = ValueSlider(
            -STEPS, STEPS, offset, self.tr("Left–right"), self.tr("Moves the image left or right"),
            "panXSlider",
        )  # fmt: skip
        self._vertical = ValueSlider(
            -STEPS,
            STEPS,
            offset,
            self.tr("Up–down"),
            self.tr("Moves the image up or down"),
            "panYSlider",
        )
        self._auto = combo(
            self.tr("Auto-framing"), self.tr("Crops the image to head and shoulders and follows them"),
            "autoFramingCombo",
        )  # fmt: skip
        self._hint = label(
            self.tr("Turn the mouse wheel over the preview to zoom; drag to move. Auto-framing pauses while you zoom."),
            "faint",
            wrap=True,
        )
        self._reset = link_button(self.tr("Reset zoom"))
        describe(
            self._reset, self.tr("Reset zoom"), self.tr("Show the whole camera image"),
            "framingReset",
        )  # fmt: skip
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        column.addWidget(field_row(self.tr("Auto-framing"), self._auto))
        for widget in (self._zoom, self._horizontal, self._vertical, self._hint, self._reset):
            column.addWidget(widget)
        self._auto.activated.connect(lambda _row: self._choose_auto(self._auto.currentData()))
        self._zoom.value_changed.connect(lambda value: store.edit("framing", zoom=value / STEPS))
        self._horizontal.value_changed.connect(lambda value: store.edit("framing", pan_x=self._sign * value / STEPS))
        self._vertical.value_changed.connect(lambda value: store.edit("framing", pan_y=value / STEPS))
        self._reset.clicked.connect(lambda: store.edit("framing", **dict(WHOLE)))
        store.changed.connect(self._show)
        follow(preferences.changed, self, lambda _new: self._show(store.current))
        self._show(store.current)

    @property
    def _sign(self) -> int:
        return -1 if self._preferences.current.mirror_preview else 1

    def _choose_auto(self, style: str) -> None:
        self._store.edit("people", auto_framing=style)
        if style != "off":
            self._store.edit("framing", **dict(WHOLE))  # a manual zoom would override it

    def _show(self, settings: Settings) -> None:
        styles: list[tuple[str, object]] = [
            (self.tr("Off"), "off"),
            (self.tr("Calm"), "calm"),
            (self.tr("Close"), "close"),
        ]
        fill_combo(self._auto, styles, settings.people.auto_framing)
        framing = settings.framing
        self._zoom.show_value(round(framing.zoom * STEPS))
        self._horizontal.show_value(round(self._sign * framing.pan_x * STEPS))
        self._vertical.show_value(round(framing.pan_y * STEPS))
        for pan in (self._horizontal, self._vertical):
            pan.setEnabled(framing.zoom > 1)
        self._reset.set_useful(framing != WHOLE)
