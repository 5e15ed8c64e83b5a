"""The overlay: a picture and a text over the output."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PyQt6.QtWidgets import QComboBox, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from app.core.settings import Settings
from app.gui.dialogs.questions import UserFolder, ask_for_file
from app.gui.state.store import SettingsStore
from app.gui.widgets.controls import button, combo, describe, fill_combo, label, link_button
from app.gui.widgets.page import field_row
from app.gui.widgets.value_slider import ValueSlider

FILE_FILTER = "*.svg *.png *.webp"
LONGEST_TEXT = 120


class OverlayControls(QWidget):
    """Edits file, text, their places and the size; each takes effect at once."""

    def __init__(self, store: SettingsStore) -> None:
        super().__init__()
        self._store = store
        self._file = button("")
        describe(
            self._file,
            self.tr("Overlay image"),
            self.tr("SVG or image with transparency, such as a logo"),
            "overlayFile",
        )
        self._no_file = link_button(self.tr("Remove overlay image"))
        describe(
            self._no_file, self.tr("Remove overlay image"), self.tr("Show no image over the video"), "noOverlayFile"
        )
        self._text = QLineEdit()
        self._text.setMaxLength(LONGEST_TEXT)
        self._text.setPlaceholderText(self.tr("Your name, or {time}"))
        describe(
            self._text,
            self.tr("Overlay text"),
            self.tr("Shown over the video; {time} and {date} show the local time and date"),
            "overlayText",
        )
        self._place = self._place_combo(self.tr("Image position"), "overlayPlace", "place")
        self._text_place = self._place_combo(self.tr("Text position"), "overlayTextPlace", "text_place")
        self._size = ValueSlider(
            10, 400, lambda value: f"{value} %", self.tr("Overlay size"),
            self.tr("Size of image and text; they stay inside the safe area"), "overlaySize",
        )  # fmt: skip
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self._file, 1)
        row.addWidget(self._no_file)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addLayout(row)
        column.addWidget(field_row(self.tr("Image position"), self._place))
        caption = label(self.tr("Overlay text"))
        caption.setBuddy(self._text)
        column.addWidget(caption)
        column.addWidget(self._text)
        column.addWidget(field_row(self.tr("Text position"), self._text_place))
        column.addWidget(self._size)
        self._file.clicked.connect(self._ask_for_file)
        self._no_file.clicked.connect(lambda: store.edit("overlay", file=None))
        self._text.textEdited.connect(lambda text: store.edit("overlay", text=text))
        self._size.value_changed.connect(lambda value: store.edit("overlay", size=value))
        store.changed.connect(self._show)
        self._show(store.current)

    def _place_combo(self, name: str, object_name: str, field: str) -> QComboBox:
        box = combo(name, self.tr("Where it is shown in the video"), object_name)
        box.activated.connect(partial(self._edit_place, box, field))
        return box

    def _edit_place(self, box: QComboBox, field: str, _row: int) -> None:
        self._store.edit("overlay", **{field: box.currentData()})

    def _places(self) -> list[tuple[str, object]]:
        return [
            (self.tr("Top left"), "top-left"),
            (self.tr("Top"), "top"),
            (self.tr("Top right"), "top-right"),
            (self.tr("Left"), "left"),
            (self.tr("Centre"), "centre"),
            (self.tr("Right"), "right"),
            (self.tr("Bottom left"), "bottom-left"),
            (self.tr("Bottom"), "bottom"),
            (self.tr("Bottom right"), "bottom-right"),
        ]

    def _ask_for_file(self) -> None:
        def take(path: Path) -> None:
            self._store.edit("overlay", file=path)

        name_filter = self.tr("Images ({0})").format(FILE_FILTER)
        ask_for_file(self, self.tr("Overlay image"), take, name_filter, folder=UserFolder.PICTURES)

    def _show(self, settings: Settings) -> None:
        overlay = settings.overlay
        self._file.setText(self.tr("Choose image…") if overlay.file is None else overlay.file.name)
        self._no_file.setVisible(overlay.file is not None)
        if self._text.text() != overlay.text:
            self._text.setText(overlay.text)
        fill_combo(self._place, self._places(), overlay.place)
        fill_combo(self._text_place, self._places(), overlay.text_place)
        self._size.show_value(round(overlay.size))
