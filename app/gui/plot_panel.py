"""Latency and pictures a second over the last minute."""

from __future__ import annotations

import time
from collections import deque

import pyqtgraph as pg
from PyQt6.QtGui import QPalette
from PyQt6.QtWidgets import QHBoxLayout, QWidget

from app.gui.controls import describe
from app.runtime.status import PipelineStatus

SPAN_S = 60.0
HEIGHT_PX = 130


class PlotPanel(QWidget):
    """Two small plots; the history is kept while they are hidden, and drawn only while they are seen."""

    def __init__(self) -> None:
        super().__init__()
        describe(self, self.tr("Performance"), self.tr("The last minute"), "plotPanel")
        self.setToolTip("")
        self.setFixedHeight(HEIGHT_PX)
        self._history: deque[tuple[float, float, float, float]] = deque()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(12)
        self._fps = self._add_plot(row, self.tr("Pictures a second"))
        self._latency = self._add_plot(row, self.tr("Latency in ms"))
        accent = self.palette().color(QPalette.ColorRole.Accent)
        faint = self.palette().color(QPalette.ColorRole.PlaceholderText)
        self._fps_in = self._fps.plot(pen=pg.mkPen(faint, width=1), name=self.tr("in"))
        self._fps_out = self._fps.plot(pen=pg.mkPen(accent, width=2), name=self.tr("out"))
        self._delay = self._latency.plot(pen=pg.mkPen(accent, width=2))

    @property
    def moments(self) -> int:
        """How many moments of the last minute are on hand."""
        return len(self._history)

    def show_status(self, status: PipelineStatus) -> None:
        """Add this moment."""
        now = time.monotonic()
        latency = status.latency_ms.end_to_end.median or status.latency_ms.step.median
        self._history.append((now, status.fps_in, status.fps_out, latency))
        while self._history and self._history[0][0] < now - SPAN_S:
            self._history.popleft()
        if not self.isVisible():
            return
        ages = [moment[0] - now for moment in self._history]
        for column, curve in ((1, self._fps_in), (2, self._fps_out), (3, self._delay)):
            curve.setData(ages, [moment[column] for moment in self._history])

    def _add_plot(self, row: QHBoxLayout, title: str) -> pg.PlotWidget:
        plot = pg.PlotWidget(background=None)
        plot.setAntialiasing(True)
        plot.setTitle(title, size="9pt", color=self.palette().color(QPalette.ColorRole.PlaceholderText))
        plot.setXRange(-SPAN_S, 0, padding=0)
        plot.setMouseEnabled(x=False, y=False)
        plot.setMenuEnabled(False)
        plot.hideButtons()
        plot.setLimits(yMin=0)
        plot.enableAutoRange(axis="y")
        plot.showGrid(y=True, alpha=0.15)
        for side in ("left", "bottom"):
            axis = plot.getAxis(side)
            axis.setPen(self.palette().color(QPalette.ColorRole.Mid))
            axis.setTextPen(self.palette().color(QPalette.ColorRole.PlaceholderText))
        plot.setFocusPolicy(self.focusPolicy())
        plot.setAccessibleName(title)
        row.addWidget(plot)
        return plot
