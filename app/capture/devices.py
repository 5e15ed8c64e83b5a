"""The cameras of this machine."""

from __future__ import annotations

import os
import platform
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from pathlib import Path

import cv2

from app.core import camera_names
from app.core.errors import SourceOpenError, t

SYSTEM = platform.system()
"""`Linux`, `Windows` or `Darwin`."""
PIPEWIRE = "portal:"
"""Prefix of the ids of cameras that only PipeWire offers."""
RAW_SENSOR = re.compile(r"Intel IPU\d|ipu3-(cio2|imgu)", re.IGNORECASE)
"""Nodes of raw sensors and their image processors, whose output an ordinary program cannot use."""
DEPTH = re.compile(r"Z16|IN[RVZ][IZ]|CNF4|Y\d+I")
"""Formats that only depth sensors and their pairs of infrared cameras offer."""
GREY = re.compile(r"GREY|ip3y|Y(0?[468]|1[0246])[BP]?(-BE)?")
RAW_BAYER = re.compile(
    r"BA81|GBRG|GRBG|RGGB|BYR2|BD10|(BG|GB|BA|GR|RG)1[0246]|[ab][BGgR]A8|p[BGgR](AA|CC|EE)|ip3[bgGr]|PC[12][BGgRM]"
)
"""Raw sensor formats. Only libcamera, through PipeWire, runs the image processor that makes colour frames of them."""
COMPRESSED = re.compile(r"[HS]26[3-5].*|M264|AVC1|HEVC|V?VC1.?|VP[89].|AV[01].|MPG[124]|MG2S|XVID|FWHT|SFWH")
"""Video formats that OpenCV does not decode."""


class Rank(IntEnum):
    """Order of preference of `auto`; within a rank it prefers the camera used last."""

    COLOUR = 0
    PERHAPS_INFRARED = 1
    PIPEWIRE = 2
    """One that only PipeWire offers."""
    PHONE = 3
    SENT = 4
    """A virtual camera to which a program sends, such as a phone's or a photo camera's."""


@dataclass(frozen=True, slots=True)
class CameraDevice:
    """A connected camera."""

    id: str
    """Stable across restarts, reconnects and renumbering."""
    name: str
    path: str
    """The device file; empty if the system has none."""
    index: int
    """The current device number; -1 for one that only PipeWire offers."""
    sizes: tuple[tuple[int, int], ...] = ()
    """(width, height), ascending; empty if unknown."""
    formats: tuple[str, ...] = ()
    """FOURCCs such as `MJPG`; empty if unknown."""
    is_virtual: bool = False
    """Another program's virtual camera."""
    other_ids: tuple[str, ...] = ()
    """Alternative stable names."""

    @property
    def by_pipewire(self) -> bool:
        """Whether only PipeWire offers it."""
        return self.id.startswith(PIPEWIRE)

    @property
    def source(self) -> str:
        """The value of `CaptureSettings.source` that opens it."""
        return self.id if self.by_pipewire else f"camera:{self.id}"

    @property
    def rank(self) -> Rank | None:
        """Its preference for `auto`; None for a camera that opens only by name."""
        if camera_names.MIXER.search(self.name) or not self._sees_colours:
            return None
        if camera_names.PHONE.search(self.name):
            return Rank.PHONE
        if self.is_virtual:
            return Rank.SENT
        if self.by_pipewire:
            return Rank.PIPEWIRE
        return Rank.PERHAPS_INFRARED if camera_names.may_be_infrared(self.name) else Rank.COLOUR

    @property
    def _sees_colours(self) -> bool:
        """False for infrared cameras, depth sensors, and those of which no format can be read."""
        if camera_names.is_infrared(self.name) or any(DEPTH.fullmatch(name) for name in self.formats):
            return False
        useful = [name for name in self.formats if not (GREY.fullmatch(name) or COMPRESSED.fullmatch(name))]
        return bool(useful) or not self.formats


def list_cameras() -> tuple[CameraDevice, ...]:
    """Return all cameras: physical ones, those that only PipeWire offers, virtual ones.

    Does not disturb a camera in use, and asks the user nothing.
    """
    return tuple(sorted((*list_device_cameras(), *_pipewire()), key=lambda camera: camera.is_virtual))


