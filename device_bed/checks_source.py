"""Cameras as sources: listed, opened, busy, without permission, disconnected, without frames,
blank.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import AbstractContextManager, closing
from pathlib import Path

import pytest

from app.capture import SourceOpener
from app.capture.base import FrameSource
from app.capture.devices import list_cameras
from app.core.errors import SourceLostError, SourceOpenError
from app.core.settings import CaptureSettings
from app.output.camera_list import is_busy
from device_bed.tools import (
    FORK,
    VIVID,
    become,
    ffmpeg_sends,
    load,
    load_camera,
    say,
    shell,
    unload,
)

FEED = 10
LONGEST_READ_S = 1.5


def opened(source: str) -> closing[FrameSource]:
    return closing(SourceOpener(is_busy)(CaptureSettings(source=source, width=640, height=480)))


def refusal(source: str) -> str:
    """Return the error message of a camera that cannot be opened."""
    with pytest.raises(SourceOpenError) as error, opened(source):
        pass
    say(str(error.value))
    return str(error.value)


def loss(source: FrameSource, limit_s: float) -> tuple[str, float]:
    """Return the error message of a lost camera and the seconds until it; assert that no read
    blocks for long.
    """
    start_s = read_s = time.perf_counter()
    with pytest.raises(SourceLostError) as error:
        while read_s - start_s < limit_s:
            source.read()
            began_s, read_s = read_s, time.perf_counter()
            assert read_s - began_s < LONGEST_READ_S, "a read blocked for too long"
    after_s = time.perf_counter() - start_s
    say(f"lost after {after_s:.2f} s: {error.value}")
    return str(error.value), after_s


def feeding(picture: str, *options: str) -> AbstractContextManager[subprocess.Popen[bytes]]:
    """Send frames with ffmpeg inside the context, as a camera."""
    return ffmpeg_sends(*options, picture=picture, device=f"/dev/video{FEED}")


def test_source_listed_and_opened() -> None:
    """Check that a camera is listed with sizes and formats, selected automatically, and delivers
    its format.
    """
    unload("v4l2loopback")
    path = load_camera()
    cameras = list_cameras()
    assert [camera.path for camera in cameras] == [path], f"the listed cameras are {cameras}"
    assert (640, 480) in cameras[0].sizes and "YUYV" in cameras[0].formats, (
        f"sizes or formats differ: {cameras[0]}"
    )
    with opened("auto") as source:
        say(str(source.info))
        for _ in range(30):
            frame = source.read()
            assert frame is not None and frame.size == (640, 480), (
                "a read returned no frame of 640x480"
            )


def test_source_busy_forbidden_absent() -> None:
    """Check that the errors of absent, busy and forbidden cameras differ."""
    path = load_camera()
    assert "not connected" in refusal("camera:97"), "an absent camera is reported differently"
    hold = (
        f"import cv2; c = cv2.VideoCapture('{path}', cv2.CAP_V4L2); print(c.read()[0], flush=1); "
        "input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", hold], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        assert f"(process {holder.pid})" in refusal("camera:0"), "the error names no process"
        holder.kill()
    Path(path).chmod(0o600)
    with FORK.Pool(1) as pool:
        assert "group video" in pool.apply_async(_refusal_of_nobody).get(60), (
            "the error does not name the group"
        )


def _refusal_of_nobody() -> str:
    become("nobody")
    return refusal("auto")


def test_source_unplugged_and_back() -> None:
    """Check that a disconnection is detected at once and the camera is found by its stable ID under
    a new number.
    """
    path = load_camera()
    with opened("camera:0") as source:
        stable = source.info.id
        assert source.read() is not None, "the camera delivers no frame"
        (VIVID / "unbind").write_text("vivid.0")
        told, after_s = loss(source, 5)
        assert "disconnected" in told and after_s < 1, (
            "the disconnection is not reported within a second"
        )
        (VIVID / "bind").write_text("vivid.0")
        shell("udevadm settle --timeout=10")
        now = list_cameras()[0]
        say(f"{stable} was {path} and is {now.path}")
        assert now.path != path and now.id == stable, "the stable id changed, or the number did not"
    with opened(f"camera:{stable}") as source:
        assert source.read() is not None, "no frame after the camera was reconnected"
    unload("vivid")


def test_source_silent() -> None:
    """Check a virtual camera without a sender, and one whose sender stops."""
    unload("vivid")
    load({FEED: "Feed"}, exclusive=False)
    assert "nothing is sent" in refusal(f"camera:{FEED}"), (
        "the error does not say that there is no sender"
    )
    told = refusal("auto")
    assert "No camera was found" in told or "nothing is sent" in told, (
        "auto chose a virtual camera without a sender"
    )
    with (
        feeding("testsrc2=size=1280x720:rate=30", "-pix_fmt", "yuv420p") as sender,
        opened(f"camera:{FEED}") as source,
    ):
        size = (source.info.width, source.info.height)
        # Sent in 1280x720, and fitted to the wanted 640x480.
        assert size == (640, 360) and source.read() is not None, f"opened as {source.info}"
        os.kill(sender.pid, signal.SIGSTOP)
        told, after_s = loss(source, 20)
        assert "delivered no frame for" in told and 1.5 < after_s < 10, (
            "the silent sender is not reported in time"
        )


def test_source_motion_jpeg() -> None:
    """Check that MJPG is negotiated and decoded."""
    load({FEED: "Feed"})
    picture = "testsrc2=size=640x480:rate=30"
    with (
        feeding(picture, "-vf", "format=yuvj420p", "-c:v", "mjpeg", "-q:v", "4"),
        opened(f"camera:{FEED}") as source,
    ):
        say(str(source.info))
        assert source.info.pixel_format == "MJPG", (
            f"the pixel format is {source.info.pixel_format}, not MJPG"
        )
        assert sum(source.read() is not None for _ in range(30)) >= 28, (
            "fewer than 28 of 30 reads returned a frame"
        )


def test_source_blank() -> None:
    """Check that black frames are reported as a problem of the source."""
    load({FEED: "Feed"}, exclusive=False)
    with feeding("color=black:size=640x480:rate=30", "-pix_fmt", "yuyv422"):
        assert "only black" in refusal(f"camera:{FEED}"), "black frames are not reported"


def test_source_own_label() -> None:
    """Check that the program's virtual camera is not offered as a source."""
    unload("vivid")
    load({FEED: "Mattecam"}, exclusive=False)
    with feeding("testsrc2=size=640x480:rate=30", "-pix_fmt", "yuyv422"):
        assert list_cameras() == (), f"the listed cameras are {list_cameras()}"
    unload("v4l2loopback")
