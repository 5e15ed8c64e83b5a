"""The empty-background plate on the matting page: thumbnail, age, capture and file choice."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PyQt6.QtCore import QDateTime, QLocale, pyqtSignal
from PyQt6.QtGui import QPixmap

from app.core.settings import Settings
from app.core.types import BgrImage
from app.gui.dialogs.questions import UserFolder, ask_for_file
from app.gui.panels.form import Form
from app.gui.preview.qimage import to_qimage
from app.gui.preview.room_label import RoomLabel
from app.gui.state import services
from app.gui.state.store import SettingsStore
from app.gui.state.tasks import Tasks
from app.gui.widgets.controls import button, label
from app.runtime.plate.capture import PlateInfo
from app.runtime.status import PipelineStatus
from models.table import needs_plate

THUMBNAIL_WIDTH = 160


class PlateControls(Form):
    """Visible while a model is chosen that needs a plate, or one is chosen automatically and there is a plate."""

    capture_requested = pyqtSignal()
    """The user wants to capture a plate now."""

    def __init__(self, store: SettingsStore, tasks: Tasks) -> None:
        super().__init__(store, spacing=4)
        self._tasks = tasks
        self._path: Path | None = None
        self._taken_with: tuple[str, int, int] | None = None
        """Camera and size of the plate in use; None where the program did not capture it."""
        self._searched: tuple[str, int, int] | None = None
        """Camera and size for which a stored plate was last searched."""
        self.thumbnail = RoomLabel(store)
        self.thumbnail.setAccessibleName(self.tr("Picture of the empty room"))
        self.add(self.thumbnail)
        self.age = self.add_hint()
        self.warning = label(
            self.tr("This picture was taken with another camera. Take a new one."), "warning", wrap=True
        )
        take = button(
            self.tr("Take a picture of the empty room…"), self.tr("The camera takes it while you step aside"),
            "plateTake", self.capture_requested.emit, name=self.tr("Take a picture of the empty room"),
        )  # fmt: skip
        choose = button(
            self.tr("Use an existing picture…"),
            self.tr("This model compares each frame with a picture of the room without people"), "plateButton",
            self.ask_for_plate, name=self.tr("Use an existing picture"),
        )  # fmt: skip
        removal = self.tr("Remove picture of the empty room")
        self.drop = self.make_removal(
            "matting.plate", removal, removal, self.tr("Compare with no picture; its file stays"), "plateDrop"
        )
        self.add(self.warning, take, choose, self.drop)
        for empty in (self.thumbnail, self.age, self.warning):
            empty.hide()
        self.refresh()

    def ask_for_plate(self) -> None:
        """Ask for an image file of the empty background."""
        title = self.tr("Picture of the empty room")
        ask_for_file(self, title, partial(self.set, "matting.plate"), folder=UserFolder.PICTURES)

    def show_status(self, status: PipelineStatus) -> None:
        """Use the stored plate of the running camera; without one, warn if the plate is from another camera."""
        source, taken_with = status.source, self._taken_with
        if source is None or taken_with is None:
            self.warning.hide()
            return
        self.warning.setVisible(source.id != taken_with[0])
        running = source.id, source.width, source.height
        if running not in (taken_with, self._searched):
            self._searched = running
            stored = services.stored_plate(*running)
            if stored is not None:
                self.store.edit("matting", plate=stored)

    def show_settings(self, settings: Settings) -> None:
        super().show_settings(settings)
        matting = settings.matting
        self.setVisible(needs_plate(matting.model) or (matting.model == "auto" and matting.plate is not None))
        if matting.plate != self._path:
            self._path = matting.plate
            self.reload()

    def reload(self) -> None:
        """Read the plate's file again."""
        self._taken_with = self._searched = None
        for shown in (self.thumbnail, self.age):
            shown.clear()
            shown.hide()
        if self._path is not None:
            self._tasks.run(partial(services.plate_view, self._path, THUMBNAIL_WIDTH), self._show_view)

    def _show_view(self, view: tuple[BgrImage | None, PlateInfo | None]) -> None:
        thumbnail, info = view
        if thumbnail is not None:
            self.thumbnail.setPixmap(QPixmap.fromImage(to_qimage(thumbnail)))
            self.thumbnail.show()
        if info is not None:
            self._taken_with = info.camera, info.width, info.height
            taken = QDateTime.fromSecsSinceEpoch(int(info.taken_at_s))
            self.age.setText(self.tr("Taken {0}").format(QLocale().toString(taken, QLocale.FormatType.ShortFormat)))
        elif self._path is not None:
            self.age.setText(self._path.name)
        self.age.setVisible(bool(self.age.text()))
