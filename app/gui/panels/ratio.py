"""Control of the downsample ratio: a slider and Automatic."""

from __future__ import annotations

from app.core.settings import MAX_RATIO, MIN_RATIO, Settings
from app.gui.panels.form import Form
from app.gui.state.store import SettingsStore
from app.gui.widgets.controls import label
from app.gui.widgets.slider_text import STEPS, percent
from app.gui.widgets.value_slider import ValueSlider
from app.runtime.status import PipelineStatus


class RatioControl(Form):
    """Sets the downsample ratio and shows the resulting size in pixels."""

    def __init__(self, store: SettingsStore) -> None:
        super().__init__(store, spacing=4)
        self._slider = ValueSlider(
            round(MIN_RATIO * STEPS), round(MAX_RATIO * STEPS), percent, self.tr("Detail"),
            self.tr("Resolution of the network's input: more is finer and slower"), "downsampleSlider",
        )  # fmt: skip
        self._pixels = label("", "faint")
        self._pixels.setObjectName("downsampleSize")
        self.add(self._slider, self._pixels)
        auto = self.add_check(
            "matting.downsample_ratio", self.tr("Automatic"), self.tr("Choose the detail by the frame size"),
            "downsampleAuto", change=self._set_auto, shows=lambda ratio: ratio is None,
        )  # fmt: skip
        auto.setAccessibleName(self.tr("Automatic detail"))
        self._slider.value_changed.connect(lambda value: self.set("matting.downsample_ratio", value / STEPS))
        self.refresh()

    def show_status(self, status: PipelineStatus) -> None:
        """Show the ratio in use and the input size of the network."""
        engine = status.engine
        self._pixels.setVisible(engine is not None)
        if engine is None:
            return
        if self.store.current.matting.downsample_ratio is None:
            self._slider.show_value(round(engine.downsample_ratio * STEPS))
        width, height = engine.small_size
        self._pixels.setText(self.tr("Input of the network: {0} × {1} px").format(width, height))

    def _set_auto(self, automatic: bool) -> None:
        self.set("matting.downsample_ratio", None if automatic else self._slider.slider.value() / STEPS)

    def show_settings(self, settings: Settings) -> None:
        super().show_settings(settings)
        ratio = settings.matting.downsample_ratio
        if ratio is not None:
            self._slider.show_value(round(ratio * STEPS))
