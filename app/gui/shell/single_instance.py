"""One window per user: a second start raises the first."""

from __future__ import annotations

import hashlib

from PyQt6.QtCore import QObject, pyqtSignal
from PyQt6.QtNetwork import QLocalServer, QLocalSocket

from app.config import paths

WAIT_MS = 1000


class SingleInstance(QObject):
    """A local server whose name belongs to the user's settings folder."""

    raised = pyqtSignal()
    """Somebody started the program again."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        folder = str(paths.config_dir().resolve())
        self._name = f"mattecam-{hashlib.sha256(folder.encode()).hexdigest()[:16]}"
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.newConnection.connect(self._called)

    def claim(self) -> bool:
        """True for the first; False where one runs already, which has been raised."""
        socket = QLocalSocket()
        socket.connectToServer(self._name)
        if socket.waitForConnected(WAIT_MS):
            socket.disconnectFromServer()
            return False
        QLocalServer.removeServer(self._name)  # left behind by a crash
        self._server.listen(self._name)
        return True

    def release(self) -> None:
        """Let another one be the first."""
        self._server.close()

    def _called(self) -> None:
        while (socket := self._server.nextPendingConnection()) is not None:
            socket.disconnectFromServer()
            socket.deleteLater()
        self.raised.emit()
