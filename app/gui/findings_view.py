"""What the doctor says about the virtual camera, and what to do."""

from __future__ import annotations

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QGuiApplication
from PyQt6.QtWidgets import QDialog, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from app.doctor.finding import Finding, State
from app.gui import services
from app.gui.controls import button, describe, label
from app.gui.tasks import Tasks

MARKS = {State.OK: "✓", State.WARNING: "!", State.PROBLEM: "✗"}


class FindingsView(QWidget):
    """Checks off the GUI thread; shows each finding with its remedy, which can be copied."""

    def __init__(self, tasks: Tasks) -> None:
        super().__init__()
        self._tasks = tasks
        self._summary = label(self.tr("Checking…"), "heading", wrap=True)
        self._summary.setObjectName("findingsSummary")
        self._list = QVBoxLayout()
        self._list.setSpacing(10)
        content = QWidget()
        content.setObjectName("panelPage")
        inner = QVBoxLayout(content)
        inner.addLayout(self._list)
        inner.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setWidget(content)
        self._again = button(self.tr("Check again"))
        describe(self._again, self.tr("Check again"), self.tr("Look at this machine once more"), "checkAgain")
        self._again.clicked.connect(self.check)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(10)
        column.addWidget(self._summary)
        column.addWidget(scroll, 1)
        row = QHBoxLayout()
        row.addWidget(self._again)
        row.addStretch(1)
        column.addLayout(row)

    def check(self) -> None:
        """Look at this machine."""
        self._again.setEnabled(False)
        self._summary.setText(self.tr("Checking…"))
        self._tasks.run(services.virtual_camera_findings, self._show, self._fail)

    def _show(self, findings: tuple[Finding, ...]) -> None:
        self._again.setEnabled(True)
        while (item := self._list.takeAt(0)) is not None:
            old = item.widget()
            if old is not None:
                old.deleteLater()
        ready = all(finding.state is not State.PROBLEM for finding in findings)
        self._summary.setText(
            self.tr("The virtual camera is ready.") if ready else self.tr("Other programs cannot see the picture yet.")
        )
        for finding in findings:
            self._list.addWidget(_row(finding, self.tr("Copy")))

    def _fail(self, error: Exception) -> None:
        self._again.setEnabled(True)
        self._summary.setText(str(error))


class FindingsDialog(QDialog):
    """The same in a window of its own."""

    def __init__(self, tasks: Tasks, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("virtualCameraDialog")
        self.setWindowTitle(self.tr("Virtual camera"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(620, 480)
        column = QVBoxLayout(self)
        column.setContentsMargins(18, 18, 18, 18)
        view = FindingsView(tasks)
        column.addWidget(view)
        view.check()


def _row(finding: Finding, copy_words: str) -> QWidget:
    whole = QWidget()
    row = QHBoxLayout(whole)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(10)
    mark = label(MARKS[finding.state], "warning" if finding.state is State.PROBLEM else "heading")
    mark.setAlignment(Qt.AlignmentFlag.AlignTop)
    row.addWidget(mark)
    words = QVBoxLayout()
    words.setSpacing(3)
    words.addWidget(label(finding.detail, wrap=True))
    for text in (finding.why, finding.fix):
        if text:
            made = label(text, "faint", wrap=True)
            made.setTextInteractionFlags(
                Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
            )
            words.addWidget(made)
    row.addLayout(words, 1)
    if finding.fix:
        copy = button(copy_words)
        describe(copy, copy_words, finding.fix)
        copy.clicked.connect(lambda: _copy(finding.fix))
        row.addWidget(copy, 0, Qt.AlignmentFlag.AlignTop)
    return whole


def _copy(text: str) -> None:
    clipboard = QGuiApplication.clipboard()
    if clipboard is not None:
        clipboard.setText(text)
