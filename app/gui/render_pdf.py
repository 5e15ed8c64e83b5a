"""Child process of `app.media.slides`: draws a page of the PDF file on standard input with Qt.

Arguments and answer are those of `render_svg`, with the number of the page, from 0, in place of a scale, and BGR.
"""

from __future__ import annotations

import sys

from PyQt6.QtCore import QBuffer, QByteArray, QSize
from PyQt6.QtGui import QImage, QPainter
from PyQt6.QtPdf import QPdfDocument

from app.gui.render_svg import main


def render(data: bytes, most: QSize, page: float) -> tuple[int, QImage] | None:
    """Return the number of pages and a page on white paper, as large as fits into `most`.

    None for a file that cannot be read or has a password.
    """
    content = QByteArray(data)
    buffer, document = QBuffer(content), QPdfDocument(None)
    buffer.open(QBuffer.OpenModeFlag.ReadOnly)
    document.load(buffer)
    if document.status() is not QPdfDocument.Status.Ready:
        return None
    points = document.pagePointSize(int(page))
    scale = min(most.width() / max(points.width(), 1.0), most.height() / max(points.height(), 1.0))
    size = QSize(*(max(1, int(side * scale)) for side in (points.width(), points.height())))
    paper = QImage(size, QImage.Format.Format_BGR888)
    paper.fill(0xFFFFFFFF)
    painter = QPainter(paper)
    painter.drawImage(0, 0, document.render(int(page), size))
    painter.end()
    pages = document.pageCount()
    document.close()
    return pages, paper


if __name__ == "__main__":
    sys.exit(main(sys.argv, render))
