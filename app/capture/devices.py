"""The cameras of this machine, and the reason why one of Linux cannot be opened."""

from __future__ import annotations

import errno
import logging
import os
import platform
import re
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import IntEnum
from itertools import chain
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING

import cv2

from app.capture.base import PIPEWIRE, several_cameras
from app.core import camera_names
from app.core.errors import CameraAbsentError, Text, t
from app.core.process import CAMERA_SERVICES, holders
from app.core.threads import poll_until
from app.system import v4l2

if TYPE_CHECKING:
    from cv2_enumerate_cameras.camera_info import CameraInfo

log = logging.getLogger(__name__)

# `Linux`, `Windows` or `Darwin`.
SYSTEM = platform.system()
# Nodes of raw sensors and their image processors, whose output an ordinary program cannot use.
RAW_SENSOR = re.compile(r"Intel IPU\d|ipu3-(cio2|imgu)", re.IGNORECASE)
# Formats that only depth sensors and their pairs of infrared cameras offer.
DEPTH = re.compile(r"Z16|IN[RVZ][IZ]|CNF4|Y\d+I")
GREY = re.compile(r"GREY|ip3y|Y(0?[468]|1[0246])[BP]?(-BE)?")
# Raw sensor formats. Only libcamera, through PipeWire, runs
# the image processor that makes colour frames of them.
RAW_BAYER = re.compile(
    r"BA81|GBRG|GRBG|RGGB|BYR2|BD10|(BG|GB|BA|GR|RG)1[0246]|[ab][BGgR]A8|p[BGgR](AA|CC|EE)|ip3[bgGr]|PC[12][BGgRM]",
)
# Video formats that OpenCV does not decode.
COMPRESSED = re.compile(
    r"[HS]26[3-5].*|M264|AVC1|HEVC|V?VC1.?|VP[89].|AV[01].|MPG[124]|MG2S|XVID|FWHT|SFWH",
)


SYS_CLASS = Path("/sys/class/video4linux")
LINK_FOLDERS = (Path("/dev/v4l/by-id"), Path("/dev/v4l/by-path"))
# Has a file for each device for which udev has made the links.
UDEV_DATA = Path("/run/udev/data")
# Age of a device from which no links are awaited: in a container, udev may never see it.
UDEV_S = 5.0
UDEV_POLL_S = 0.02
# Major device number of video devices.
VIDEO_MAJOR = 81
# The name of a port, by which an address can end.
_PORT = r"(?:pci|platform|usb|acpi)-[^@]*$"
_SOFT_PORT = re.compile(f"@{_PORT}")


class Rank(IntEnum):
    """Order of preference of `auto`; within a rank it prefers the camera used last."""

    COLOUR = 0
    PERHAPS_INFRARED = 1
    # One that only PipeWire offers.
    PIPEWIRE = 2
    PHONE = 3
    # A virtual camera to which a program sends, such as a phone's or a photo camera's.
    SENT = 4


@dataclass(frozen=True, slots=True)
class CameraDevice:
    """A connected camera."""

    # Stable across restarts, reconnects and renumbering. Of
    # several cameras of a model it ends with `#` and a port.
    id: str
    name: str
    # The device file; empty if the system has none.
    path: str
    # The current device number; -1 for one that only PipeWire offers.
    index: int
    sizes: tuple[tuple[int, int], ...] = ()
    """(width, height), ascending; empty if unknown."""
    # FOURCCs such as `MJPG`; empty if unknown.
    formats: tuple[str, ...] = ()
    # Another program's virtual camera.
    is_virtual: bool = False
    # Alternative stable names.
    other_ids: tuple[str, ...] = ()
    # It cannot be opened because another program uses it.
    busy: bool = False
    # Where it is connected; empty if unknown.
    port: str = ""

    @property
    def by_pipewire(self) -> bool:
        """Whether only PipeWire offers it."""
        return self.id.startswith(PIPEWIRE)

    @property
    def address(self) -> str:
        """Its id; of the only camera of a model also the port, after `@`.

        A second one may be connected later.

        The port then tells which of them is meant. Until then the camera may move to another port.
        """
        if not self.port or self.port == self.id or "#" in self.id:
            return self.id
        return f"{self.id}@{self.port}"

    @property
    def source(self) -> str:
        """The value of `CaptureSettings.source` that opens it."""
        return self.id if self.by_pipewire else f"camera:{self.address}"

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
        if camera_names.may_be_infrared(self.name):
            return Rank.PERHAPS_INFRARED
        return Rank.COLOUR

    @property
    def _sees_colours(self) -> bool:
        """False for infrared cameras, depth sensors, and those of which no format can be read."""
        if camera_names.is_infrared(self.name):
            return False
        if any(DEPTH.fullmatch(name) for name in self.formats):
            return False
        # Formats are unknown elsewhere than on Linux, and of a device in use.
        return not self.formats or any(_is_useful(name) for name in self.formats)


