"""The virtual camera in browsers, through getUserMedia."""

from __future__ import annotations

import os
import queue
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.output.virtual_camera import VirtualCamera
from device_bed.producer import backend
from device_bed.tools import DEVICE, LABEL, load, say, sending
from tests.output.pictures import FPS, marked_bars, sender
from tests.output.web_page import ages_of, bars_error, browser_command, page

MAX_ERROR = 6
WAIT_S = 600.0
"""The browser takes minutes to start in a virtual machine with little CPU time."""

_NO_SANDBOX = {
    f"MOZ_DISABLE_{part}_SANDBOX": "1"
    for part in ("CONTENT", "GMP", "RDD", "SOCKET_PROCESS", "UTILITY")
}
"""Firefox's sandboxes do not start with the user-mode kernel."""


def need(browser: str) -> None:
    """Skip the check where the browser is not installed."""
    if shutil.which(browser) is None:
        pytest.skip(f"{browser} is not installed")


@contextmanager
def browsing(browser: str, address: str) -> Iterator[None]:
    """Show the page of this address in a browser, with a profile of its own."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        command = browser_command(browser, Path(folder) / "profile", address, pipewire=False)
        with subprocess.Popen(
            command,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **_NO_SANDBOX},
            start_new_session=True,
        ) as process:
            try:
                yield
            finally:
                os.killpg(process.pid, signal.SIGKILL)


def look(browser: str = "chromium") -> dict[str, Any]:
    """Open the page in a browser and return its report: label, width, height, fps, bars and marks;
    or error.
    """
    with page() as (address, reports), browsing(browser, address):
        try:
            return reports.get(timeout=WAIT_S)
        except queue.Empty:
            return {"error": f"no report within {WAIT_S:.0f} s"}


@pytest.mark.parametrize("browser", ["chromium", "firefox-esr"])
def test_browser(browser: str) -> None:
    """Check label, size and colours; Firefox opens the device itself."""
    need(browser)
    for width, height in ((640, 480), (1280, 720)):
        load()
        with sender(
            marked_bars(width, height), VirtualCamera(DEVICE, width, height, FPS, backend=backend())
        ):
            seen = look(browser)
            assert "error" not in seen, f"{browser} reports {seen.get('error')}"
            ages, error = ages_of(seen), bars_error(seen)
        say(
            f"label {seen['label']!r}, {seen['width']}x{seen['height']}, {seen['fps']} fps, error "
            f"{error:.1f} of 255"
        )
        assert len(ages) >= 15, f"only {len(ages)} marks can be read"
        say(
            f"age median {np.median(ages):.0f} ms, p95 {np.percentile(ages, 95):.0f} ms, "
            f"{len(ages)} frames"
        )
        assert LABEL in str(seen["label"]), "unexpected label"
        assert error <= MAX_ERROR, "wrong colours"
        assert (seen["width"], seen["height"]) == (width, height), "unexpected size"


def test_browser_needs_exclusive_caps() -> None:
    """Check that Chromium does not list the camera without exclusive_caps, as the doctor says."""
    load(exclusive=False)
    with sending():
        seen = look()
    say(
        f"without exclusive_caps Chromium reports {seen.get('error', seen.get('label'))!r}; "
        "without a sender:"
    )
    assert "NotFoundError" in str(seen.get("error")), "Chromium lists the camera"
    load()
    seen = look()
    say(f"{seen.get('error', seen.get('label'))!r} ({DEVICE} loaded with exclusive_caps)")
