"""Browsers show the PipeWire camera of the whole program, through a real camera portal; minutes long."""

from __future__ import annotations

import http.server
import json
import queue
import shutil
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.output.pipewire.desktop import desktop
from tests.output.pipewire.marked import ages_of, sending
from tests.paths import ROOT
from tests.pipewire_session import PrivateSession
from tests.waiting import eventually

__all__ = ["desktop"]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

GREEN = (0, 177, 64)
FIREFOX_PREFERENCES = """
user_pref("media.webrtc.camera.allow-pipewire", true);
user_pref("media.navigator.permission.disabled", true);
user_pref("browser.shell.checkDefaultBrowser", false);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
"""


def browser_command(name: str, profile: Path, address: str) -> list[str]:
    profile.mkdir()
    if name == "firefox-esr":
        (profile / "user.js").write_text(FIREFOX_PREFERENCES)
        return [name, "--headless", "--profile", str(profile), "--no-remote", address]
    switches = ("--headless=new", "--no-sandbox", "--no-first-run", "--disable-gpu", "--use-fake-ui-for-media-stream")
    return [name, *switches, f"--user-data-dir={profile}", "--enable-features=WebRtcPipeWireCamera", address]


@contextmanager
def page() -> Iterator[tuple[str, queue.Queue[dict[str, Any]]]]:
    """Serve the page that opens the camera; gives its address and what it reports."""
    reports: queue.Queue[dict[str, Any]] = queue.Queue()
    content = (ROOT / "tests" / "output" / "pipewire" / "page.html").read_bytes()

    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            pass

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.end_headers()
            self.wfile.write(content)

        def do_POST(self) -> None:
            reports.put(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(204)
            self.end_headers()

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/", reports
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("browser", ["firefox-esr", "chromium"])
def test_a_browser_shows_the_whole_program(desktop: PrivateSession, tmp_path: Path, browser: str) -> None:
    if shutil.which(browser) is None:
        pytest.skip(f"needs {browser}")
    options = ("--source", "demo", "--background", "#00b140", "--virtual-camera", "off", "--pipewire", "on")
    desktop.launch(sys.executable, str(ROOT / "run.py"), "headless", *options, "--seconds", "300")
    deadline_s = time.monotonic() + 60
    while not desktop.nodes() and time.monotonic() < deadline_s:
        time.sleep(0.2)
    with page() as (address, reports):
        desktop.launch(*browser_command(browser, tmp_path / "profile", address))
        report = reports.get(timeout=240)
        eventually(lambda: desktop.nodes()[0]["state"] != "running")
        desktop.end(browser)
    desktop.end(sys.executable)
    print(json.dumps({name: value for name, value in report.items() if name != "marks"}))  # noqa: T201 - the figures of docs/devices.md
    assert report.get("label") == "Mattecam" and "Mattecam" in report["cameras"], report
    assert (report["width"], report["height"]) == (1280, 720)
    assert max(abs(one - other) for one, other in zip(report["corner"], GREEN, strict=True)) <= 4
    assert report["fps"] >= 10


@pytest.mark.parametrize("browser", ["firefox-esr", "chromium"])
def test_the_age_of_frames_in_a_browser(
    desktop: PrivateSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, browser: str
) -> None:
    """It includes what the browser takes until it draws the frame; a browser that queued frames would show more."""
    if shutil.which(browser) is None:
        pytest.skip(f"needs {browser}")
    monkeypatch.setenv("PIPEWIRE_RUNTIME_DIR", str(desktop.folder))
    with sending(), page() as (address, reports):
        desktop.launch(*browser_command(browser, tmp_path / "profile", address))
        report = reports.get(timeout=240)
        desktop.end(browser)
    ages = ages_of(report)
    print(f"{browser}: age median {np.median(ages):.1f} ms, p95 {np.percentile(ages, 95):.1f} ms")  # noqa: T201
    assert len(ages) >= 20, report
    assert np.median(ages) <= 250
