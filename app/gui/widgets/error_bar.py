"""The bar that shows the newest problem with a button that helps. It never blocks the window."""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass
from functools import partial

from PyQt6.QtCore import QSize, QTimer, pyqtSignal
from PyQt6.QtGui import QResizeEvent
from PyQt6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget
from PyQt6.sip import isdeleted

from app.gui.i18n.messages import translated
from app.gui.widgets.controls import button, describe, label
from app.gui.widgets.focus import keep_focus
from app.gui.widgets.icons import icon
from app.gui.widgets.remedies import Remedy, remedy_of
from app.runtime.status import PipelineStatus, Problem, Stage

BUTTONS_BESIDE_PX = 640
"""Width of the bar from which on the buttons are beside the text."""
EVENT_MS = 30_000
"""How long the error of a single action stays."""


@dataclass(frozen=True, slots=True, eq=False)
class WindowError:
    """An error of the window itself, which no stage of the pipeline reports."""

    message: str
    at_s: float
    """time.time(), as for a `Problem`."""


class ErrorBar(QFrame):
    """Shows the newest open problem of the pipeline or error of the window, and how many others there are.

    A dismissed problem stays hidden until its message changes.
    """

    help_requested = pyqtSignal(object)
    """The Remedy that the user chose."""
    shown = pyqtSignal(bool)
    """Whether the bar is shown now."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        describe(self, self.tr("Problem"), self.tr("What went wrong"), "errorBar")
        self.setToolTip("")
        self._dismissed: set[str] = set()
        self._shown: Problem | WindowError | None = None
        self._problems: tuple[Problem, ...] = ()
        """Open problems that are neither dismissed nor shown by a notice."""
        self._own: list[WindowError] = []
        self._remedy: Remedy | None = None
        sign = QLabel()
        sign.setPixmap(icon("warning").pixmap(QSize(20, 20)))
        self._where = label("", "heading")
        self._where.setObjectName("errorStage")
        self._text = label("", wrap=True)
        self._text.setObjectName("errorText")
        self._more = label("", "faint")
        self._action = button("")
        describe(self._action, self.tr("Help"), self.tr("Resolve this problem"), "errorAction")
        close = QToolButton()
        close.setIcon(icon("close"))
        describe(close, self.tr("Dismiss"), self.tr("Hide this message"), "errorDismiss")
        texts = QVBoxLayout()
        texts.setSpacing(2)
        texts.addWidget(self._where)
        texts.addWidget(self._text)
        self._buttons = QWidget()
        buttons = QHBoxLayout(self._buttons)
        buttons.setContentsMargins(0, 0, 0, 0)
        buttons.setSpacing(10)
        buttons.addStretch(1)
        buttons.addWidget(self._more)
        buttons.addWidget(self._action)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(12, 8, 8, 8)
        self._grid.setHorizontalSpacing(10)
        self._grid.setVerticalSpacing(4)
        self._grid.setColumnStretch(1, 1)
        self._grid.addWidget(sign, 0, 0)
        self._grid.addLayout(texts, 0, 1)
        self._grid.addWidget(close, 0, 3)
        self._place_buttons(below=False)
        self._action.clicked.connect(lambda: self.help_requested.emit(self._remedy))
        close.clicked.connect(self._dismiss)
        self.hide()

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        super().resizeEvent(event)
        self._place_buttons(below=self.width() < BUTTONS_BESIDE_PX)
        self._reserve_height()

    def _reserve_height(self) -> None:
        """Let the text have all its lines: the minimum size of a layout ignores that labels wrap."""
        self.setMinimumHeight(max(0, self._grid.heightForWidth(self.width())))

    def _place_buttons(self, *, below: bool) -> None:
        row, column, columns = (1, 1, 3) if below else (0, 2, 1)
        if self._grid.itemAtPosition(row, column) is None:
            self._grid.removeWidget(self._buttons)
            self._grid.addWidget(self._buttons, row, column, 1, columns)

    @property
    def text(self) -> str:
        """The sentence shown; empty while the bar is hidden."""
        return self._text.text() if not self.isHidden() else ""

    def show_message(self, message: str, *, lasting: bool = False) -> None:
        """Show an error of the window. It goes after a while, unless it is `lasting`; then until it is dismissed."""
        error = WindowError(message, time.time())
        self._own = [*(other for other in self._own if other.message != message), error]
        if not lasting:
            QTimer.singleShot(EVENT_MS, partial(self._expire, error))
        self._update()

    def show_status(self, status: PipelineStatus, covered: Collection[Stage] = ()) -> None:
        """Show the newest open problem; hide the bar when there is none.

        covered: stages whose problem a notice shows already.
        """
        messages = {problem.message for problem in status.problems}
        self._dismissed &= messages
        self._problems = tuple(
            problem
            for problem in status.problems
            if problem.message not in self._dismissed and problem.stage not in covered
        )
        self._update()

    def _update(self) -> None:
        entries: list[Problem | WindowError] = [*self._problems, *self._own]
        entries.sort(key=lambda entry: entry.at_s)
        self._shown = entries[-1] if entries else None
        problem = self._shown if isinstance(self._shown, Problem) else None
        self._remedy = remedy_of(problem) if problem is not None else None
        self._text.setText(translated(self._shown.message) if self._shown is not None else "")
        self._where.setText(self._stage_text(problem.stage) if problem is not None else "")
        self._where.setVisible(problem is not None)
        others = len(entries) - 1
        self._more.setText(self.tr("and {0} more").format(others) if others > 0 else "")
        caption = self._action_text(self._remedy) if self._remedy is not None else ""
        self._action.setText(caption)
        if caption:
            self._action.setAccessibleName(caption)
        with keep_focus(self._action):
            self._action.setVisible(bool(caption))
            self._buttons.setVisible(bool(caption) or others > 0)
        with keep_focus(self):
            self.setVisible(self._shown is not None)
        self.shown.emit(self._shown is not None)
        self._reserve_height()

    def _stage_text(self, stage: Stage) -> str:
        return {
            Stage.CAPTURE: self.tr("Camera"),
            Stage.MATTING: self.tr("Matting"),
            Stage.BACKGROUND: self.tr("Background"),
            Stage.OVERLAY: self.tr("Overlay"),
            Stage.VIRTUAL_CAMERA: self.tr("Virtual camera"),
            Stage.PIPEWIRE: self.tr("PipeWire camera"),
            Stage.RECORDING: self.tr("Recording"),
            Stage.MICROPHONE: self.tr("Microphone"),
            Stage.OUTPUT: self.tr("Output"),
            Stage.SETTINGS: self.tr("Settings"),
            Stage.SHORTCUTS: self.tr("Global shortcuts"),
        }[stage]

    def _action_text(self, remedy: Remedy) -> str:
        return {
            Remedy.CAMERA: self.tr("Choose another camera"),
            Remedy.SOURCE: self.tr("Choose another source"),
            Remedy.MODEL: self.tr("Choose another model"),
            Remedy.MATTING_SETTINGS: self.tr("Show the settings"),
            Remedy.SERVER: self.tr("Show the server settings"),
            Remedy.PLATE: self.tr("Take a picture of the empty room…"),
            Remedy.BLUR: self.tr("Blur the background"),
            Remedy.VIRTUAL_CAMERA: self.tr("Set up…"),
            Remedy.RECORDINGS_FOLDER: self.tr("Choose another folder"),
            Remedy.KEYS: self.tr("How to set keys yourself"),
            Remedy.RETRY: self.tr("Try again"),
        }[remedy]

    def _dismiss(self) -> None:
        shown = self._shown
        if isinstance(shown, WindowError):
            self._own.remove(shown)
        elif shown is not None:
            self._dismissed.add(shown.message)
            self._problems = tuple(problem for problem in self._problems if problem.message != shown.message)
        self._update()

    def _expire(self, error: WindowError) -> None:
        if not isdeleted(self) and error in self._own:  # neither dismissed nor repeated
            self._own.remove(error)
            self._update()
