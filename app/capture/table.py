"""The kinds of source, and the names of sources.

A new kind is a module with a `FrameSource` and a row here.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from app.capture.base import PIPEWIRE, FrameSource
from app.capture.camera import CameraSource
from app.capture.demo import DemoSource
from app.capture.devices import (
    CameraDevice,
    Rank,
    automatic_cameras,
    cameras_named,
    find_camera,
    list_cameras,
    without_port,
)
from app.capture.video_file import VideoFileSource
from app.core import paths
from app.core.errors import CameraAbsentError, Remedy, SourceOpenError, UsageError, t
from app.core.files import write_private
from app.core.settings import CaptureSettings

log = logging.getLogger(__name__)

AUTO = "auto"
CAMERA = "camera"
FILE = "file"
# Less than that of a hand-held camera: at a few frames per
# second strict mode would take each pan for a scene cut.
DEMO_MOTION = 0.4


@dataclass(frozen=True, slots=True)
class SourceSpec:
    """A row of the table."""

    # What `--source` begins with: `name` or `name:value`.
    name: str
    open: Callable[[str, CaptureSettings], FrameSource]
    """(value, settings); raises SourceOpenError."""
    # Whether a value is one of this kind; the empty one stands for the name alone.
    takes: Callable[[str], bool] = lambda value: not value
    # Of its entry in the window's list; empty for a
    # kind whose entries are the devices that are found.
    title: str = ""
    # Whether a value names one of several cameras, whose settings are remembered each.
    names_camera: bool = False


def open_demo(_value: str, settings: CaptureSettings) -> DemoSource:
    """Open the demo."""
    return DemoSource(settings.width, settings.height, settings.fps, motion=DEMO_MOTION)


def _open_portal(value: str, settings: CaptureSettings) -> FrameSource:
    from app.capture.portal import PortalSource  # D-Bus and PipeWire: Linux only

    return PortalSource(value, settings)


def open_camera(camera: str, settings: CaptureSettings) -> FrameSource:
    """Open a camera by its number, device file, stable id or name. Raises SourceOpenError."""
    if camera.startswith(PIPEWIRE):
        return _open_portal(camera.removeprefix(PIPEWIRE), settings)
    return CameraSource(find_camera(camera), settings)


SOURCES: tuple[SourceSpec, ...] = (
    SourceSpec("demo", open_demo, title=t("Demonstration")),
    SourceSpec("camera", open_camera, bool, names_camera=True),
    SourceSpec("portal", _open_portal, lambda value: True, names_camera=True),
)


def listed_sources() -> tuple[SourceSpec, ...]:
    """Return the kinds with an entry of their own in the window's list."""
    return tuple(spec for spec in SOURCES if spec.title)


def names_camera(source: str) -> bool:
    """Return whether the name of a source, such as `camera:usb-046d`, is that of one camera."""
    return any(spec.names_camera and source.startswith(f"{spec.name}:") for spec in SOURCES)


class SourceName(NamedTuple):
    """A requested source."""

    # `auto`, `file` or the name of a row of `SOURCES`.
    kind: str
    # A camera's number, device file, stable id or name; a file's path; for the portal the camera's
    # name, or nothing for the first one.
    value: str = ""


def parse_source(text: str) -> SourceName:
    """Parse `auto`, `demo`, `camera:…`, `portal`, `portal:NAME`, a `/dev/video` node or a link to
    one, a camera's number or a file.

    Raises UsageError for any other text.
    """
    kind, colon, value = text.partition(":")
    value = value.strip()
    is_known = any(spec.name == kind and spec.takes(value) for spec in SOURCES)
    is_wrong = "://" in text or (kind == CAMERA and colon)
    if "\0" in text or not text.strip() or (is_wrong and not is_known):
        raise UsageError(
            t(
                "“{text}” is no source; use auto, demo, camera:INDEX, camera:/dev/videoN or a "
                "video file.",
                text=text,
            )
        )
    if text == AUTO:
        return SourceName(AUTO)
    if text.startswith(("/dev/video", "/dev/v4l/")) or (text.isascii() and text.isdigit()):
        return SourceName(CAMERA, text)
    if is_known:
        return SourceName(kind, value)
    node = os.path.realpath(paths.from_user(text))
    if node.startswith("/dev/video"):
        return SourceName(CAMERA, node)
    return SourceName(FILE, text)