def _is_useful(pixel_format: str) -> bool:
    return not GREY.fullmatch(pixel_format) and not COMPRESSED.fullmatch(pixel_format)


# MJPG first: most cameras have their high rates only there.
AUTO_FORMATS = ("MJPG", "YUYV")


def in_order_of_preference(formats: Sequence[str]) -> tuple[str, ...]:
    """Return the formats of a camera as they are tried; those that most have where none is known.

    First the preferred ones, then other colour formats, grey, compressed video.
    """
    return tuple(sorted(formats, key=_format_order)) or AUTO_FORMATS


def _format_order(pixel_format: str) -> int:
    if pixel_format in AUTO_FORMATS:
        return AUTO_FORMATS.index(pixel_format)
    if COMPRESSED.fullmatch(pixel_format):
        return 4
    if GREY.fullmatch(pixel_format) or DEPTH.fullmatch(pixel_format):
        return 3
    return 2


def list_cameras() -> tuple[CameraDevice, ...]:
    """Return all cameras: physical ones, those that only PipeWire offers, virtual ones.

    Does not disturb a camera in use, and asks the user nothing.
    """
    cameras = [*_device_cameras(), *_pipewire()]
    return tuple(sorted(cameras, key=attrgetter("is_virtual")))


def _device_cameras() -> list[CameraDevice]:
    """Return the cameras of the system's own interface, by their device number."""
    found = _linux() if SYSTEM == "Linux" else _elsewhere()
    return sorted(_distinct(found), key=attrgetter("index"))


def find_camera(wanted: str) -> CameraDevice:
    """Return the camera with this number, device file or link to one, stable id or name.

    One that the system does not list can still be opened by number or device file. Raises
    SourceOpenError if several have the name; CameraAbsentError if none has.
    """
    name = os.path.realpath(wanted) if Path(wanted).is_absolute() else wanted
    found = cameras_named(name, _device_cameras())
    if len(found) > 1:
        raise several_cameras(wanted, [camera.source for camera in found])
    if found:
        return found[0]
    number = _number_in(wanted)
    if SYSTEM == "Linux":
        path = os.path.realpath(wanted if number is None else f"/dev/video{number}")
        if path.startswith("/dev/"):
            names = links(path) or [path]
            return CameraDevice(names[0], path, path, -1)
    elif number is not None:
        return CameraDevice(wanted, wanted, "", number)
    raise CameraAbsentError(
        t(
            "There is no camera {name}; connect it or choose another one⟦ (the command `devices` "
            "lists them)⟧.",
            name=wanted,
        )
    )


def automatic_cameras(cameras: Sequence[CameraDevice], used_last: str) -> list[CameraDevice]:
    """Return the cameras that `auto` may take, the best one first.

    used_last: the address of the last one in use.
    """
    usable = [camera for camera in cameras if camera.rank is not None]
    preferred = cameras_named(used_last, cameras)
    return sorted(usable, key=lambda camera: (camera.rank, camera not in preferred, camera.index))


