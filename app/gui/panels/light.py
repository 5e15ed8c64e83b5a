"""The light controls: light match, light wrap, portrait light."""

from __future__ import annotations

from functools import partial

from PyQt6.QtWidgets import QVBoxLayout, QWidget

from app.core.settings import Settings
from app.gui.state.store import SettingsStore
from app.gui.widgets.controls import label
from app.gui.widgets.value_slider import ValueSlider


class LightSliders(QWidget):
    """One slider per control; each takes effect while it is dragged."""

    def __init__(self, store: SettingsStore) -> None:
        super().__init__()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        texts = {
            "light_match": (
                self.tr("Light match"),
                self.tr("Adapts your brightness, colour and contrast to the background"),
            ),
            "light_wrap": (self.tr("Light wrap"), self.tr("Lets light of the background fall on your outline")),
            "portrait_light": (
                self.tr("Portrait light"),
                self.tr("Brightens your face like a soft lamp beside the camera"),
            ),
        }
        self._sliders: dict[str, ValueSlider] = {}
        for field, (name, description) in texts.items():
            slider = ValueSlider(0, 100, lambda value: f"{value} %", name, description, f"{field}Slider")
            slider.value_changed.connect(partial(self._edit, store, field))
            column.addWidget(slider)
            self._sliders[field] = slider
        self._hint = label(
            self.tr("Light match needs an image or a video as background: a blurred room has your light already."),
            "faint",
            wrap=True,
        )
        column.addWidget(self._hint)
        store.changed.connect(self._show)
        self._show(store.current)

    @staticmethod
    def _edit(store: SettingsStore, field: str, value: int) -> None:
        store.edit_edges(**{field: value})

    def _show(self, settings: Settings) -> None:
        for field, slider in self._sliders.items():
            slider.show_value(round(getattr(settings.matting.edges, field)))
        unused = settings.background.kind not in ("image", "video", "slides", "screen")
        self._hint.setVisible(unused and settings.matting.edges.light_match > 0)
