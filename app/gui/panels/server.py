"""Connects matting with a server: address, token, certificate, and the state of the connection."""

from __future__ import annotations

from functools import partial

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import QLineEdit, QWidget

from app.core.settings import MattingSettings, Settings
from app.core.stage import Stage
from app.gui.dialogs.questions import UserFolder
from app.gui.i18n.messages import translated, translated_error
from app.gui.panels.form import Form, say
from app.gui.state import services
from app.gui.state.store import SettingsStore
from app.gui.state.tasks import Tasks
from app.gui.widgets.controls import button, describe
from app.gui.widgets.folding import FoldingRow
from app.gui.widgets.page import breakable, field_row
from app.runtime.status import PipelineStatus, ServerState


class ServerControls(Form):
    """Edits the server. The address takes effect with Connect; the files at once if a server is in use."""

    retry_requested = pyqtSignal()
    """The user asked for a connection that the settings already name."""

    def __init__(self, store: SettingsStore, tasks: Tasks) -> None:
        super().__init__(store, spacing=8)
        self._tasks = tasks
        self._shown = ""
        self._server: ServerState | None = None
        self.address = QLineEdit()
        self.address.setPlaceholderText("https://matting.example:8765")
        describe(
            self.address, self.tr("Server address"), self.tr("Address of the computer that runs the matting server"),
            "serverAddress",
        )  # fmt: skip
        self.address.returnPressed.connect(self.connect_server)
        self._connect = button(self.tr("Connect"), self.tr("Let the server compute the matte"), "serverConnect",
                               self.connect_server)  # fmt: skip
        self._disconnect = button(self.tr("Disconnect"), self.tr("Compute the matte on this computer"),
                                  "serverDisconnect", lambda: self.store.set("matting.location", "local"))  # fmt: skip
        self.add_hint(self.tr("The server receives small frames of your camera. Background and full frames stay here."))
        self.add(field_row(self.tr("Server address"), self.address))
        self._add_file("matting.server_token_file", self.tr("Token file"),
                       self.tr("File with the secret token that the server asks for"), "serverToken")  # fmt: skip
        self._add_file(
            "matting.server_ca_file", self.tr("Certificate file"),
            self.tr("Trust a server with this certificate (PEM) in place of those that the system trusts"),
            "serverCertificate",
        )  # fmt: skip
        self.add_beside(self._connect, self._disconnect)
        self._state = self.add_hint(object_name="serverState")
        self._problem = self.add_hint(object_name="serverProblem", role="warning")
        self.on_settings(self._follow)

    def _add_file(self, setting: str, name: str, description: str, object_name: str) -> None:
        """Add a captioned button that names a file, and a link that removes it."""
        choose = self.make_file(
            setting, name, description, object_name, UserFolder.HomeLocation, caption=self.tr("Choose file…")
        )
        removal = self.tr("Remove")
        remove = self.make_removal(setting, removal, f"{removal}: {name}", description, f"{object_name}Remove")
        both = QWidget()
        both.setLayout(FoldingRow(choose, remove, grows=choose))
        both.setFocusProxy(choose)
        self.add(field_row(name, both))

    def connect_server(self) -> None:
        """Check what was entered off the GUI thread, then use the server."""
        wanted = self.store.current.matting.replace(server=self.address.text(), location="remote")
        self._connect.setEnabled(False)
        self._tasks.run(partial(services.check_server, wanted), self._use, self._refuse)

    def show_status(self, status: PipelineStatus) -> None:
        """Show the state of the connection, with the round trip, and why it failed."""
        in_use = self.store.current.matting.location == "remote"  # the status may be older than the settings
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
        say(self._state, text)
        if server is not None:
            problem = next((each.message for each in status.problems if each.stage is Stage.MATTING), "")
            say(self._problem, breakable(translated(problem)))

    def _use(self, checked: MattingSettings) -> None:
        self._connect.setEnabled(True)
        self._problem.hide()
        before = self.store.current.matting
        self.store.edit("matting", location="remote", server=checked.server)
        if self.store.current.matting == before and self._server is not ServerState.CONNECTED:
            self.retry_requested.emit()

    def _refuse(self, error: Exception) -> None:
        self._connect.setEnabled(True)
        say(self._problem, breakable(translated_error(error)))

    def _follow(self, settings: Settings) -> None:
        matting = settings.matting
        if matting.server != self._shown:  # keep what the user types while other settings change
            self._shown = matting.server
            self.address.setText(matting.server)
        self._disconnect.setVisible(matting.location == "remote")
        if matting.location == "local":
            self._state.hide()
            self._problem.hide()
