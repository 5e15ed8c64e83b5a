"""A server of one file, CONTENT, which it sends whole, cut, slowly or not at all."""

from __future__ import annotations

import contextlib
import re
import threading
from typing import ClassVar

from tests.serving import Handler

CONTENT = bytes(range(256)) * 4096


class Server(Handler):
    """Serves CONTENT in the way that the path names; records the requested ranges."""

    protocol_version = "HTTP/1.1"
    ranges: ClassVar[list[str | None]] = []
    sent: ClassVar[int] = 0
    goes_on: ClassVar[threading.Event] = threading.Event()

    def do_GET(self) -> None:
        wanted = self.headers.get("Range")
        Server.ranges.append(wanted)
        start = int(match[1]) if (match := re.fullmatch(r"bytes=(\d+)-", wanted or "")) else 0
        kind = self.path.strip("/")
        if kind == "absent":
            self.send_error(404)
        elif kind == "moved":
            self.send_response(302)
            self.send_header("Location", "/file")
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif kind in ("no-length", "no-address"):
            self.send_response(200 if kind == "no-length" else 302)
            self.send_header("Content-Length", "many" if kind == "no-length" else "0")
            self.send_header("Location", "http://[")
            self.end_headers()
            self.close_connection = True
        elif kind == "page":
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", "13")
            self.end_headers()
            self.wfile.write(b"<html></html>")
        elif start >= len(CONTENT):
            self.send_error(416)
        elif kind == "whole":  # ignores ranges
            self._send(200, CONTENT, len(CONTENT))
        elif kind == "cut":  # announces the full length and disconnects half-way
            self._send(206 if start else 200, CONTENT[start : start + len(CONTENT) // 2], len(CONTENT) - start)
            self.close_connection = True
        elif kind == "unknown-length":
            self.send_response(200)
            self.end_headers()
            self.wfile.write(CONTENT)
            self.close_connection = True
        elif kind == "endless":
            self.send_response(200)
            self.end_headers()
            with contextlib.suppress(OSError):  # the client disconnects
                for _ in range(200):
                    self.wfile.write(CONTENT)
                    Server.sent += len(CONTENT)
            self.close_connection = True
        elif kind == "slow":
            self._send(200, CONTENT[: len(CONTENT) // 2], len(CONTENT))
            self.wfile.flush()
            Server.goes_on.wait(60)
            self.wfile.write(CONTENT[len(CONTENT) // 2 :])
        elif kind == "longer":
            self._send(200, CONTENT + CONTENT, 2 * len(CONTENT))
        else:
            self._send(206 if start else 200, CONTENT[start:], len(CONTENT) - start)

    def _send(self, status: int, body: bytes, length: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(length))
        self.end_headers()
        self.wfile.write(body)
