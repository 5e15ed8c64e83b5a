"""Tools of the device checks: kernel modules, readers and senders."""

from __future__ import annotations

import faulthandler
import multiprocessing
import os
import pwd
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from enum import IntEnum
from functools import partial
from multiprocessing.connection import Connection
from multiprocessing.context import ForkProcess
from pathlib import Path
from types import MappingProxyType
from weakref import WeakSet

import cv2
import numpy as np

from app.core.errors import MattecamError
from app.core.types import BgrImage
from device_bed import producer

NUMBER = 20
DEVICE = f"/dev/video{NUMBER}"
LABEL = "Mattecam"
VIVID = Path("/sys/bus/platform/drivers/vivid")
DROPPED_PICTURES = 8
"""Frames to skip after opening: they may be torn or stale."""


def say(text: str) -> None:
    """Print a line of the report."""
    sys.stdout.write(f"    {text}\n")
    sys.stdout.flush()


def shell(line: str, timeout_s: float = 60.0) -> str:
    """Run a shell command and return its output. Raises AssertionError if it fails."""
    done = subprocess.run(
        line, shell=True, capture_output=True, text=True, timeout=timeout_s, check=False
    )
    assert done.returncode == 0, (
        f"{line!r} failed with {done.returncode}: {done.stdout}{done.stderr}"
    )
    return done.stdout


def load(
    labels: Mapping[int, str] = MappingProxyType({NUMBER: LABEL}), *, exclusive: bool = True
) -> None:
    """Reload the module with devices. labels: by their number."""
    unload("v4l2loopback")
    numbers, names = ",".join(map(str, labels)), ",".join(labels.values())
    caps = ",".join("1" if exclusive else "0" for _ in labels)
    shell(
        f'modprobe v4l2loopback devices={len(labels)} video_nr={numbers} card_label="{names}" '
        f"exclusive_caps={caps}"
    )
    shell("udevadm settle --timeout=10")


def one_at_a_time() -> bool:
    """Return whether the loaded driver takes one reader at a time, as versions from 0.13 on do."""
    version = Path("/sys/module/v4l2loopback/version")  # 0.12 has none
    return version.exists() and version.read_text() >= "0.13"


class VividInput(IntEnum):
    """A kind of input of the kernel's test camera, by its number in the driver's parameter."""

    WEBCAM = 0
    TV = 1
    S_VIDEO = 2
    HDMI = 3


def load_camera(*inputs: VividInput, number: int = 0) -> str:
    """Load a camera of the kernel's test driver and return its device path.

    inputs: a webcam alone without any; the first one is in use.
    """
    unload("vivid")
    kinds = inputs or (VividInput.WEBCAM,)
    types = sum(kind << 2 * place for place, kind in enumerate(kinds))
    shell(
        f"modprobe vivid n_devs=1 node_types=0x1 num_inputs={len(kinds)} input_types={types:#x} "
        f"vid_cap_nr={number} no_error_inj=0"
    )
    shell("udevadm settle --timeout=10")
    return f"/dev/video{number}"


def unload(module: str) -> None:
    """Unload the module, after the readers, also those of a check that failed; wait for other
    processes.
    """
    for reader in list(_READERS):
        reader.close()
    loaded = Path(f"/sys/module/{module}")
    until(lambda: not loaded.exists() or rmmod(module) == "", 60, lambda: rmmod(module))


def rmmod(module: str) -> str:
    """Try to unload a module; return why the kernel refuses."""
    return subprocess.run(
        ["rmmod", module], capture_output=True, text=True, check=False
    ).stderr.strip()


def until(condition: Callable[[], bool], limit_s: float, problem: Callable[[], str]) -> float:
    """Wait for a condition; return the seconds until it holds. problem: what to say if it does not
    in time.
    """
    started_s = time.monotonic()
    while not condition():
        assert time.monotonic() - started_s < limit_s, problem()
        time.sleep(0.1)
    return time.monotonic() - started_s


