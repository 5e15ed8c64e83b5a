"""A web page that opens the camera and reports what it sees, and the browsers that show it."""

from __future__ import annotations

import json
import queue
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
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
LONGEST_WAIT_S = 120
"""How long a page waits for the test."""
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
        (profile / "user.js").write_text(
            _FIREFOX_PREFERENCES.format(pipewire=str(pipewire).lower())
        )
        return [name, "--headless", "--profile", str(profile), "--no-remote", address]
    switches = ["--enable-features=WebRtcPipeWireCamera"] if pipewire else []
    return [name, *_CHROMIUM_SWITCHES.split(), *switches, f"--user-data-dir={profile}", address]


@dataclass(frozen=True, slots=True)
class FollowingPage:
    """A page that looks at the camera whenever it is asked."""

    address: str
    asked: queue.Queue[dict[str, Any]]
    reports: queue.Queue[dict[str, Any]]

    def look(
        self,
        *,
        open_anew: bool = False,
        closed_s: float = 0.0,
        size: tuple[int, int] | None = None,
        timeout_s: float = 60.0,
    ) -> dict[str, Any]:
        """Return what the page sees now.

        open_anew: it closes the camera first, and opens it `closed_s` later. size: what it asks for.
        """
        video = True if size is None else {"width": size[0], "height": size[1]}
        self.asked.put({"open_anew": open_anew, "closed_ms": 1000 * closed_s, "video": video})
        return self.reports.get(timeout=timeout_s)


@contextmanager
def following_page() -> Iterator[FollowingPage]:
    """Serve the page that looks when it is asked."""
    asked: queue.Queue[dict[str, Any]] = queue.Queue()
    with page("follow.html", asked) as (address, reports):
        yield FollowingPage(address, asked, reports)
        asked.put({"open_anew": False, "closed_ms": 0.0})  # the page may be waiting


@contextmanager
def page(
    name: str = "page.html", asked: queue.Queue[dict[str, Any]] | None = None
) -> Iterator[tuple[str, queue.Queue[dict[str, Any]]]]:
    """Serve a page that opens the camera; gives its address and what it reports. asked: what it is to do next."""
    reports: queue.Queue[dict[str, Any]] = queue.Queue()

    class Page(Handler):
        def do_GET(self) -> None:
            self._answer("text/html", (ROOT / "tests" / "output" / name).read_bytes())

        def do_POST(self) -> None:
            words = self.rfile.read(int(self.headers.get("content-length", 0)))
            if self.path == "/next":
                assert asked is not None
                self._answer(
                    "application/json", json.dumps(asked.get(timeout=LONGEST_WAIT_S)).encode()
                )
                return
            reports.put(json.loads(words))
            self.send_response(204)
            self.end_headers()

        def _answer(self, kind: str, body: bytes) -> None:
            self.send_response(200)
            self.send_header("content-type", kind)
            self.end_headers()
            self.wfile.write(body)

    with served(Page) as address:
        yield f"{address}/", reports


def ages_of(report: dict[str, Any]) -> list[float]:
    """Return the ages in milliseconds of the frames that the page has seen."""
    ahead_us = marks.now_us() - time.time_ns() // 1000
    found = (
        marks.decode(bits, round(seen_ms * 1000) + ahead_us) for bits, seen_ms in report["marks"]
    )
    return [mark[1] for mark in found if mark is not None]


def bars_error(report: dict[str, Any]) -> float:
    """Return the largest difference between a bar that the page has seen and its colour, 0..255."""
    seen = np.asarray(report["bars"], float)
    return float(np.abs(seen[:, ::-1] - colour_bars(8, 1)[0]).max())
