"""Checks of the machine and of the virtual camera, and a button that sets the camera up.

Findings are shown with what to do.
"""

from __future__ import annotations

from functools import partial
from itertools import groupby

from PyQt6.QtCore import QObject, QProcess, Qt, pyqtSignal
from PyQt6.QtGui import QHideEvent
from PyQt6.QtWidgets import QApplication, QDialog, QScrollArea, QWidget

from app.config.setting import with_value
from app.core.errors import MattecamError, t
from app.doctor import fix
from app.doctor.checks import run_checks
from app.doctor.finding import CommandLine, Finding, State
from app.doctor.system import System
from app.gui.bridge import Bridge
from app.gui.state import SettingsStore, Tasks
from app.gui.translation import tr, translated, translated_error
from app.gui.widgets.controls import button, label, selectable
from app.gui.widgets.page import close_below
from app.gui.widgets.qt import column, copy_text, row, set_up_dialog, timer, was_hidden
from app.runtime.status import PipelineStatus

MARKS = {State.OK: "✓", State.WARNING: "!", State.PROBLEM: "✗"}


class Findings(QWidget):
    """Runs checks off the GUI thread and shows each finding with its remedy.

    Commands can be copied. Where one click and the administrator's password set the virtual camera
    up, a button offers that.
    """

    # Findings, or why there are none, are displayed.
    shown = pyqtSignal()
    # The virtual camera was set up.
    repaired = pyqtSignal()

    def __init__(self, tasks: Tasks, only: str = "") -> None:
        """only: how the names of the checks begin."""
        super().__init__()
        self._tasks = tasks
        self._only = only
        # Sets the virtual camera up; empty where nothing does.
        self._repair_command: list[str] = []
        # Above the list.
        self.summary = label("", "heading", wrap=True)
        self.summary.setObjectName("findingsSummary")
        self._list = column(None, spacing=14)
        content = QWidget()
        column(content, self._list, None, margins=None)
        content.setObjectName("panelPage")
        # It takes the focus, to scroll with the keyboard.
        self._scroll = QScrollArea()
        self._scroll.setWidgetResizable(True)
        self._scroll.setWidget(content)
        self._scroll.setAccessibleName(tr("Results of the checks"))
        self._buttons = QWidget()
        again = button(tr("Check again"), tr("Run the checks again"), "checkAgain", self.check)
        self._set_up = button(
            tr("Set up now"),
            tr(
                "Asks for the administrator's password, and loads the camera now and at every start",
            ),
            "virtualCameraSetUp",
            self._start,
            name=tr("Set up the virtual camera"),
            primary=True,
        )
        self._set_up.hide()
        # Below the list; dialogs add buttons of their own.
        self.row = row(self._buttons, again, self._set_up, None)
        column(self, self.summary, self._scroll, self._buttons, grows=self._scroll, spacing=10)
        self._process = QProcess(self)
        self._process.finished.connect(self._end)
        self._process.errorOccurred.connect(self._fail_to_start)
        self.destroyed.connect(_stop)

    def check(self, *, proof: bool = False) -> None:
        """Run the checks of this view.

        proof: those of the virtual camera, and send a test picture through it.
        """
        self.disable(tr("Checking…"))
        only = "virtual camera" if proof else self._only

        def look() -> tuple[tuple[Finding, ...], list[str]]:
            return run_checks(proof=proof, only=only), fix.desktop_command(System())

        self._tasks.run(look, self._show, self._fail)

    def disable(self, text: str) -> None:
        """Disable the buttons until the next findings are shown, and say why.

        The list gets their focus.
        """
        if self._buttons.isAncestorOf(QApplication.focusWidget()):
            self._scroll.setFocus(Qt.FocusReason.OtherFocusReason)
        self._buttons.setEnabled(False)
        self.summary.setText(text)

    def _show(self, found: tuple[tuple[Finding, ...], list[str]]) -> None:
        findings, repair_command = found
        self._repair_command = repair_command
        while (item := self._list.takeAt(0)) is not None:
            old = item.widget()
            if old is not None:
                old.deleteLater()
        for finding in findings:
            self._list.addWidget(_row(finding))
        self._set_up.setVisible(bool(repair_command))
        states = [finding.state for finding in findings]
        problems = states.count(State.PROBLEM)
        warnings = states.count(State.WARNING)
        if problems or warnings:
            self._say(tr("Problems: {0}   ·   Warnings: {1}").format(problems, warnings))
        else:
            self._say(tr("No problems found."))

    def _fail(self, error: Exception) -> None:
        self._say(translated_error(error))

    def _say(self, text: str) -> None:
        self.summary.setText(text)
        self._buttons.setEnabled(True)
        self.shown.emit()

    def _start(self) -> None:
        self.disable(tr("Setting up the virtual camera…"))
        self._process.start(self._repair_command[0], self._repair_command[1:])

    def _fail_to_start(self, error: QProcess.ProcessError) -> None:
        if error is QProcess.ProcessError.FailedToStart:
            text = t(
                "The repair could not be started ({program} cannot be run); run the shown commands "
                "as root.",
                program=self._repair_command[0],
            )
            self._fail(MattecamError(text))

    def _end(self, exit_code: int, _status: QProcess.ExitStatus) -> None:
        if exit_code == 0:
            self.repaired.emit()
            self.check()
        else:
            output = self._process.readAllStandardError().data().decode("utf-8", "replace")
            self._fail(MattecamError(fix.failure(output.strip(), exit_code)))


