"""Tools of the device checks: kernel modules, readers and senders."""

from __future__ import annotations

import faulthandler
import multiprocessing
import os
import pwd
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import partial
from multiprocessing.connection import Connection
from multiprocessing.context import ForkProcess
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from app.core.errors import MattecamError
from app.core.types import BgrImage
from device_bed import producer

NUMBER = 20
DEVICE = f"/dev/video{NUMBER}"
LABEL = "Mattecam"
DROPPED_PICTURES = 8
"""Frames to skip after opening: they may be torn or stale."""


def say(text: str) -> None:
    """Print a line of the report."""
    sys.stdout.write(f"    {text}\n")
    sys.stdout.flush()


def shell(line: str, timeout_s: float = 60.0) -> str:
    """Run a shell command and return its output. Raises AssertionError if it fails."""
    done = subprocess.run(line, shell=True, capture_output=True, text=True, timeout=timeout_s, check=False)
    assert done.returncode == 0, f"{line!r} failed with {done.returncode}: {done.stdout}{done.stderr}"
    return done.stdout


def load(*, exclusive: bool = True, label: str = LABEL, number: int = NUMBER, more: str = "") -> None:
    """Reload the module with one device."""
    unload("v4l2loopback")
    caps = int(exclusive)
    shell(f'modprobe v4l2loopback devices=1 video_nr={number} card_label="{label}" exclusive_caps={caps} {more}')
    shell("udevadm settle --timeout=10")


def one_at_a_time() -> bool:
    """Return whether the loaded driver takes one reader at a time, as versions from 0.13 on do."""
    version = Path("/sys/module/v4l2loopback/version")  # 0.12 has none
    return version.exists() and version.read_text() >= "0.13"


def load_camera(number: int = 0) -> str:
    """Load a camera of the kernel's test driver and return its device path."""
    unload("vivid")
    shell(f"modprobe vivid n_devs=1 node_types=0x1 num_inputs=1 input_types=0x0 vid_cap_nr={number} no_error_inj=0")
    shell("udevadm settle --timeout=10")
    return f"/dev/video{number}"


def unload(module: str) -> None:
    """Unload the module; wait for processes that still close its devices."""
    deadline_s = time.monotonic() + 60
    while Path(f"/sys/module/{module}").exists():
        done = subprocess.run(["rmmod", module], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            assert time.monotonic() < deadline_s, f"{module} cannot be unloaded: {done.stderr}"
            time.sleep(0.25)


_FORK = multiprocessing.get_context("fork")
"""Forked processes share imported modules: a new interpreter starts slowly in the virtual machine."""


Work = Callable[[str, Callable[[str], None]], None]
"""Function that uses a device until SIGTERM, and calls its second argument once it has begun."""


def needs(*programs: str) -> None:
    """Skip the check unless all programs are installed."""
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        pytest.skip(f"{', '.join(missing)} is not installed")


@contextmanager
def background_process(work: Work, device: str, user: str = "root") -> Iterator[ForkProcess]:
    """Run `work` in its own process inside the context; stop it at the end if it still runs."""
    receiver, sender = _FORK.Pipe(duplex=False)
    process = _FORK.Process(target=_begin, args=(work, device, user, sender))
    process.start()
    sender.close()
    try:
        assert receiver.poll(60), "the child process did not start"
        first = receiver.recv()
        assert not first.startswith("!"), first
        yield process
    finally:
        process.terminate()
        end(process, 30)
        with suppress(EOFError):  # it sent nothing more
            if receiver.poll():
                raise AssertionError(receiver.recv())
        receiver.close()


def end(process: ForkProcess, limit_s: float) -> None:
    """Join the process; a process that hangs prints its stack and is killed."""
    process.join(limit_s)
    if process.is_alive() and process.pid is not None:
        os.kill(process.pid, signal.SIGUSR2)
        time.sleep(2)
        process.kill()
        process.join()
        raise AssertionError("it did not end; where it hung stands above")


def _begin(work: Work, device: str, user: str, told: Connection) -> None:
    faulthandler.register(signal.SIGUSR2)
    become(user)
    try:
        work(device, told.send)
    except (MattecamError, OSError, RuntimeError) as error:
        told.send(f"! {type(error).__name__}: {error}")


def sending(size: str = "640x480", *, device: str = DEVICE, user: str = "root") -> AbstractContextManager[ForkProcess]:
    """Send colour bars to the virtual camera from another process inside the context."""
    return background_process(partial(producer.send_bars, size), device, user)


def become(user: str) -> None:
    """Switch this process to another user, with the groups of that user."""
    entry = pwd.getpwnam(user)
    os.initgroups(user, entry.pw_gid)
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)


