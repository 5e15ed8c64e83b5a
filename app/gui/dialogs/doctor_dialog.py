"""The doctor in a window of its own: everything on this machine that decides whether the program can work."""

from __future__ import annotations

from functools import partial

from PyQt6.QtCore import QCoreApplication, Qt, QTimer, QUrl
from PyQt6.QtGui import QDesktopServices
from PyQt6.QtWidgets import QDialog, QHBoxLayout, QVBoxLayout, QWidget

from app.config import paths
from app.gui.dialogs.findings_view import AllFindingsView, FindingsView
from app.gui.state import services
from app.gui.state.bridge import Bridge
from app.gui.state.store import SettingsStore
from app.gui.state.tasks import Tasks
from app.gui.widgets.controls import button, describe, link_button
from app.runtime.status import PipelineStatus

APPS_PAGE = paths.manual_page("apps.md")
RELEASE_PATIENCE_MS = 5000


class FindingsDialog(QDialog):
    """Findings beside the window; checks as soon as it is made."""

    def __init__(self, view: FindingsView, title: str, name: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.setWindowTitle(title)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(680, 560)
        words = QCoreApplication.translate("FindingsDialog", "Choosing the camera in other programs…")
        apps = link_button(words)
        describe(apps, words, QCoreApplication.translate("FindingsDialog", "Opens a page of the manual"), "appsLink")
        apps.clicked.connect(lambda: QDesktopServices.openUrl(QUrl.fromLocalFile(str(APPS_PAGE))))
        words = QCoreApplication.translate("FindingsDialog", "Close")
        close = button(words)
        describe(close, words, QCoreApplication.translate("FindingsDialog", "Back to the window"), "findingsClose")
        close.clicked.connect(self.close)
        row = QHBoxLayout()
        row.addWidget(apps)
        row.addStretch(1)
        row.addWidget(close)
        column = QVBoxLayout(self)
        column.setContentsMargins(18, 18, 18, 18)
        column.setSpacing(12)
        column.addWidget(view, 1)
        column.addLayout(row)
        view.check()


class DoctorDialog(FindingsDialog):
    """About the whole machine; on request it proves that other programs see the right picture.

    For the proof the pipeline lets go of the virtual camera for a moment, without a change of the settings.
    """

    def __init__(self, store: SettingsStore, bridge: Bridge, tasks: Tasks, parent: QWidget) -> None:
        self.findings = AllFindingsView(tasks)
        title = QCoreApplication.translate("DoctorDialog", "Check this computer")
        super().__init__(self.findings, title, "doctorDialog", parent)
        self._store, self._bridge = store, bridge
        self._waiting = False
        self._lent = False
        self.prove_button = button(self.tr("Send a test picture"))
        describe(
            self.prove_button,
            self.tr("Send a test picture"),
            self.tr("Other programs see colour bars for a second, which are read back and compared"),
            "doctorProve",
        )
        self.findings.add_button(self.prove_button)
        self._patience = QTimer(self)
        self._patience.setSingleShot(True)
        self._patience.setInterval(RELEASE_PATIENCE_MS)
        self._patience.timeout.connect(self._prove)
        self.prove_button.clicked.connect(self._begin)
        bridge.status_changed.connect(self._look)
        self.findings.shown.connect(lambda _findings: self._give_back())
        self.finished.connect(lambda _result: self._give_back())

    def _begin(self) -> None:
        """Ask the pipeline for the virtual camera."""
        self.findings.hold()
        self._lent = self._waiting = True
        settings = self._store.current
        self._bridge.apply(settings.replace(output=settings.output.replace(virtual_camera="off")))
        self._patience.start()

    def _look(self, status: PipelineStatus) -> None:
        if self._waiting and status.virtual_camera is None:
            self._prove()

    def _prove(self) -> None:
        if self._waiting:
            self._waiting = False
            self._patience.stop()
            self.findings.check(partial(services.findings, proof=True))

    def _give_back(self) -> None:
        self._waiting = False
        if self._lent:
            self._lent = False
            self._bridge.apply(self._store.current)
