"""The program before a camera whose driver fails, and what the kernel's own tool says of the node
that it sends to.

`vivid` injects the faults. Behind the stand-in for a person lie the bars of its picture: where the
background colour or the card should be, they would be the room.
"""

from __future__ import annotations

import fcntl
import struct
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.core.types import BgrImage
from device_bed.program import SLACK, corner_is, ctl, opened_reader, program, until_picture
from device_bed.tools import (
    DEVICE,
    VIVID,
    OpenCvReader,
    VividInput,
    ffmpeg_sends,
    load,
    load_camera,
    say,
    sending,
    shell,
    unload,
    until,
)

BACKGROUND = "#336699"
RECOVERED_S = 2.0
"""Longest time from the end of a fault to the next frames of the camera."""
LIVED_S = 1.5
"""How long a camera works between two faults: one that fails right after each opening is opened
with waits.
"""
SILENT_S = 5.0
"""How long no buffer arrives: longer than the program waits before it names the camera."""
ONE_BUFFER = "inject_v4l2_buf_flag_error"
FATAL = "inject_fatal_streaming_error"
START = "inject_vidioc_streamon_error"
AT_OPENING = ("inject_vidioc_reqbufs_error", START)
QUEUEING = "inject_vidioc_qbuf_error"
DROPPED = "percentage_of_dropped_buffers"
CAMERA = "/dev/video0"
# ioctls of linux/videodev2.h that change what a camera captures.
S_STD = 0x40085618
S_INPUT = 0xC0045627
S_DV_TIMINGS = 0xC0845657
ENUM_DV_TIMINGS = 0xC0945662
DV_TIMINGS_BYTES = 132
NO_SIGNAL = 1
"""Of vivid's controls for the signal; 0 is a good one."""
PAL = 0xFF
NTSC = 0xB000
is_matted = corner_is(0x33, 0x66, 0x99)


def shows_room(image: BgrImage) -> bool:
    """Return whether the upper corners are neither the background nor the card, which is grey."""
    corners = image[5:25:5, 5:25:5].reshape(-1, 3).astype(int)
    is_coloured = (corners.max(1) - corners.min(1)).mean() > 80
    return bool(is_coloured) and not is_matted(image)


class Watch:
    """Reads every picture that leaves, on a thread of its own."""

    def __init__(self, reader: OpenCvReader) -> None:
        self._reader = reader
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.pictures = 0
        self.pictures_of_the_room = 0

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            with suppress(AssertionError):  # OpenCV times out after a second without a frame
                self.pictures_of_the_room += shows_room(self._reader.read())
                self.pictures += 1


def set_control(camera: str, name: str, value: int) -> None:
    """Set a control of the camera's driver. Raises AssertionError if it has none of this name."""
    shell(f"v4l2-ctl -d {camera} --set-ctrl {name}={value}")


def frames_in() -> int:
    """Return how many frames the program has got from the camera."""
    count = ctl("status")["frames_in"]
    assert isinstance(count, int)
    return count


def problem() -> str:
    """Return what the program says of the camera now; empty where it works."""
    problems = ctl("status")["problems"]
    assert isinstance(problems, list)
    return "; ".join(each["message"] for each in problems)


def recovered_s() -> float:
    """Return the seconds until the camera delivers again, and nothing is said of it any more."""
    before = frames_in()
    return until(
        lambda: frames_in() >= before + 5 and not problem(),
        20,
        lambda: f"no frame after the fault; the program says: {problem()}",
    )


@contextmanager
def watched_program(*inputs: VividInput) -> Iterator[tuple[str, Watch]]:
    """Run the program before the camera, and read what leaves; assert that it never is the room.

    inputs: of the camera, as of `load_camera`.
    """
    load()
    camera = load_camera(*inputs)
    options = ("--source", f"camera:{camera}", "--background", BACKGROUND, "--always-on")
    with program(*options):
        reader = opened_reader()
        until_picture(reader, is_matted, 60)
        with Watch(reader) as watch:
            yield camera, watch
        reader.close()
    unload("vivid")
    assert watch.pictures > 0, "nothing was read"
    assert watch.pictures_of_the_room == 0, (
        f"{watch.pictures_of_the_room} of {watch.pictures} pictures show the room"
    )


