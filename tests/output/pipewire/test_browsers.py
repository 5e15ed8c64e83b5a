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
from tests.output.web_page import browser_command, page
from tests.paths import ROOT
from tests.pipewire_session import PrivateSession
from tests.waiting import eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

GREEN = (0, 177, 64)


@pytest.mark.parametrize("browser", ["firefox-esr", "chromium"])
def test_a_browser_shows_the_whole_program(desktop: PrivateSession, tmp_path: Path, browser: str) -> None:
    if shutil.which(browser) is None:
        pytest.skip(f"needs {browser}")
    options = (
        "--source",
        "demo",
        "--background",
        "#00b140",
        "--virtual-camera",
        "off",
        "--pipewire",
        "on",
    )
    desktop.launch(sys.executable, str(ROOT / "run.py"), "headless", *options, "--seconds", "300")
    eventually(lambda: bool(desktop.nodes()))
    eventually(lambda: composites(desktop), 180)
    with page() as (address, reports):
        desktop.launch(*browser_command(browser, tmp_path / "profile", address))
        report = reports.get(timeout=240)
        eventually(lambda: desktop.nodes()[0]["state"] != "running")
        desktop.end(browser)
    desktop.end(sys.executable)
    print(json.dumps({name: value for name, value in report.items() if name not in ("marks", "bars")}))  # noqa: T201 - the figures of docs/devices.md
    assert report.get("label") == "Mattecam" and "Mattecam" in report["cameras"], report
    assert (report["width"], report["height"]) == (1280, 720)
    assert max(abs(one - other) for one, other in zip(report["corner"], GREEN, strict=True)) <= 4
    assert report["fps"] >= 10
