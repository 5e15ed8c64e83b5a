"""The virtual cameras of this machine, what errors of their drivers mean, and their readers."""

from __future__ import annotations

import errno
import logging
import os
import re
import struct
import sys
import time
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from app.core import camera_names
from app.core.errors import Text, t
from app.core.paths import program_command
from app.core.process import LINUX, Holder, holders
from app.output import v4l2

log = logging.getLogger(__name__)


# DirectShow filters that pyvirtualcam can send to: COM classes in HKEY_CLASSES_ROOT\CLSID.
WINDOWS_CLASSES = {
    "OBS Virtual Camera": "{A3FCE0F5-3493-419F-958A-ABA1250EC20B}",
    "Unity Video Capture": "{5C2CD55C-92AD-4999-8666-912BD3E70010}",
}


@dataclass(frozen=True, slots=True)
class VirtualCameraDevice:
    """A virtual camera that frames can be sent to."""

    id: str  # as for `--virtual-camera`: the device on Linux, the name elsewhere
    label: str
    path: str  # the device file; empty if there is none
    busy: bool  # another program is sending to it


def list_virtual_cameras(*, probe: bool = True) -> tuple[VirtualCameraDevice, ...]:
    """Return all virtual cameras, ours first, without those for a phone's camera.

    No physical camera is opened.
    probe: also find out which are busy, which takes up to half a second each.
    """
    if LINUX:
        own = []
        others = []
        for path, label in v4l2.loopback_labels().items():
            if camera_names.PHONE.search(label):
                continue
            camera = VirtualCameraDevice(path, label, path, probe and is_busy(path))
            if camera_names.is_own(label):
                own.append(camera)
            else:
                others.append(camera)
        return (*own, *others)
    names: Iterable[str] = ()
    if sys.platform == "win32":
        names = _registered_on_windows()
    elif sys.platform == "darwin" and Path("/Applications/OBS.app").exists():
        names = ("OBS Virtual Camera",)
    return tuple(VirtualCameraDevice(name, name, "", False) for name in names)


def is_automatic(label: str) -> bool:
    """Return whether `auto` may send to a camera with this label: on Linux to its own alone.

    Another one belongs to a program that may only be silent now: v4l2-relayd sends the camera of
    the laptop once it is read. Elsewhere all are of programs that provide one for others.
    """
    return not LINUX or camera_names.is_own(label)


def is_busy(path: str) -> bool:
    """Return whether another program sends to this loopback camera."""
    senders = [holder.pid for holder in holders(path) if holder.only_writes]
    if senders:
        # This program itself may be the one that sends.
        return any(pid != os.getpid() for pid in senders)
    # The handles of other users' programs cannot be seen.
    try:
        return not v4l2.takes_output(path) and v4l2.frames_arrive(path)
    except OSError:
        # No permission: opening it reports the reason.
        return False


def _registered_on_windows() -> list[str]:
    names: list[str] = []
    if sys.platform == "win32":
        import winreg

        for name, guid in WINDOWS_CLASSES.items():
            with suppress(OSError):
                winreg.CloseKey(winreg.OpenKey(winreg.HKEY_CLASSES_ROOT, rf"CLSID\{guid}"))
                names.append(name)
    return names


_LOAD = (
    'sudo modprobe v4l2loopback devices=1 video_nr={number} card_label="Mattecam" exclusive_caps=1'
)
# The lower ones are left to webcams, which programs expect at 0.
_LOWEST_NUMBER = 10


def free_number(taken: Collection[str]) -> int:
    """Return the lowest free number of a new device.

    taken: names of video devices, such as `video0`.
    """
    return next(number for number in range(_LOWEST_NUMBER, 256) if f"video{number}" not in taken)


def no_virtual_camera() -> Text:
    """Return how to get a virtual camera on this system."""
    if not LINUX:
        return t(
            "There is no virtual camera: install OBS Studio 30 or later from "
            "https://obsproject.com, start its virtual camera once and close it."
        )
    return t(
        "There is no virtual camera: install v4l2loopback (package v4l2loopback-dkms), "
        "then run `{command}`⟦, or let `{program} doctor --fix` do it⟧.",
        command=_LOAD.format(number=free_number(v4l2.device_names())),
        program=program_command(),
    )


def titles(cameras: Iterable[VirtualCameraDevice]) -> list[str]:
    """Return what a text says of virtual cameras: their device files and labels."""
    return [f"{camera.id} ({camera.label})" for camera in cameras]


def no_own_camera(others: Iterable[VirtualCameraDevice]) -> Text:
    """Return why `auto` sends to none of the virtual cameras that there are."""
    return t(
        "No virtual camera is named {name}, and others may belong to other programs; choose one "
        "of {devices}⟦ with --virtual-camera, or run `{program} doctor --fix`⟧.",
        name=camera_names.OWN,
        devices=titles(others),
        program=program_command(),
    )


