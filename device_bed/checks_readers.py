"""Readers of different sizes, one after the other, of the virtual camera as the program leaves it.

`STARTS` says how often a browser opens the camera: a start takes seconds in the virtual machine.
"""

from __future__ import annotations

import os
import signal
import time
from itertools import cycle, islice
from multiprocessing.context import ForkProcess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.doctor.proof import bar_error, colour_bars
from device_bed.checks_browser import MAX_ERROR, WAIT_S, browsing, need
from device_bed.tools import DEVICE, load, read_gstreamer, say, sending, until
from tests.output.web_page import following_page

STARTS = int(os.environ.get("STARTS", "4"))
GSTREAMER_STARTS = 20
SMALL = (640, 480)
LARGE = (1280, 720)
"""What the sender switches to and back, see `send_bars`."""
CHANGED_S = 10.0
CLOSED_S = 2.0
"""How long a browser leaves the camera alone, so that its size can change."""


def format_of_node() -> str:
    """Return what the node offers to readers, such as `YUYV:640x480@30`; empty without a sender."""
    return Path(f"/sys/class/video4linux/{Path(DEVICE).name}/format").read_text().strip()


def offer(size: tuple[int, int], sender: ForkProcess) -> None:
    """Let the sender switch to pictures of this size, which the node follows without a reader."""
    words = f":{size[0]}x{size[1]}@"
    if words in format_of_node():
        return
    assert sender.pid is not None
    os.kill(sender.pid, signal.SIGUSR1)
    until(
        lambda: words in format_of_node(),
        CHANGED_S,
        lambda: f"the node still offers {format_of_node()}",
    )


@pytest.mark.usefixtures("each_backend")
def test_readers_gstreamer() -> None:
    """Check that each of twenty readers gets the picture, where its size changes before each."""
    load()
    took_s = list[float]()
    with sending() as sender:
        for size in islice(cycle((LARGE, SMALL)), GSTREAMER_STARTS):
            offer(size, sender)
            began_s = time.monotonic()
            error = bar_error(read_gstreamer(*size))
            took_s.append(time.monotonic() - began_s)
            assert error <= MAX_ERROR, f"wrong colours in {size}"
    say(f"{len(took_s)} readers: median {np.median(took_s):.1f} s, longest {max(took_s):.1f} s")


def near_a_left_bar(seen: dict[str, Any]) -> bool:
    """Return whether the left edge has the colour of the first bar, or of the second one where the
    browser has cut the sides.
    """
    bars = colour_bars(8, 1)[0, :2, ::-1].astype(int)
    return bool(np.abs(bars - seen["middle"]).max(1).min() <= MAX_ERROR)


@pytest.mark.parametrize("browser", ["chromium", "firefox-esr"])
def test_readers_browser(browser: str) -> None:
    """Check a page that opens the camera again and again, in sizes of its own."""
    need(browser)
    load()
    opened_ms = list[float]()
    with sending(), following_page() as page, browsing(browser, page.address):
        for size in islice(cycle((LARGE, SMALL)), STARTS):
            seen = page.look(open_anew=True, size=size, timeout_s=WAIT_S)
            assert "error" not in seen, f"start {len(opened_ms) + 1}: {seen}"
            assert seen["frames"] > 0 and near_a_left_bar(seen), seen
            opened_ms.append(seen["opened_ms"])
    say(
        f"{len(opened_ms)} starts: first {opened_ms[0]:.0f} ms, later median "
        f"{np.median(opened_ms[1:]):.0f} ms, longest {max(opened_ms[1:]):.0f} ms"
    )


@pytest.mark.parametrize("browser", ["chromium", "firefox-esr"])
def test_readers_browser_after_another_size(browser: str) -> None:
    """Check a page that closes the camera and opens it when it has another size."""
    need(browser)
    load()
    seen = list[dict[str, Any]]()
    with sending() as sender, following_page() as page, browsing(browser, page.address):
        seen.append(page.look(open_anew=True, timeout_s=WAIT_S))
        for _ in range(STARTS - 1):
            assert sender.pid is not None
            # The node keeps its size until the browser has closed it.
            os.kill(sender.pid, signal.SIGUSR1)
            seen.append(page.look(open_anew=True, closed_s=CLOSED_S, timeout_s=WAIT_S))
    for look in seen:
        say(str(look))
    assert all(look["frames"] > 0 and near_a_left_bar(look) for look in seen)
