"""Child process of `app.media.svg_file`: renders the SVG on standard input with Qt.

Arguments: scale, greatest width, greatest height. Writes width and height as 32-bit integers, then premultiplied BGRA.
"""

from __future__ import annotations

import struct
import sys

from PyQt6.QtCore import QByteArray, QSize
from PyQt6.QtGui import QGuiApplication, QImage, QPainter
from PyQt6.QtSvg import QSvgRenderer


def render(data: bytes, scale: float, most: QSize) -> QImage | None:
    """Return the picture; None if the data is no SVG."""
    renderer = QSvgRenderer(QByteArray(data))
    natural = renderer.defaultSize()
    if not renderer.isValid() or natural.isEmpty():
        return None
    scale = min(scale, most.width() / natural.width(), most.height() / natural.height())
    size = QSize(*(max(1, int(side * scale)) for side in (natural.width(), natural.height())))
    image = QImage(size, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(0)
    painter = QPainter(image)
    renderer.render(painter)
    painter.end()
    return image


def main(arguments: list[str]) -> int:
    """Render; return the exit code."""
    application = QGuiApplication(arguments)  # texts need its fonts
    scale, width, height = arguments[1:4]
    image = render(sys.stdin.buffer.read(), float(scale), QSize(int(width), int(height)))
    if image is None:
        return 1
    bits = image.constBits()
    assert bits is not None
    sys.stdout.buffer.write(struct.pack("<II", image.width(), image.height()))
    sys.stdout.buffer.write(bits.asstring(image.sizeInBytes()))
    sys.stdout.buffer.flush()
    del application
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