def cameras_named(wanted: str, cameras: Sequence[CameraDevice]) -> list[CameraDevice]:
    """Return those of these cameras that `find_camera` chooses from."""
    number = _number_in(wanted)
    model = without_port(wanted)
    port = wanted.removeprefix(model).removeprefix("@")
    of_model = [camera for camera in cameras if port and model == _model(camera)]
    # The first group with a camera counts: what is named exactly comes before what may be meant,
    # and a camera that has moved to another port is the last guess.
    groups = (
        [camera for camera in cameras if camera.index == number],
        [camera for camera in cameras if wanted in (camera.path, camera.id, *camera.other_ids)],
        [camera for camera in cameras if wanted in (camera.name, _model(camera))],
        [camera for camera in of_model if port == camera.port],
        of_model,
    )
    for group in groups:
        if group:
            return group
    return []


# Of a camera: drivers take a C int, and a longer number is an error that no driver explains.
MOST_NUMBER = 2**31 - 1


def _number_in(wanted: str) -> int | None:
    """Return the number that a camera is named by.

    None for another name, and for a number that no camera can have.
    """
    digits = wanted.lstrip("0")
    # Python reads no more than 4300 digits.
    if not wanted.isdecimal() or len(digits) > len(str(MOST_NUMBER)):
        return None
    number = int(wanted)
    if number > MOST_NUMBER:
        return None
    return number


def without_port(address: str) -> str:
    """Return an address or a source without the port at its end, by which settings of a camera are
    remembered.
    """
    return _SOFT_PORT.sub("", address)


def titles(cameras: Sequence[CameraDevice]) -> list[str]:
    """Return the names of cameras for a list.

    Those of one name are told apart by their device files.
    """
    counts = Counter(camera.name for camera in cameras)
    texts = []
    for camera in cameras:
        if counts[camera.name] == 1:
            texts.append(camera.name)
        else:
            texts.append(f"{camera.name} ({camera.path or camera.id})")
    return texts


def _model(camera: CameraDevice) -> str:
    return camera.id.rpartition("#")[0] or camera.id


def _distinct(cameras: list[CameraDevice]) -> list[CameraDevice]:
    """Append the port to ids that are not unique (same model without serial number).

    Other cameras have that id too.

    Device numbers change with the order in which the system finds the cameras.
    """
    ids = Counter(camera.id for camera in cameras)
    names = Counter(chain.from_iterable(camera.other_ids for camera in cameras))
    found = []
    for camera in cameras:
        # Names that no other camera has: of two cameras of a model that by the path of the bus.
        unique = [name for name in camera.other_ids if names[name] == 1]
        own = f"{camera.id}#{next(iter(unique), camera.index)}"
        # Not what a driver says of its bus, such as "PCI:0000:03:00.0": no address ends in it.
        port = next((name for name in unique if re.match(_PORT, name)), "")
        if ids[camera.id] > 1:
            found.append(replace(camera, id=own, port=port))
        else:
            found.append(replace(camera, other_ids=(*camera.other_ids, own), port=port))
    return found


def _linux() -> list[CameraDevice]:
    found = []
    for folder in SYS_CLASS.glob("video*"):
        name = _text(folder / "name") or folder.name
        path = f"/dev/{folder.name}"
        number = re.fullmatch(r"video(\d+)", folder.name)
        if number is None or RAW_SENSOR.search(name) or camera_names.is_own(name):
            continue
        names = links(path)
        is_busy = False
        try:
            node = query(path)
        except OSError as error:
            is_busy = error.errno == errno.EBUSY
            # Disconnected meanwhile, or not responding.
            if not is_busy and not isinstance(error, PermissionError):
                continue
            # Nearly always the metadata of a camera; the channels of a card are rarely refused.
            if _text(folder / "index") not in ("", "0"):
                continue
            driver = v4l2.LOOPBACK_DRIVER if v4l2.is_loopback(folder) else ""
            node = NodeAnswer(driver, "", is_camera=True, sizes=(), formats=())
        if not node.is_camera:
            continue
        if node.formats and all(RAW_BAYER.fullmatch(name) for name in node.formats):
            continue
        names.append(node.bus or path)
        found.append(
            CameraDevice(
                id=names[0],
                name=name,
                path=path,
                index=int(number[1]),
                sizes=node.sizes,
                formats=node.formats,
                is_virtual=node.driver == v4l2.LOOPBACK_DRIVER,
                other_ids=tuple(names[1:]),
                busy=is_busy,
            )
        )
    return found


