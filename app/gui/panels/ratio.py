"""Control of the downsample ratio: a slider and Automatic."""

from __future__ import annotations

from PyQt6.QtCore import QSignalBlocker
from PyQt6.QtWidgets import QCheckBox, QVBoxLayout, QWidget

from app.core.settings import MAX_RATIO, MIN_RATIO, Settings
from app.gui.state.store import SettingsStore
from app.gui.widgets.controls import describe, label
from app.gui.widgets.value_slider import ValueSlider
from app.runtime.status import PipelineStatus


class RatioControl(QWidget):
    """Sets the downsample ratio and shows the resulting size in pixels."""

    def __init__(self, store: SettingsStore) -> None:
        super().__init__()
        self._store = store
        self._slider = ValueSlider(
            round(MIN_RATIO * 100),
            round(MAX_RATIO * 100),
            lambda value: f"{value} %",
            self.tr("Detail"),
            self.tr("Resolution of the network's input: more is finer and slower"),
            "downsampleSlider",
        )
        self._auto = QCheckBox(self.tr("Automatic"))
        describe(
            self._auto,
            self.tr("Automatic detail"),
            self.tr("Choose the detail by the frame size"),
            "downsampleAuto",
        )
        self._pixels = label("", "faint")
        self._pixels.setObjectName("downsampleSize")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        for widget in (self._slider, self._pixels, self._auto):
            column.addWidget(widget)
        self._slider.value_changed.connect(lambda value: store.edit("matting", downsample_ratio=value / 100))
        self._auto.toggled.connect(self._set_auto)
        store.changed.connect(self._show_settings)
        self._show_settings(store.current)

    def show_status(self, status: PipelineStatus) -> None:
        """Show the ratio in use and the input size of the network."""
        engine = status.engine
        self._pixels.setVisible(engine is not None)
        if engine is None:
            return
        if self._store.current.matting.downsample_ratio is None:
            self._slider.show_value(round(engine.downsample_ratio * 100))
        width, height = engine.small_size
        self._pixels.setText(self.tr("Input of the network: {0} × {1} px").format(width, height))

    def _set_auto(self, automatic: bool) -> None:
        value = self._slider.slider.value() / 100
        self._store.edit("matting", downsample_ratio=None if automatic else value)

    def _show_settings(self, settings: Settings) -> None:
        ratio = settings.matting.downsample_ratio
        with QSignalBlocker(self._auto):
            self._auto.setChecked(ratio is None)
        if ratio is not None:
            self._slider.show_value(round(ratio * 100))
