"""Captures an empty-background plate: countdown, some seconds of frames, check that nobody is in it."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from pathlib import Path

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtGui import QHideEvent, QPixmap
from PyQt6.QtWidgets import QDialog, QLabel, QProgressBar, QPushButton, QWidget

from app.control.commands import COLLECT_S, COUNTDOWN_S
from app.core.errors import PlateError, t
from app.core.types import BgrImage, Frame
from app.gui.i18n.messages import translated_error
from app.gui.preview.rendering import to_qimage
from app.gui.state import services
from app.gui.state.store import SettingsStore
from app.gui.state.tasks import Tasks
from app.gui.widgets.controls import button, describe, label
from app.gui.widgets.qt import column, prepare, row, timer, was_hidden
from app.gui.widgets.theme import restyle
from app.matting.plate.capture import PlateCapture

TICK_MS = 30
THUMBNAIL_WIDTH = 320


class PlateDialog(QDialog):
    """`newest` returns the newest frame of the camera; None while paused."""

    taken = pyqtSignal()
    """A new plate was stored, possibly under the same path as the last one."""

    def __init__(
        self,
        store: SettingsStore,
        tasks: Tasks,
        newest: Callable[[], Frame | None],
        hold: Callable[[bool], object],
        parent: QWidget | None = None,
    ) -> None:
        """hold: called with whether the camera stays on and holds its exposure, from the start to the end."""
        super().__init__(parent)
        prepare(self, "plateDialog", self.tr("Picture of the empty room"))
        self._store, self._tasks, self._newest, self._hold = store, tasks, newest, hold
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
        self.bar = QProgressBar()
        self.bar.setRange(0, 100)
        self.bar.setTextVisible(False)
        describe(self.bar, self.tr("Progress"), self.tr("Progress of the capture"), "plateProgress")
        self.start_button = button(self.tr("Start"), self.tr("Start the countdown"), "plateStart", self.begin)
        self.close_button = button(self.tr("Close"), object_name="plateClose", act=self.close)
        buttons = row(None, None, self.close_button, self.start_button)
        column(self, self.text, self.number, self.bar, buttons, spacing=12, margins=None)
        self._set_primary(self.start_button)
        self._wait(self.tr("Press “Start”, then step out of the picture. Do not move the camera or change the light."))

    def begin(self) -> None:
        """Hold the camera's exposure and start the countdown."""
        self._hold(True)
        self.start_button.setEnabled(False)
        self._capture = PlateCapture(COUNTDOWN_S, COLLECT_S)
        self._timer.start()

    def hideEvent(self, event: QHideEvent | None) -> None:
        """Release the exposure, which the pipeline holds while it uses a plate; also at the end of the program."""
        super().hideEvent(event)
        if was_hidden(event):
            self._timer.stop()
            self._capture = None  # and store nothing of what is being checked
            self._hold(False)

    def _tick(self) -> None:
        capture = self._capture
        assert capture is not None
        try:
            if self._store.current.paused:
                raise PlateError(
                    t("While Mattecam is paused, no picture of the empty room is taken; resume and take it again.")
                )
            done = capture.feed(self._newest())
        except PlateError as error:
            self._fail(error)
            return
        left_s = capture.countdown_left_s
        self.number.setText(str(math.ceil(left_s)) if left_s > 0 else "●")
        self.text.setText(self.tr("Step out of the picture.") if left_s > 0 else self.tr("Taking the picture…"))
        self.bar.setValue(round(100 * capture.progress))
        if done:
            self._timer.stop()
            self.text.setText(self.tr("Checking that nobody is in the picture…"))
            self._tasks.run(partial(self._keep, capture), self._show, self._fail)

    def _keep(self, capture: PlateCapture) -> tuple[BgrImage, Path]:
        """Store the plate (on a task thread); return it and its file."""
        plate = capture.plate()
        return plate, services.keep_plate(plate, capture.camera, wanted=lambda: self._capture is capture)

    def _show(self, kept: tuple[BgrImage, Path]) -> None:
        plate, path = kept
        image = to_qimage(plate).scaledToWidth(THUMBNAIL_WIDTH, Qt.TransformationMode.SmoothTransformation)
        self._wait(self.tr("Done. This picture is used as the empty background."))
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
        self.start_button.setText(self.tr("Try again"))
        self._set_primary(self.start_button)

    def _wait(self, text: str) -> None:
        self._timer.stop()
        self._capture = None
        self.number.setText(str(round(COUNTDOWN_S)))
        self.bar.setValue(0)
        self.text.setText(text)
        self.start_button.setEnabled(True)
