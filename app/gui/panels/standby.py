"""Text and image of the stand-by card."""

from __future__ import annotations

from app.gui.dialogs.questions import UserFolder
from app.gui.i18n.messages import standby_text
from app.gui.panels.form import Form
from app.gui.state.store import SettingsStore
from app.gui.widgets.controls import label

IMAGE_FILTER = "*.png *.jpg *.jpeg *.webp *.bmp"
LONGEST_TEXT = 200


class StandbyControls(Form):
    """Edits the card that other programs see during a pause."""

    def __init__(self, store: SettingsStore) -> None:
        super().__init__(store, spacing=4)
        shown = self.tr("Shown on the card while you are paused")
        text = self.make_text("output.standby_text", self.tr("Stand-by text"), shown, "standbyText", LONGEST_TEXT)
        text.setPlaceholderText(standby_text())
        caption = label(self.tr("Stand-by text"), wrap=True)
        caption.setBuddy(text)
        image = self.make_file(
            "output.standby_image", self.tr("Stand-by image"), shown, "standbyImage", UserFolder.PICTURES,
            caption=self.tr("Image…"), name_filter=self.tr("Images ({0})").format(IMAGE_FILTER), named=False,
        )  # fmt: skip
        self.add(caption)
        self.add_beside(text, image, grows=text)
        removal = self.tr("Remove image")
        self.add(
            self.make_removal(
                "output.standby_image", removal, removal, self.tr("Use the default stand-by card"), "noStandbyImage"
            )
        )