def test_faults_of_buffers() -> None:
    """Check that the program goes on after a corrupt buffer and after buffers that are lost."""
    with watched_program() as (camera, _):
        set_control(camera, ONE_BUFFER, 1)
        corrupt_s = recovered_s()
        set_control(camera, DROPPED, 60)
        lossy_s = recovered_s()
        set_control(camera, DROPPED, 0)
    say(f"frames {corrupt_s:.1f} s after a corrupt buffer, {lossy_s:.1f} s while 60 % are lost")
    assert corrupt_s < RECOVERED_S * SLACK


def test_faults_of_the_stream() -> None:
    """Check that a stream that fails is opened again, also where the first tries fail."""
    with watched_program() as (camera, _):
        for fault in (FATAL, QUEUEING):
            time.sleep(LIVED_S)
            set_control(camera, fault, 1)
            back_s = recovered_s()
            say(f"{fault}: frames again after {back_s:.1f} s")
            assert back_s < RECOVERED_S * SLACK
        for fault in AT_OPENING:
            time.sleep(LIVED_S)
            set_control(camera, fault, 1)
            set_control(camera, FATAL, 1)
            back_s = recovered_s()
            say(f"{fault}, at the next opening: frames again after {back_s:.1f} s")
            assert back_s < RECOVERED_S * SLACK


def test_a_silent_camera_is_named() -> None:
    """Check that a camera without buffers is named, and used again once they arrive."""
    with watched_program() as (camera, _):
        set_control(camera, DROPPED, 100)
        named_s = until(lambda: "no frame" in problem(), 20, lambda: "the silence is not named")
        told = problem()
        time.sleep(SILENT_S)
        set_control(camera, DROPPED, 0)
        back_s = recovered_s()
    say(f"named after {named_s:.1f} s: {told}")
    say(f"frames again {back_s:.1f} s after the silence")
    assert back_s < RECOVERED_S * SLACK


def test_a_disconnected_camera_comes_back() -> None:
    """Check a driver that says that its device is gone, until the device is bound anew."""
    with watched_program() as (camera, _):
        set_control(camera, "disconnect", 1)
        named_s = until(lambda: bool(problem()), 10, lambda: "the disconnection is not named")
        (VIVID / "unbind").write_text("vivid.0")
        # Bound at once, the device would get another number than the settings name.
        until(lambda: "not connected" in problem(), 10, lambda: f"the program says: {problem()}")
        told = problem()
        (VIVID / "bind").write_text("vivid.0")
        back_s = recovered_s()
    say(f"named after {named_s:.1f} s: {told}")
    say(f"frames again {back_s:.1f} s after it was bound anew")
    assert back_s < RECOVERED_S * SLACK


@dataclass(frozen=True)
class Change:
    """What is captured from then on: an ioctl and its argument."""

    title: str
    request: int
    argument: bytes


def another_input(number: int, title: str) -> Change:
    """Return the change to an input."""
    return Change(title, S_INPUT, struct.pack("=I", number))


def another_standard(standard: int, title: str) -> Change:
    """Return the change of a television signal to another standard."""
    return Change(title, S_STD, struct.pack("=Q", standard))


def other_timings(index: int) -> Change:
    """Return the change of an HDMI signal to the timings of this index in vivid's list."""
    listed = bytearray(struct.pack("=4I", index, 0, 0, 0) + bytes(DV_TIMINGS_BYTES))
    with Path(CAMERA).open("rb") as node:
        fcntl.ioctl(node, ENUM_DV_TIMINGS, listed)
    timings = bytes(listed[16:])
    width, height = struct.unpack_from("=2I", timings, 4)
    return Change(f"HDMI of {width}x{height}", S_DV_TIMINGS, timings)


