"""Which camera `auto` takes, of those of a played kernel."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from app.capture import SourceOpener, devices, source_device, table, v4l2
from app.capture.devices import CameraDevice, Rank
from app.capture.table import SourceSpec, finds_camera
from app.core.errors import CameraAbsentError, SourceOpenError
from app.core.settings import CaptureSettings
from app.core.types import SourceInfo
from app.system.device_holders import Holder
from tests.capture.played_kernel import answers, plug, unplug

AUTO = CaptureSettings(source="auto")
COLOUR = ("MJPG", "YUYV")
LOOPBACK = v4l2.LOOPBACK_DRIVER
Node = tuple[int, str, tuple[str, ...], str]
"""Number, name, formats and driver."""


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the cameras that were opened."""
    names: list[str] = []

    class Opened:
        def __init__(self, wanted: str, settings: CaptureSettings) -> None:
            camera = devices.find_camera(wanted)
            if camera is None or "silent" in camera.name:
                raise SourceOpenError(f"{wanted} does not open")
            names.append(camera.name)
            self.info = SourceInfo("camera", camera.name, camera.id, 640, 480, 30.0, "")

    monkeypatch.setattr(table, "CameraSource", Opened)
    monkeypatch.setattr(table, "SOURCES", (SourceSpec("camera", Opened, bool),))  # type: ignore[arg-type]
    return names


