"""A web page that opens the camera and reports what it sees, and the browsers that show it."""

from __future__ import annotations

import json
import queue
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from app.doctor.proof import colour_bars
from device_bed import marks
from tests.paths import ROOT
from tests.serving import Handler, served

_FIREFOX_PREFERENCES = """
user_pref("media.webrtc.camera.allow-pipewire", {pipewire});
user_pref("media.navigator.permission.disabled", true);
user_pref("browser.shell.checkDefaultBrowser", false);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
"""
_CHROMIUM_SWITCHES = (
    "--headless=new --no-sandbox --no-first-run --disable-gpu --use-fake-ui-for-media-stream "
    "--allow-loopback-in-peer-connection"
)


def browser_command(name: str, profile: Path, address: str, *, pipewire: bool = True) -> list[str]:
    """Return the command that opens the page without a display.

    name: `firefox-esr` or `chromium`. pipewire: the browser asks the camera portal; otherwise it
    opens video devices.
    """
    profile.mkdir()
    if name == "firefox-esr":
        (profile / "user.js").write_text(_FIREFOX_PREFERENCES.format(pipewire=str(pipewire).lower()))
        return [name, "--headless", "--profile", str(profile), "--no-remote", address]
    switches = ["--enable-features=WebRtcPipeWireCamera"] if pipewire else []
    return [name, *_CHROMIUM_SWITCHES.split(), *switches, f"--user-data-dir={profile}", address]


@contextmanager
def page(name: str = "page.html") -> Iterator[tuple[str, queue.Queue[dict[str, Any]]]]:
    """Serve a page that opens the camera; gives its address and what it reports."""
    reports: queue.Queue[dict[str, Any]] = queue.Queue()

    class Page(Handler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.end_headers()
            self.wfile.write((ROOT / "tests" / "output" / name).read_bytes())

        def do_POST(self) -> None:
            reports.put(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(204)
            self.end_headers()

    with served(Page) as address:
        yield f"{address}/", reports


def ages_of(report: dict[str, Any]) -> list[float]:
    """Return the ages in milliseconds of the frames that the page has seen."""
    ahead_us = marks.now_us() - time.time_ns() // 1000
    found = (marks.decode(bits, round(seen_ms * 1000) + ahead_us) for bits, seen_ms in report["marks"])
    return [mark[1] for mark in found if mark is not None]


def bars_error(report: dict[str, Any]) -> float:
    """Return the largest difference between a bar that the page has seen and its colour, 0..255."""
    seen = np.asarray(report["bars"], float)
    return float(np.abs(seen[:, ::-1] - colour_bars(8, 1)[0]).max())
