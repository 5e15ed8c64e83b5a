"""Dialogs with the checks of the machine and of the virtual camera, and a button that sets it up."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PyQt6.QtCore import QCoreApplication, QObject, QProcess, pyqtSignal
from PyQt6.QtGui import QHideEvent
from PyQt6.QtWidgets import QDialog, QWidget

from app.config.setting import with_value
from app.doctor.finding import Finding, State
from app.gui.dialogs.findings_view import FindingsView
from app.gui.state import services
from app.gui.state.bridge import Bridge
from app.gui.state.store import SettingsStore
from app.gui.state.tasks import Tasks
from app.gui.widgets.controls import button
from app.gui.widgets.qt import column, prepare, row, timer, was_hidden
from app.runtime.status import PipelineStatus

translate = QCoreApplication.translate


class VirtualCameraView(FindingsView):
    """Offers to set the virtual camera up where one click and the administrator's password do that.

    Elsewhere the findings hold the commands to copy.
    """

    repaired = pyqtSignal()
    """The virtual camera was set up."""

    def __init__(self, tasks: Tasks) -> None:
        super().__init__(tasks, lambda: services.virtual_camera_findings(), _say_whether_ready)
        self._command: tuple[str, ...] = ()
        self._set_up = button(
            self.tr("Set up now"),
            self.tr("Asks for the administrator's password, and loads the camera now and at every start"),
            "virtualCameraSetUp", self._start, name=self.tr("Set up the virtual camera"), primary=True,
        )  # fmt: skip
        self._set_up.hide()
        self.add_button(self._set_up)
        process = self._process = QProcess(self)
        process.finished.connect(self._end)
        process.errorOccurred.connect(self._fail_to_start)
        self.destroyed.connect(_stop)
        self.shown.connect(lambda _findings: tasks.run(services.repair_command, self._offer))

    def _offer(self, command: tuple[str, ...]) -> None:
        self._command = command
        self._set_up.setVisible(bool(command))

    def _start(self) -> None:
        self.disable()
        self.show_result(self.tr("Setting up the virtual camera…"))
        self._process.start(self._command[0], self._command[1:])

    def _fail_to_start(self, error: QProcess.ProcessError) -> None:
        if error is QProcess.ProcessError.FailedToStart:
            self.fail(services.repair_not_started(self._command[0]))

    def _end(self, exit_code: int, _status: QProcess.ExitStatus) -> None:
        if exit_code == 0:
            self.repaired.emit()
            self.check()
        else:
            output = self._process.readAllStandardError().data().decode("utf-8", "replace").strip()
            self.fail(services.repair_failure(output, exit_code))


def _say_whether_ready(findings: Sequence[Finding]) -> str:
    if any(finding.state is State.PROBLEM for finding in findings):
        return translate("FindingsView", "This is missing on this computer:")
    return translate("FindingsView", "The virtual camera is ready.")


def _stop(view: QObject) -> None:
    """End a password dialog that is still open. Not a closure, which Qt may call after the end of what it holds."""
    for process in view.findChildren(QProcess):
        process.blockSignals(True)
        if process.state() is not QProcess.ProcessState.NotRunning:
            process.kill()
            process.waitForFinished(1000)


PROOF_CHECK, VIRTUAL_CAMERA = "virtual camera: proof", "output.virtual_camera"
RELEASE_PATIENCE_MS = 5000


class FindingsDialog(QDialog):
    """Shows findings in a dialog; starts the checks when it is created."""

    def __init__(self, view: FindingsView, title: str, name: str, parent: QWidget) -> None:
        super().__init__(parent)
        prepare(self, name, title, 680, 560)
        close = button(translate("FindingsDialog", "Close"), translate("FindingsDialog", "Back to the window"),
                       "findingsClose", self.close)  # fmt: skip
        column(self, view, row(None, None, close), grows=view, spacing=12, margins=18)
        view.check()


class DoctorDialog(FindingsDialog):
    """Checks of the whole machine, and a test picture sent through the virtual camera.

    For the test picture, the pipeline releases the virtual camera temporarily; the saved settings stay unchanged.
    """

    def __init__(self, store: SettingsStore, bridge: Bridge, tasks: Tasks, parent: QWidget) -> None:
        self.findings = FindingsView(tasks, lambda: services.run_checks(proof=False), _count_problems)
        title = translate("DoctorDialog", "Check this computer")
        super().__init__(self.findings, title, "doctorDialog", parent)
        self._store, self._bridge = store, bridge
        self._lent: str | None = None
        """The virtual camera of the settings while the pipeline has released it."""
        self.prove_button = button(
            self.tr("Send a test picture"),
            self.tr("Sends colour bars to the virtual camera for a second and compares them with what a program reads"),
            "doctorProve", self._begin,
        )  # fmt: skip
        self.findings.add_button(self.prove_button)
        self._patience = timer(self, RELEASE_PATIENCE_MS, self._prove, once=True)
        bridge.status_changed.connect(self._on_status)
        self.findings.shown.connect(self._on_findings)

    def hideEvent(self, event: QHideEvent | None) -> None:
        super().hideEvent(event)
        if was_hidden(event):
            self._give_back()

    def _begin(self) -> None:
        """Ask the pipeline to release the virtual camera."""
        self.findings.disable()
        if self._lent is None:
            self._lent = self._store.current.output.virtual_camera
        self._bridge.pipeline.change(partial(with_value, name=VIRTUAL_CAMERA, value="off"))
        self._patience.start()

    def _on_status(self, status: PipelineStatus) -> None:
        if self._patience.isActive() and status.virtual_camera is None:
            self._prove()

    def _prove(self) -> None:
        self._patience.stop()
        self.findings.check(partial(services.run_checks, proof=True))

    def _give_back(self) -> None:
        self._patience.stop()
        device, self._lent = self._lent, None
        if device is not None and self._store.current.output.virtual_camera == "off":  # the user chose no other
            self._bridge.pipeline.change(partial(with_value, name=VIRTUAL_CAMERA, value=device))

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


def _count_problems(findings: Sequence[Finding]) -> str:
    counts = [sum(finding.state is state for finding in findings) for state in (State.PROBLEM, State.WARNING)]
    if not any(counts):
        return translate("DoctorDialog", "No problems found.")
    return translate("DoctorDialog", "Problems: {0}   ·   Warnings: {1}").format(*counts)
