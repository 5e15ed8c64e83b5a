"""A list of findings: what was checked, severity, why it matters, and what to do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby

from PyQt6.QtCore import QCoreApplication, Qt, pyqtSignal
from PyQt6.QtWidgets import QPushButton, QScrollArea, QVBoxLayout, QWidget

from app.core.files.program import advice
from app.doctor.finding import CommandLine, Finding, State
from app.gui.i18n.messages import translated, translated_error
from app.gui.state.tasks import Tasks
from app.gui.widgets.controls import button, label, selectable
from app.gui.widgets.qt import column, copy_text, row

translate = QCoreApplication.translate
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
        self._summary = label(translate("FindingsView", "Checking…"), "heading", wrap=True)
        self._summary.setObjectName("findingsSummary")
        self._list = column(None, spacing=14)
        content = QWidget()
        content.setObjectName("panelPage")
        inner = QVBoxLayout(content)
        inner.addLayout(self._list)
        inner.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setWidget(content)
        scroll.setAccessibleName(translate("FindingsView", "Results of the checks"))
        again = button(translate("FindingsView", "Check again"), translate("FindingsView", "Run the checks again"),
                       "checkAgain", self.check)  # fmt: skip
        self._buttons: list[QPushButton] = [again]
        self._focused: QPushButton | None = None
        """The button to focus again after the checks."""
        self._row = row(None, again, None)
        column(self, self._summary, scroll, self._row, grows=scroll, spacing=10)

    def add_button(self, more: QPushButton) -> None:
        """Add a button beside Check again."""
        more.setEnabled(self._buttons[0].isEnabled())
        self._buttons.append(more)
        self._row.insertWidget(self._row.count() - 1, more)

    def disable(self) -> None:
        """Disable the buttons until the next findings are shown."""
        self._set_enabled(False)
        self._summary.setText(translate("FindingsView", "Checking…"))

    def show_result(self, text: str) -> None:
        """Show a sentence above the list in place of the summary."""
        self._summary.setText(text)

    def _set_enabled(self, enabled: bool) -> None:
        focused = next((each for each in self._buttons if each.hasFocus()), None)
        if focused is not None and not enabled:
            self._focused = focused
        for each in self._buttons:
            each.setEnabled(enabled)
        if enabled and self._focused is not None:
            self._focused.setFocus(Qt.FocusReason.OtherFocusReason)
            self._focused = None

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
        self._summary.setText(self._summarise(findings))
        for finding in findings:
            self._list.addWidget(_row(finding))
        self.shown.emit(findings)

    def fail(self, error: Exception) -> None:
        """Show an error above the list in place of the summary, and enable the buttons."""
        self._set_enabled(True)
        self._summary.setText(translated_error(error))
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
    copy = button(translate("FindingsView", "Copy"), text, "copyCommand", lambda: copy_text(text))
    row(whole, shown, copy, grows=shown, spacing=8).setAlignment(copy, Qt.AlignmentFlag.AlignTop)
    return whole


def check_names() -> dict[str, str]:
    """Return the translated names of all checks, such as that of `virtual camera: module`."""
    return {
        "camera": translate("Findings", "Camera"),
        "camera: permission": translate("Findings", "Camera: permission"),
        "camera: in use": translate("Findings", "Camera: in use"),
        "virtual camera: module": translate("Findings", "Virtual camera: module"),
        "virtual camera: device": translate("Findings", "Virtual camera: device"),
        "virtual camera: installed": translate("Findings", "Virtual camera: installed"),
        "virtual camera: exclusive_caps": translate("Findings", "Virtual camera: seen by browsers"),
        "virtual camera: permission": translate("Findings", "Virtual camera: permission"),
        "virtual camera: in use": translate("Findings", "Virtual camera: in use"),
        "virtual camera: at start": translate("Findings", "Virtual camera: after a restart"),
        "virtual camera: Secure Boot": translate("Findings", "Virtual camera: Secure Boot"),
        "virtual camera: options": translate("Findings", "Virtual camera: options"),
        "virtual camera: proof": translate("Findings", "Virtual camera: test picture"),
        "PipeWire camera: daemon": translate("Findings", "PipeWire camera: service"),
        "PipeWire camera: proof": translate("Findings", "PipeWire camera: test picture"),
        "PipeWire camera: portal": translate("Findings", "PipeWire camera: portal"),
        "PipeWire camera: permission": translate("Findings", "PipeWire camera: permission"),
        "PipeWire camera: Firefox": translate("Findings", "PipeWire camera: Firefox"),
        "PipeWire camera: Flatpak": translate("Findings", "PipeWire camera: Flatpak"),
        "PipeWire camera: Snap": translate("Findings", "PipeWire camera: Snap"),
        "processor": translate("Findings", "Processor"),
        "graphics card": translate("Findings", "Graphics card"),
        "models": translate("Findings", "Models"),
        "display": translate("Findings", "Display"),
        "display: libraries": translate("Findings", "Display: libraries"),
        "variables": translate("Findings", "Variables of other programs"),
        "disk: settings": translate("Findings", "Disk space: settings"),
        "disk: models": translate("Findings", "Disk space: models"),
    }


def _state_text(state: State) -> str:
    return {
        State.OK: translate("Findings", "OK"),
        State.WARNING: translate("Findings", "warning"),
        State.PROBLEM: translate("Findings", "problem"),
    }[state]
