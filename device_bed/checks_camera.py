"""The virtual camera in other programs, beside those that send to it, and among several."""

from __future__ import annotations

import signal
import time
from contextlib import suppress

import numpy as np
import psutil
import pytest

from app.core.errors import SinkOpenError
from app.doctor.proof import bar_error
from app.output.camera_list import list_virtual_cameras
from app.output.virtual_camera import VirtualCamera
from device_bed.producer import backend
from device_bed.tools import (
    DEVICE,
    FORK,
    LABEL,
    OpenCvReader,
    ffmpeg_sends,
    load,
    one_at_a_time,
    read_ffmpeg,
    read_gstreamer,
    read_opencv,
    say,
    sending,
    shell,
)

pytestmark = pytest.mark.usefixtures("each_backend")
MAX_ERROR = 6


def test_label_and_list() -> None:
    """Check that the device is found by its label, and that other programs see this label."""
    load()
    found = list_virtual_cameras()
    say(f"found {[(camera.id, camera.label, camera.busy) for camera in found]}")
    assert [(camera.path, camera.label, camera.busy) for camera in found] == [
        (DEVICE, LABEL, False)
    ]
    with sending(device=LABEL):
        told = shell(f"v4l2-ctl -d {DEVICE} --info")
        assert LABEL in told and "Video Capture" in told, f"v4l2-ctl says {told}"
        # queried from another process than the sender's
        assert list_virtual_cameras()[0].busy, "a virtual camera in use is listed as free"
    assert not list_virtual_cameras()[0].busy, "it is listed as in use after its sender has ended"


def test_colours() -> None:
    """Check the colours of the bars in three readers, at two sizes."""
    for size in ("640x480", "1280x720"):
        load()
        width, height = map(int, size.split("x"))
        with sending(size):
            seen = {
                "OpenCV": read_opencv(),
                "ffmpeg": read_ffmpeg(width, height),
                "GStreamer": read_gstreamer(width, height),
            }
            for name, image in seen.items():
                error = bar_error(image)
                say(f"{size} {name}: largest error {error:.1f} of 255")
                assert image.shape == (height, width, 3), "unexpected size"
                assert error <= MAX_ERROR, "wrong colours"


def test_opened_again() -> None:
    """Check that senders can follow one another without root or a module reload, also after a kill."""
    load()
    for turn in range(3):
        with sending() as process:
            assert bar_error(read_opencv()) <= MAX_ERROR, "wrong colours"
            if turn == 1:
                process.kill()
    shell(f"chown root:video {DEVICE} && chmod 660 {DEVICE}")
    with sending(user="user"):
        pass  # it is in the group video


def test_readers_survive_their_sender() -> None:
    """Check that an open reader continues with the next sender, also after kill -9."""
    for killed in (False, True):
        load()
        with sending() as first:
            reader = OpenCvReader()
            reader.settled()
            if killed:
                first.kill()
            ended_s = time.monotonic()
        with sending():
            error = bar_error(reader.settled())
        say(
            f"killed: {killed}; frames again after {time.monotonic() - ended_s:.2f} s, error "
            f"{error:.1f}"
        )
        assert error <= MAX_ERROR, "wrong colours"


def test_size_is_kept() -> None:
    """Check that the size is kept while a reader is connected; other aspect ratios are letterboxed."""
    load()
    with sending("640x480") as process:
        reader = OpenCvReader()
        reader.settled()
        sender = psutil.Process(process.pid)
        sender.send_signal(signal.SIGUSR1)  # now 1280x720
        time.sleep(0.5)
        image = reader.settled()
        assert image.shape == (480, 640, 3), f"the size became {image.shape}"
        assert image[:50].mean() < 20, "no black bar at the top"
        assert bar_error(np.ascontiguousarray(image[60:420])) <= MAX_ERROR, (
            "the middle does not show the picture"
        )
        reader.close()
        time.sleep(0.5)
        sender.send_signal(signal.SIGUSR1)
        time.sleep(0.3)
        sender.send_signal(signal.SIGUSR1)
        time.sleep(0.5)
        assert read_opencv().shape == (720, 1280, 3), (
            "the new size was not applied although there is no reader"
        )


def test_reader_first() -> None:
    """Check that a reader that was started before the first sender receives its frames."""
    load()
    with FORK.Pool(1) as pool:
        early = pool.apply_async(_ask_until_there)
        time.sleep(2)
        with sending():
            say(early.get(120))


def _ask_until_there() -> str:
    """Open the camera repeatedly, as the driver refuses readers until the first frame is sent."""
    for asked in range(600):
        with suppress(AssertionError):
            return (
                f"received a frame with an error of {bar_error(read_opencv()):.1f} after "
                f"{asked + 1} attempts"
            )
        time.sleep(0.1)
    raise AssertionError("received no frame")


def test_unusual_sizes() -> None:
    """Check that sizes that drivers handle badly are replaced by supported ones."""
    for size in ("641x481", "3840x2160", "16x16"):
        load()
        with sending(size) as process:
            image = read_opencv()
            error = bar_error(image) if image.shape[1] >= 64 else 0.0
            say(f"{size}: readers see {image.shape[1]}x{image.shape[0]}, error {error:.1f}")
            assert process.is_alive() and error <= MAX_ERROR, (
                "the sender has ended, or the colours are wrong"
            )


def test_two_readers() -> None:
    """Check two concurrent readers, or that a driver that takes one alone refuses the second
    without harm.
    """
    load()
    with sending():
        first = OpenCvReader()
        first.settled()
        if one_at_a_time():
            with pytest.raises(AssertionError):
                OpenCvReader().settled()
        else:
            # where it is closed, version 0.12 gives nothing more to the first one either
            second = OpenCvReader()
            assert bar_error(second.settled()) <= MAX_ERROR, "the second reader sees wrong colours"
        assert bar_error(first.settled()) <= MAX_ERROR, "the second reader disturbed the first one"


def test_taken_by_another() -> None:
    """Check that a device with another sender is rejected with an error, and works after that
    sender exits.
    """
    load()
    with (
        ffmpeg_sends("-pix_fmt", "yuv420p"),
        pytest.raises(SinkOpenError, match="Another program sends to"),
    ):
        VirtualCamera("auto", 640, 480, 30, backend=backend())
    VirtualCamera("auto", 640, 480, 30, backend=backend()).close()


def test_kept_formats() -> None:
    """Check that the next sender uses the format of a killed one while a reader holds the device in
    it.
    """
    for pixels in ("yuv420p", "yuyv422", "uyvy422"):
        load()
        with ffmpeg_sends("-pix_fmt", pixels) as producer:
            reader = OpenCvReader()
            reader.read()
            producer.kill()
            producer.wait(30)
            with sending("1280x720"):
                image = reader.settled()
        assert image.shape == (480, 640, 3), f"{pixels}: the size became {image.shape}"
        assert bar_error(image[60:420]) <= MAX_ERROR, f"{pixels}: wrong colours"


def test_several_devices() -> None:
    """Check the selection: the program's device alone, or the one that is named by label or number."""
    load({20: "Other", 21: LABEL})
    for wanted, device in (
        ("auto", "/dev/video21"),
        ("Other", "/dev/video20"),
        ("20", "/dev/video20"),
    ):
        camera = VirtualCamera(wanted, 640, 480, 30, backend=backend())
        camera.close()
        assert camera.device == device, f"{wanted} selected {camera.device}"
    with sending(device="/dev/video21"), pytest.raises(SinkOpenError, match="/dev/video21"):
        VirtualCamera("auto", 640, 480, 30, backend=backend())