def explain(error: Exception, device: str) -> Text:
    """Return what an error of opening or writing to `device` means. The error itself is logged."""
    log.info("The virtual camera %s: %s", device, error)

    def means(words: str, *numbers: int) -> bool:
        if isinstance(error, OSError) and error.errno:
            return error.errno in numbers
        # pyvirtualcam raises only RuntimeError.
        return re.search(words, str(error)) is not None

    if means("No v4l2 loopback device found|Did you install OBS"):
        return no_virtual_camera()
    if means("does not exist", errno.ENOENT, errno.ENODEV, errno.ENXIO):
        return t(
            "The virtual camera {device} does not exist; choose another one or `auto`.",
            device=device,
        )
    if means("missing permissions|Permission denied", errno.EACCES, errno.EPERM):
        return t(
            "You have no permission to open the virtual camera {device}; run `sudo usermod -aG "
            "video $USER`, then log out and log in again.",
            device=device,
        )
    if means("resource busy", errno.EBUSY):
        return t(
            "Another program sends to the virtual camera {device}; close that program or choose "
            "another virtual camera.",
            device=device,
        )
    if means("is not a video output device", errno.ENOTTY, errno.EINVAL):
        return t(
            "{device} accepts no frames: it is a real camera or for that of a phone, or another "
            "program sends to it; choose another virtual camera, or close that program.",
            device=device,
        )
    if means("could not be started"):
        return t(
            "The virtual camera {device} does not start; stop it in OBS and close other programs "
            "that send to it.",
            device=device,
        )
    return t(
        "The virtual camera {device} cannot be used; choose another one⟦ or run `{program} "
        "doctor`⟧.",
        device=device,
        program=program_command(),
    )


# A reader that uses another device file, in a container, causes no event.
_RESCAN_S = 5.0
# In a row, while programs open and close the device.
_MOST_SCANS = 4
# struct inotify_event: watch, mask, cookie, bytes of a name that follows.
_EVENT = struct.Struct("iIII")
# IN_OPEN; IN_CLOSE_WRITE and IN_CLOSE_NOWRITE.
_OPENED = 0x20
_CLOSED = 0x08 | 0x10
# IN_MODIFY, by each frame that is sent. The kernel reports equal events that follow each other as
# one: frames between them keep two readers that open the device at short intervals apart.
_WRITTEN = 0x02


class ReaderWatch:
    """Reports the readers of a virtual camera at low cost.

    Processes are scanned only after the kernel reports that the device was opened or closed
    (inotify). Handles of this program do not count. The files of other users' processes, such as
    root's, cannot be listed: what has opened the device and is found nowhere is one of them.
    """

    def __init__(self, device: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._device = device
        self._clock = clock
        self._events = _open_events(device)
        self._known_readers: tuple[Holder, ...] | None = None
        # Process and number of all handles that the last scan found.
        self._handles: frozenset[tuple[int, str]] = frozenset()
        # Events since that scan.
        self._opened = 0
        self._closed = 0
        # How often it was opened, and not yet closed, by processes that cannot be seen.
        self._unseen = 0
        self._scanned_s = clock()
        self._scan()
        self._unseen = 0  # what was open before is no event

    def readers(self) -> tuple[Holder, ...] | None:
        """Return the current readers; None if nobody is seen, but another user may read."""
        now_s = self._clock()
        if self._has_changed() or now_s - self._scanned_s >= _RESCAN_S:
            self._scanned_s = now_s
            self._scan()
        if self._unseen and not self._known_readers:
            return None
        return self._known_readers

    def close(self) -> None:
        """Stop watching. Idempotent."""
        if self._events is not None:
            os.close(self._events)
            self._events = None

    def _scan(self) -> None:
        if not LINUX:
            return
        for _ in range(_MOST_SCANS):
            found = holders(self._device)
            readers = [one for one in found if one.pid != os.getpid() and not one.only_writes]
            self._known_readers = tuple(readers)
            if self._events is None:
                return
            if not self._has_changed():
                handles = set()
                for holder in found:
                    handles |= {(holder.pid, handle) for handle in holder.handles}
                self._count_unseen(frozenset(handles))
                return
        # It is opened and closed again and again: what was counted belongs to no list yet, so the
        # next scan takes it.

    def _count_unseen(self, handles: frozenset[tuple[int, str]]) -> None:
        """Compare what was opened and closed with the handles that were found after it.

        Fewer events may have been reported, as of the two handles of a killed program, than handles
        have come or gone.
        """
        come = len(handles - self._handles)
        gone = len(self._handles - handles)
        opened_unseen = max(0, self._opened - come)
        closed_unseen = max(0, self._closed - gone)
        self._unseen = max(0, self._unseen + opened_unseen - closed_unseen)
        self._handles = handles
        self._opened = 0
        self._closed = 0

    def _has_changed(self) -> bool:
        """Count what was opened and closed since the last call; return whether anything was."""
        if self._events is None:
            # Nobody can tell.
            return True
        try:
            data = os.read(self._events, 1 << 16)
        except BlockingIOError:
            return False
        before = self._opened + self._closed
        at = 0
        while at < len(data):
            _, mask, _, name_bytes = _EVENT.unpack_from(data, at)
            at += _EVENT.size + name_bytes
            if mask & _OPENED:
                self._opened += 1
            if mask & _CLOSED:
                self._closed += 1
        return self._opened + self._closed > before


def _open_events(device: str) -> int | None:
    """Return a non-blocking handle that is readable after the device was opened or closed; None
    if not supported.
    """
    if not LINUX:
        return None
    import ctypes

    library = ctypes.CDLL(None)
    flags = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
    handle: int = library.inotify_init1(flags)
    if handle < 0:
        return None
    events = _OPENED | _CLOSED | _WRITTEN
    if library.inotify_add_watch(handle, os.fsencode(device), events) < 0:
        os.close(handle)
        return None
    return handle
