"""Video devices of Linux: enumeration, capabilities, and the reason why one cannot be opened."""

from __future__ import annotations

import errno
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from app.core.errors import Text, t
from app.core.process import CAMERA_SERVICES, holders
from app.system import v4l2

SYS_CLASS = Path("/sys/class/video4linux")
LINK_FOLDERS = (Path("/dev/v4l/by-id"), Path("/dev/v4l/by-path"))
UDEV_DATA = Path("/run/udev/data")
"""Has a file for each device for which udev has made the links."""
UDEV_S = 5.0
"""Age of a device from which no links are awaited: in a container, udev may never see it."""
UDEV_POLL_S = 0.02

VIDEO_MAJOR = 81
"""Major device number of video devices."""
LOOPBACK_DRIVER = v4l2.LOOPBACK_DRIVER


@dataclass(frozen=True, slots=True)
class Capability:
    """Capabilities of a video device."""

    driver: str
    bus: str
    is_camera: bool
    sizes: tuple[tuple[int, int], ...]
    formats: tuple[str, ...]


def nodes() -> list[tuple[int, str]]:
    """Return (number, name) of the video devices, ascending; further nodes of a camera (metadata) are omitted."""
    found = []
    for folder in SYS_CLASS.glob("video*"):
        number = re.fullmatch(r"video(\d+)", folder.name)
        if number and _text(folder / "index") in ("", "0"):
            found.append((int(number[1]), _text(folder / "name") or folder.name))
    return sorted(found)


def links(path: str) -> list[str]:
    """Return udev's names of the device, the most stable first. Waits until a new device has them.

    Of several devices with one name, the link leads to another one from start to start: here all of them have it.
    """
    _wait_for_udev(path)
    known = _text(UDEV_DATA / f"c{_text(SYS_CLASS / Path(path).name / 'dev')}")
    given = [Path(line.removeprefix("S:")) for line in known.splitlines() if line.startswith("S:v4l/")]
    found = []
    for folder in LINK_FOLDERS:
        leading = [link for link in folder.iterdir() if os.path.realpath(link) == path] if folder.is_dir() else []
        found += sorted({link.name for link in (*leading, *given) if link.parent.name == folder.name})
    return found


def _wait_for_udev(path: str) -> None:
    """Wait until udev has set up a device that was just connected, so that its names do not depend on the moment."""
    with suppress(OSError):  # disconnected meanwhile
        while UDEV_DATA.is_dir() and abs(time.time() - Path(path).stat().st_ctime) < UDEV_S:
            major, minor = v4l2.device_number(path)
            if (UDEV_DATA / f"c{major}:{minor}").exists():
                return
            time.sleep(UDEV_POLL_S)


def query(path: str) -> Capability:
    """Query a device. Raises OSError if it cannot be opened or is not a video device."""
    with _opened(path) as node:
        answer = v4l2.capability(node)
        queue = v4l2.CAPTURE_MPLANE if answer.flags & v4l2.CAN_CAPTURE_MPLANE else v4l2.CAPTURE
        is_camera = bool(answer.flags & (v4l2.CAN_CAPTURE | v4l2.CAN_CAPTURE_MPLANE))
        codes = list(v4l2.pixel_formats(node, queue)) if is_camera else []
        sizes = {size for code in codes for size in v4l2.frame_sizes(node, code)}
        formats = tuple(dict.fromkeys(v4l2.fourcc(code) for code in codes))
        return Capability(answer.driver, answer.bus, is_camera, tuple(sorted(sizes)), formats)


def why_not(path: str) -> Text:
    """Return why this device delivers no frames and what to do: the second half of a sentence."""
    try:
        capability = query(path)
    except FileNotFoundError:
        return t("it is not connected; connect it or choose another camera")
    except PermissionError:
        return t("you have no permission to open it; add your user to the group video and log in again")
    except OSError as error:
        if error.errno == errno.EBUSY:
            return _in_use(path)
        if error.errno in (errno.ENODEV, errno.ENXIO):
            return t("it was disconnected; reconnect it")
        return t("it is not a camera; choose another one")
    if capability.driver == LOOPBACK_DRIVER:  # has any number of readers; who holds it is, or hides, the sender
        programs = users(path) if capability.is_camera else []
        return (
            t(
                "nothing is sent to it, though it is open in {programs}; start the program that sends again or choose "
                "another camera",
                programs=programs,
            )
            if programs
            else t("no program sends to it; start one or choose another camera")
        )
    if users(path):
        return _in_use(path)
    return (
        t("it delivers no frames; reconnect it, or choose another size or format")
        if capability.is_camera
        else t("it is not a camera; choose another one")
    )


def users(path: str) -> list[Text]:
    """Return the programs that use the camera, as far as this user may see them."""
    return [
        t("Mattecam itself") if holder.pid == os.getpid() else holder.text
        for holder in holders(path)
        if holder.name not in CAMERA_SERVICES
    ]


def _in_use(path: str) -> Text:
    return t(
        "it is in use by {programs}; close it there or choose another camera",
        programs=users(path) or [t("another program")],
    )


@contextmanager
def _opened(path: str) -> Iterator[int]:
    if v4l2.device_number(path)[0] != VIDEO_MAJOR:  # opening other devices may have side effects
        raise OSError(errno.ENOTTY, "not a video device", path)
    with v4l2.opened(path) as node:
        yield node


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
