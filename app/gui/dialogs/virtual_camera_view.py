"""The findings about the virtual camera, with a button that sets it up."""

from __future__ import annotations

from PyQt6.QtCore import QObject, QProcess, pyqtSignal

from app.gui.dialogs.findings_view import FindingsView
from app.gui.state import services
from app.gui.state.tasks import Tasks
from app.gui.widgets.controls import button


class VirtualCameraView(FindingsView):
    """Offers to set the virtual camera up where one click and the administrator's password do that.

    Elsewhere the findings hold the commands to copy.
    """

    repaired = pyqtSignal()
    """The virtual camera was set up."""

    def __init__(self, tasks: Tasks) -> None:
        super().__init__(tasks)
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


def _stop(view: QObject) -> None:
    """End a password dialog that is still open. Not a closure: see `app.gui.widgets.signals`."""
    for process in view.findChildren(QProcess):
        process.blockSignals(True)
        if process.state() is not QProcess.ProcessState.NotRunning:
            process.kill()
            process.waitForFinished(1000)