def _pipewire() -> list[CameraDevice]:
    if SYSTEM != "Linux":
        return []
    from app.capture.portal import cameras_without_device

    cameras = cameras_without_device()
    return [CameraDevice(f"{PIPEWIRE}{camera.name}", camera.title, "", -1) for camera in cameras]


def _elsewhere() -> list[CameraDevice]:
    """Return the cameras of Windows or macOS.

    On Windows those of Media Foundation, and after them those that DirectShow alone has, such as
    OBS Studio's.
    """
    if SYSTEM != "Windows":
        return [_camera_of(info, info.index) for info in _listed(cv2.CAP_AVFOUNDATION)]
    found = [_camera_of(info, info.index) for info in _listed(cv2.CAP_MSMF)]

    def is_new(info: CameraInfo) -> bool:
        return not any(_is_same(info, camera) for camera in found)

    others = [info for info in _listed(cv2.CAP_DSHOW) if is_new(info)]
    # Their own numbers are those of other cameras in Media Foundation.
    return [*found, *(_camera_of(info, len(found) + place) for place, info in enumerate(others))]


def _listed(backend: int) -> list[CameraInfo]:
    """Return the cameras that a back end of OpenCV lists now, but not this program's own."""
    try:
        from cv2_enumerate_cameras import enumerate_cameras
    except ImportError:  # a system library is missing; cameras can still be opened by number
        return []
    return [info for info in enumerate_cameras(backend) if not camera_names.is_own(info.name)]


def _camera_of(info: CameraInfo, number: int) -> CameraDevice:
    is_virtual = bool(camera_names.MIXER.search(info.name))
    return CameraDevice(
        info.path or info.name,
        info.name,
        info.path or "",
        number,
        is_virtual=is_virtual,
    )


def windows_numbers(device: CameraDevice) -> list[tuple[int, int]]:
    """Return the number of a camera in each back end of Windows that has it, and the back end, in
    order of preference.

    Each back end counts in an order of its own, and counts anew when a camera is connected: the
    camera is looked for by its path, or by its name where it has none. One of two of a name is not
    guessed.
    """
    if device.id == str(device.index):  # named by its number, and not listed
        # The published wheel of OpenCV without windows opens nothing through Media Foundation.
        return [(device.index, cv2.CAP_DSHOW)]
    numbers = []
    for backend in (cv2.CAP_MSMF, cv2.CAP_DSHOW):
        same = [info.index for info in _listed(backend) if _is_same(info, device)]
        if len(same) == 1:
            numbers.append((same[0], backend))
    return numbers


def _is_same(info: CameraInfo, device: CameraDevice) -> bool:
    """Return whether what a back end of Windows lists is this camera."""
    if info.path and device.path:
        return _connection(info.path) == _connection(device.path)
    return info.name == device.name


def _connection(path: str) -> str:
    r"""Return the part of a path of Windows that back ends share.

    `\\?\usb#vid_046d&pid_0825&mi_00#7&1c2b&0&0000`.

    After it comes the identifier of the interface, of which each back end has its own.
    """
    return path.lower().partition("#{")[0]


@dataclass(frozen=True, slots=True)
class NodeAnswer:
    """What a video device of Linux says of itself."""

    driver: str
    bus: str
    is_camera: bool
    sizes: tuple[tuple[int, int], ...]
    formats: tuple[str, ...]
    # Of the input in use; grabbers say when there is none.
    has_signal: bool = True


