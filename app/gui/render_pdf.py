"""Child process of `app.media.slides`: renders pages of one PDF file with Qt.

Standard input: the length of the file as 64-bit integer and the file, then for each page its number, from 0, and the
greatest width and height, as 32-bit integers. Standard output: the number of pages, 0 for a file that cannot be read or
has a password; then for each request width, height and pixels (BGR).
"""

from __future__ import annotations

import struct
import sys
from typing import BinaryIO

from PyQt6.QtCore import QBuffer, QByteArray, QSize
from PyQt6.QtGui import QGuiApplication, QImage, QPainter
from PyQt6.QtPdf import QPdfDocument

FILE = struct.Struct("<Q")
PAGES = struct.Struct("<I")
REQUEST = struct.Struct("<III")
SIZE = struct.Struct("<II")


def render(document: QPdfDocument, page: int, most: QSize) -> QImage:
    """Return a page on white paper, as large as fits into `most`."""
    points = document.pagePointSize(page)
    scale = min(most.width() / max(points.width(), 1.0), most.height() / max(points.height(), 1.0))
    size = QSize(*(max(1, int(side * scale)) for side in (points.width(), points.height())))
    paper = QImage(size, QImage.Format.Format_BGR888)
    paper.fill(0xFFFFFFFF)
    painter = QPainter(paper)
    painter.drawImage(0, 0, document.render(page, size))
    painter.end()
    return paper


def serve(stdin: BinaryIO, stdout: BinaryIO) -> None:
    """Answer requests until standard input ends."""
    (length,) = FILE.unpack(stdin.read(FILE.size))
    data = QByteArray(stdin.read(length))
    buffer, document = QBuffer(data), QPdfDocument(None)
    buffer.open(QBuffer.OpenModeFlag.ReadOnly)
    document.load(buffer)
    ready = document.status() is QPdfDocument.Status.Ready
    stdout.write(PAGES.pack(document.pageCount() if ready else 0))
    stdout.flush()
    while ready and len(request := stdin.read(REQUEST.size)) == REQUEST.size:
        page, width, height = REQUEST.unpack(request)
        image = render(document, page, QSize(width, height))
        stdout.write(SIZE.pack(image.width(), image.height()))
        for row in range(image.height()):
            line = image.constScanLine(row)
            assert line is not None
            stdout.write(line.asstring(3 * image.width()))
        stdout.flush()
    document.close()


def main(arguments: list[str]) -> int:
    """Serve one file; return the exit code."""
    application = QGuiApplication(arguments)  # texts need its fonts
    serve(sys.stdin.buffer, sys.stdout.buffer)
    del application
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
