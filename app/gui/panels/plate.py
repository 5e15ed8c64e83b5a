"""The picture of the empty room: its capture, its choice, and what is shown of the one in use."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

from PyQt6.QtCore import QDateTime, QLocale, Qt, pyqtSignal
from PyQt6.QtGui import QHideEvent, QPixmap
from PyQt6.QtWidgets import QDialog, QLabel, QPushButton, QWidget

from app.control.commands import COLLECT_S, COUNTDOWN_S
from app.core.errors import BackgroundError, PlateError, t
from app.core.files import is_file
from app.core.geometry import scale
from app.core.types import BgrImage, Frame
from app.gui.bridge import to_qimage
from app.gui.panels.form import Form, say
from app.gui.questions import UserFolder, ask_for_file
from app.gui.state import SettingsStore, Tasks
from app.gui.translation import tr, translated_error
from app.gui.widgets.controls import button, label
from app.gui.widgets.page import breakable
from app.gui.widgets.qt import column, row, set_up_dialog, timer, was_hidden
from app.gui.widgets.theme import restyle
from app.matting.plate.picture import (
    PlateCapture,
    PlateInfo,
    needs_plate,
    plate_info,
    plate_path,
    store_plate,
)
from app.media.image_file import read_image
from app.runtime.capture_worker import DemandWatch
from app.runtime.status import PipelineStatus
from app.settings import Settings

THUMBNAIL_PX = 160


def plate_view(path: Path | None) -> tuple[BgrImage | None, PlateInfo | None]:
    """Return a plate's thumbnail and how it was captured.

    None for what cannot be read, and without a plate.
    """
    if path is None:
        return None, None
    thumbnail = None
    with suppress(BackgroundError):
        image = read_image(path)
        height, width = image.shape[:2]
        thumbnail_height = max(1, round(height * THUMBNAIL_PX / width))
        thumbnail = scale(image, THUMBNAIL_PX, thumbnail_height)
    return thumbnail, plate_info(path)


class PlateControls(Form):
    """The plate in use, and how to take or choose another one.

    Visible while a model is chosen that needs a plate, or one is chosen automatically and there is
    a plate.
    """

    # The user wants to capture a plate now.
    capture_requested = pyqtSignal()
    # The file in use was chosen again: it may be edited.
    chosen_again = pyqtSignal()

    def __init__(self, store: SettingsStore, tasks: Tasks) -> None:
        super().__init__(store)
        self._tasks = tasks
        self._path: Path | None = None
        # Camera and size of the plate in use; None where the program did not capture
        # it.
        self._taken_with: tuple[str, int, int] | None = None
        # Camera and size for which a stored plate was last looked for.
        self._last_search: tuple[str, int, int] | None = None
        self.thumbnail = QLabel()
        self.thumbnail.setAccessibleName(tr("Picture of the empty room"))
        self.add(self.thumbnail)
        self.age = self.add_hint()
        self.warning = self.add_hint(
            tr("This picture was taken with another camera. Take a new one."),
            role="warning",
        )
        self.unused = self.add_hint(
            tr("The model in use does not compare with this picture. Background Matting does."),
        )
        take = button(
            tr("Take a picture of the empty room…"),
            tr("The camera takes it while you step aside"),
            "plateTake",
            self.capture_requested.emit,
            name=tr("Take a picture of the empty room"),
        )
        choose = button(
            tr("Use an existing picture…"),
            tr("This model compares each frame with a picture of the room without people"),
            "plateButton",
            partial(
                ask_for_file,
                self,
                tr("Picture of the empty room"),
                self._use,
                folder=UserFolder.PicturesLocation,
            ),
            name=tr("Use an existing picture"),
        )
        drop = self.make_removal(
            "matting.plate",
            tr("Remove picture of the empty room"),
            tr("Compare with no picture; its file stays"),
        )
        self.add(take, choose, drop)
        self.thumbnail.hide()
        self.warning.hide()
        self.unused.hide()
        self.on_settings(self._follow)

    def _use(self, path: Path) -> None:
        is_same = path == self._path
        self.store.set("matting.plate", path)
        if is_same:
            self.reload()
            self.chosen_again.emit()

    def show_status(self, status: PipelineStatus) -> None:
        """Use the stored plate of the running camera, or warn of one from another camera."""
        engine = status.engine
        compares = engine is None or needs_plate(engine.model)
        self.unused.setVisible(self._path is not None and not compares)
        source = status.source
        if source is None or self._taken_with is None:
            self.warning.hide()
            return
        camera = self._taken_with[0]
        self.warning.setVisible(source.viewpoint != camera)
        running = (source.viewpoint, source.width, source.height)
        if running not in (self._taken_with, self._last_search):
            self._last_search = running
            stored = plate_path(*running)
            self._tasks.run(
                partial(is_file, stored),
                partial(self._use_stored, stored),
                file=stored,
            )

    def _use_stored(self, stored: Path, is_there: bool) -> None:
        """Use the plate of the camera that runs, unless another one runs meanwhile."""
        if is_there and self._last_search is not None and plate_path(*self._last_search) == stored:
            self.store.edit("matting", plate=stored)

    def _follow(self, settings: Settings) -> None:
        matting = settings.matting
        may_be_used = matting.model == "auto" and matting.plate is not None
        self.setVisible(may_be_used or needs_plate(matting.model))
        if matting.plate != self._path:
            self._path = matting.plate
            self.reload()

    def reload(self) -> None:
        """Read the plate's file again."""
        self._taken_with = None
        self._last_search = None
        self.thumbnail.clear()
        self.thumbnail.hide()
        self.age.hide()
        self._tasks.run(
            partial(plate_view, self._path),
            self._show_view,
            newest=True,
            file=self._path,
        )

    def _show_view(self, view: tuple[BgrImage | None, PlateInfo | None]) -> None:
        thumbnail, info = view
        if thumbnail is not None:
            self.thumbnail.setPixmap(QPixmap.fromImage(to_qimage(thumbnail)))
            self.thumbnail.show()
        if info is not None:
            self._taken_with = (info.camera, info.width, info.height)
            taken = QDateTime.fromSecsSinceEpoch(int(info.taken_at_s))
            date = QLocale().toString(taken, QLocale.FormatType.ShortFormat)
            say(self.age, tr("Taken {0}").format(date))
        elif self._path is not None:
            say(self.age, breakable(self._path.name))


