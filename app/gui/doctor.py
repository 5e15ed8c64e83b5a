"""Checks of the machine and of the virtual camera: findings with what to do, and a button that sets the camera up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import groupby

from PyQt6.QtCore import QObject, QProcess, Qt, pyqtSignal
from PyQt6.QtGui import QHideEvent
from PyQt6.QtWidgets import QDialog, QPushButton, QScrollArea, QWidget

from app.config.setting import with_value
from app.core.errors import MattecamError, t
from app.core.paths import advice
from app.doctor import fix
from app.doctor.checks import run_checks
from app.doctor.finding import CommandLine, Finding, State
from app.doctor.system import System
from app.gui.bridge import Bridge
from app.gui.state import SettingsStore, Tasks
from app.gui.translation import tr, translated, translated_error
from app.gui.widgets.controls import button, label, selectable
from app.gui.widgets.page import close_below
from app.gui.widgets.qt import column, copy_text, prepare, row, timer, was_hidden
from app.runtime.status import PipelineStatus

MARKS = {State.OK: "✓", State.WARNING: "!", State.PROBLEM: "✗"}
FindAll = Callable[[], tuple[Finding, ...]]


class FindingsView(QWidget):
    """Runs checks off the GUI thread and shows each finding with its remedy; commands can be copied."""

    shown = pyqtSignal(object)
    """The findings, after they are displayed."""

    def __init__(self, tasks: Tasks, find: FindAll, summarise: Callable[[Sequence[Finding]], str]) -> None:
        """find: runs the checks (on a task thread). summarise: returns the sentence above the list."""
        super().__init__()
        self._tasks, self._find, self._summarise = tasks, find, summarise
        self.summary = label(tr("Checking…"), "heading", wrap=True)
        """The sentence above the list."""
        self.summary.setObjectName("findingsSummary")
        self._list = column(None, spacing=14)
        content = QWidget()
        column(content, self._list, None, margins=None)
        content.setObjectName("panelPage")
        self._scroll = QScrollArea()  # takes the focus, to scroll
        self._scroll.setWidgetResizable(True)
        self._scroll.setWidget(content)
        self._scroll.setAccessibleName(tr("Results of the checks"))
        again = button(tr("Check again"), tr("Run the checks again"), "checkAgain", self.check)
        self._buttons: list[QPushButton] = [again]
        self._row = row(None, again, None)
        column(self, self.summary, self._scroll, self._row, grows=self._scroll, spacing=10)

    def add_button(self, more: QPushButton) -> None:
        """Add a button beside Check again."""
        more.setEnabled(self._buttons[0].isEnabled())
        self._buttons.append(more)
        self._row.insertWidget(self._row.count() - 1, more)

    def disable(self) -> None:
        """Disable the buttons until the next findings are shown; the list gets their focus."""
        if any(each.hasFocus() for each in self._buttons):
            self._scroll.setFocus(Qt.FocusReason.OtherFocusReason)
        self._set_enabled(False)
        self.summary.setText(tr("Checking…"))

    def _set_enabled(self, enabled: bool) -> None:
        for each in self._buttons:
            each.setEnabled(enabled)

    def check(self, find: FindAll | None = None) -> None:
        """Run `find` on a task thread, by default the checks of this view."""
        self.disable()
        self._tasks.run(find or self._find, self._show, self.fail)

    def _show(self, findings: tuple[Finding, ...]) -> None:
        self._set_enabled(True)
        while (item := self._list.takeAt(0)) is not None:
            old = item.widget()
            if old is not None:
                old.deleteLater()
        self.summary.setText(self._summarise(findings))
        for finding in findings:
            self._list.addWidget(_row(finding))
        self.shown.emit(findings)

    def fail(self, error: Exception) -> None:
        """Show an error above the list in place of the summary, and enable the buttons."""
        self._set_enabled(True)
        self.summary.setText(translated_error(error))
        self.shown.emit(())


def _row(finding: Finding) -> QWidget:
    whole = QWidget()
    mark = label(MARKS[finding.state], "warning" if finding.state is State.PROBLEM else "heading")
    mark.setMinimumWidth(mark.fontMetrics().height())
    mark.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignHCenter)
    mark.setAccessibleName(_state_text(finding.state))
    mark.setToolTip(_state_text(finding.state))
    heading = label(
        f"{check_names().get(finding.check, finding.check)}   ·   {_state_text(finding.state)}", "faint", wrap=True
    )
    texts = column(None, heading, selectable(translated(finding.detail)), spacing=3)
    if finding.why:
        texts.addWidget(selectable(translated(finding.why), "faint"))
    for kind, steps in groupby(finding.steps, type):
        if kind is CommandLine:
            texts.addWidget(_command(advice("\n".join(steps))))
        else:
            texts.addWidget(selectable("\n".join(map(translated, steps))))
    row(whole, mark, texts, grows=texts, spacing=10)
    return whole


def _command(text: str) -> QWidget:
    """Return a block of commands with a copy button."""
    whole, shown = QWidget(), selectable(text, "command")
    copy = button(tr("Copy"), text, "copyCommand", lambda: copy_text(text))
    row(whole, shown, copy, grows=shown, spacing=8).setAlignment(copy, Qt.AlignmentFlag.AlignTop)
    return whole


def check_names() -> dict[str, str]:
    """Return the translated names of all checks, such as that of `virtual camera: module`."""
    return {
        "camera": tr("Camera"),
        "camera: permission": tr("Camera: permission"),
        "camera: in use": tr("Camera: in use"),
        "virtual camera: module": tr("Virtual camera: module"),
        "virtual camera: device": tr("Virtual camera: device"),
        "virtual camera: installed": tr("Virtual camera: installed"),
        "virtual camera: exclusive_caps": tr("Virtual camera: seen by browsers"),
        "virtual camera: permission": tr("Virtual camera: permission"),
        "virtual camera: in use": tr("Virtual camera: in use"),
        "virtual camera: at start": tr("Virtual camera: after a restart"),
        "virtual camera: Secure Boot": tr("Virtual camera: Secure Boot"),
        "virtual camera: options": tr("Virtual camera: options"),
        "virtual camera: proof": tr("Virtual camera: test picture"),
        "PipeWire camera: daemon": tr("PipeWire camera: service"),
        "PipeWire camera: proof": tr("PipeWire camera: test picture"),
        "PipeWire camera: portal": tr("PipeWire camera: portal"),
        "PipeWire camera: permission": tr("PipeWire camera: permission"),
        "PipeWire camera: Snap": tr("PipeWire camera: Snap"),
        "processor": tr("Processor"),
        "graphics card": tr("Graphics card"),
        "models": tr("Models"),
        "display": tr("Display"),
        "display: libraries": tr("Display: libraries"),
        "variables": tr("Variables of other programs"),
        "disk: settings": tr("Disk space: settings"),
        "disk: models": tr("Disk space: models"),
    }


def _state_text(state: State) -> str:
    return {
        State.OK: tr("OK"),
        State.WARNING: tr("warning"),
        State.PROBLEM: tr("problem"),
    }[state]


class VirtualCameraView(FindingsView):
    """Offers to set the virtual camera up where one click and the administrator's password do that.

    Elsewhere the findings hold the commands to copy.
    """

    repaired = pyqtSignal()
    """The virtual camera was set up."""

    def __init__(self, tasks: Tasks) -> None:
        super().__init__(tasks, lambda: run_checks(proof=False, only="virtual camera"), _say_whether_ready)
        self._command: list[str] = []
        self._set_up = button(
            tr("Set up now"),
            tr("Asks for the administrator's password, and loads the camera now and at every start"),
            "virtualCameraSetUp", self._start, name=tr("Set up the virtual camera"), primary=True,
        )  # fmt: skip
        self._set_up.hide()
        self.add_button(self._set_up)
        process = self._process = QProcess(self)
        process.finished.connect(self._end)
        process.errorOccurred.connect(self._fail_to_start)
        self.destroyed.connect(_stop)
        self.shown.connect(lambda _findings: tasks.run(partial(fix.desktop_command, System()), self._offer))

    def _offer(self, command: list[str]) -> None:
        self._command = command
        self._set_up.setVisible(bool(command))

    def _start(self) -> None:
        self.disable()
        self.summary.setText(tr("Setting up the virtual camera…"))
        self._process.start(self._command[0], self._command[1:])

    def _fail_to_start(self, error: QProcess.ProcessError) -> None:
        if error is QProcess.ProcessError.FailedToStart:
            text = t(
                "The repair could not be started ({program} cannot be run); run the shown commands as root.",
                program=self._command[0],
            )
            self.fail(MattecamError(text))

    def _end(self, exit_code: int, _status: QProcess.ExitStatus) -> None:
        if exit_code == 0:
            self.repaired.emit()
            self.check()
        else:
            output = self._process.readAllStandardError().data().decode("utf-8", "replace").strip()
            self.fail(MattecamError(fix.failure(output, exit_code)))


def _say_whether_ready(findings: Sequence[Finding]) -> str:
    if any(finding.state is State.PROBLEM for finding in findings):
        return tr("This is missing on this computer:")
    return tr("The virtual camera is ready.")


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
        close_below(self, view)
        view.check()


class DoctorDialog(FindingsDialog):
    """Checks of the whole machine, and a test picture sent through the virtual camera.

    For the test picture, the pipeline releases the virtual camera temporarily; the saved settings stay unchanged.
    """

    def __init__(self, store: SettingsStore, bridge: Bridge, tasks: Tasks, parent: QWidget) -> None:
        self.findings = FindingsView(tasks, lambda: run_checks(proof=False), _count_problems)
        title = tr("Check this computer")
        super().__init__(self.findings, title, "doctorDialog", parent)
        self._store, self._bridge = store, bridge
        self._lent: str | None = None
        """The virtual camera of the settings while the pipeline has released it."""
        self.prove_button = button(
            tr("Send a test picture"),
            tr("Sends colour bars to the virtual camera for a second and compares them with what a program reads"),
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
        self.findings.check(partial(run_checks, proof=True))

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
            text = tr("The test picture was not sent: there is no virtual camera to send it to.")
        elif result.state is State.OK:
            text = tr("The test picture arrived: other programs see the right colours.")
        else:
            text = tr("The test picture failed; see “Virtual camera: test picture” below.")
        self.findings.summary.setText(text)


def _count_problems(findings: Sequence[Finding]) -> str:
    counts = [sum(finding.state is state for finding in findings) for state in (State.PROBLEM, State.WARNING)]
    if not any(counts):
        return tr("No problems found.")
    return tr("Problems: {0}   ·   Warnings: {1}").format(*counts)
