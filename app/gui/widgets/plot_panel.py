"""Latency and pictures a second over the last minute."""

from __future__ import annotations

import math
import time
from collections import deque

import pyqtgraph as pg
from PyQt6.QtCore import QEvent, QTimer
from PyQt6.QtGui import QPalette, QResizeEvent
from PyQt6.QtWidgets import QHBoxLayout, QWidget

from app.gui.widgets.controls import describe
from app.runtime.status import PipelineStatus

SPAN_S = 60.0
HEIGHT_PX = 130
HEADROOM = 1.15
DRAW_EVERY_S = 0.5
"""A minute's plot hardly changes in less."""
SETTLED_MS = 100
"""After so long without a change of size or colours the plots are drawn again: they take longer than all the rest."""


class PlotPanel(QWidget):
    """Two small plots; the history is kept while they are hidden, and drawn only while they are seen."""

    def __init__(self) -> None:
        super().__init__()
        describe(self, self.tr("Performance"), self.tr("The last minute"), "plotPanel")
        self.setToolTip("")
        self.setFixedHeight(HEIGHT_PX)
        self._drawn_s = 0.0
        self._settled = QTimer(self)
        self._settled.setSingleShot(True)
        self._settled.setInterval(SETTLED_MS)
        self._settled.timeout.connect(lambda: self._let_draw(True))
        self._history: deque[tuple[float, float, float, float]] = deque()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(12)
        self._fps = self._add_plot(row, self.tr("Pictures a second"))
        self._latency = self._add_plot(row, self.tr("Latency in ms"))
        self._fps_in = self._fps.plot()
        self._fps_out = self._fps.plot()
        self._delay = self._latency.plot()
        self._colour()

    @property
    def moments(self) -> int:
        """How many moments of the last minute are on hand."""
        return len(self._history)

    @property
    def draws(self) -> bool:
        """Whether changes are drawn at once: not while the window changes its size or colours."""
        return bool(self._fps.updatesEnabled() and self._latency.updatesEnabled())

    def show_status(self, status: PipelineStatus) -> None:
        """Add this moment."""
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
            if plot.getViewBox().viewRange()[1][1] != top:  # pyqtgraph draws the whole axis anew
                plot.setYRange(0, top, padding=0)

    def changeEvent(self, event: QEvent | None) -> None:
        super().changeEvent(event)
        if event is not None and event.type() == QEvent.Type.PaletteChange:
            self._let_draw(False)
            QTimer.singleShot(0, self._colour)  # after the window itself, which is being dressed anew

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        super().resizeEvent(event)
        self._let_draw(False)

    def _let_draw(self, now: bool) -> None:
        for plot in (self._fps, self._latency):
            plot.setUpdatesEnabled(now)
        if not now:
            self._settled.start()

    def _colour(self) -> None:
        """Take the colours of the theme."""
        palette = self.palette()
        faint = palette.color(QPalette.ColorRole.PlaceholderText)
        accent = palette.color(QPalette.ColorRole.Accent)
        for curve, colour, width in ((self._fps_in, faint, 1), (self._fps_out, accent, 2), (self._delay, accent, 2)):
            curve.setPen(pg.mkPen(colour, width=width))
        for plot, title in ((self._fps, self.tr("Pictures a second")), (self._latency, self.tr("Latency in ms"))):
            plot.setTitle(title, size="9pt", color=faint)
            for side in ("left", "bottom"):
                axis = plot.getAxis(side)
                axis.setPen(palette.color(QPalette.ColorRole.Mid))
                axis.setTextPen(faint)

    def _add_plot(self, row: QHBoxLayout, title: str) -> pg.PlotWidget:
        plot = pg.PlotWidget(background=None)
        plot.setAntialiasing(True)
        plot.setXRange(-SPAN_S, 0, padding=0)
        plot.setMouseEnabled(x=False, y=False)
        plot.setMenuEnabled(False)
        plot.hideButtons()
        plot.showGrid(y=True, alpha=0.15)
        plot.setFocusPolicy(self.focusPolicy())
        plot.setAccessibleName(title)
        row.addWidget(plot)
        return plot


def round_up(value: float) -> float:
    """The next of 1, 2, 5, 10, 20, 50 and so on."""
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= value)
