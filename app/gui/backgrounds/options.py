"""Options of the background in use: blur strength, colour, or how an image is fitted."""

from __future__ import annotations

from collections.abc import Callable

from PyQt6.QtCore import QSignalBlocker
from PyQt6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from app.core.settings import Settings
from app.gui.backgrounds.item import GREEN
from app.gui.state.store import SettingsStore
from app.gui.widgets.controls import ValueSlider, button, check, combo, describe, fill_combo, label


class BackgroundOptions(QStackedWidget):
    """Shows the options of the current kind of background."""

    def __init__(self, store: SettingsStore, choose_colour: Callable[[], None]) -> None:
        super().__init__()
        self._store = store
        self._blur = ValueSlider(
            0,
            100,
            lambda value: f"{value} %",
            self.tr("Blur strength"),
            self.tr("How strongly the real background is blurred"),
            "blurSlider",
            caption=False,
        )
        self._blur.setMaximumWidth(340)
        self._blur.value_changed.connect(lambda value: store.edit("background", blur_strength=value))
        self._fit = combo(self.tr("Fit"), self.tr("How the image is fitted to the frame"), "fitCombo")
        self._fit.setMaximumWidth(220)
        self._fit.setMinimumContentsLength(5)
        self._fit.activated.connect(lambda _row: store.edit("background", fit=self._fit.currentData()))
        colour = button(self.tr("Choose colour…"))
        describe(colour, self.tr("Choose colour"), self.tr("Colour of the background"), "colourButton")
        colour.clicked.connect(choose_colour)
        warning = label(self.tr("Shows your real background."), "warning")
        warning.setObjectName("unmattedWarning")
        self._bokeh = check(
            self.tr("Bokeh"),
            self.tr("Blurs like a wide lens: lights become discs; needs the executor OpenVINO"),
            "bokehCheck",
        )
        self._bokeh.toggled.connect(lambda on: store.edit("background", bokeh=on))
        self._distance = check(
            self.tr("Depth"),
            self.tr("Blurs what is farther from you more strongly; needs the executor OpenVINO"),
            "distanceBlurCheck",
        )
        self._distance.toggled.connect(lambda on: store.edit("background", distance_blur=on))
        blurring = QWidget()
        row = QHBoxLayout(blurring)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self._blur, 1)
        switches = QVBoxLayout()  # beside each other the window would be wider than 800 pixels
        switches.setSpacing(0)
        switches.addWidget(self._bokeh)
        switches.addWidget(self._distance)
        row.addLayout(switches)
        # no caption beside the slider: in German the window would be wider than 800 pixels
        self.addWidget(_page(blurring, wide=True))
        self.addWidget(_page(self._fit, self.tr("Fit"), wide=True))
        self.addWidget(_page(colour))
        self.addWidget(_page(warning))
        self.addWidget(QWidget())
        self.setMaximumHeight(48)
        store.changed.connect(self._show)
        self._show(store.current)

    def _show(self, settings: Settings) -> None:
        background = settings.background
        self._blur.show_value(round(background.blur_strength))
        with QSignalBlocker(self._bokeh):
            self._bokeh.setChecked(background.bokeh)
        with QSignalBlocker(self._distance):
            self._distance.setChecked(background.distance_blur)
        fill_combo(self._fit, [(self.tr("Fill the frame"), "fill"), (self.tr("Show the whole image"), "fit")],
                   background.fit)  # fmt: skip
        green = background.colour.lower() == GREEN
        self.setCurrentIndex(
            {"blur": 0, "image": 1, "video": 1, "colour": 4 if green else 2, "none": 3}[background.kind]
        )


def _page(widget: QWidget, caption: str = "", *, wide: bool = False) -> QWidget:
    page = QWidget()
    row = QHBoxLayout(page)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(8)
    if caption:
        text = label(caption, "faint")
        text.setBuddy(widget)
        row.addWidget(text)
    row.addWidget(widget, 2 if wide else 0)
    row.addStretch(1)
    return page
