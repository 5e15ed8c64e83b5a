"""The bar that shows the newest problem with a button that helps. It never blocks the window."""

from __future__ import annotations

from collections.abc import Collection

from PyQt6.QtCore import QSize, pyqtSignal
from PyQt6.QtWidgets import QFrame, QHBoxLayout, QLabel, QToolButton, QWidget

from app.gui.i18n.messages import translated
from app.gui.widgets.controls import button, describe, label
from app.gui.widgets.focus import keep_focus
from app.gui.widgets.icons import icon
from app.runtime.status import PipelineStatus, Problem, Stage


class ErrorBar(QFrame):
    """Shows the newest open problem of the pipeline, or an error of the window itself.

    A dismissed problem stays hidden until its message changes.
    """

    help_requested = pyqtSignal(object)
    """The Stage whose button was pressed; None for an error of the window."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        describe(self, self.tr("Problem"), self.tr("What went wrong"), "errorBar")
        self.setToolTip("")
        self._dismissed: set[str] = set()
        self._shown: Problem | None = None
        self._own = ""
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
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 8, 8, 8)
        row.setSpacing(10)
        row.addWidget(sign)
        row.addWidget(self._where)
        row.addWidget(self._text, 1)
        for widget in (self._more, self._action, close):
            row.addWidget(widget)
        self._action.clicked.connect(lambda: self.help_requested.emit(self._shown.stage if self._shown else None))
        close.clicked.connect(self._dismiss)
        self.hide()

    @property
    def text(self) -> str:
        """The sentence shown; empty while the bar is hidden."""
        return self._text.text() if not self.isHidden() else ""

    def show_message(self, message: str) -> None:
        """Show an error of the window."""
        self._own = message
        self._update(())

    def show_status(self, status: PipelineStatus, covered: Collection[Stage] = ()) -> None:
        """Show the newest open problem; hide the bar when there is none.

        covered: stages whose problem a notice shows already.
        """
        messages = {problem.message for problem in status.problems}
        self._dismissed &= messages
        self._update(
            tuple(
                problem
                for problem in status.problems
                if problem.message not in self._dismissed and problem.stage not in covered
            )
        )

    def _update(self, problems: tuple[Problem, ...]) -> None:
        self._shown = problems[-1] if problems and not self._own else None
        message = self._own or (self._shown.message if self._shown is not None else "")
        self._text.setText(translated(message))
        self._where.setText(self._stage_text(self._shown.stage) if self._shown is not None else "")
        self._where.setVisible(self._shown is not None)
        others = len(problems) - (0 if self._own else 1)
        self._more.setText(self.tr("and {0} more").format(others) if others > 0 else "")
        caption = self._action_text(self._shown.stage) if self._shown is not None else ""
        self._action.setText(caption)
        if caption:
            self._action.setAccessibleName(caption)
        with keep_focus(self._action):
            self._action.setVisible(bool(caption))
        with keep_focus(self):
            self.setVisible(bool(message))

    def _stage_text(self, stage: Stage) -> str:
        return {
            Stage.CAPTURE: self.tr("Camera"),
            Stage.MATTING: self.tr("Matting"),
            Stage.BACKGROUND: self.tr("Background"),
            Stage.VIRTUAL_CAMERA: self.tr("Virtual camera"),
            Stage.PIPEWIRE: self.tr("PipeWire camera"),
            Stage.RECORDING: self.tr("Recording"),
            Stage.OUTPUT: self.tr("Output"),
            Stage.SETTINGS: self.tr("Settings"),
        }[stage]

    def _action_text(self, stage: Stage) -> str:
        return {
            Stage.CAPTURE: self.tr("Choose another camera"),
            Stage.MATTING: self.tr("Choose another model"),
            Stage.BACKGROUND: self.tr("Blur the background"),
            Stage.VIRTUAL_CAMERA: self.tr("Set up…"),
            Stage.PIPEWIRE: self.tr("Set up…"),
            Stage.RECORDING: self.tr("Choose another folder"),
        }.get(stage, self.tr("Try again"))

    def _dismiss(self) -> None:
        if self._own:
            self._own = ""
        elif self._shown is not None:
            self._dismissed.add(self._shown.message)
        self._update(())
