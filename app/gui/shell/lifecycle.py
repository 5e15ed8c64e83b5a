"""How the window comes, goes to the tray, comes back and ends."""

from __future__ import annotations

from PyQt6.QtCore import QObject, Qt, pyqtSignal
from PyQt6.QtGui import QCloseEvent
from PyQt6.QtWidgets import QDialog, QMessageBox

from app.gui.shell.main_window import MainWindow
from app.gui.shell.tray import Tray


class WindowLife(QObject):
    """Closing the window ends the program, or keeps it in the tray: asked once, where there is a tray."""

    ended = pyqtSignal()

    def __init__(self, window: MainWindow, tray: Tray) -> None:
        super().__init__(window)
        self._window = window
        self._tray = tray
        self._ending = False
        window.close_asked.connect(self._closed)
        window.quit_asked.connect(self.end)
        tray.open_wanted.connect(self.bring_back)
        tray.quit_wanted.connect(self.end)

    def bring_back(self) -> None:
        """Show the window, in front."""
        if self._window.isMinimized():
            self._window.showNormal()
        else:
            self._window.show()
        self._window.raise_()
        self._window.activateWindow()

    def end(self) -> None:
        """End the program; it is out of sight at once, whatever there is still to wait for."""
        self._ending = True
        self.vanish()
        self.ended.emit()

    def vanish(self) -> None:
        """Hide the window, everything beside it, and the tray icon."""
        self._tray.hide()
        for window in [self._window, *self._window.findChildren(QDialog)]:
            window.hide()

    def _closed(self, event: QCloseEvent) -> None:
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
        box.setInformativeText(self.tr("Meetings go on seeing you. This is asked only once."))
        keep = box.addButton(self.tr("Keep running"), QMessageBox.ButtonRole.AcceptRole)
        end = box.addButton(self.tr("Quit"), QMessageBox.ButtonRole.DestructiveRole)
        box.setEscapeButton(box.addButton(QMessageBox.StandardButton.Cancel))
        box.buttonClicked.connect(lambda pressed: self._answered(pressed is keep, pressed is end))
        box.open()

    def _answered(self, keep: bool, end: bool) -> None:
        if keep or end:
            self._window.preferences.change(close_to_tray=keep)
            self._window.close()
