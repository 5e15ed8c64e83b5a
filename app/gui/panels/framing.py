"""Digital zoom, pan and auto-framing."""

from __future__ import annotations

from app.core.framing import WHOLE
from app.core.settings import Settings
from app.gui.panels.form import Form
from app.gui.state.preferences_store import PreferencesStore
from app.gui.state.store import SettingsStore
from app.gui.widgets.signals import follow
from app.gui.widgets.value_slider import offset, times


class FramingControls(Form):
    """Auto-framing, and sliders for the zoom and, while zoomed, both directions. Left and right are the preview's."""

    def __init__(self, store: SettingsStore, preferences: PreferencesStore) -> None:
        super().__init__(store)
        self.add_choice(
            "people.auto_framing", self.tr("Auto-framing"),
            self.tr("Crops the image to head and shoulders and follows them"), "autoFramingCombo",
            [(self.tr("Off"), "off"), (self.tr("Calm"), "calm"), (self.tr("Close"), "close")],
            choose=self._choose_auto,
        )  # fmt: skip
        self.add_slider("framing.zoom", times, self.tr("Zoom"),
                        self.tr("Enlarges a part of the camera image"), "zoomSlider")  # fmt: skip
        self._pans = (
            self.add_slider("framing.pan_x", offset, self.tr("Left–right"),
                            self.tr("Moves the image left or right"), "panXSlider",
                            sign=lambda: -1 if preferences.current.mirror_preview else 1),
            self.add_slider("framing.pan_y", offset, self.tr("Up–down"),
                            self.tr("Moves the image up or down"), "panYSlider"),
        )  # fmt: skip
        self.add_hint(
            self.tr("Turn the mouse wheel over the preview to zoom; drag to move. Auto-framing pauses while you zoom.")
        )
        self.add_link(self.tr("Reset zoom"), self.tr("Show the whole camera image"), "framingReset", self._show_whole,
                      lambda settings: settings.framing != WHOLE)  # fmt: skip
        follow(preferences.changed, self, lambda _new: self.refresh())
        self.refresh()

    def show_settings(self, settings: Settings) -> None:
        super().show_settings(settings)
        for pan in self._pans:
            pan.setEnabled(settings.framing.zoom > 1)

    def _show_whole(self) -> None:
        self.store.edit("framing", **dict(WHOLE))

    def _choose_auto(self, style: str) -> None:
        self.set("people.auto_framing", style)
        if style != "off":
            self._show_whole()  # a manual zoom would override it
