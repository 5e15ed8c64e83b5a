"""Plots of frame rate and latency over the last minute."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Sequence

from PyQt6.QtCore import QPointF, QRectF, QSize, Qt
from PyQt6.QtGui import QColor, QPainter, QPaintEvent, QPalette, QPen, QPolygonF, QStaticText, QTextOption
from PyQt6.QtWidgets import QSizePolicy, QWidget

from app.gui.widgets.controls import describe
from app.runtime.status import PipelineStatus

SPAN_S = 60.0
TICKS_S = (-60, -50, -40, -30, -20, -10, 0)
FONT_SCALE, LEAST_PT = 0.75, 9.0
"""Size of the letters, as a multiple of the others, and at least."""
LINE = "━"
GAP_PX = 12
"""Above the plots, and between them; it goes with them."""
HEIGHT_PX = 130 + GAP_PX
LEAST_HEIGHT_PX = 70 + GAP_PX
"""Below this height nothing is drawn: the plots would be unreadable."""
AXIS_HEIGHT_PX = 115 + GAP_PX
"""Below this height the plots have no axis of time, so that the curves keep most of it."""
AXIS_GAP_PX = 5
HEADROOM = 1.15
LABELLED = 0.4, 0.8
"""Heights with a number, which have room for one in a low plot too."""
Curve = tuple[int, str, QColor, int]
"""(place of the value in a sample, name, colour, width of the line)"""


class PlotPanel(QWidget):
    """Two small plots. Samples are kept while they are hidden."""

    def __init__(self) -> None:
        super().__init__()
        describe(self, self.tr("Performance"), self.tr("The last minute"), "plotPanel")
        self.setToolTip("")
        self.setMaximumHeight(HEIGHT_PX)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self.samples: deque[tuple[float, float, float, float]] = deque()
        """(time, frame rate of the camera, of the output, latency)"""

    def sizeHint(self) -> QSize:
        return QSize(super().sizeHint().width(), HEIGHT_PX)

    def minimumSizeHint(self) -> QSize:
        """Return a height of 0: in a low window, messages and the preview need the room."""
        return QSize(super().minimumSizeHint().width(), 0)

    def take_over(self, other: PlotPanel) -> None:
        """Go on with the samples of another window."""
        self.samples = other.samples

    def show_status(self, status: PipelineStatus) -> None:
        """Add a sample. Leave the room to others where it is too low for the plots."""
        spare = self.window().height() - self.window().minimumSizeHint().height()  # type: ignore[union-attr]
        self.setMaximumHeight(HEIGHT_PX if spare >= LEAST_HEIGHT_PX else 0)
        now = time.monotonic()
        latency = status.latency_ms.end_to_end.median or status.latency_ms.step.median
        self.samples.append((now, status.fps_in, status.fps_out, latency))
        while self.samples[0][0] < now - SPAN_S:
            self.samples.popleft()
        self.update()

    def paintEvent(self, event: QPaintEvent | None) -> None:
        if self.height() < LEAST_HEIGHT_PX:
            return
        faint, accent = (self.palette().color(role) for role in (QPalette.ColorRole.PlaceholderText,
                                                                 QPalette.ColorRole.Accent))  # fmt: skip
        rate: Sequence[Curve] = (1, self.tr("camera"), faint, 1), (2, self.tr("output"), accent, 2)
        delay: Sequence[Curve] = ((3, self.tr("camera to output"), accent, 2),)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        font = self.font()
        font.setPointSizeF(max(LEAST_PT, FONT_SCALE * font.pointSizeF()))
        painter.setFont(font)
        left = QRectF(0, GAP_PX, (self.width() - GAP_PX) / 2, self.height() - GAP_PX)
        right = left.translated(left.width() + GAP_PX, 0)
        self._paint_plot(painter, left, self.tr("Frame rate"), self.tr("Frame rate: {0} {1}"), rate)
        self._paint_plot(painter, right, self.tr("Delay in ms"), self.tr("Delay in ms: {0}"), delay)

    def _paint_plot(self, painter: QPainter, place: QRectF, title: str, legend: str, curves: Sequence[Curve]) -> None:
        """Paint a plot. legend: the title with places for the names of the curves, where there is room for it."""
        highest = max((sample[curve[0]] for sample in self.samples for curve in curves), default=0.0)
        top = round_up(max(1.0, highest * HEADROOM))
        metrics, faint = painter.fontMetrics(), self.palette().color(QPalette.ColorRole.PlaceholderText)
        line = metrics.lineSpacing()
        numbers = max(metrics.horizontalAdvance(f"{part * top:g}") for part in LABELLED) + AXIS_GAP_PX
        seconds = line if self.height() >= AXIS_HEIGHT_PX else 0
        area = place.adjusted(numbers, line + AXIS_GAP_PX, -metrics.horizontalAdvance("0"), -seconds)
        painter.setPen(faint)
        shown = legend_text(title, legend, curves, painter, area.width())
        painter.drawStaticText(QPointF(area.center().x() - shown.size().width() / 2, place.top()), shown)
        for part in LABELLED:
            y = area.bottom() - part * area.height()
            beside = QRectF(place.left(), y - line / 2, numbers - AXIS_GAP_PX, line)
            painter.setPen(faint)
            painter.drawText(beside, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, f"{part * top:g}")
            painter.setPen(self.palette().color(QPalette.ColorRole.Button))
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
        painter.setPen(faint)
        for tick_s in TICKS_S if seconds else ():
            x = area.right() + tick_s / SPAN_S * area.width()
            painter.drawText(QRectF(x - 20, area.bottom(), 40, line), Qt.AlignmentFlag.AlignCenter, str(tick_s))
        painter.setPen(self.palette().color(QPalette.ColorRole.Mid))
        painter.drawPolyline(QPolygonF([area.topLeft(), area.bottomLeft(), area.bottomRight()]))
        scale = area.width() / SPAN_S, area.height() / top
        for value, _name, colour, width in curves:
            painter.setPen(QPen(colour, width))
            painter.drawPolyline(QPolygonF([
                area.bottomRight() + QPointF((each[0] - self.samples[-1][0]) * scale[0], -each[value] * scale[1])
                for each in self.samples
            ]))  # fmt: skip


def legend_text(title: str, legend: str, curves: Sequence[Curve], painter: QPainter, width: float) -> QStaticText:
    """Return a legend with a line sample before each name, or the title alone where the legend would be cut off."""
    samples = (f'<span style="color: {colour.name()}">{LINE} {name}</span>' for _at, name, colour, _width in curves)
    made = QStaticText(f"<nobr>{legend.format(*samples)}</nobr>")
    made.setTextFormat(Qt.TextFormat.RichText)
    one_line = QTextOption()
    one_line.setWrapMode(QTextOption.WrapMode.NoWrap)
    made.setTextOption(one_line)
    made.prepare(font=painter.font())
    if made.size().width() > width:
        made.setText(title)
    return made


def round_up(value: float) -> float:
    """Round up to the next of 1, 2, 5, 10, 20, 50 and so on."""
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= value)
