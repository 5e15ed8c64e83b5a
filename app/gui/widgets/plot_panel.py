"""Plots of frame rate and latency over the last minute."""

from __future__ import annotations

import math
import time
from collections import deque
from itertools import starmap

import pyqtgraph as pg
from PyQt6.QtCore import QEvent, QSize, QSizeF, QTimer
from PyQt6.QtGui import QColor, QFontMetrics, QPalette, QResizeEvent
from PyQt6.QtWidgets import QSizePolicy, QWidget

from app.gui.widgets.controls import describe
from app.gui.widgets.qt import row, timer
from app.runtime.status import PipelineStatus

SPAN_S = 60.0
TITLE_PT = 9
LINE = "━"
GAP_PX = 12
"""Above the plots; it goes with them."""
HEIGHT_PX = 130 + GAP_PX
LEAST_HEIGHT_PX = 70 + GAP_PX
"""Below this height nothing is drawn: the plots would be unreadable."""
AXIS_HEIGHT_PX = 115 + GAP_PX
"""Below this height the plots have no axis of time, so that the curves keep most of it."""
HEADROOM = 1.15
LABELLED = 0.4, 0.8
"""Heights with a number, which have room for one in a low plot too."""
DRAW_EVERY_S = 0.5
"""Minimum interval between redraws."""
SETTLED_MS = 100
"""The plots are redrawn this long after the last change of size or theme: drawing them is slow."""


class PlotPanel(QWidget):
    """Two small plots. Samples are kept while they are hidden."""

    def __init__(self) -> None:
        super().__init__()
        describe(self, self.tr("Performance"), self.tr("The last minute"), "plotPanel")
        self.setToolTip("")
        self.setMaximumHeight(HEIGHT_PX)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self._drawn_s = 0.0
        self._settled = timer(self, SETTLED_MS, self._settle, once=True)
        self._history: deque[tuple[float, float, float, float]] = deque()
        self._fps, self._latency = self._make_plot(self.tr("Frame rate")), self._make_plot(self.tr("Delay in ms"))
        row(self, self._fps, self._latency, spacing=12, margins=(0, GAP_PX, 0, 0))
        self._fps_in = self._fps.plot()
        self._fps_out = self._fps.plot()
        self._delay = self._latency.plot()
        self._apply_theme()

    def sizeHint(self) -> QSize:
        return QSize(super().sizeHint().width(), HEIGHT_PX)

    def minimumSizeHint(self) -> QSize:
        """Return a height of 0: in a low window, messages and the preview need the room."""
        return QSize(super().minimumSizeHint().width(), 0)

    def show_status(self, status: PipelineStatus) -> None:
        """Add a sample."""
        now = time.monotonic()
        latency = status.latency_ms.end_to_end.median or status.latency_ms.step.median
        self._history.append((now, status.fps_in, status.fps_out, latency))
        while self._history and self._history[0][0] < now - SPAN_S:
            self._history.popleft()
        if not self.isVisible() or now - self._drawn_s < DRAW_EVERY_S:
            return
        self._drawn_s = now
        ages = [moment[0] - now for moment in self._history]
        for column, curve in ((1, self._fps_in), (2, self._fps_out), (3, self._delay)):
            curve.setData(ages, [moment[column] for moment in self._history])
        for plot, columns in ((self._fps, (1, 2)), (self._latency, (3,))):
            highest = max(moment[column] for moment in self._history for column in columns)
            top = round_up(max(1.0, highest * HEADROOM))
            if plot.getViewBox().viewRange()[1][1] != top:  # setYRange redraws the whole axis
                plot.setYRange(0, top, padding=0)
                plot.getAxis("left").setTicks([[(part * top, f"{part * top:g}") for part in LABELLED]])

    def changeEvent(self, event: QEvent | None) -> None:
        super().changeEvent(event)
        if event is not None and event.type() == QEvent.Type.PaletteChange:
            self._set_drawing(False)
            QTimer.singleShot(0, self._apply_theme)  # after the window has its new palette

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        super().resizeEvent(event)
        for plot in (self._fps, self._latency):
            plot.setVisible(self.height() >= LEAST_HEIGHT_PX)
            plot.showAxis("bottom", self.height() >= AXIS_HEIGHT_PX)
        self._set_drawing(False)

    def _set_drawing(self, now: bool) -> None:
        for plot in (self._fps, self._latency):
            plot.setUpdatesEnabled(now)
        if not now:
            self._settled.start()

    def _settle(self) -> None:
        self._show_titles()
        self._set_drawing(True)

    def _apply_theme(self) -> None:
        palette = self.palette()
        faint = palette.color(QPalette.ColorRole.PlaceholderText)
        accent = palette.color(QPalette.ColorRole.Accent)
        for curve, colour, width in ((self._fps_in, faint, 1), (self._fps_out, accent, 2), (self._delay, accent, 2)):
            curve.setPen(pg.mkPen(colour, width=width))
        self._show_titles()
        for plot in (self._fps, self._latency):
            for side in ("left", "bottom"):
                axis = plot.getAxis(side)
                axis.setPen(palette.color(QPalette.ColorRole.Mid))
                axis.setTextPen(faint)

    def _show_titles(self) -> None:
        """Show titles with a legend, or without one where it would be cut off."""
        palette = self.palette()
        faint = palette.color(QPalette.ColorRole.PlaceholderText)
        accent = palette.color(QPalette.ColorRole.Accent)
        rate = self.tr("Frame rate: {0} {1}"), (self.tr("camera"), faint), (self.tr("output"), accent)
        latency = self.tr("Delay in ms: {0}"), (self.tr("camera to output"), accent)
        font = self.font()
        font.setPointSize(TITLE_PT)
        for plot, (title, *curves) in ((self._fps, rate), (self._latency, latency)):
            plain = title.format(*(f"{LINE} {name}" for name, _colour in curves))
            fits = QFontMetrics(font).horizontalAdvance(plain) <= plot.width() - plot.getAxis("left").width()
            shown = title.format(*starmap(_legend, curves)) if fits else plot.accessibleName()
            plot.setTitle(shown, size=f"{TITLE_PT}pt", color=faint)
            plot.getPlotItem().resize(QSizeF(plot.size()))  # a longer title before has kept it wider

    def _make_plot(self, title: str) -> pg.PlotWidget:
        plot = pg.PlotWidget(background=None)
        plot.setAntialiasing(True)
        plot.setXRange(-SPAN_S, 0, padding=0)
        plot.setMouseEnabled(x=False, y=False)
        plot.setMenuEnabled(False)
        plot.hideButtons()
        plot.showGrid(y=True, alpha=0.15)
        plot.setFocusPolicy(self.focusPolicy())
        plot.setAccessibleName(title)
        return plot


def _legend(name: str, colour: QColor) -> str:
    """A line sample and its name, as rich text."""
    return f'<span style="color: {colour.name()}">{LINE} {name}</span>'


def round_up(value: float) -> float:
    """Round up to the next of 1, 2, 5, 10, 20, 50 and so on."""
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= value)
