"""Side effects of other programs: formats that a device keeps, busy devices, several devices."""

from __future__ import annotations

from app.core.errors import SinkOpenError
from app.doctor.proof import bar_error
from app.output.virtual_camera import VirtualCamera
from device_bed.producer import backend
from device_bed.tools import OpenCvReader, expect, ffmpeg_sends, load, say, sending, shell, unload

MAX_ERROR = 6


def taken_by_another() -> None:
    """Check that a device with another sender is rejected with an error, and works after that sender exits."""
    load()
    with ffmpeg_sends("-pix_fmt", "yuv420p"):
        try:
            VirtualCamera("auto", 640, 480, 30, backend=backend()).close()
        except SinkOpenError as error:
            say(str(error))
            expect("Another program sends to" in str(error), f"unexpected reason: {error}")
        else:
            expect(False, "the device was opened although another program sends to it")
    VirtualCamera("auto", 640, 480, 30, backend=backend()).close()


def kept_formats() -> None:
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
