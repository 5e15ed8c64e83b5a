"""Both output backends on a real loopback camera: the contract, formats, alpha, stopped programs,
the module.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path

import psutil
import pytest

from app.core.errors import MattecamError
from app.core.types import Outgoing, Picture, PictureKind
from app.doctor.proof import bar_error, colour_bars
from app.output import v4l2
from app.output.virtual_camera import VirtualCamera
from device_bed.producer import backend
from device_bed.program import corner_is, ctl, log, opened_reader, program, until_picture
from device_bed.tools import (
    DEVICE,
    OpenCvReader,
    background_process,
    load,
    rmmod,
    say,
    sending,
    shell,
    unload,
    until,
)
from tests.output import test_contract
from tests.output.pictures import Make, sender

pytestmark = pytest.mark.usefixtures("each_backend")
STOPPED_S = 10.0
LONGEST_SEND_S = 0.5
BARS = Outgoing(Picture(colour_bars(640, 480), PictureKind.STANDBY))


@pytest.mark.parametrize(
    "test",
    [
        test_contract.test_frames_of_any_size_are_accepted_until_it_is_closed,
        test_contract.test_closing_without_a_frame,
    ],
)
def test_contract_of_sinks(test: Callable[[Make, Path], None], tmp_path: Path) -> None:
    """Check the contract of all sinks with the real driver."""
    load()
    test(lambda _: VirtualCamera("auto", 64, 48, 30, backend=backend()), tmp_path)


def test_negotiation() -> None:
    """Check format, colour space and frame rate as the driver tells them, and what exclusive_caps
    lets be seen.
    """
    load()
    assert v4l2.takes_output(DEVICE), "the device takes no output although nobody sends"
    for fps in (25, 30):
        with sender(BARS, VirtualCamera(DEVICE, 640, 480, fps, backend=backend())):
            told = shell(f"v4l2-ctl -d {DEVICE} --info --get-fmt-video --get-parm")
            assert "Video Capture" in told and "Video Output" not in told, (
                f"exclusive_caps does not hold: {told}"
            )
            lines = [line.strip() for line in told.splitlines()]
            found = [
                line
                for line in lines
                if line.startswith(("Width", "Pixel", "Colorspace", "Frames per"))
            ]
            say(f"{fps} fps: {'; '.join(' '.join(line.split()) for line in found)}")
            assert "640/480" in told and "'YUYV'" in told, "another format"
            if backend() == "v4l2":
                assert f"{fps}.000" in told, "another frame rate"
        assert v4l2.takes_output(DEVICE), (
            "the device takes no output after its sender has closed it"
        )


def test_reader_stopped() -> None:
    """Check that a reader that is stopped for ten seconds holds nothing up and gets new frames
    afterwards.
    """
    load()
    camera = VirtualCamera(DEVICE, 640, 480, 30, backend=backend())
    camera.send(BARS)
    frames = multiprocessing.get_context("fork").Value("i", 0)
    with background_process(partial(_count_frames, frames), DEVICE) as reader:
        _send_for(camera, 2)
        psutil.Process(reader.pid).suspend()
        longest_s = _send_for(camera, STOPPED_S)
        before = frames.value
        psutil.Process(reader.pid).resume()
        _send_for(camera, 2)
        say(
            f"longest send {longest_s * 1000:.0f} ms; {frames.value - before} frames within 2 s "
            "after it"
        )
        assert before > 0 and frames.value - before > 10, "the reader received no frames afterwards"
        assert longest_s < LONGEST_SEND_S, "the stopped reader held up the sender"
    camera.close()


def _count_frames(frames: Synchronized[int], device: str, tell: Callable[[str], None]) -> None:
    reader = OpenCvReader(device)
    tell("reading")
    while True:
        with suppress(AssertionError):
            reader.read()
            frames.value += 1


def _send_for(camera: VirtualCamera, seconds: float) -> float:
    """Send at 30 frames a second; return the longest time that a frame took."""
    longest_s, end_s = 0.0, time.monotonic() + seconds
    while time.monotonic() < end_s:
        began_s = time.monotonic()
        camera.send(BARS)
        longest_s = max(longest_s, time.monotonic() - began_s)
        time.sleep(max(0.0, 1 / 30 - (time.monotonic() - began_s)))
    return longest_s


def test_sender_stopped() -> None:
    """Check that a reader goes on after its sender was stopped for ten seconds."""
    load()
    with sending() as process:
        reader = OpenCvReader()
        reader.settled()
        psutil.Process(process.pid).suspend()
        time.sleep(STOPPED_S)
        psutil.Process(process.pid).resume()
        began_s = time.monotonic()
        image = reader.settled()
        say(
            f"frames again {time.monotonic() - began_s:.2f} s after it, error "
            f"{bar_error(image):.1f}"
        )
        assert bar_error(image) <= 6, "wrong colours"


def test_module_comes_and_stays() -> None:
    """Check the program without the module, its recovery once it is loaded, and that it cannot be
    unloaded in use.
    """
    unload("v4l2loopback")
    options = ("--source", "demo", "--background", "#336699", "--virtual-camera-backend", backend())
    with program(*options) as process:
        process.join(240)
        # The device was named.
        assert process.exitcode == 2 and "modprobe" in log(), (
            f"the program does not say what to do: {log()}"
        )
    with program(*options, "--virtual-camera", "auto", "--seconds", "900"):
        until(_is_running, 240, lambda: f"no composite: {log()}")
        assert ctl("status")["virtual_camera"] is None, (
            "there is a virtual camera without the module"
        )
        load()
        loaded_s = time.monotonic()
        until(
            lambda: ctl("status")["virtual_camera"] == DEVICE,
            60,
            lambda: f"not used: {ctl('status')['errors']}",
        )
        say(f"in use {time.monotonic() - loaded_s:.1f} s after loading the module")
        reader, is_blue = opened_reader(), corner_is(0x33, 0x66, 0x99)
        until_picture(reader, is_blue, 60)
        say(f"composite {time.monotonic() - loaded_s:.1f} s after loading the module")
        assert "in use" in rmmod("v4l2loopback"), (
            "the kernel unloaded the module that the program and a reader used"
        )
        until_picture(reader, is_blue, 5)
        reader.close()
        assert "in use" in rmmod("v4l2loopback"), (
            "the kernel unloaded the module that the program used"
        )
        reader = opened_reader()
        until_picture(reader, is_blue, 5)
        status = ctl("status")
        assert status["virtual_camera"] == DEVICE and not status["problems"], (
            f"the problem stays: {status}"
        )
    assert "in use" in rmmod("v4l2loopback"), "the kernel unloaded the module that a reader used"
    reader.close()
    assert rmmod("v4l2loopback") == "", (
        "the module cannot be unloaded after program and reader have ended"
    )


def _is_running() -> bool:
    with suppress(AssertionError, MattecamError, OSError):
        return ctl("status")["phase"] == "running"
    return False
