"""The overlay: a picture and a text over the output."""

from __future__ import annotations

from app.gui.dialogs.questions import UserFolder
from app.gui.panels.form import Entries, Form
from app.gui.state.store import SettingsStore
from app.gui.widgets.controls import label
from app.gui.widgets.value_slider import percent

FILE_FILTER = "*.svg *.png *.webp"
LONGEST_TEXT = 120


class OverlayControls(Form):
    """Edits file, text, their places and the size; each takes effect at once."""

    def __init__(self, store: SettingsStore) -> None:
        super().__init__(store, spacing=8)
        where = self.tr("Where it is shown in the video")
        text = self.make_text(
            "overlay.text", self.tr("Overlay text"),
            self.tr("Shown over the video; {time} and {date} show the local time and date"), "overlayText",
            LONGEST_TEXT,
        )  # fmt: skip
        text.setPlaceholderText(self.tr("Your name, or {time}"))
        file = self.make_file(
            "overlay.file", self.tr("Overlay image"), self.tr("SVG or image with transparency, such as a logo"),
            "overlayFile", UserFolder.PICTURES, caption=self.tr("Choose image…"),
            name_filter=self.tr("Images ({0})").format(FILE_FILTER),
        )  # fmt: skip
        removal = self.tr("Remove overlay image")
        remove = self.make_removal(
            "overlay.file", removal, removal, self.tr("Show no image over the video"), "noOverlayFile"
        )
        self.add_beside(file, remove, grows=file)
        self.add_choice("overlay.place", self.tr("Image position"), where, "overlayPlace", self._places())
        caption = label(self.tr("Overlay text"))
        caption.setBuddy(text)
        self.add(caption, text)
        self.add_choice("overlay.text_place", self.tr("Text position"), where, "overlayTextPlace", self._places())
        self.add_slider("overlay.size", percent, self.tr("Overlay size"),
                        self.tr("Size of image and text; they stay inside the safe area"), "overlaySize")  # fmt: skip

    def _places(self) -> Entries:
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