TICK_MS = 30
# Holds the camera while a plate is taken; `ctl` may take one at the same time.
TAKER = "the window"
THUMBNAIL_WIDTH = 320


class PlateDialog(QDialog):
    """Takes a plate after a countdown."""

    # A new plate was stored, possibly under the same path as the last one.
    taken = pyqtSignal()

    def __init__(
        self,
        store: SettingsStore,
        tasks: Tasks,
        newest: Callable[[], Frame | None],
        demand: DemandWatch,
        parent: QWidget | None = None,
    ) -> None:
        """newest: returns the newest frame of the camera; None while paused.

        demand: keeps the camera on and its exposure held from the start to the end.
        """
        super().__init__(parent)
        set_up_dialog(self, "plateDialog", tr("Picture of the empty room"))
        self._store = store
        self._tasks = tasks
        self._newest = newest
        self._demand = demand
        self._capture: PlateCapture | None = None
        self._timer = timer(self, TICK_MS, self._tick)
        self.text = label("", wrap=True)
        self.text.setObjectName("plateText")
        self.number = QLabel()
        self.number.setObjectName("plateCountdown")
        self.number.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.number.setMinimumSize(THUMBNAIL_WIDTH, THUMBNAIL_WIDTH * 9 // 16)
        font = self.number.font()
        font.setPointSize(72)
        self.number.setFont(font)
        self.start_button = button(tr("Start"), tr("Start the countdown"), "plateStart", self.begin)
        self.close_button = button(tr("Close"), object_name="plateClose", act=self.close)
        buttons = row(None, None, self.close_button, self.start_button)
        column(self, self.text, self.number, buttons, spacing=12, margins=None)
        self._set_primary(self.start_button)
        self._wait(
            tr(
                "Press “Start”, then step out of the picture. Do not move the camera or change the "
                "light.",
            ),
        )

    def begin(self) -> None:
        """Hold the camera's exposure and start the countdown."""
        self._demand.begin_plate(TAKER)
        self.start_button.setEnabled(False)
        self._capture = PlateCapture(COUNTDOWN_S, COLLECT_S)
        self._timer.start()

    def hideEvent(self, event: QHideEvent | None) -> None:
        """Release the exposure, also at the end of the program."""
        # While it uses a plate, the pipeline holds the exposure itself.
        super().hideEvent(event)
        if was_hidden(event):
            self._timer.stop()
            # With it, what is being checked is not stored.
            self._capture = None
            self._demand.end_plate(TAKER)

    def _tick(self) -> None:
        capture = self._capture
        assert capture is not None
        try:
            if self._store.current.paused:
                raise PlateError(
                    t(
                        "While Mattecam is paused, no picture of the empty room is taken; resume "
                        "and take it again.",
                    ),
                )
            is_done = capture.feed(self._newest())
        except PlateError as error:
            self._fail(error)
            return
        left_s = capture.countdown_left_s
        if left_s > 0:
            self.number.setText(str(math.ceil(left_s)))
            self.text.setText(tr("Step out of the picture."))
        else:
            self.number.setText("●")
            self.text.setText(tr("Taking the picture…"))
        if is_done:
            self._timer.stop()
            self.text.setText(tr("Checking that nobody is in the picture…"))
            self._tasks.run(partial(self._keep, capture), self._show, self._fail)

    def _keep(self, capture: PlateCapture) -> tuple[BgrImage, Path]:
        """Store the plate (on a task thread); return it and its file."""
        plate = capture.plate()
        path = store_plate(plate, capture.camera, wanted=lambda: self._capture is capture)
        return plate, path

    def _show(self, kept: tuple[BgrImage, Path]) -> None:
        plate, path = kept
        image = to_qimage(plate).scaledToWidth(
            THUMBNAIL_WIDTH,
            Qt.TransformationMode.SmoothTransformation,
        )
        self._wait(tr("Done. This picture is used as the empty background."))
        self.number.setPixmap(QPixmap.fromImage(image))
        self._set_primary(self.close_button)
        self._store.edit("matting", plate=path)
        self.taken.emit()

    def _set_primary(self, primary: QPushButton) -> None:
        """Let Enter press `primary`, whichever of the two buttons has the keyboard focus."""
        for each in (self.start_button, self.close_button):
            each.setAutoDefault(False)
            each.setDefault(each is primary)
            each.setProperty("primary", each is primary)
            restyle(each)
        primary.setFocus()

    def _fail(self, error: Exception) -> None:
        self._wait(translated_error(error))
        self.start_button.setText(tr("Try again"))
        self._set_primary(self.start_button)

    def _wait(self, text: str) -> None:
        self._timer.stop()
        self._capture = None
        self.number.setText(str(round(COUNTDOWN_S)))
        self.text.setText(text)
        self.start_button.setEnabled(True)
