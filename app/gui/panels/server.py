"""Connects matting with a server: address, token, certificate, and the state of the connection."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import QHBoxLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget

from app.core.settings import MattingSettings, Settings
from app.core.stage import Stage
from app.gui.dialogs.questions import UserFolder, ask_for_file
from app.gui.i18n.messages import translated, translated_error
from app.gui.state import services
from app.gui.state.store import SettingsStore
from app.gui.state.tasks import Tasks
from app.gui.widgets.controls import button, describe, label, link_button
from app.gui.widgets.page import field_row
from app.runtime.status import PipelineStatus, ServerState


class ServerControls(QWidget):
    """Edits the server. The address takes effect with Connect; the files at once if a server is in use."""

    retry_requested = pyqtSignal()
    """The user asked for a connection that the settings already name."""

    def __init__(self, store: SettingsStore, tasks: Tasks) -> None:
        super().__init__()
        self._store, self._tasks = store, tasks
        self._shown = ""
        self._server: ServerState | None = None
        self.address = QLineEdit()
        self.address.setPlaceholderText("https://matting.example:8765")
        describe(
            self.address, self.tr("Server address"), self.tr("Address of the computer that runs the matting server"),
            "serverAddress",
        )  # fmt: skip
        self._token = FileChoice(
            self.tr("Token file"), self.tr("File with the secret token that the server asks for"), "serverToken"
        )
        self._certificate = FileChoice(
            self.tr("Certificate file"),
            self.tr("Trust a server with this certificate (PEM) in place of those that the system trusts"),
            "serverCertificate",
        )
        self._connect = button(self.tr("Connect"))
        describe(self._connect, self.tr("Connect"), self.tr("Let the server compute the matte"), "serverConnect")
        self._disconnect = button(self.tr("Disconnect"))
        describe(
            self._disconnect, self.tr("Disconnect"), self.tr("Compute the matte on this computer"), "serverDisconnect"
        )
        self._state = label("", "faint", wrap=True)
        self._state.setObjectName("serverState")
        self._problem = label("", "warning", wrap=True)
        self._problem.setObjectName("serverProblem")
        self._lay_out()
        self.address.returnPressed.connect(self.connect_server)
        self._connect.clicked.connect(self.connect_server)
        self._disconnect.clicked.connect(lambda: store.edit("matting", location="local"))
        self._token.chosen.connect(lambda path: store.edit("matting", server_token_file=path))
        self._certificate.chosen.connect(lambda path: store.edit("matting", server_ca_file=path))
        store.changed.connect(self._show)
        self._show(store.current)

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(
            label(
                self.tr("The server receives small frames of your camera. Background and full frames stay here."),
                "faint",
                wrap=True,
            )
        )
        column.addWidget(field_row(self.tr("Server address"), self.address))
        column.addWidget(self._token)
        column.addWidget(self._certificate)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self._connect)
        row.addWidget(self._disconnect)
        column.addLayout(row)
        column.addWidget(self._state)
        column.addWidget(self._problem)

    def connect_server(self) -> None:
        """Check what was entered off the GUI thread, then use the server."""
        wanted = self._store.current.matting.replace(server=self.address.text(), location="remote")
        self._connect.setEnabled(False)
        self._tasks.run(partial(services.check_server, wanted), self._use, self._refuse)

    def show_status(self, status: PipelineStatus) -> None:
        """Show the state of the connection, with the round trip, and why it failed."""
        in_use = self._store.current.matting.location == "remote"  # the status may be older than the settings
        server = self._server = status.server if in_use else None
        trip_ms = None if status.engine is None else status.engine.round_trip_ms
        if server is None:
            text = ""
        elif server is ServerState.CONNECTING:
            text = self.tr("Connecting…")
        elif server is ServerState.LOCAL:
            text = self.tr("Not connected: this computer computes the matte. The server is asked again every 10 s.")
        elif trip_ms is None:
            text = self.tr("Connected.")
        else:
            text = self.tr("Connected, round trip {0} ms.").format(f"{trip_ms:.0f}")
        self._state.setText(text)
        self._state.setVisible(bool(text))
        if server is not None:
            self._show_problem(next((p.message for p in status.problems if p.stage is Stage.MATTING), ""))

    def _use(self, checked: MattingSettings) -> None:
        self._connect.setEnabled(True)
        self._show_problem("")
        before = self._store.current.matting
        self._store.edit("matting", location="remote", server=checked.server)
        if self._store.current.matting == before and self._server is not ServerState.CONNECTED:
            self.retry_requested.emit()

    def _refuse(self, error: Exception) -> None:
        self._connect.setEnabled(True)
        self._problem.setText(translated_error(error))
        self._problem.show()

    def _show_problem(self, message: str) -> None:
        self._problem.setText(translated(message))
        self._problem.setVisible(bool(message))

    def _show(self, settings: Settings) -> None:
        matting = settings.matting
        if matting.server != self._shown:  # keep what the user types while other settings change
            self._shown = matting.server
            self.address.setText(matting.server)
        self._token.show_file(matting.server_token_file)
        self._certificate.show_file(matting.server_ca_file)
        self._disconnect.setVisible(matting.location == "remote")
        if matting.location == "local":
            self._state.hide()
            self._problem.hide()


class FileChoice(QWidget):
    """A captioned button that names a file, with a link that removes it."""

    chosen = pyqtSignal(object)
    """The Path that the user chose, or None."""

    def __init__(self, caption: str, description: str, object_name: str) -> None:
        super().__init__()
        self._caption = caption
        self._button: QPushButton = button("")
        describe(self._button, caption, description, object_name)
        self._remove = link_button(self.tr("Remove"))
        describe(self._remove, f"{self.tr('Remove')}: {caption}", description, f"{object_name}Remove")
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self._button, 1)
        row.addWidget(self._remove)
        above = label(caption, wrap=True)
        above.setBuddy(self._button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(above)
        column.addLayout(row)
        self._button.clicked.connect(self._ask)
        self._remove.clicked.connect(lambda: self.chosen.emit(None))
        self.show_file(None)

    def show_file(self, path: Path | None) -> None:
        """Name the file; None: none is chosen."""
        self._button.setText(self.tr("Choose file…") if path is None else path.name)
        self._remove.setVisible(path is not None)

    def _ask(self) -> None:
        ask_for_file(self, self._caption, self.chosen.emit, folder=UserFolder.HOME)
