"""Browsers show the PipeWire camera of the whole program, through a real camera portal; minutes
long.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest

from tests.output.pipewire.conftest import composites
from tests.output.web_page import browser_command, following_page, page
from tests.paths import ROOT
from tests.pipewire_session import PrivateSession
from tests.waiting import eventually, within

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

GREEN = (0, 177, 64)
OPTIONS = "--source demo --background #00b140 --virtual-camera off --pipewire on --seconds 380"


def start_program(desktop: PrivateSession) -> None:
    """Run the program before a green background until it composites."""
    desktop.launch(sys.executable, str(ROOT / "run.py"), "headless", *OPTIONS.split())
    eventually(desktop.nodes)
    within(180, composites, desktop)


@pytest.mark.parametrize("browser", ["firefox-esr", "chromium"])
def test_a_browser_shows_the_whole_program(
    desktop: PrivateSession, tmp_path: Path, browser: str
) -> None:
    if shutil.which(browser) is None:
        pytest.skip(f"needs {browser}")
    start_program(desktop)
    with page() as (address, reports):
        desktop.launch(*browser_command(browser, tmp_path / "profile", address))
        report = reports.get(timeout=240)
        eventually(lambda: desktop.nodes()[0]["state"] != "running")
        desktop.end(browser)
    desktop.end(sys.executable)
    figures = {name: value for name, value in report.items() if name not in ("marks", "bars")}
    print(json.dumps(figures))  # noqa: T201 - the figures of docs/devices.md

    assert report.get("label") == "Mattecam" and "Mattecam" in report["cameras"], report
    assert (report["width"], report["height"]) == (1280, 720)
    assert max(abs(one - other) for one, other in zip(report["corner"], GREEN, strict=True)) <= 4
    assert report["fps"] >= 10


@pytest.mark.parametrize("browser", ["firefox-esr", "chromium"])
def test_a_browser_opens_the_camera_again_after_the_source_has_changed(
    desktop: PrivateSession, tmp_path: Path, browser: str
) -> None:
    """It asks for the size that it found first; where the source's size was offered since then, it got nothing."""
    if shutil.which(browser) is None:
        pytest.skip(f"needs {browser}")
    start_program(desktop)
    with following_page() as camera_page:
        desktop.launch(*browser_command(browser, tmp_path / "profile", camera_page.address))
        seen = [camera_page.look(open_anew=True, timeout_s=240)]
        for name, value in (("capture.width", "640"), ("capture.height", "480")):
            command = [sys.executable, str(ROOT / "run.py"), "ctl", "set", name, value]
            assert desktop.run(command).returncode == 0
        seen += [camera_page.look()]

        # At once, before PipeWire suspends the node, and after that.
        seen += [
            camera_page.look(open_anew=True, closed_s=closed_s) for closed_s in (0.0, 0.0, 2.0, 6.0)
        ]
        desktop.end(browser)
    desktop.end(sys.executable)

    print(json.dumps(seen))  # noqa: T201 - the figures of docs/devices.md
    assert [(look["width"], look["height"]) for look in seen] == [(1280, 720)] * len(seen)
    assert min(look["frames"] for look in seen) >= 10
    assert max(look["opened_ms"] for look in seen[2:]) < 10_000, "it was half a minute"
    assert max(abs(one - other) for one, other in zip(seen[0]["middle"], GREEN, strict=True)) <= 4
    for look in seen[1:]:
        assert look["middle"] == [0, 0, 0], "the bar beside a picture of 4:3"
