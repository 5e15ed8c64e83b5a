"""Text and image of the stand-by card."""

from __future__ import annotations

from pathlib import Path

from PyQt6.QtWidgets import QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from app.core.settings import Settings
from app.gui.dialogs.questions import UserFolder, ask_for_file
from app.gui.i18n.standby_text import standby_text
from app.gui.state.store import SettingsStore
from app.gui.widgets.controls import button, describe, label, link_button

IMAGE_FILTER = "*.png *.jpg *.jpeg *.webp *.bmp"


class StandbyControls(QWidget):
    """Edits the card that other programs see during a pause."""

    def __init__(self, store: SettingsStore) -> None:
        super().__init__()
        self._store = store
        caption = label(self.tr("Stand-by text"), wrap=True)
        self._text = QLineEdit()
        self._text.setMaxLength(200)
        self._text.setPlaceholderText(standby_text())
        describe(self._text, self.tr("Stand-by text"), self.tr("Shown on the card while you are paused"), "standbyText")
        caption.setBuddy(self._text)
        image = button(self.tr("Image…"))
        describe(image, self.tr("Stand-by image"), self.tr("Shown on the card while you are paused"), "standbyImage")
        self._no_image = link_button(self.tr("Remove image"))
        describe(self._no_image, self.tr("Remove image"), self.tr("Use the default stand-by card"), "noStandbyImage")
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self._text, 1)
        row.addWidget(image)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(caption)
        column.addLayout(row)
        column.addWidget(self._no_image)
        self._text.textEdited.connect(lambda text: store.edit("output", standby_text=text))
        image.clicked.connect(self._ask_for_image)
        self._no_image.clicked.connect(lambda: store.edit("output", standby_image=None))
        store.changed.connect(self._show)
        self._show(store.current)

    def _ask_for_image(self) -> None:
        def take(path: Path) -> None:
            self._store.edit("output", standby_image=path)

        name_filter = self.tr("Images ({0})").format(IMAGE_FILTER)
        ask_for_file(self, self.tr("Stand-by image"), take, name_filter, folder=UserFolder.PICTURES)

    def _show(self, settings: Settings) -> None:
        output = settings.output
        if self._text.text() != output.standby_text:
            self._text.setText(output.standby_text)
        self._no_image.setVisible(output.standby_image is not None)
