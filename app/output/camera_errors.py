"""Explain errors of virtual camera drivers to the user."""

from __future__ import annotations

import errno
import logging

from app.core.messages.output import VirtualCameraText
from app.core.text import Text
from app.system.device_holders import LINUX

log = logging.getLogger(__name__)

LOAD_COMMAND = 'sudo modprobe v4l2loopback devices=1 video_nr=10 exclusive_caps=1 card_label="Mattecam"'

_BY_NUMBER = {
    errno.ENOENT: VirtualCameraText.ABSENT,
    errno.ENODEV: VirtualCameraText.ABSENT,
    errno.ENXIO: VirtualCameraText.ABSENT,
    errno.EACCES: VirtualCameraText.NOT_PERMITTED,
    errno.EPERM: VirtualCameraText.NOT_PERMITTED,
    errno.EBUSY: VirtualCameraText.BUSY,
    errno.ENOTTY: VirtualCameraText.NOT_AN_OUTPUT,
    errno.EINVAL: VirtualCameraText.NOT_AN_OUTPUT,
}
_BY_WORDS = (
    # pyvirtualcam raises RuntimeError for everything; only its text tells the cause
    ("does not exist", VirtualCameraText.ABSENT),
    ("missing permissions", VirtualCameraText.NOT_PERMITTED),
    ("Permission denied", VirtualCameraText.NOT_PERMITTED),
    ("is not a video output device", VirtualCameraText.NOT_AN_OUTPUT),
    ("already in use", VirtualCameraText.OPEN_HERE),
    ("resource busy", VirtualCameraText.BUSY),
    ("could not be started", VirtualCameraText.NOT_STARTED),
)
_NO_CAMERA = ("No v4l2 loopback device found", "Did you install OBS")


def no_virtual_camera(linux: bool = LINUX) -> Text:
    """Return how to get a virtual camera on Linux or on another system."""
    if linux:
        return VirtualCameraText.NONE_ON_LINUX(command=LOAD_COMMAND)
    return VirtualCameraText.NONE_ELSEWHERE()


def explain(error: Exception, device: str) -> Text:
    """Return what an error of opening or writing to `device` means. The error itself is logged."""
    log.info("The virtual camera %s: %s", device, error)
    if isinstance(error, OSError) and error.errno in _BY_NUMBER:
        return _BY_NUMBER[error.errno](device=device)
    if any(words in str(error) for words in _NO_CAMERA):
        return no_virtual_camera()
    message = next((message for words, message in _BY_WORDS if words in str(error)), VirtualCameraText.FAILED)
    return message(device=device)