def query(path: str) -> NodeAnswer:
    """Query a device of Linux. Raises OSError if it cannot be opened or is not a video device."""
    if v4l2.device_number(path)[0] != VIDEO_MAJOR:  # opening other devices may have side effects
        raise OSError(errno.ENOTTY, "not a video device", path)
    with v4l2.opened(path) as node:
        answer = v4l2.capability(node)
        has_planes = bool(answer.flags & v4l2.CAN_CAPTURE_MPLANE)
        is_camera = has_planes or bool(answer.flags & v4l2.CAN_CAPTURE)
        sizes: set[tuple[int, int]] = set()
        formats: list[str] = []
        if is_camera:
            queue = v4l2.CAPTURE_MPLANE if has_planes else v4l2.CAPTURE
            for code in v4l2.pixel_formats(node, queue):
                sizes.update(v4l2.frame_sizes(node, code))
                formats.append(v4l2.fourcc(code))
        without_repeats = tuple(dict.fromkeys(formats))
        return NodeAnswer(
            answer.driver,
            answer.bus,
            is_camera,
            tuple(sorted(sizes)),
            without_repeats,
            has_signal=v4l2.has_signal(node) is not False,
        )


def has_signal(path: str) -> bool | None:
    """Return whether a device captures a signal; None where its driver does not say.

    Cheap enough to be asked while frames arrive.
    """
    if SYSTEM != "Linux":
        return None
    try:
        if v4l2.device_number(path)[0] == VIDEO_MAJOR:
            with v4l2.opened(path) as node:
                return v4l2.has_signal(node)
    except OSError as error:
        log.info("%s does not tell whether it has a signal: %s", path, error)
    return None


def captured_kind(path: str) -> v4l2.CapturedKind:
    """Return what the driver of a device says of its frames.

    Nothing if it cannot be asked.
    """
    if SYSTEM != "Linux":
        return v4l2.CapturedKind()
    try:
        if v4l2.device_number(path)[0] == VIDEO_MAJOR:
            with v4l2.opened(path) as node:
                return v4l2.captured_kind(node)
    except OSError as error:
        log.info("%s does not describe its frames: %s", path, error)
    return v4l2.CapturedKind()


def links(path: str) -> list[str]:
    """Return udev's names of a device of Linux, the most stable first.

    Waits until a new device has them.

    Of several devices with one name, the link leads to another one from start to start: here all of
    them have it.
    """
    with suppress(OSError):  # disconnected meanwhile
        age_s = abs(time.time() - Path(path).stat().st_ctime)
        if UDEV_DATA.is_dir() and age_s < UDEV_S:
            poll_until(lambda: _is_known_to_udev(path), UDEV_S - age_s, UDEV_POLL_S)
    number = _text(SYS_CLASS / Path(path).name / "dev")
    known = _text(UDEV_DATA / f"c{number}").splitlines()
    given = [Path(line.removeprefix("S:")) for line in known if line.startswith("S:v4l/")]
    found = []
    for folder in LINK_FOLDERS:
        names = {link.name for link in given if link.parent.name == folder.name}
        if folder.is_dir():
            names |= {link.name for link in folder.iterdir() if os.path.realpath(link) == path}
        found += sorted(names)
    return found


def _is_known_to_udev(path: str) -> bool:
    major, minor = v4l2.device_number(path)
    return (UDEV_DATA / f"c{major}:{minor}").exists()


def why_not(path: str) -> Text:
    """Return why a device of Linux delivers no frames and what to do.

    The second half of a sentence.
    """
    programs = []
    for holder in holders(path):
        # They hold every camera open without reading it.
        if holder.name in CAMERA_SERVICES:
            continue
        is_own = holder.pid == os.getpid()
        programs.append(t("Mattecam itself") if is_own else holder.text)
    in_use = t(
        "it is in use by {programs}; close it there or choose another camera",
        programs=programs or [t("another program")],
    )
    no_camera = t("it is not a camera; choose another one")
    try:
        node = query(path)
    except PermissionError:
        return t(
            "you have no permission to open it; add your user to the group video and log in again",
        )
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENODEV, errno.ENXIO):
            return t("it is not connected; connect it or choose another camera")
        return in_use if error.errno == errno.EBUSY else no_camera
    # A loopback has any number of readers: closing one changes nothing.
    if node.driver == v4l2.LOOPBACK_DRIVER:
        return t("nothing is sent to it; start the program that sends, or choose another camera")
    if programs:
        return in_use
    if not node.is_camera:
        return no_camera
    if not node.has_signal:
        return t(
            "its input has no signal; switch on what is connected to it, or choose another camera"
        )
    return t("it delivers no frames; reconnect it, or choose another size or format")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