def source_file(text: str) -> Path | None:
    """Return the file that a source may name, without looking at any disk.

    None for one that names none.
    """
    kind = text.partition(":")[0]
    is_named = kind == AUTO or any(kind == spec.name for spec in SOURCES)
    if is_named or text.startswith("/dev/") or text.isdecimal():
        return None
    return paths.from_user(text)


def source_device(text: str) -> str:
    """Return the device file of the camera that a source names (Linux).

    Empty for any other source.
    """
    with suppress(UsageError, SourceOpenError):
        name = parse_source(text)
        if name.kind == CAMERA:
            return find_camera(name.value).path
    return ""


def finds_camera(is_sent_to: Callable[[str], bool]) -> bool:
    """Return whether there is a camera for `auto`. is_sent_to: as for `SourceOpener`."""
    for camera in automatic_cameras(list_cameras(), ""):
        if not camera.is_virtual or is_sent_to(camera.path) or _may_wait_for_reader(camera):
            return True
    return False


def _open_named(name: SourceName, settings: CaptureSettings) -> FrameSource:
    """Open a source of a row, or a file. Raises SourceOpenError."""
    for spec in SOURCES:
        if spec.name == name.kind:
            return spec.open(name.value, settings)
    return VideoFileSource(paths.from_user(name.value))


class SourceOpener:
    """Opens sources, and remembers which camera was used last, also from one run to the next."""

    def __init__(self, is_sent_to: Callable[[str], bool]) -> None:
        """is_sent_to: whether another program sends to the virtual camera of this device file."""
        self._is_sent_to = is_sent_to
        # The address of the camera that `auto` chose last; empty before the first one.
        self._chosen = ""

    def __call__(self, settings: CaptureSettings) -> FrameSource:
        """Open the source named in `settings`; `auto` is the best camera that there is (`Rank`).

        Raises SourceOpenError; CameraAbsentError where the camera, or any for `auto`, is not there.
        A physical camera that cannot be opened is not replaced by another one.
        """
        try:
            name = parse_source(settings.source)
        except UsageError as error:
            raise SourceOpenError(error.text, Remedy.SOURCE) from error
        if name.kind == AUTO:
            return self._open_auto(settings)
        source = _open_named(name, settings)
        if source.info.kind == CAMERA:
            # A number or a name may be another camera's later.
            is_address = without_port(name.value) == source.info.id
            _remember(name.value if is_address else source.info.id)
        return source

    def _open_auto(self, settings: CaptureSettings) -> FrameSource:
        cameras = list_cameras()
        missing: CameraAbsentError | None = None
        for camera in self._by_what_is_sent(automatic_cameras(cameras, _remembered())):
            try:
                source = open_camera(camera.address, settings)
            except SourceOpenError as error:
                if not camera.is_virtual:
                    raise
                missing = missing or CameraAbsentError(error.text)  # nothing is sent to it
                continue
            self._chosen = camera.address
            _remember(camera.address)
            return source
        if self._chosen and not cameras_named(self._chosen, cameras):
            return open_camera(self._chosen, settings)  # its error names the one that is gone
        if missing is not None:
            raise missing
        raise CameraAbsentError(t("No camera was found; connect one or choose another source."))

    def _by_what_is_sent(self, cameras: list[CameraDevice]) -> Iterator[CameraDevice]:
        """Yield the cameras to try; last those virtual ones that may send only while they are read.

        v4l2-relayd is one: it opens the camera of the laptop for a reader, whose first frame comes
        a second later.
        """
        silent = []
        for camera in cameras:
            if camera.rank is not Rank.SENT or self._is_sent_to(camera.path):
                yield camera
            elif _may_wait_for_reader(camera):
                silent.append(camera)
        yield from silent


def _may_wait_for_reader(camera: CameraDevice) -> bool:
    """Return whether a program may be about to send to a virtual camera once it is read.

    A node of v4l2loopback that no program has given a format names none, and sends nothing to a
    reader.
    """
    return camera.is_virtual and bool(camera.formats)


def _remember(camera: str) -> None:
    if camera != _remembered():
        try:
            path = _memory()
            path.parent.mkdir(parents=True, exist_ok=True)
            write_private(path, camera.encode())
        except OSError as error:
            log.info("The camera used last cannot be remembered: %s", error)


def _memory() -> Path:
    """Return the path of the file with the address of the camera used last."""
    return paths.data_dir() / "last-camera"


def _remembered() -> str:
    try:
        return _memory().read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
