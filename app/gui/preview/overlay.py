"""What lies over the preview: the figures, and the red marks."""

from __future__ import annotations

from PyQt6.QtCore import Qt, QTimer
from PyQt6.QtGui import QColor, QPainter, QPaintEvent
from PyQt6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.gui.widgets.theme import ALARM
from app.runtime.status import Phase, PipelineStatus

NOTICE_MS = 4000


class Pill(QLabel):
    """A few words on a dark or red rounded ground."""

    def __init__(self, name: str, colour: QColor) -> None:
        super().__init__()
        self.setObjectName(name)
        self._colour = colour
        self.setStyleSheet("color: white; padding: 4px 10px; background: transparent;")
        self.hide()

    def show_text(self, text: str) -> None:
        """Show these words; nothing hides the pill."""
        if text != self.text():
            self.setText(text)
        self.setVisible(bool(text))

    def paintEvent(self, event: QPaintEvent | None) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._colour)
        painter.drawRoundedRect(self.rect(), 8, 8)
        painter.end()
        super().paintEvent(event)


class Readout(QWidget):
    """Figures at the lower left, marks at the upper left of the preview; lets every click through."""

    def __init__(self) -> None:
        super().__init__()
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        dark, red = QColor(10, 12, 15, 165), QColor(ALARM)
        self.room = Pill("roomBadge", red)
        self.recording = Pill("recordingBadge", red)
        self.live = Pill("liveBadge", red)
        self.state = Pill("stateBadge", dark)
        self.figures = Pill("figures", dark)
        self.notice = Pill("notice", dark)
        self._notice_timer = QTimer(self)
        self._notice_timer.setSingleShot(True)
        self._notice_timer.timeout.connect(self.notice.hide)
        self._figures_wanted = True
        above = QHBoxLayout()
        for pill in (self.room, self.live, self.recording, self.state):
            above.addWidget(pill)
        above.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 12, 12, 12)
        column.addLayout(above)
        column.addStretch(1)
        below = QHBoxLayout()
        below.addWidget(self.figures)
        below.addWidget(self.notice)
        below.addStretch(1)
        column.addLayout(below)

    def show_figures(self, wanted: bool) -> None:
        """Whether the figures are shown at all."""
        self._figures_wanted = wanted
        self.figures.setVisible(wanted and bool(self.figures.text()))

    def say(self, text: str) -> None:
        """Say something for a few seconds."""
        self.notice.show_text(text)
        self._notice_timer.start(NOTICE_MS)

    def show_status(self, status: PipelineStatus, recording_time: str) -> None:
        """Show the marks and figures of this moment."""
        self.room.show_text(self.tr("Your room can be seen") if status.unmatted else "")
        self.live.show_text(self._on_air(status.readers or 0))
        self.recording.show_text(recording_time)
        self.state.show_text(self._state(status))
        running = status.phase is Phase.RUNNING
        latency = status.latency_ms.end_to_end.median or status.latency_ms.step.median
        figures = self.tr("{0} fps · {1} ms").format(f"{status.fps_out:.0f}", f"{latency:.0f}") if running else ""
        self.figures.show_text(figures if self._figures_wanted else "")

    def _on_air(self, readers: int) -> str:
        if readers > 1:
            return self.tr("On air in {0} programs").format(readers)
        return self.tr("On air") if readers else ""

    def _state(self, status: PipelineStatus) -> str:
        return {
            Phase.PAUSED: self.tr("Paused: the others see the stand-by card"),
            Phase.WAITING: self.tr("Waiting: the others see the stand-by card"),
            Phase.RESTING: self.tr("Resting: the camera is off"),
            Phase.STARTING: self.tr("Starting: the others see the stand-by card"),
        }.get(status.phase, "")