FORK = multiprocessing.get_context("fork")
"""Forked processes share imported modules: a new interpreter starts slowly in the virtual machine.
"""
Work = Callable[[str, Callable[[str], None]], None]
"""Function that uses a device until SIGTERM, and calls its second argument once it has begun."""


@contextmanager
def background_process(work: Work, device: str, user: str = "root") -> Iterator[ForkProcess]:
    """Run `work` in its own process inside the context; stop it at the end if it still runs."""
    receiver, sender = FORK.Pipe(duplex=False)
    process = FORK.Process(target=_begin, args=(work, device, user, sender))
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


def sending(
    size: str = "640x480", *, device: str = DEVICE, user: str = "root"
) -> AbstractContextManager[ForkProcess]:
    """Send colour bars to the virtual camera from another process inside the context."""
    return background_process(partial(producer.send_bars, size), device, user)


def become(user: str) -> None:
    """Switch this process to another user, with the groups of that user."""
    entry = pwd.getpwnam(user)
    os.initgroups(user, entry.pw_gid)
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)


@contextmanager
def ffmpeg_sends(
    *options: str, picture: str = "testsrc2=size=640x480:rate=30", device: str = DEVICE
) -> Iterator[subprocess.Popen[bytes]]:
    """Send with ffmpeg to a camera that was just loaded, inside the context; kill it at the end."""
    command = [
        "ffmpeg",
        "-nostdin",
        "-loglevel",
        "error",
        "-re",
        "-f",
        "lavfi",
        "-i",
        picture,
        *options,
        "-f",
        "v4l2",
    ]
    process = subprocess.Popen([*command, device])
    try:
        format_file = Path(f"/sys/class/video4linux/{Path(device).name}/format")
        # ffmpeg and its libraries load slowly in the virtual machine
        until(
            lambda: bool(format_file.read_text().strip()),
            300,
            lambda: f"ffmpeg does not send: {process.poll()}",
        )
        time.sleep(1)
        yield process
    finally:
        process.kill()
        process.wait(30)


_READERS: WeakSet[OpenCvReader] = WeakSet()


class OpenCvReader:
    """Reads the virtual camera with OpenCV; closed at the latest with `unload`."""

    def __init__(self, device: str = DEVICE) -> None:
        self._capture = cv2.VideoCapture(int(device.removeprefix("/dev/video")), cv2.CAP_V4L2)
        assert self._capture.isOpened(), f"OpenCV cannot open {device}"
        _READERS.add(self)

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


def read_opencv() -> BgrImage:
    """Return a frame read by OpenCV."""
    return OpenCvReader().settled()


def read_ffmpeg(width: int, height: int) -> BgrImage:
    """Return a frame read by ffmpeg, which must be of this size."""
    count = DROPPED_PICTURES + 1
    shell(
        f"ffmpeg -nostdin -loglevel error -y -f v4l2 -i {DEVICE} -frames:v {count} -f rawvideo "
        f"-pix_fmt bgr24 {_RAW}"
    )
    return _last_frame(width, height)


def read_gstreamer(width: int, height: int) -> BgrImage:
    """Return a frame read by GStreamer, which must be of this size."""
    source = f"v4l2src device={DEVICE} num-buffers={DROPPED_PICTURES + 1}"
    shell(
        f"gst-launch-1.0 -q {source} ! videoconvert ! video/x-raw,format=BGR ! filesink "
        f"location={_RAW}"
    )
    return _last_frame(width, height)


_RAW = Path("/tmp/frames.raw")


def _last_frame(width: int, height: int) -> BgrImage:
    data, size = np.frombuffer(_RAW.read_bytes(), np.uint8), height * width * 3
    assert len(data) == (DROPPED_PICTURES + 1) * size, "another size, or a frame is missing"
    return data[-size:].reshape(height, width, 3)