def make(change: Change) -> None:
    """Change what the camera captures, in a moment in which the program opens it anew: while it is
    in use, the kernel refuses.
    """
    with Path(CAMERA).open("rb") as node:

        def is_made() -> bool:
            with suppress(OSError):
                fcntl.ioctl(node, change.request, bytearray(change.argument))
                return True
            return False

        assert not is_made(), "it was changed while it was in use"
        set_control(CAMERA, FATAL, 1)
        ends_at_s = time.monotonic() + 20
        while not is_made():
            assert time.monotonic() < ends_at_s, f"{change.title} is refused all the time"
            time.sleep(0.001)


def test_changed_inputs_and_standards() -> None:
    """Check that the program follows another input, standard and size of the signal."""
    inputs = (VividInput.WEBCAM, VividInput.TV, VividInput.HDMI)
    with watched_program(*inputs):
        make_and_recover(another_input(1, "television"))
        make_and_recover(another_standard(NTSC, "NTSC"))
        make_and_recover(another_standard(PAL, "PAL"))
        make_and_recover(another_input(2, "HDMI"))
        make_and_recover(other_timings(0))
        make_and_recover(another_input(0, "webcam"))


def make_and_recover(change: Change) -> None:
    """Make a change, and check how long it takes until there are frames."""
    time.sleep(LIVED_S)
    make(change)
    back_s = recovered_s()
    source = ctl("status")["source"]
    assert isinstance(source, dict)
    say(
        f"{change.title}: frames again after {back_s:.1f} s, {source['width']}x{source['height']} "
        f"at {source['fps']} fps"
    )
    assert back_s < RECOVERED_S * SLACK


def names_no_signal() -> bool:
    """Return whether the program says that the input has no signal."""
    return "has no signal" in problem()


@pytest.mark.parametrize(
    ("kind", "mode"),
    [(VividInput.TV, "standard_signal_mode"), (VividInput.HDMI, "dv_timings_signal_mode")],
)
def test_a_signal_that_goes_and_comes(kind: VividInput, mode: str) -> None:
    """Check an input without a signal: vivid shows noise, then nothing arrives; other grabbers do
    one of both.
    """
    with watched_program(kind) as (camera, _):
        set_control(camera, mode, NO_SIGNAL)
        noise_s = until(names_no_signal, 20, problem)
        before = frames_in()
        until(lambda: frames_in() >= before + 5, 20, lambda: "the noise is not taken")
        set_control(camera, mode, 0)
        over_s = until(lambda: not problem(), 20, problem)
        set_control(camera, mode, NO_SIGNAL)
        until(names_no_signal, 20, problem)
        set_control(camera, DROPPED, 100)
        named_s = until(lambda: names_no_signal() and "no frame" in problem(), 20, problem)
        told = problem()
        set_control(camera, mode, 0)
        set_control(camera, DROPPED, 0)
        back_s = recovered_s()
    say(f"noise is named after {noise_s:.1f} s, and no longer {over_s:.1f} s after the signal")
    say(f"silence is named after {named_s:.1f} s: {told}")
    say(f"frames again {back_s:.1f} s after the signal")
    assert back_s < RECOVERED_S * SLACK


def _failures() -> set[str]:
    """Return what v4l2-compliance finds wrong with the node."""
    done = subprocess.run(
        ["v4l2-compliance", "-d", DEVICE], capture_output=True, text=True, timeout=120, check=False
    )
    lines = [line.strip() for line in done.stdout.splitlines()]
    assert any(line.startswith("Total for") for line in lines), done.stdout + done.stderr
    return {line for line in lines if line.endswith(": FAIL")}


def test_compliance_of_the_node() -> None:
    """Check that v4l2-compliance finds nothing wrong that it does not find beside ffmpeg."""
    load()
    with ffmpeg_sends("-pix_fmt", "yuyv422"):
        theirs = _failures()
    load()
    with sending():
        ours = _failures()
    left = _failures()
    say(f"with ffmpeg: {sorted(theirs)}")
    say(f"with the program: {sorted(ours)}; after it: {sorted(left)}")
    assert ours <= theirs, f"only with the program: {sorted(ours - theirs)}"
