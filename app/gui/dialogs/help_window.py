"""One page of help, with links to the documents of this copy."""

from __future__ import annotations

from html import escape

from PyQt6.QtGui import QDesktopServices
from PyQt6.QtWidgets import QDialog, QTextBrowser, QWidget

from app.core.files import paths
from app.gui.widgets.controls import button, describe
from app.gui.widgets.qt import column, prepare, row


class HelpWindow(QDialog):
    """Says what Mattecam does, how it gets into a call, and where its documents are; the system opens these."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        prepare(self, "helpWindow", self.tr("Help"), 640, 440)
        text = QTextBrowser()
        describe(text, self.tr("Help"), "", "helpText")
        text.setOpenLinks(False)  # it would show a document in place of this page
        text.anchorClicked.connect(lambda link: QDesktopServices.openUrl(link))
        text.setHtml("".join((*self._parts(), *self._documents())))
        close = button(self.tr("Close"), self.tr("Close the help"), "helpClose", self.close)
        column(self, text, row(None, None, close), grows=text, spacing=12, margins=18)

    def _parts(self) -> tuple[str, ...]:
        return (
            _part(self.tr("What Mattecam does"), self.tr("Mattecam puts another background behind the people in the "
                  "picture of your camera, and sends the result to a virtual camera. All of that happens on this "
                  "computer. Choose the background below the preview; the panel beside it has everything else. "
                  "While you pause, others see a stand-by card.")),
            _part(self.tr("Choosing the camera in other programs"), self.tr("Start Mattecam first. Then choose the "
                  "camera “Mattecam” in the settings for video of Zoom, Meet, Teams or OBS; on Windows and macOS it is "
                  "named “OBS Virtual Camera”. Turn the background effects of that program off. Quit a program that "
                  "does not list the camera, and start it again. “Check this computer” in the menu says what is "
                  "missing.")),
        )  # fmt: skip

    def _documents(self) -> tuple[str, ...]:
        folder = paths.documents_dir()
        links = (
            (self.tr("What Mattecam can do"), "features.md"),
            (self.tr("Choosing the camera in other programs"), "apps.md"),
            (self.tr("Troubleshooting"), "troubleshooting.md"),
            (self.tr("The command line"), "command-line.md"),
            (self.tr("All documents"), ""),
        )
        listed = "".join(f'<li><a href="{escape((folder / page).as_uri())}">{title}</a></li>' for title, page in links)
        intro = self.tr("They are in English, in the folder {0}.").format(escape(str(folder)))
        return _part(self.tr("Documents"), intro), f"<ul>{listed}</ul>"


def _part(heading: str, text: str) -> str:
    return f"<h3>{heading}</h3><p>{text}</p>"
