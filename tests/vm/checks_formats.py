"""Side effects of other programs: formats that a device keeps, busy devices, several devices."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.core.errors import SinkOpenError
from app.doctor.proof import bar_error
from app.output.virtual_camera import VirtualCamera
from tests.vm.producer import backend
from tests.vm.tools import DEVICE, OpenCvReader, expect, load, say, sending, shell, unload

MAX_ERROR = 6


@contextmanager
def ffmpeg_sends(pixels: str) -> Iterator[subprocess.Popen[bytes]]:
    """Send with ffmpeg inside the context; kill it at the end."""
    load()
    picture = "-re -f lavfi -i testsrc2=s=640x480:r=30"
    line = f"ffmpeg -nostdin -loglevel error {picture} -c:v rawvideo -pix_fmt {pixels} -f v4l2 {DEVICE}"
    process = subprocess.Popen(line.split())
    try:
        deadline_s = time.monotonic() + 300  # ffmpeg and its libraries load slowly in the virtual machine
        while "640x480" not in Path(f"/sys/class/video4linux/{Path(DEVICE).name}/format").read_text():
            expect(
                time.monotonic() < deadline_s and process.poll() is None,
                f"ffmpeg does not send; its exit code is {process.poll()}",
            )
            time.sleep(0.1)
        yield process
    finally:
        process.kill()
        process.wait(30)


def taken_by_another() -> None:
    """Check that a device with another sender is rejected with an error, and works after that sender exits."""
    with ffmpeg_sends("yuv420p"):
        try:
            VirtualCamera("auto", 640, 480, 30, backend=backend()).close()
        except SinkOpenError as error:
            say(str(error))
            expect(error.code == "VirtualCameraText.BUSY", f"unexpected reason: {error}")
        else:
            expect(False, "the device was opened although another program sends to it")
    VirtualCamera("auto", 640, 480, 30, backend=backend()).close()


def kept_formats() -> None:
    """Check that the next sender uses the format of a killed one while a reader holds the device in it."""
    for pixels in ("yuv420p", "yuyv422", "uyvy422"):
        with ffmpeg_sends(pixels) as producer:
            reader = OpenCvReader()
            reader.read()
            producer.kill()
            producer.wait(30)
            with sending("1280x720"):
                image = reader.settled()
            reader.close()
        error = bar_error(image[60:420])
        say(f"{pixels}: the reader sees {image.shape[1]}x{image.shape[0]}, largest error {error:.1f} of 255")
        expect(image.shape == (480, 640, 3) and error <= MAX_ERROR, "wrong size or colours")


def several_devices() -> None:
    """Check the selection: the program's device first, then another free one; also by label and number."""
    unload("v4l2loopback")
    shell('modprobe v4l2loopback devices=2 video_nr=20,21 exclusive_caps=1,1 card_label="Other,Mattecam"')
    shell("udevadm settle --timeout=10")
    for wanted, device in (("auto", "/dev/video21"), ("Other", "/dev/video20"), ("20", "/dev/video20")):
        camera = VirtualCamera(wanted, 640, 480, 30, backend=backend())
        say(f"{wanted}: {camera.name}")
        camera.close()
        expect(camera.device == device, f"{wanted} selected {camera.device}")
    with sending(device="/dev/video21"):
        camera = VirtualCamera("auto", 640, 480, 30, backend=backend())
        camera.close()
        expect(camera.device == "/dev/video20", f"a busy device was selected: {camera.device}")


CHECKS = {"taken-by-another": taken_by_another, "kept-formats": kept_formats, "several-devices": several_devices}
