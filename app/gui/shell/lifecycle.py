"""One window per user, the tray, and what closing the window does."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from PyQt6.QtCore import QObject, Qt, pyqtSignal
from PyQt6.QtGui import QCloseEvent
from PyQt6.QtNetwork import QLocalServer, QLocalSocket
from PyQt6.QtWidgets import QDialog, QMenu, QMessageBox, QSystemTrayIcon

from app.core.files import paths
from app.gui.dialogs.download_controls import DownloadControls
from app.gui.shell.main_window import MainWindow
from app.gui.widgets.qt import existing, prepare
from app.gui.widgets.theme import icon

WAIT_MS = 1000


class SingleInstance(QObject):
    """A local server whose name is derived from the user's settings folder."""

    raised = pyqtSignal()
    """The program was started again."""

    def __init__(self) -> None:
        super().__init__()
        folder = str(paths.config_dir().resolve())
        self._name = f"mattecam-{hashlib.sha256(folder.encode()).hexdigest()[:16]}"
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.newConnection.connect(self._on_connection)

    def claim(self) -> bool:
        """Return True for the first instance; otherwise raise the running one and return False."""
        socket = QLocalSocket()
        socket.connectToServer(self._name)
        if socket.waitForConnected(WAIT_MS):
            socket.disconnectFromServer()
            return False
        QLocalServer.removeServer(self._name)  # stale socket of a crashed instance
        self._server.listen(self._name)
        return True

    def release(self) -> None:
        """Stop listening, so that another instance can start."""
        self._server.close()

    def _on_connection(self) -> None:
        while (socket := self._server.nextPendingConnection()) is not None:
            socket.disconnectFromServer()
            socket.deleteLater()
        self.raised.emit()


class Tray(QObject):
    """Tray menu: open the window, pause, choose a background, quit."""

    def __init__(self, window: MainWindow, show_window: Callable[[], None], end: Callable[[], None]) -> None:
        super().__init__(window)
        self._store, self._strip = window.store, window.strip
        self._show_window, self._end = show_window, end
        self.menu = QMenu(window)
        self.menu.aboutToShow.connect(self.fill)
        self._icon = QSystemTrayIcon(icon("app"), self)
        self._icon.setToolTip("Mattecam")
        self._icon.setContextMenu(self.menu)
        self._icon.activated.connect(self._on_activated)
        self.fill()
        if self.available:
            self._icon.show()

    @property
    def available(self) -> bool:
        """Whether the system has a tray."""
        return QSystemTrayIcon.isSystemTrayAvailable()

    def hide(self) -> None:
        """Remove the icon from the tray."""
        self._icon.hide()

    def fill(self) -> None:
        """Rebuild the menu from the current settings."""
        self.menu.clear()
        self.menu.addAction(self.tr("Open Mattecam"), self._show_window)
        paused = self._store.current.paused
        text = self.tr("Resume") if paused else self.tr("Pause")
        self.menu.addAction(text, lambda: self._store.set("paused", not paused))
        backgrounds = existing(self.menu.addMenu(self.tr("Background")))
        for tile in self._strip.model.tiles:
            if not tile.broken:
                action = existing(backgrounds.addAction(tile.name.replace("&", "&&")))
                action.setCheckable(True)
                action.setChecked(tile.chosen_by(self._store.current.background))
                action.triggered.connect(lambda _on, tile=tile: self._strip.choose(tile))
        self.menu.addSeparator()
        self.menu.addAction(self.tr("Quit"), self._end)

    def _on_activated(self, reason: QSystemTrayIcon.ActivationReason) -> None:
        if reason in (QSystemTrayIcon.ActivationReason.Trigger, QSystemTrayIcon.ActivationReason.DoubleClick):
            self._show_window()


class WindowLifecycle(QObject):
    """Decides whether closing the window ends the program or keeps it in the tray.

    Where the system has a tray, the user is asked once.
    """

    ended = pyqtSignal()

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self.tray = Tray(window, self.show_in_front, self.end)
        self._ending = False
        window.close_requested.connect(self._on_close)
        window.quit_requested.connect(self.end)

    def show_in_front(self) -> None:
        """Show the window in front of all others."""
        self._window.setWindowState(self._window.windowState() & ~Qt.WindowState.WindowMinimized)
        self._window.show()
        self._window.raise_()
        self._window.activateWindow()

    def end(self) -> None:
        """End the program. The window is hidden at once, before threads are joined."""
        self._ending = True
        self.hide_all()
        self.ended.emit()

    def hide_all(self) -> None:
        """Hide the window, its dialogs and the tray icon. Downloads are cancelled: the end would wait for them."""
        self.tray.hide()
        for download in self._window.findChildren(DownloadControls):
            download.cancel()
        self._hide_windows()

    def _hide_windows(self) -> list[QDialog]:
        dialogs = [dialog for dialog in self._window.findChildren(QDialog) if dialog.isVisible()]
        for window in (self._window, *dialogs):
            window.hide()
        return dialogs

    def _on_close(self, event: QCloseEvent) -> None:
        to_tray = self._window.store.current.window.close_to_tray
        if self._ending or not self.tray.available or to_tray is False:
            self.end()
        elif to_tray:
            event.ignore()
            for dialog in self._hide_windows():
                for download in dialog.findChildren(DownloadControls):
                    download.cancel()
                dialog.deleteLater()  # as closing it does; the window opens a new one
        else:
            event.ignore()
            self._ask()

    def _ask(self) -> None:
        box = QMessageBox(self._window)
        prepare(box, "trayQuestion", "Mattecam")
        box.setText(self.tr("Keep Mattecam running in the tray?"))
        box.setInformativeText(self.tr("Other programs keep receiving your video. You are asked only once."))
        keep = box.addButton(self.tr("Keep running"), QMessageBox.ButtonRole.AcceptRole)
        end = box.addButton(self.tr("Quit"), QMessageBox.ButtonRole.DestructiveRole)
        box.setEscapeButton(box.addButton(QMessageBox.StandardButton.Cancel))
        box.buttonClicked.connect(lambda pressed: self._on_answer(pressed is keep, pressed is end))
        box.open()

    def _on_answer(self, keep: bool, end: bool) -> None:
        if keep or end:
            self._window.store.set("window.close_to_tray", keep)
            self._window.close()
