"""Showing, hiding and closing the window."""

from __future__ import annotations

from PyQt6.QtCore import QObject, Qt, pyqtSignal
from PyQt6.QtGui import QCloseEvent
from PyQt6.QtWidgets import QDialog, QMessageBox

from app.gui.shell.main_window import MainWindow
from app.gui.shell.tray import Tray


class WindowLifecycle(QObject):
    """Decides whether closing the window ends the program or keeps it in the tray.

    Where the system has a tray, the user is asked once.
    """

    ended = pyqtSignal()

    def __init__(self, window: MainWindow, tray: Tray) -> None:
        super().__init__(window)
        self._window = window
        self._tray = tray
        self._ending = False
        window.close_requested.connect(self._on_close)
        window.quit_requested.connect(self.end)
        tray.open_requested.connect(self.show_in_front)
        tray.quit_requested.connect(self.end)

    def show_in_front(self) -> None:
        """Show the window in front of all others."""
        if self._window.isMinimized():
            self._window.showNormal()
        else:
            self._window.show()
        self._window.raise_()
        self._window.activateWindow()

    def end(self) -> None:
        """End the program. The window is hidden at once, before threads are joined."""
        self._ending = True
        self.hide_all()
        self.ended.emit()

    def hide_all(self) -> None:
        """Hide the window, its dialogs and the tray icon."""
        self._tray.hide()
        for window in [self._window, *self._window.findChildren(QDialog)]:
            window.hide()

    def _on_close(self, event: QCloseEvent) -> None:
        to_tray = self._window.preferences.current.close_to_tray
        if self._ending or not self._tray.available or to_tray is False:
            self.end()
        elif to_tray:
            event.ignore()
            self._window.hide()
        else:
            event.ignore()
            self._ask()

    def _ask(self) -> None:
        box = QMessageBox(self._window)
        box.setObjectName("trayQuestion")
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.setWindowTitle("Mattecam")
        box.setText(self.tr("Keep Mattecam running in the tray?"))
        box.setInformativeText(self.tr("Other programs keep receiving your video. You are asked only once."))
        keep = box.addButton(self.tr("Keep running"), QMessageBox.ButtonRole.AcceptRole)
        end = box.addButton(self.tr("Quit"), QMessageBox.ButtonRole.DestructiveRole)
        box.setEscapeButton(box.addButton(QMessageBox.StandardButton.Cancel))
        box.buttonClicked.connect(lambda pressed: self._on_answer(pressed is keep, pressed is end))
        box.open()

    def _on_answer(self, keep: bool, end: bool) -> None:
        if keep or end:
            self._window.preferences.change(close_to_tray=keep)
            self._window.close()