def _row(finding: Finding) -> QWidget:
    whole = QWidget()
    role = "warning" if finding.state is State.PROBLEM else "heading"
    mark = label(MARKS[finding.state], role)
    mark.setMinimumWidth(mark.fontMetrics().height())
    mark.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignHCenter)
    mark.setAccessibleName(_state_text(finding.state))
    mark.setToolTip(_state_text(finding.state))
    name = translated(finding.check)
    title = f"{name[:1].upper()}{name[1:]}"
    heading = label(f"{title}   ·   {_state_text(finding.state)}", "faint", wrap=True)
    texts = column(None, heading, selectable(translated(finding.detail)), spacing=3)
    if finding.why:
        texts.addWidget(selectable(translated(finding.why), "faint"))
    for kind, steps in groupby(finding.steps, type):
        if kind is CommandLine:
            texts.addWidget(_command("\n".join(steps)))
        else:
            texts.addWidget(selectable("\n".join(map(translated, steps))))
    row(whole, mark, texts, grows=texts, spacing=10)
    return whole


def _command(text: str) -> QWidget:
    """Return a block of commands with a copy button."""
    whole = QWidget()
    shown = selectable(text, "command")
    copy = button(tr("Copy"), text, "copyCommand", lambda: copy_text(text))
    row(whole, shown, copy, grows=shown, spacing=8).setAlignment(copy, Qt.AlignmentFlag.AlignTop)
    return whole


def _state_text(state: State) -> str:
    texts = {
        State.OK: tr("OK"),
        State.WARNING: tr("warning"),
        State.PROBLEM: tr("problem"),
    }
    return texts[state]


def _stop(view: QObject) -> None:
    """End a password dialog that is still open."""
    # Not a closure or a method, which Qt may call after the end of what it holds.
    for process in view.findChildren(QProcess):
        process.blockSignals(True)
        if process.state() is not QProcess.ProcessState.NotRunning:
            process.kill()
            process.waitForFinished(1000)


VIRTUAL_CAMERA = "output.virtual_camera"
RELEASE_PATIENCE_MS = 5000


class DoctorDialog(QDialog):
    """Checks of the machine, and a test picture sent through the virtual camera.

    For the test picture, the pipeline releases the virtual camera temporarily; the saved settings
    stay unchanged.
    """

    def __init__(
        self,
        store: SettingsStore,
        bridge: Bridge,
        tasks: Tasks,
        parent: QWidget,
        name: str,
        only: str,
    ) -> None:
        """only: how the names of the first checks begin, which run at once."""
        super().__init__(parent)
        set_up_dialog(self, name, tr("Check this computer"), 680, 560)
        self._store = store
        self._bridge = bridge
        # That of the settings, while the pipeline has released it for the test picture.
        self._released_camera: str | None = None
        self.findings = Findings(tasks, only)
        self.findings.repaired.connect(bridge.retry)
        self.prove_button = button(
            tr("Send a test picture"),
            tr(
                "Sends colour bars to the virtual camera for a second and compares them with what "
                "a program reads",
            ),
            "doctorProve",
            self._begin,
        )
        self.findings.row.insertWidget(2, self.prove_button)
        self._patience = timer(self, RELEASE_PATIENCE_MS, self._prove, once=True)
        bridge.status_changed.connect(self._on_status)
        self.findings.shown.connect(self._give_back)
        close_below(self, self.findings)
        self.findings.check()

    def hideEvent(self, event: QHideEvent | None) -> None:
        super().hideEvent(event)
        if was_hidden(event):
            self._give_back()

    def _begin(self) -> None:
        """Ask the pipeline to release the virtual camera; `_prove` follows once it has."""
        self.findings.disable(tr("Checking…"))
        self._released_camera = self._store.current.output.virtual_camera
        self._bridge.pipeline.change(partial(with_value, name=VIRTUAL_CAMERA, value="off"))
        self._patience.start()

    def _on_status(self, status: PipelineStatus) -> None:
        if self._patience.isActive() and status.virtual_camera is None:
            self._prove()

    def _prove(self) -> None:
        self._patience.stop()
        self.findings.check(proof=True)

    def _give_back(self) -> None:
        self._patience.stop()
        device = self._released_camera
        self._released_camera = None
        # Unless the user has chosen another one meanwhile.
        if device is not None and self._store.current.output.virtual_camera == "off":
            self._bridge.pipeline.change(partial(with_value, name=VIRTUAL_CAMERA, value=device))
