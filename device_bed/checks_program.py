"""End-to-end checks of the program between a camera and a reader."""

from __future__ import annotations

import os
import threading
import time
from multiprocessing.context import ForkProcess

import numpy as np

from app.core.types import BgrImage
from app.doctor.system import System
from device_bed import marks, producer
from device_bed.program import (
    INSTALLED,
    SLACK,
    corner_is,
    ctl,
    opened_reader,
    program,
    until_picture,
)
from device_bed.tools import (
    LABEL,
    VIVID,
    OpenCvReader,
    background_process,
    load,
    load_camera,
    say,
    unload,
    until,
)

WAKE_LIMIT_S, CAMERA_LIMIT_S = 1.0, 2.0
# an installed program also loads Python and its network
RESTART_LIMIT_S = 15.0 if INSTALLED else 3.0
"""Time limits for the first frame after opening a reader, reconnecting the camera, and killing the
program.
"""
GAP_LIMIT_MS = 100.0
STEADY_S = float(os.environ.get("STEADY_S", "60"))
STARTING_S = 10.0
"""During start-up the frame rate is printed but not checked: the virtual machine has one slow CPU.
"""
SOURCE = "/dev/video10"
"""A loopback camera that a test process feeds."""


def is_live(image: BgrImage) -> bool:
    """Return whether a frame shows the test camera: its bars are bright and saturated, the stand-by
    card is not.
    """
    return bool((image.max(2).astype(int) - image.min(2)).mean() > 80)


def test_program_steady() -> None:
    """Check the frame rate of a reader while background and ratio change every three seconds."""
    load()
    with program("--source", "demo", "--background", "blur"):
        reader = opened_reader()
        reader.settled()
        stop = threading.Event()
        toggler = threading.Thread(target=_toggle, args=(stop,))
        toggler.start()
        starting = _picture_times(reader, STARTING_S)
        times = _picture_times(reader, STEADY_S)
        stop.set()
        toggler.join()
    say(
        f"while the program starts, for {STARTING_S:.0f} s: longest gap "
        f"{np.diff(starting).max() * 1000:.0f} ms; then"
    )
    gaps_ms = np.diff(times) * 1000
    rate = (len(times) - 1) / (times[-1] - times[0])
    say(f"{STEADY_S:.0f} s: {rate:.2f} fps, gaps: median {np.median(gaps_ms):.1f} ms,")
    say(
        f"p99 {np.percentile(gaps_ms, 99):.1f} ms, longest {gaps_ms.max():.1f} ms, "
        f"{(gaps_ms > 100).sum()} over 100 ms"
    )
    late = [
        f"{times[place + 1] - times[0]:.1f} s ({gaps_ms[place]:.0f} ms)"
        for place in np.argsort(gaps_ms)[:-4:-1]
    ]
    say(f"the longest gaps at {', '.join(late)}")
    assert rate > 28, "the frame rate is below 28 fps"
    assert float(gaps_ms.max()) < GAP_LIMIT_MS * SLACK, "a gap between frames is too long"


def _picture_times(reader: OpenCvReader, seconds: float) -> list[float]:
    """Return the arrival times of the frames during the given time, in seconds."""
    times = [time.monotonic()]
    while times[-1] < times[0] + seconds:
        reader.read()
        times.append(time.monotonic())
    return times[1:]


def _toggle(stop: threading.Event) -> None:
    turn = 0
    while not stop.wait(3):
        turn += 1
        ctl("background", ("#203040", "blur:80", "green", "blur:10")[turn % 4])
        ctl("set", f"matting.downsample_ratio {('auto', '0.5')[turn % 2]}")