def list_device_cameras() -> tuple[CameraDevice, ...]:
    """Return the cameras of the system's own interface, by their device number."""
    found = _linux() if SYSTEM == "Linux" else _elsewhere()
    return tuple(sorted(_distinct(found), key=lambda camera: camera.index))


def find_camera(wanted: str) -> CameraDevice | None:
    """Return the camera with this number, device file or link to one, stable id or name; None if there is none.

    Raises SourceOpenError if several have it.
    """
    found = cameras_named(os.path.realpath(wanted) if Path(wanted).is_absolute() else wanted, list_device_cameras())
    if len(found) > 1:
        raise SourceOpenError(
            t(
                "There are several cameras {name}; choose one of {sources}.",
                name=wanted,
                sources=[camera.source for camera in found],
            )
        )
    return found[0] if found else None


def device_file(wanted: str) -> str:
    """Return the device file that a number, a device file or a link to one names (Linux); empty for other names."""
    path = os.path.realpath(f"/dev/video{int(wanted)}" if wanted.isdecimal() else wanted)
    return path if path.startswith("/dev/") else ""


def automatic_cameras(cameras: Sequence[CameraDevice], used_last: str) -> list[CameraDevice]:
    """Return the cameras that `auto` may take, the best one first. used_last: the id of the one that was used last."""
    usable = [camera for camera in cameras if camera.rank is not None]
    return sorted(usable, key=lambda camera: (camera.rank, camera.id != used_last, camera.index))


def cameras_named(wanted: str, cameras: Sequence[CameraDevice]) -> list[CameraDevice]:
    """Return those of these cameras that `find_camera` chooses from."""
    for matches in (
        lambda camera: wanted.isdecimal() and camera.index == int(wanted),
        lambda camera: wanted in (camera.path, camera.id, *camera.other_ids),
        lambda camera: wanted in (camera.name, camera.id.rpartition("#")[0]),
    ):
        found = [camera for camera in cameras if matches(camera)]
        if found:
            return found
    return []


def _distinct(cameras: list[CameraDevice]) -> list[CameraDevice]:
    """Append the port to ids that are not unique (same model without serial number); other cameras have that id too.

    Device numbers change with the order in which the system finds the cameras.
    """
    ids = Counter(camera.id for camera in cameras)
    names = Counter(name for camera in cameras for name in camera.other_ids)
    found = []
    for camera in cameras:
        port = next((name for name in camera.other_ids if names[name] == 1), str(camera.index))
        own = f"{camera.id}#{port}"
        found.append(
            replace(camera, id=own) if ids[camera.id] > 1 else replace(camera, other_ids=(*camera.other_ids, own))
        )
    return found


def _linux() -> list[CameraDevice]:
    from app.capture import v4l2

    found = []
    for index, name in v4l2.nodes():
        path = f"/dev/video{index}"
        if RAW_SENSOR.search(name) or name.startswith(camera_names.OWN):
            continue
        links = v4l2.links(path)
        try:
            device = v4l2.query(path)
        except PermissionError:
            found.append(CameraDevice(links[0] if links else path, name, path, index, other_ids=tuple(links[1:])))
            continue
        except OSError:  # disconnected meanwhile, or not responding
            continue
        if not device.is_camera or (device.formats and all(map(RAW_BAYER.fullmatch, device.formats))):
            continue
        ids = [*links, device.bus or path]
        virtual = device.driver == v4l2.LOOPBACK_DRIVER
        found.append(CameraDevice(ids[0], name, path, index, device.sizes, device.formats, virtual, tuple(ids[1:])))
    return found


def _pipewire() -> list[CameraDevice]:
    if SYSTEM != "Linux":
        return []
    from app.capture.portal import cameras_without_device

    return [CameraDevice(f"{PIPEWIRE}{camera.name}", camera.title, "", -1) for camera in cameras_without_device()]


def _elsewhere() -> list[CameraDevice]:
    try:
        from cv2_enumerate_cameras import enumerate_cameras
    except ImportError:  # a system library is missing; cameras can still be opened by number
        return []
    backend = cv2.CAP_MSMF if SYSTEM == "Windows" else cv2.CAP_AVFOUNDATION
    return [
        CameraDevice(
            info.path or info.name,
            info.name,
            info.path or "",
            info.index,
            is_virtual=bool(camera_names.MIXER.search(info.name)),
        )
        for info in enumerate_cameras(backend)
        if not info.name.startswith(camera_names.OWN)
    ]
