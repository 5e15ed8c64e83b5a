"""A list of what the doctor found: what it is, how bad, why it matters, and what to do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby

from PyQt6.QtCore import QCoreApplication, Qt, pyqtSignal
from PyQt6.QtGui import QGuiApplication
from PyQt6.QtWidgets import QHBoxLayout, QPushButton, QScrollArea, QVBoxLayout, QWidget

from app.doctor.finding import Command, Finding, State
from app.gui.i18n.messages import translated, translated_error
from app.gui.state import services
from app.gui.state.tasks import Tasks
from app.gui.widgets.controls import button, describe, label

translate = QCoreApplication.translate
MARKS = {State.OK: "✓", State.WARNING: "!", State.PROBLEM: "✗"}
FindAll = Callable[[], tuple[Finding, ...]]


class FindingsView(QWidget):
    """Checks off the GUI thread; shows each finding with its remedy, whose commands can be copied."""

    shown = pyqtSignal(object)
    """The findings, as soon as they are on the screen."""

    def __init__(self, tasks: Tasks) -> None:
        super().__init__()
        self._tasks = tasks
        self._summary = label(translate("FindingsView", "Checking…"), "heading", wrap=True)
        self._summary.setObjectName("findingsSummary")
        self._list = QVBoxLayout()
        self._list.setSpacing(14)
        content = QWidget()
        content.setObjectName("panelPage")
        inner = QVBoxLayout(content)
        inner.addLayout(self._list)
        inner.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setWidget(content)
        again = button(translate("FindingsView", "Check again"))
        describe(
            again,
            translate("FindingsView", "Check again"),
            translate("FindingsView", "Look at this machine once more"),
            "checkAgain",
        )
        self._buttons = [again]
        again.clicked.connect(lambda: self.check())
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(10)
        column.addWidget(self._summary)
        column.addWidget(scroll, 1)
        self._row = QHBoxLayout()
        self._row.addWidget(again)
        self._row.addStretch(1)
        column.addLayout(self._row)

    def add_button(self, more: QPushButton) -> None:
        """Put a button beside the one that checks again."""
        more.setEnabled(self._buttons[0].isEnabled())
        self._buttons.append(more)
        self._row.insertWidget(self._row.count() - 1, more)

    def hold(self) -> None:
        """Nothing can be asked for until the next findings are shown."""
        self._let_press(False)
        self._summary.setText(translate("FindingsView", "Checking…"))

    def _let_press(self, enabled: bool) -> None:
        for each in self._buttons:
            each.setEnabled(enabled)

    def check(self, look: FindAll | None = None) -> None:
        """Look at this machine; without `look` at its virtual camera alone."""
        self.hold()
        self._tasks.run(look or self.look, self._show, self._fail)

    def look(self) -> tuple[Finding, ...]:
        """What `check` looks at; on a task's thread."""
        return services.virtual_camera_findings()

    def summarise(self, findings: Sequence[Finding]) -> str:
        """The line above the list."""
        ready = all(finding.state is not State.PROBLEM for finding in findings)
        if ready:
            return translate("FindingsView", "The virtual camera is ready.")
        return translate("FindingsView", "Other programs cannot see the picture yet.")

    def _show(self, findings: tuple[Finding, ...]) -> None:
        self._let_press(True)
        while (item := self._list.takeAt(0)) is not None:
            old = item.widget()
            if old is not None:
                old.deleteLater()
        self._summary.setText(self.summarise(findings))
        for finding in findings:
            self._list.addWidget(_row(finding))
        self.shown.emit(findings)

    def _fail(self, error: Exception) -> None:
        self._let_press(True)
        self._summary.setText(translated_error(error))
        self.shown.emit(())


class AllFindingsView(FindingsView):
    """Of the whole machine."""

    def look(self) -> tuple[Finding, ...]:
        return services.findings()

    def summarise(self, findings: Sequence[Finding]) -> str:
        counts = [sum(finding.state is state for finding in findings) for state in (State.PROBLEM, State.WARNING)]
        if not any(counts):
            return translate("AllFindingsView", "All is well.")
        return translate("AllFindingsView", "Problems: {0}   ·   Warnings: {1}").format(*counts)


def _row(finding: Finding) -> QWidget:
    whole = QWidget()
    row = QHBoxLayout(whole)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(10)
    mark = label(MARKS[finding.state], "warning" if finding.state is State.PROBLEM else "heading")
    mark.setMinimumWidth(mark.fontMetrics().height())
    mark.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignHCenter)
    mark.setAccessibleName(_state_words(finding.state))
    mark.setToolTip(_state_words(finding.state))
    row.addWidget(mark)
    words = QVBoxLayout()
    words.setSpacing(3)
    words.addWidget(label(f"{check_words(finding.check)}   ·   {_state_words(finding.state)}", "faint", wrap=True))
    words.addWidget(_selectable(translated(finding.detail)))
    if finding.why:
        words.addWidget(_selectable(translated(finding.why), "faint"))
    for kind, steps in groupby(finding.steps, type):
        lines = "\n".join(map(translated, steps))
        words.addWidget(_command(lines) if kind is Command else _selectable(lines))
    row.addLayout(words, 1)
    return whole


def _command(text: str) -> QWidget:
    """Lines to be run, and a button that copies them."""
    whole = QWidget()
    row = QHBoxLayout(whole)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(8)
    row.addWidget(_selectable(text, "command"), 1)
    copy = button(translate("FindingsView", "Copy"))
    describe(copy, translate("FindingsView", "Copy"), text)
    copy.clicked.connect(lambda: _copy(text))
    row.addWidget(copy, 0, Qt.AlignmentFlag.AlignTop)
    return whole


def check_words(check: str) -> str:
    """What was looked at, such as `virtual camera: module`, in the user's language."""
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
        "virtual camera: at start": translate("Findings", "Virtual camera: at the start of the computer"),
        "virtual camera: Secure Boot": translate("Findings", "Virtual camera: Secure Boot"),
        "virtual camera: options": translate("Findings", "Virtual camera: options"),
        "virtual camera: proof": translate("Findings", "Virtual camera: test picture"),
        "graphics card": translate("Findings", "Graphics card"),
        "models": translate("Findings", "Models"),
        "display": translate("Findings", "Display"),
        "display: libraries": translate("Findings", "Display: libraries"),
        "disk: settings": translate("Findings", "Disk of the settings"),
        "disk: models": translate("Findings", "Disk of the models"),
    }.get(check, check)


def _state_words(state: State) -> str:
    return {
        State.OK: translate("Findings", "fine"),
        State.WARNING: translate("Findings", "warning"),
        State.PROBLEM: translate("Findings", "problem"),
    }[state]


def _selectable(text: str, role: str = "") -> QWidget:
    made = label(text, role, wrap=True)
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.setTextInteractionFlags(
        Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
    )
    return made


def _copy(text: str) -> None:
    clipboard = QGuiApplication.clipboard()
    if clipboard is not None:
        clipboard.setText(text)