def in_a_child(work: Callable[[], str]) -> Callable[[float], str]:
    """Start `work` in its own process; return a function that takes a timeout in seconds and returns the result."""
    receiver, sender = _FORK.Pipe(duplex=False)
    process = _FORK.Process(target=_work, args=(work, sender))
    process.start()
    sender.close()

    def answer(limit_s: float) -> str:
        try:
            assert receiver.poll(limit_s), "the child process did not answer in time"
            text = receiver.recv()
            assert isinstance(text, str)
            return text
        finally:
            process.kill()
            process.join()
            receiver.close()

    return answer


def _work(work: Callable[[], str], told: Connection) -> None:
    try:
        told.send(work())
    except (AssertionError, MattecamError, OSError) as error:
        told.send(f"{type(error).__name__}: {error}")


@contextmanager
def ended_process(command: Sequence[str], **options: Any) -> Iterator[subprocess.Popen[bytes]]:
    """Run another program inside the context; end it then. options: those of Popen."""
    process = subprocess.Popen(command, **options)
    try:
        yield process
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(10)
        process.kill()
        process.wait(30)


@contextmanager
def ffmpeg_sends(
    *options: str, picture: str = "testsrc2=size=640x480:rate=30", device: str = DEVICE
) -> Iterator[subprocess.Popen[bytes]]:
    """Send with ffmpeg to a camera that was just loaded, inside the context; kill it at the end."""
    command = ["ffmpeg", "-nostdin", "-loglevel", "error", "-re", "-f", "lavfi", "-i", picture, *options, "-f", "v4l2"]
    process = subprocess.Popen([*command, device])
    try:
        format_file = Path(f"/sys/class/video4linux/{Path(device).name}/format")
        deadline_s = time.monotonic() + 300  # ffmpeg and its libraries load slowly in the virtual machine
        while not format_file.read_text().strip():
            assert time.monotonic() < deadline_s and process.poll() is None, f"ffmpeg does not send: {process.poll()}"
            time.sleep(0.1)
        time.sleep(1)
        yield process
    finally:
        process.kill()
        process.wait(30)


class OpenCvReader:
    """Reads the virtual camera with OpenCV."""

    def __init__(self, device: str = DEVICE) -> None:
        self._capture = cv2.VideoCapture(int(device.removeprefix("/dev/video")), cv2.CAP_V4L2)
        assert self._capture.isOpened(), f"OpenCV cannot open {device}"

    def read(self) -> BgrImage:
        good, image = self._capture.read()
        assert good and image is not None, "OpenCV received no frame"
        return np.asarray(image, np.uint8)

    def settled(self) -> BgrImage:
        """Return a frame after skipping the first ones."""
        for _ in range(DROPPED_PICTURES):
            self.read()
        return self.read()

    def close(self) -> None:
        self._capture.release()


def read_opencv(device: str = DEVICE) -> BgrImage:
    """Return a frame read by OpenCV."""
    reader = OpenCvReader(device)
    try:
        return reader.settled()
    finally:
        reader.close()


def read_ffmpeg(device: str = DEVICE) -> BgrImage:
    """Return a frame read by ffmpeg."""
    size = shell(f"ffprobe -v error -f v4l2 -i {device} -show_entries stream=width,height -of csv=p=0").strip()
    width, height = map(int, size.split(","))
    command = ["ffmpeg", "-nostdin", "-loglevel", "error", "-f", "v4l2", "-i", device, "-frames:v",
               str(DROPPED_PICTURES + 1), "-f", "rawvideo", "-pix_fmt", "bgr24", "-"]  # fmt: skip
    done = subprocess.run(command, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, f"ffmpeg failed: {done.stderr.decode()}"
    return np.frombuffer(done.stdout, np.uint8)[-width * height * 3 :].reshape(height, width, 3)


def read_gstreamer(size: tuple[int, int], device: str = DEVICE) -> BgrImage:
    """Return a frame read by GStreamer."""
    raw = Path("/tmp/gstreamer.raw")
    shell(
        f"gst-launch-1.0 -q v4l2src device={device} num-buffers={DROPPED_PICTURES + 1} ! videoconvert !"
        f" video/x-raw,format=BGR ! filesink location={raw}"
    )
    width, height = size
    data = np.frombuffer(raw.read_bytes(), np.uint8)
    return data[-width * height * 3 :].reshape(height, width, 3)
