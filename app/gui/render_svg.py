"""Child process of `app.media.image_file`: draws the SVG on standard input with Qt.

Arguments: greatest width and height, scale. Writes the size of the picture as 32-bit integers, then its rows, of
premultiplied BGRA.
"""

from __future__ import annotations

import base64
import binascii
import struct
import sys
from urllib.parse import unquote_to_bytes

from PyQt6.QtCore import QByteArray, QSize, QXmlStreamReader, QXmlStreamWriter
from PyQt6.QtGui import QGuiApplication, QImage, QPainter
from PyQt6.QtSvg import QSvgRenderer

RASTER = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"RIFF", b"BM")
"""First bytes of embedded images that are shown. Qt decides by the content: an embedded SVG could name files again."""
_Token = QXmlStreamReader.TokenType


def self_contained(data: bytes) -> QByteArray | None:
    """Return the SVG without what names other files, which Qt would read; None if the data is no XML.

    References within the document and embedded raster images are kept; entities are expanded.
    """
    reader, written = QXmlStreamReader(QByteArray(data)), QByteArray()
    writer = QXmlStreamWriter(written)
    reader.setNamespaceProcessing(False)  # attributes have their names as written, such as xlink:href
    while not reader.atEnd():
        token = reader.readNext()
        if token is _Token.StartElement:
            writer.writeStartElement(reader.qualifiedName())
            attributes = reader.attributes()
            for attribute in map(attributes.at, range(attributes.size())):
                name, value = attribute.qualifiedName(), attribute.value()
                if not name.lower().endswith("href") or _is_inside(value):
                    writer.writeAttribute(name, value)
        elif token is _Token.EndElement:
            writer.writeEndElement()
        elif token is _Token.Characters:
            writer.writeCharacters(reader.text())
    return None if reader.hasError() else written


def _is_inside(reference: str) -> bool:
    """Return whether a reference is to a part of the document or an embedded raster image."""
    scheme, _, rest = reference.strip().partition(":")
    if scheme.startswith("#"):
        return True
    kind, _, content = rest.partition(",")
    if scheme.lower() != "data":
        return False
    try:
        image = base64.b64decode(unquote_to_bytes(content)) if kind.endswith("base64") else unquote_to_bytes(content)
    except binascii.Error:
        return False
    return image.startswith(RASTER)


def render(data: bytes, most: QSize, scale: float) -> QImage | None:
    """Return the picture; None if the data is no SVG."""
    document = self_contained(data)
    if document is None:
        return None
    renderer = QSvgRenderer(document)
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
    """Draw; return the exit code."""
    application = QGuiApplication(arguments)  # texts need its fonts
    width, height, scale = arguments[1:4]
    image = render(sys.stdin.buffer.read(), QSize(int(width), int(height)), float(scale))
    if image is None:
        return 1
    sys.stdout.buffer.write(struct.pack("<II", image.width(), image.height()))
    for row in range(image.height()):
        line = image.constScanLine(row)
        assert line is not None
        sys.stdout.buffer.write(line.asstring(image.width() * image.depth() // 8))
    sys.stdout.buffer.flush()
    del application
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
