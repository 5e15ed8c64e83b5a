"""One window per user: a second start raises the first window and exits."""

from __future__ import annotations

import hashlib

from PyQt6.QtCore import QObject, pyqtSignal
from PyQt6.QtNetwork import QLocalServer, QLocalSocket

from app.core.files import paths

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