def test_program_killed() -> None:
    """Check that a reader continues after kill -9 and a restart; ignore frames still buffered by
    the driver.
    """
    load()
    is_green = corner_is(0x00, 0xB1, 0x40)
    with program("--source", "demo", "--background", "green") as first:
        reader = opened_reader()
        until_picture(reader, is_green, 60)
        first.kill()
    killed_s = time.monotonic()
    with program("--source", "demo", "--background", "#336699"):
        until_picture(reader, lambda image: not is_green(image), 60)
        card_s = time.monotonic() - killed_s
        until_picture(reader, corner_is(0x33, 0x66, 0x99), 60)
        back_s = time.monotonic() - killed_s
    say(f"the reader receives the stand-by card {card_s:.1f} s after the kill,")
    say(
        f"and a composite {back_s:.1f} s after it{'' if INSTALLED else ' (without loading Python)'}"
    )
    assert card_s < RESTART_LIMIT_S * SLACK, "the stand-by card came too late"


def test_program_camera_unplugged() -> None:
    """Check disconnection and reconnection of the camera."""
    load()
    camera = load_camera()
    with program("--source", f"camera:{camera}", "--background", "none", "--always-on"):
        reader = opened_reader()
        say(f"composite after {until_picture(reader, is_live, 60):.1f} s")
        (VIVID / "unbind").write_text("vivid.0")
        card_s = until_picture(reader, lambda image: not is_live(image), 10)
        say(
            f"stand-by card {card_s:.1f} s after the disconnection; the program reports "
            f"{ctl('status')['errors']}"
        )
        (VIVID / "bind").write_text("vivid.0")
        back_s = until_picture(reader, is_live, 20)
        say(f"composite again {back_s:.1f} s after the reconnection")
    unload("vivid")
    assert back_s < CAMERA_LIMIT_S * SLACK, "the composite came back too late"


def test_program_on_demand() -> None:
    """Check that the camera is released while there is no reader."""
    load()
    camera = load_camera()
    with program("--source", f"camera:{camera}", "--background", "none", "--on-demand") as process:
        reader = opened_reader()
        until_picture(reader, is_live, 60)
        assert _holds(process, camera), "the camera is closed although there is a reader"
        reader.close()
        released_s = until(
            lambda: not _holds(process, camera),
            30,
            lambda: "the camera stays open without a reader",
        )
        say(f"camera released {released_s:.1f} s after the last reader")
        reader = OpenCvReader()
        woken_s = until_picture(reader, is_live, 20)
        say(f"composite {woken_s:.2f} s after a reader connected")
    unload("vivid")
    assert woken_s < WAKE_LIMIT_S * SLACK, "the composite came too late"


def _holds(process: ForkProcess, device: str) -> bool:
    return any(holder.pid == process.pid for holder in System().holders(device))


def test_program_latency() -> None:
    """Measure the latency from camera to reader, by a timestamp drawn into the frame; unmatted, to
    keep the mark.
    """
    load({10: "Camera", 20: LABEL})
    camera = ("--source", f"camera:{SOURCE}", "--background", "none", "--always-on")
    with background_process(producer.feed, SOURCE), program(*camera):
        reader = opened_reader()
        until_picture(reader, lambda image: marks.read(image) is not None, 60)
        reader.settled()
        found = [mark for _ in range(300) if (mark := marks.read(reader.read())) is not None]
        own = ctl("status")["latency_ms"]
    numbers, ages = np.array([number for number, _ in found]), np.array([age for _, age in found])
    steps = np.diff(numbers)
    say(
        f"{len(found)} of 300 marks readable; {(steps > 1).sum()} gaps, {(steps == 0).sum()} "
        "repeated"
    )
    say(
        f"age median {np.median(ages):.1f} ms, p95 {np.percentile(ages, 95):.1f} ms, longest "
        f"{ages.max():.1f} ms"
    )
    say(f"measured by the program: {own}")
    assert len(found) > 200, "fewer than 200 of 300 marks can be read"
    assert float(np.median(ages)) < (1000 / 30 + 20) * SLACK, (
        "the latency exceeds a frame interval plus 20 ms"
    )
