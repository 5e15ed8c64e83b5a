"""Which part of the background is shown, how it moves, and which kind of blur it has."""

from __future__ import annotations

from PyQt6.QtCore import QSignalBlocker
from PyQt6.QtWidgets import QVBoxLayout, QWidget

from app.core.settings import MAX_ZOOM, Settings
from app.gui.preview.mirroring import Sides
from app.gui.state.preferences_store import PreferencesStore
from app.gui.state.store import SettingsStore
from app.gui.widgets.controls import check, describe, link_button
from app.gui.widgets.signals import follow
from app.gui.widgets.slider_text import STEPS, percent, times
from app.gui.widgets.value_slider import ValueSlider

LAID_OUT = ("image", "video", "slides", "screen")
"""Kinds of background that have a position."""
CENTRED = {"zoom": 1.0, "pan_x": 0.0, "pan_y": 0.0}


class BackgroundViewControls(QWidget):
    """Sliders for zoom, both directions and parallax, and kinds of blur. Left and right are the preview's."""

    def __init__(self, store: SettingsStore, preferences: PreferencesStore) -> None:
        super().__init__()
        self._store, self._preferences = store, preferences
        self._zoom = ValueSlider(
            STEPS, round(MAX_ZOOM * STEPS), times, self.tr("Background zoom"),
            self.tr("Enlarges the image behind the person"), "backgroundZoomSlider",
        )  # fmt: skip
        self._across = ValueSlider(
            -STEPS, STEPS, percent, self.tr("Left–right"),
            self.tr("Shows more of the left or right side"),
            "backgroundXSlider",
        )  # fmt: skip
        self._down = ValueSlider(
            -STEPS, STEPS, percent, self.tr("Up–down"), self.tr("Shows more of the top or bottom"),
            "backgroundYSlider",
        )  # fmt: skip
        self._parallax = ValueSlider(
            0, 100, percent, self.tr("Parallax"),
            self.tr("Moves an image or a video slowly against your head, as if it were far away"), "parallaxSlider",
        )  # fmt: skip
        self._reset = link_button(self.tr("Centre the background"))
        describe(
            self._reset, self.tr("Centre the background"), self.tr("Show the background without zoom"),
            "backgroundReset",
        )  # fmt: skip
        self._bokeh = check(
            self.tr("Bokeh"),
            self.tr("Blurs like a wide lens: lights become discs; needs the executor OpenVINO"),
            "bokehCheck",
        )
        self._distance = check(
            self.tr("Blur more with distance"),
            self.tr("Blurs what is farther from you more strongly; needs the executor OpenVINO"),
            "distanceBlurCheck",
        )
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        for widget in (self._bokeh, self._distance, self._zoom, self._across, self._down, self._reset, self._parallax):
            column.addWidget(widget)
        self._zoom.value_changed.connect(lambda value: store.edit("background", zoom=value / STEPS))
        self._across.value_changed.connect(lambda value: store.edit("background", pan_x=self._sign * value / STEPS))
        self._down.value_changed.connect(lambda value: store.edit("background", pan_y=value / STEPS))
        self._parallax.value_changed.connect(lambda value: store.edit("background", parallax=value))
        self._bokeh.toggled.connect(lambda on: store.edit("background", bokeh=on))
        self._distance.toggled.connect(lambda on: store.edit("background", distance_blur=on))
        self._reset.clicked.connect(lambda: store.edit("background", **CENTRED))
        store.changed.connect(self._show)
        follow(preferences.changed, self, lambda _new: self._show(store.current))
        self._show(store.current)

    @property
    def _sign(self) -> int:
        return Sides.of(self._store.current, self._preferences.current.mirror_preview).backdrop_sign

    def _show(self, settings: Settings) -> None:
        background = settings.background
        self._zoom.show_value(round(background.zoom * STEPS))
        self._across.show_value(round(self._sign * background.pan_x * STEPS))
        self._down.show_value(round(background.pan_y * STEPS))
        self._parallax.show_value(round(background.parallax))
        for switch, on in ((self._bokeh, background.bokeh), (self._distance, background.distance_blur)):
            with QSignalBlocker(switch):
                switch.setChecked(on)
            switch.setEnabled(background.kind == "blur")
        for slider in (self._zoom, self._across, self._down):
            slider.setEnabled(background.kind in LAID_OUT)
        self._parallax.setEnabled(background.kind in ("image", "video"))
        self._reset.set_useful(any(getattr(background, name) != value for name, value in CENTRED.items()))
