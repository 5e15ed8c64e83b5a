"""Dialogs with the checks of the machine and of the virtual camera."""

from __future__ import annotations

from functools import partial

from PyQt6.QtCore import QCoreApplication, Qt, QTimer
from PyQt6.QtWidgets import QDialog, QWidget

from app.core.settings import Settings
from app.doctor.finding import Finding, State
from app.gui.dialogs.findings_view import AllFindingsView, FindingsView
from app.gui.dialogs.help_window import APPS_PAGE, open_help
from app.gui.state import services
from app.gui.state.bridge import Bridge
from app.gui.state.store import SettingsStore
from app.gui.state.tasks import Tasks
from app.gui.widgets.controls import button
from app.gui.widgets.layout import column, row
from app.runtime.status import PipelineStatus

translate = QCoreApplication.translate
PROOF_CHECK = "virtual camera: proof"
RELEASE_PATIENCE_MS = 5000


class FindingsDialog(QDialog):
    """Shows findings in a dialog; starts the checks when it is created."""

    def __init__(self, view: FindingsView, title: str, name: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.setWindowTitle(title)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(680, 560)
        apps = button(
            translate("FindingsDialog", "Choosing the camera in other programs…"),
            translate("FindingsDialog", "Opens the manual"), "appsLink", lambda: open_help(parent, APPS_PAGE),
            link=True,
        )  # fmt: skip
        close = button(translate("FindingsDialog", "Close"), translate("FindingsDialog", "Back to the window"),
                       "findingsClose", self.close)  # fmt: skip
        column(self, view, row(None, apps, None, close), grows=view, spacing=12, margins=18)
        view.check()


class DoctorDialog(FindingsDialog):
    """Checks of the whole machine, and a test picture sent through the virtual camera.

    For the test picture, the pipeline releases the virtual camera temporarily; the saved settings stay unchanged.
    """

    def __init__(self, store: SettingsStore, bridge: Bridge, tasks: Tasks, parent: QWidget) -> None:
        self.findings = AllFindingsView(tasks)
        title = translate("DoctorDialog", "Check this computer")
        super().__init__(self.findings, title, "doctorDialog", parent)
        self._store, self._bridge = store, bridge
        self._waiting = False
        self._lent: str | None = None
        """The virtual camera of the settings while the pipeline has released it."""
        self.prove_button = button(
            self.tr("Send a test picture"),
            self.tr("Sends colour bars to the virtual camera for a second and compares them with what a program reads"),
            "doctorProve", self._begin,
        )  # fmt: skip
        self.findings.add_button(self.prove_button)
        self._patience = QTimer(self)
        self._patience.setSingleShot(True)
        self._patience.setInterval(RELEASE_PATIENCE_MS)
        self._patience.timeout.connect(self._prove)
        bridge.status_changed.connect(self._on_status)
        self.findings.shown.connect(self._on_findings)
        self.finished.connect(lambda _result: self._give_back())

    def _begin(self) -> None:
        """Ask the pipeline to release the virtual camera."""
        self.findings.disable()
        self._waiting = True
        if self._lent is None:
            self._lent = self._store.current.output.virtual_camera
        self._bridge.pipeline.change(partial(_with_virtual_camera, device="off"))
        self._patience.start()

    def _on_status(self, status: PipelineStatus) -> None:
        if self._waiting and status.virtual_camera is None:
            self._prove()

    def _prove(self) -> None:
        if self._waiting:
            self._waiting = False
            self._patience.stop()
            self.findings.check(partial(services.findings, proof=True))

    def _give_back(self) -> None:
        self._waiting = False
        device, self._lent = self._lent, None
        if device is not None and self._store.current.output.virtual_camera == "off":  # the user chose no other
            self._bridge.pipeline.change(partial(_with_virtual_camera, device=device))

    def _on_findings(self, findings: tuple[Finding, ...]) -> None:
        tested = self._lent is not None
        self._give_back()
        if not tested:
            return
        result = next((finding for finding in findings if finding.check == PROOF_CHECK), None)
        if result is None:
            text = self.tr("The test picture was not sent: there is no virtual camera to send it to.")
        elif result.state is State.OK:
            text = self.tr("The test picture arrived: other programs see the right colours.")
        else:
            text = self.tr("The test picture failed; see “Virtual camera: test picture” below.")
        self.findings.show_result(text)


def _with_virtual_camera(settings: Settings, *, device: str) -> Settings:
    return settings.replace(output=settings.output.replace(virtual_camera=device))
