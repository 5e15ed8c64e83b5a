"""*Help › Check for updates*: asks for the newest release at each click, never by itself."""

from __future__ import annotations

import json
import re

from PyQt6.QtCore import QUrl
from PyQt6.QtGui import QDesktopServices
from PyQt6.QtNetwork import QNetworkAccessManager, QNetworkReply, QNetworkRequest
from PyQt6.QtWidgets import QDialog, QMessageBox, QWidget

from app import __version__
from app.core.files.program import project
from app.gui.widgets.qt import existing, prepare, timer

PAGE = "https://github.com/{0}/releases/latest"
"""What the button opens; {0}: `project()`."""
NEWEST = "https://api.github.com/repos/{0}/releases/latest"
"""Describes the newest release as JSON, whose `tag_name` is the version."""
DEADLINE_MS = 10_000
MAX_BYTES = 1_000_000


class UpdateBox(QMessageBox):
    """Says in one sentence whether a newer release is published, or what failed. Shows no text of the answer."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        prepare(self, "updateBox", self.tr("Check for updates"))
        self.addButton(QMessageBox.StandardButton.Close)
        self.outcome: tuple[bytes | None] | None = None
        """The answer, None where there was none in time; None until then."""
        self._host = QUrl(NEWEST).host()
        self._asking = timer(self, 0, self._ask, once=True)
        if project():
            self.setText(self.tr("Asking {0}…").format(self._host))
            self._asking.start()
        else:
            text = self.tr("This copy of Mattecam does not come from a release, so there is none to compare with.")
            self.setText(text)

    def take_over(self, other: QDialog) -> None:
        """Show the answer that another box has got, instead of asking."""
        assert isinstance(other, UpdateBox)
        if other.outcome is not None:
            self._asking.stop()
            self._show(*other.outcome)

    def _ask(self) -> None:
        request = QNetworkRequest(QUrl(NEWEST.format(project())))
        request.setHeader(QNetworkRequest.KnownHeaders.UserAgentHeader, "Mattecam")
        self._reply = reply = existing(QNetworkAccessManager(self).get(request))
        self._deadline = timer(self, DEADLINE_MS, reply.abort, once=True)
        self._deadline.start()
        reply.downloadProgress.connect(self._limit)
        reply.finished.connect(self._answered)

    def _limit(self, received: int, _total: int) -> None:
        if received > MAX_BYTES:
            self._reply.abort()

    def _answered(self) -> None:
        in_time = self._deadline.isActive()
        self._deadline.stop()
        status = self._reply.attribute(QNetworkRequest.Attribute.HttpStatusCodeAttribute)
        if self._reply.error() is QNetworkReply.NetworkError.NoError:
            self._show(self._reply.readAll().data()[:MAX_BYTES])
        else:
            self._show(None if status is None or not in_time else b"")

    def _show(self, answer: bytes | None) -> None:
        self.outcome = (answer,)
        if answer is None:
            self.setText(self.tr("No answer from {0}. Check the internet connection.").format(self._host))
            return
        try:
            newest = newest_release(answer)
        except ValueError:
            self.setText(self.tr("The answer from {0} names no release. Try again later.").format(self._host))
            return
        if newest <= numbers(__version__):
            self.setText(self.tr("Mattecam {0} is up to date.").format(__version__))
            return
        version = ".".join(map(str, newest))
        self.setText(self.tr("Mattecam {0} is available. This is {1}.").format(version, __version__))
        page = QUrl(PAGE.format(project()))
        opens = existing(self.addButton(self.tr("Open the download page"), QMessageBox.ButtonRole.AcceptRole))
        opens.setObjectName("openReleasePage")
        opens.clicked.connect(lambda: QDesktopServices.openUrl(page))


def newest_release(answer: bytes) -> tuple[int, ...]:
    """Return the version that an answer names. Raises ValueError for everything else."""
    try:
        release = json.loads(answer)
    except RecursionError:
        raise ValueError from None
    tag = release.get("tag_name") if isinstance(release, dict) else None
    return numbers(tag) if isinstance(tag, str) else numbers("")


def numbers(version: str) -> tuple[int, ...]:
    """Return a version such as `1.2.3` or `v1.2.3` as numbers. Raises ValueError."""
    found = re.fullmatch(r"v?([0-9]{1,6})\.([0-9]{1,6})\.([0-9]{1,6})", version)
    if found is None:
        raise ValueError(version)
    return tuple(map(int, found.groups()))
