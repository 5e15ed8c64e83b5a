"""Which part of the background is shown, how it moves, and which kind of blur it has."""

from __future__ import annotations

from app.core.settings import Settings
from app.gui.panels.form import Form
from app.gui.preview.mirroring import Sides
from app.gui.state.preferences_store import PreferencesStore
from app.gui.state.store import SettingsStore
from app.gui.widgets.signals import follow
from app.gui.widgets.value_slider import percent, times

LAID_OUT = ("image", "video", "slides", "screen")
"""Kinds of background that have a position."""
CENTRED = {"zoom": 1.0, "pan_x": 0.0, "pan_y": 0.0}


class BackgroundViewControls(Form):
    """Sliders for zoom, both directions and parallax, and kinds of blur. Left and right are the preview's."""

    def __init__(self, store: SettingsStore, preferences: PreferencesStore) -> None:
        super().__init__(store)
        self._preferences = preferences
        self._blurs = (
            self.add_check("background.bokeh", self.tr("Bokeh"),
                           self.tr("Blurs like a wide lens: lights become discs; needs the executor OpenVINO"),
                           "bokehCheck"),
            self.add_check("background.distance_blur", self.tr("Blur more with distance"),
                           self.tr("Blurs what is farther from you more strongly; needs the executor OpenVINO"),
                           "distanceBlurCheck"),
        )  # fmt: skip
        self._view = (
            self.add_slider("background.zoom", times, self.tr("Background zoom"),
                            self.tr("Enlarges the image behind the person"), "backgroundZoomSlider"),
            self.add_slider("background.pan_x", percent, self.tr("Left–right"),
                            self.tr("Shows more of the left or right side"), "backgroundXSlider", sign=self._sign),
            self.add_slider("background.pan_y", percent, self.tr("Up–down"),
                            self.tr("Shows more of the top or bottom"), "backgroundYSlider"),
        )  # fmt: skip
        self.add_link(self.tr("Centre the background"), self.tr("Show the background without zoom"), "backgroundReset",
                      lambda: store.edit("background", **CENTRED),
                      lambda now: any(getattr(now.background, name) != value for name, value in CENTRED.items()),
                      )  # fmt: skip
        self._parallax = self.add_slider(
            "background.parallax", percent, self.tr("Parallax"),
            self.tr("Moves an image or a video slowly against your head, as if it were far away"), "parallaxSlider",
        )  # fmt: skip
        follow(preferences.changed, self, lambda _new: self.refresh())
        self.refresh()

    def _sign(self) -> int:
        return Sides.of(self.store.current, self._preferences.current.mirror_preview).backdrop_sign

    def show_settings(self, settings: Settings) -> None:
        super().show_settings(settings)
        kind = settings.background.kind
        for switch in self._blurs:
            switch.setEnabled(kind == "blur")
        for slider in self._view:
            slider.setEnabled(kind in LAID_OUT)
        self._parallax.setEnabled(kind in ("image", "video"))