@pytest.fixture
def plugged(kernel: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Connects cameras."""
    known: dict[str, v4l2.Capability | OSError] = {}
    answers(monkeypatch, known)

    def connect(*nodes: Node) -> None:
        for number, name, formats, driver in nodes:
            plug(kernel, number, name)
            known[f"/dev/video{number}"] = v4l2.Capability(driver, f"bus-{number}", True, ((640, 480),), formats)

    return connect


@pytest.mark.parametrize(
    ("nodes", "taken"),
    [
        ([(0, "Integrated IR Camera: Integrate", COLOUR, "uvc"), (2, "Integrated Camera: I C", COLOUR, "uvc")], 2),
        ([(0, "Webcam: USB2.0 IR", ("GREY",), "uvc"), (2, "Webcam: USB2.0 HD", COLOUR, "uvc")], 2),
        ([(0, "Cam", ("Y16", "Y10", "Y8"), "uvc"), (2, "Cam", ("GREY", "NV12"), "uvc")], 2),
        ([(0, "Cam", ("Y16-BE", "Y10P"), "uvc"), (2, "Cam", ("Y41P",), "uvc")], 2),
        ([(0, "Cam INFRARED", COLOUR, "uvc"), (2, "Air Mirror", COLOUR, "uvc")], 2),
        ([(0, "RGB/IR Camera: IR", COLOUR, "uvc"), (2, "RGB/IR Camera: RGB", COLOUR, "uvc")], 2),
        ([(0, "Integrated Camera: Integrated I", COLOUR, "uvc"), (2, "Integrated Camera: I C", COLOUR, "uvc")], 2),
        ([(0, "Depth Camera: D", ("Z16",), "uvc"), (2, "Depth", ("GREY", "UYVY", "Y8I"), "uvc"),
          (4, "Depth Camera: RGB", ("YUYV",), "uvc")], 4),
        ([(0, "Depth", ("INZI", "INVI", "YUYV"), "uvc"), (2, "Depth", ("YUYV", "Y16"), "uvc")], 2),
        ([(0, "Cam", ("H264",), "uvc"), (2, "Cam", ("HEVC", "YUYV"), "uvc")], 2),
        ([(0, "Iriun Webcam", ("YU12",), LOOPBACK), (2, "Cam", COLOUR, "uvc")], 2),
        ([(0, "Dummy video device (0x0000)", ("YU12",), LOOPBACK), (2, "DroidCam", ("YU12",), LOOPBACK)], 2),
        ([(0, "OBS Virtual Camera", ("YU12",), LOOPBACK), (2, "Dummy video device (0x0000)", ("YU12",), LOOPBACK)], 2),
        ([(0, "Android Webcam", COLOUR, "uvc"), (2, "Cam", COLOUR, "uvc")], 2),
        ([(0, "DroidCam silent", ("YU12",), LOOPBACK), (2, "Dummy", ("YU12",), LOOPBACK)], 2),
        ([(0, "Integrated Camera: Integrated I", COLOUR, "uvc")], 0),
    ],
)  # fmt: skip
def test_the_camera_that_is_taken(
    nodes: list[Node], taken: int, plugged: Callable[..., None], opened: list[str]
) -> None:
    plugged(*nodes)
    assert finds_camera(lambda path: True)
    SourceOpener(lambda path: True)(AUTO)
    assert opened == [name for number, name, *_ in nodes if number == taken]


@pytest.mark.parametrize(
    "node",
    [
        (0, "Cam", ("GREY",), "uvc"),
        (0, "Cam IR", COLOUR, "uvc"),
        (0, "Cam", ("Z16", "YUYV"), "uvc"),
        (0, "Dummy", ("YU12",), LOOPBACK),
        (0, "OBS Cam", ("YU12",), LOOPBACK),
    ],
)
def test_other_cameras_are_used_only_by_name(node: Node, plugged: Callable[..., None], opened: list[str]) -> None:
    plugged(node)
    with pytest.raises(CameraAbsentError, match="No camera was found; connect one"):
        SourceOpener(lambda path: False)(AUTO)
    assert not finds_camera(lambda path: False)
    SourceOpener()(CaptureSettings(source="camera:0"))
    assert opened == [node[1]]


def test_a_phone_that_sends_nothing_is_named(plugged: Callable[..., None], opened: list[str]) -> None:
    plugged((0, "DroidCam silent", ("YU12",), LOOPBACK))
    with pytest.raises(CameraAbsentError, match="bus-0 does not open"):
        SourceOpener()(AUTO)


def test_a_physical_camera_that_fails_is_not_replaced(plugged: Callable[..., None], opened: list[str]) -> None:
    plugged((0, "silent", COLOUR, "uvc"), (2, "DroidCam", ("YU12",), LOOPBACK))
    with pytest.raises(SourceOpenError, match="does not open"):
        SourceOpener(lambda path: True)(AUTO)
    assert not opened


def test_of_equal_cameras_the_one_used_last_is_taken_also_after_a_restart(
    kernel: Path, plugged: Callable[..., None], opened: list[str]
) -> None:
    plugged((0, "Built-in", COLOUR, "uvc"))
    SourceOpener()(AUTO)
    plugged((3, "Desk", COLOUR, "uvc"), (4, "Third", COLOUR, "uvc"))
    SourceOpener()(AUTO)
    unplug(kernel, 0)
    opener = SourceOpener()
    opener(AUTO)
    plugged((0, "Built-in", COLOUR, "uvc"))
    SourceOpener()(AUTO)
    opener(AUTO)
    assert opened == ["Built-in", "Built-in", "Desk", "Desk", "Desk"]


def test_a_camera_used_by_name_is_remembered_but_no_infrared_one_is_taken_for_it(
    plugged: Callable[..., None], opened: list[str]
) -> None:
    plugged((0, "IR", ("GREY",), "uvc"), (2, "Built-in", COLOUR, "uvc"), (3, "Desk", COLOUR, "uvc"))
    opener = SourceOpener()
    for wanted in ("3", "0"):
        opener(CaptureSettings(source=f"camera:{wanted}"))
        opener(AUTO)
    assert opened == ["Desk", "Desk", "IR", "Built-in"]


def test_where_it_cannot_be_remembered_the_camera_is_used(
    plugged: Callable[..., None], opened: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("MATTECAM_DATA_DIR", str(tmp_path / "file"))
    plugged((0, "Cam", COLOUR, "uvc"))
    SourceOpener()(AUTO)
    assert opened == ["Cam"]


def test_a_phone_gives_way_to_a_camera_that_comes(plugged: Callable[..., None], opened: list[str]) -> None:
    opener = SourceOpener()
    plugged((0, "Iriun", ("YU12",), LOOPBACK))
    opener(AUTO)
    plugged((2, "Cam", COLOUR, "uvc"))
    opener(AUTO)
    assert opened == ["Iriun", "Cam"]


def test_cameras_without_known_formats_are_taken() -> None:
    """Of a node that may not be opened, and on other systems, no format is known."""
    assert CameraDevice("a", "Webcam", "", 0).rank is Rank.COLOUR
    assert CameraDevice("a", "Integrated IR Camera", "", 0).rank is None
    assert CameraDevice("a", "iPhone Camera", "", 0).rank is Rank.PHONE


@pytest.mark.parametrize("named", ["camera:2", "2", "/dev/video2", "camera:bus-2", "camera:Cam", "LINK", "camera:LINK"])
def test_the_device_of_a_source(named: str, plugged: Callable[..., None], tmp_path: Path) -> None:
    plugged((2, "Cam", COLOUR, "uvc"))
    link = tmp_path / "my-camera"
    link.symlink_to("/dev/video2")
    assert source_device(named.replace("LINK", str(link))) == "/dev/video2"


@pytest.mark.parametrize("named", ["auto", "demo", "film.mp4", "", "camera:gone", "portal:Cam"])
def test_other_sources_have_no_device(named: str, plugged: Callable[..., None]) -> None:
    plugged()
    assert source_device(named) == ""


def test_the_virtual_camera_in_use_is_no_source(plugged: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    plugged((2, "Dummy", ("YU12",), LOOPBACK))
    monkeypatch.setattr("app.capture.camera.os.getpid", lambda: 7)
    monkeypatch.setattr("app.capture.camera.holders", lambda path: (Holder(7, "mattecam", True),))
    for named in ("camera:2", "/dev/video9"):
        with pytest.raises(SourceOpenError, match="is the virtual camera that this program sends to"):
            SourceOpener()(CaptureSettings(source=named))
