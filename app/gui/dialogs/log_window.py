"""The log window."""

from __future__ import annotations

from collections.abc import Callable

from PyQt6.QtCore import Qt, QTimer
from PyQt6.QtGui import QGuiApplication
from PyQt6.QtWidgets import QDialog, QPlainTextEdit, QWidget

from app.gui.state.diagnostics import LogBuffer
from app.gui.widgets.controls import button, describe, label
from app.gui.widgets.layout import column, row

REFRESH_MS = 500


class LogWindow(QDialog):
    """Shows the newest log lines while it is open; copies the diagnostics."""

    def __init__(self, buffer: LogBuffer, make_diagnostics: Callable[[], str], parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("logWindow")
        self.setWindowTitle(self.tr("Log"))
        self.resize(820, 460)
        self._buffer = buffer
        self._seen = -1
        self._make_diagnostics = make_diagnostics
        self._text = QPlainTextEdit()
        self._text.setReadOnly(True)
        self._text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        describe(self._text, self.tr("Log"), self.tr("Log lines, newest last"), "logText")
        self._text.setToolTip("")
        copy = button(self.tr("Copy diagnostics"), self.tr("Copies versions, settings and the log for a bug report"),
                      "copyDiagnostics", self.copy_diagnostics)  # fmt: skip
        close = button(self.tr("Close"), self.tr("Close the log window"), "closeLog", self.close)
        self._note = label("", "faint")
        column(self, self._text, row(None, copy, self._note, None, close), grows=self._text, spacing=12, margins=16)
        self._timer = QTimer(self)
        self._timer.setInterval(REFRESH_MS)
        self._timer.timeout.connect(self._refresh)

    def open_beside(self) -> None:
        """Open the window in front, or bring it to the front."""
        self._refresh()
        self._timer.start()
        self.setWindowFlag(Qt.WindowType.Window)
        self.show()
        self.raise_()
        self.activateWindow()

    def done(self, result: int) -> None:
        self._timer.stop()
        super().done(result)

    def copy_diagnostics(self) -> None:
        """Copy the diagnostics to the clipboard."""
        clipboard = QGuiApplication.clipboard()
        if clipboard is not None:
            clipboard.setText(self._make_diagnostics())
            self._note.setText(self.tr("Copied to the clipboard."))

    def _refresh(self) -> None:
        if self._buffer.count == self._seen:
            return
        self._seen = self._buffer.count
        self._text.setPlainText("\n".join(self._buffer.lines()))
        bar = self._text.verticalScrollBar()
        if bar is not None:
            bar.setValue(bar.maximum())
