"""The virtual camera in other programs, beside those that send to it, and among several."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from multiprocessing.context import ForkProcess

import numpy as np
import pytest

from app.core.errors import SinkOpenError
from app.doctor.proof import bar_error
from app.output.camera_list import list_virtual_cameras
from app.output.virtual_camera import VirtualCamera
from device_bed.producer import backend
from device_bed.tools import (
    DEVICE,
    LABEL,
    OpenCvReader,
    ffmpeg_sends,
    in_a_child,
    load,
    one_at_a_time,
    read_ffmpeg,
    read_gstreamer,
    read_opencv,
    say,
    sending,
    shell,
    unload,
)

pytestmark = pytest.mark.usefixtures("each_backend")
MAX_ERROR = 6


def test_label_and_list() -> None:
    """Check that the device is found by its label, and that other programs see this label."""
    load()
    found = list_virtual_cameras()
    say(f"found {[(camera.id, camera.label, camera.busy) for camera in found]}")
    assert [(camera.path, camera.label, camera.busy) for camera in found] == [(DEVICE, LABEL, False)]
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
            for name, image in (
                ("OpenCV", read_opencv()),
                ("ffmpeg", read_ffmpeg()),
                ("GStreamer", read_gstreamer((width, height))),
            ):
                error = bar_error(image)
                say(f"{size} {name}: {image.shape[1]}x{image.shape[0]}, largest error {error:.1f} of 255")
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
    say("three consecutive senders, the second one killed")
    shell(f"chown root:video {DEVICE} && chmod 660 {DEVICE}")
    with sending(user="user"):
        say("a sender of an ordinary user in the group video")


def test_readers_survive_a_kill() -> None:
    """Check that an open reader continues after kill -9 and a restart of the sender."""
    load()
    with sending() as first:
        reader = OpenCvReader()
        reader.settled()
        first.kill()
        killed_s = time.monotonic()
    with sending():
        error = bar_error(reader.settled())
        silence_s = time.monotonic() - killed_s
        reader.close()
    say(f"frames again {silence_s:.2f} s after the kill, error {error:.1f}")
    assert error <= MAX_ERROR, "wrong colours"


def test_size_is_kept() -> None:
    """Check that the size is kept while a reader is connected; other aspect ratios are letterboxed."""
    load()
    with sending("640x480") as process:
        reader = OpenCvReader()
        reader.settled()
        _switch_size(process)  # now 1280x720
        time.sleep(0.5)
        image = reader.settled()
        assert image.shape == (480, 640, 3), f"the size became {image.shape}"
        top, middle = image[:50], image[60:420]
        say(f"640x480 kept, mean of the bar at the top {top.mean():.1f}, error of the middle {bar_error(middle):.1f}")
        assert top.mean() < 20, "no black bar at the top"
        assert bar_error(np.ascontiguousarray(middle)) <= MAX_ERROR, "the middle does not show the picture"
        reader.close()
        time.sleep(0.5)
        _switch_size(process)
        time.sleep(0.3)
        _switch_size(process)
        time.sleep(0.5)
        image = read_opencv()
        say(f"after the reader has closed: {image.shape[1]}x{image.shape[0]}")
        assert image.shape == (720, 1280, 3), "the new size was not applied although there is no reader"


def _switch_size(process: ForkProcess) -> None:
    assert process.pid is not None
    os.kill(process.pid, signal.SIGUSR1)


def test_reader_first() -> None:
    """Check that a reader started before the program receives frames once the program sends."""
    load()
    with sending():
        reader = OpenCvReader()
        reader.settled()
    with sending():
        error = bar_error(reader.settled())
        reader.close()
    say(f"a reader that stayed open since the last run: error {error:.1f}")
    assert error <= MAX_ERROR, "wrong colours"
    load()
    early = in_a_child(_ask_until_there)
    time.sleep(2)
    with sending():
        said = early(120)
    say(f"a reader that was started before the first sender: {said}")
    assert "received a frame" in said, "the reader received no frame"


def _ask_until_there() -> str:
    """Open the camera repeatedly: the driver refuses readers until the first frame is sent."""
    for asked in range(600):
        with suppress(AssertionError):
            return f"received a frame with an error of {bar_error(read_opencv()):.1f} after {asked + 1} attempts"
        time.sleep(0.1)
    return "received no frame"


def test_unusual_sizes() -> None:
    """Check that sizes that drivers handle badly are replaced by supported ones."""
    for size in ("641x481", "3840x2160", "16x16"):
        load()
        with sending(size) as process:
            image = read_opencv()
            error = bar_error(image) if image.shape[1] >= 64 else 0.0
            say(f"{size}: readers see {image.shape[1]}x{image.shape[0]}, error {error:.1f}")
            assert process.is_alive() and error <= MAX_ERROR, "the sender has ended, or the colours are wrong"


def test_two_readers() -> None:
    """Check two concurrent readers, or that a driver that takes one alone refuses the second without harm."""
    load()
    with sending():
        if one_at_a_time():
            _second_refused()
        else:
            _two_at_once()


def _two_at_once() -> None:
    first, second = OpenCvReader(), OpenCvReader()
    errors = [bar_error(reader.settled()) for reader in (first, second)]
    first.close()
    second.close()
    say(f"errors {errors[0]:.1f} and {errors[1]:.1f}")
    assert max(errors) <= MAX_ERROR, "wrong colours"


def _second_refused() -> None:
    first = OpenCvReader()
    first.settled()
    with pytest.raises(AssertionError):
        OpenCvReader().settled()
    error = bar_error(first.settled())
    first.close()
    say(f"error of the first reader afterwards: {error:.1f}")
    assert error <= MAX_ERROR, "the refused reader disturbed the first one"


def test_taken_by_another() -> None:
    """Check that a device with another sender is rejected with an error, and works after that sender exits."""
    load()
    with ffmpeg_sends("-pix_fmt", "yuv420p"), pytest.raises(SinkOpenError, match="Another program sends to"):
        VirtualCamera("auto", 640, 480, 30, backend=backend())
    VirtualCamera("auto", 640, 480, 30, backend=backend()).close()


def test_kept_formats() -> None:
    """Check that the next sender uses the format of a killed one while a reader holds the device in it."""
    for pixels in ("yuv420p", "yuyv422", "uyvy422"):
        load()
        with ffmpeg_sends("-pix_fmt", pixels) as producer:
            reader = OpenCvReader()
            reader.read()
            producer.kill()
            producer.wait(30)
            with sending("1280x720"):
                image = reader.settled()
            reader.close()
        error = bar_error(image[60:420])
        say(f"{pixels}: the reader sees {image.shape[1]}x{image.shape[0]}, largest error {error:.1f} of 255")
        assert image.shape == (480, 640, 3) and error <= MAX_ERROR, "wrong size or colours"


def test_several_devices() -> None:
    """Check the selection: the program's device first, then another free one; also by label and number."""
    unload("v4l2loopback")
    shell('modprobe v4l2loopback devices=2 video_nr=20,21 exclusive_caps=1,1 card_label="Other,Mattecam"')
    shell("udevadm settle --timeout=10")
    for wanted, device in (("auto", "/dev/video21"), ("Other", "/dev/video20"), ("20", "/dev/video20")):
        camera = VirtualCamera(wanted, 640, 480, 30, backend=backend())
        say(f"{wanted}: {camera.name}")
        camera.close()
        assert camera.device == device, f"{wanted} selected {camera.device}"
    with sending(device="/dev/video21"):
        camera = VirtualCamera("auto", 640, 480, 30, backend=backend())
        camera.close()
        assert camera.device == "/dev/video20", f"a busy device was selected: {camera.device}"
