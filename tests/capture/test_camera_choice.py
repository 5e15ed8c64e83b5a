"""Which camera `auto` takes, and which are used by name only."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.capture import SourceOpener, devices, table
from app.capture.table import SourceSpec, finds_camera
from app.core.errors import CameraAbsentError, SourceOpenError
from app.core.settings import CaptureSettings
from app.core.types import SourceInfo
from app.system.v4l2 import LOOPBACK_DRIVER as LOOPBACK
from tests.capture.conftest import Kernel
from tests.sources import new_opener
from tests.stand_ins import always

AUTO = CaptureSettings(source="auto")
COLOUR = ("MJPG", "YUYV")
Node = tuple[int, str, tuple[str, ...]] | tuple[int, str, tuple[str, ...], str]
"""Number, name, formats, and the driver if it is not that of a webcam."""


def plug(kernel: Kernel, *nodes: Node) -> None:
    for node in nodes:
        kernel.plug(*node)


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the cameras that were opened."""
    names: list[str] = []

    class Opened:
        def __init__(self, wanted: str, settings: CaptureSettings) -> None:
            camera = devices.find_camera(wanted)
            if "silent" in camera.name:
                raise SourceOpenError(f"{wanted} does not open")
            names.append(camera.name)
            self.info = SourceInfo("camera", camera.name, camera.id, 640, 480, 30.0, "")

    monkeypatch.setattr(table, "open_camera", Opened)
    monkeypatch.setattr(table, "SOURCES", (SourceSpec("camera", Opened, bool),))  # type: ignore[arg-type]
    return names


@pytest.mark.parametrize(
    ("nodes", "taken"),
    [
        ([(0, "Integrated IR Camera: Integrate", COLOUR), (2, "Integrated Camera: I C", COLOUR)], 2),
        ([(0, "Webcam: USB2.0 IR", ("GREY",)), (2, "Webcam: USB2.0 HD", COLOUR)], 2),
        ([(0, "Cam", ("Y16", "Y10", "Y8")), (2, "Cam", ("GREY", "NV12"))], 2),
        ([(0, "Cam", ("Y16-BE", "Y10P")), (2, "Cam", ("Y41P",))], 2),
        ([(0, "Cam INFRARED", COLOUR), (2, "Air Mirror", COLOUR)], 2),
        ([(0, "RGB/IR Camera: IR", COLOUR), (2, "RGB/IR Camera: RGB", COLOUR)], 2),
        ([(0, "Integrated Camera: Integrated I", COLOUR), (2, "Integrated Camera: I C", COLOUR)], 2),
        ([(0, "Depth: D", ("Z16",)), (2, "Depth", ("GREY", "UYVY", "Y8I")), (4, "Depth: RGB", ("YUYV",))], 4),
        ([(0, "Depth", ("INZI", "INVI", "YUYV")), (2, "Depth", ("YUYV", "Y16"))], 2),
        ([(0, "Cam", ("H264",)), (2, "Cam", ("HEVC", "YUYV"))], 2),
        ([(0, "Iriun Webcam", ("YU12",), LOOPBACK), (2, "Cam", COLOUR)], 2),
        ([(0, "Dummy video device (0x0000)", ("YU12",), LOOPBACK), (2, "DroidCam", ("YU12",), LOOPBACK)], 2),
        ([(0, "OBS Virtual Camera", ("YU12",), LOOPBACK), (2, "Dummy video device (0x0000)", ("YU12",), LOOPBACK)], 2),
        ([(0, "Android Webcam", COLOUR), (2, "Cam", COLOUR)], 2),
        ([(0, "DroidCam silent", ("YU12",), LOOPBACK), (2, "Dummy", ("YU12",), LOOPBACK)], 2),
        ([(0, "Integrated Camera: Integrated I", COLOUR)], 0),
        ([(0, "HD USB Camera IR-CUT", COLOUR)], 0),
        ([(0, "IR CUT USB Camera", COLOUR)], 0),
        ([(0, "1080P IR Night Vision Camera", COLOUR)], 0),
        ([(0, "ELP infrared nightvision", COLOUR)], 0),
        ([(0, "Day/Night USB camera with IR LED", COLOUR)], 0),
        ([(0, "HD USB Camera 1080P with ICR+IR", COLOUR)], 0),
        ([(0, "2MP Sony IMX USB Camera with IR-", COLOUR), (2, "Cam", COLOUR)], 2),
        ([(0, "Sonix 1080P USB Webcam with IR-", COLOUR)], 0),
        ([(0, "iPhone Camera", ()), (2, "Integrated IR Camera", ()), (4, "Webcam", ())], 4),
    ],
)  # fmt: skip
def test_the_camera_that_is_taken(
    nodes: list[Node], taken: int, kernel: Kernel, opened: list[str]
) -> None:
    plug(kernel, *nodes)
    assert finds_camera(always(True))
    SourceOpener(always(True))(AUTO)
    assert opened == [name for number, name, *_ in nodes if number == taken]


@pytest.mark.parametrize(
    "node",
    [
        (0, "Cam", ("GREY",)),
        (0, "Cam IR", COLOUR),
        (0, "Cam", ("Z16", "YUYV")),
        pytest.param(
            (0, "Dummy", (), LOOPBACK), id="a virtual camera that no program has given a format"
        ),
        (0, "OBS Cam", ("YU12",), LOOPBACK),
    ],
)
def test_other_cameras_are_used_only_by_name(node: Node, kernel: Kernel, opened: list[str]) -> None:
    plug(kernel, node)
    with pytest.raises(CameraAbsentError, match="No camera was found; connect one"):
        SourceOpener(always(False))(AUTO)
    assert not finds_camera(always(False))
    new_opener()(CaptureSettings(source="camera:0"))
    assert opened == [node[1]]


MIPI: Node = (0, "Intel MIPI Camera", ("YUYV",), LOOPBACK)
"""The camera of a laptop behind v4l2-relayd, which sends nothing while nobody reads."""


@pytest.mark.parametrize(
    ("others", "taken"),
    [
        pytest.param([], "Intel MIPI Camera", id="alone"),
        pytest.param([(2, "Webcam", COLOUR)], "Webcam", id="beside a webcam"),
        pytest.param([(2, "DroidCam", ("YU12",), LOOPBACK)], "DroidCam", id="beside a phone"),
        pytest.param(
            [(2, "Dummy", (), LOOPBACK)], "Intel MIPI Camera", id="beside a node without a sender"
        ),
        pytest.param(
            [(2, "silent", ("YU12",), LOOPBACK)],
            "Intel MIPI Camera",
            id="beside one that stays silent",
        ),
    ],
)
def test_a_camera_that_sends_only_while_it_is_read_is_taken_last(
    others: list[Node], taken: str, kernel: Kernel, opened: list[str]
) -> None:
    plug(kernel, MIPI, *others)

    new_opener()(AUTO)

    assert finds_camera(always(False))
    assert opened == [taken]


def test_a_camera_that_sends_already_is_taken_before_one_that_may(
    kernel: Kernel, opened: list[str]
) -> None:
    plug(kernel, MIPI, (2, "Photo camera", ("YUYV",), LOOPBACK))

    SourceOpener(lambda path: path == "/dev/video2")(AUTO)

    assert opened == ["Photo camera"]


@pytest.mark.parametrize(
    ("nodes", "error"),
    [
        ([(0, "DroidCam silent", ("YU12",), LOOPBACK)], CameraAbsentError),
        ([(0, "silent", COLOUR), (2, "DroidCam", ("YU12",), LOOPBACK)], SourceOpenError),
    ],
    ids=["a phone that sends nothing", "a physical camera, which no other one replaces"],
)
def test_a_camera_that_does_not_open_is_named(
    nodes: list[Node], error: type[SourceOpenError], kernel: Kernel, opened: list[str]
) -> None:
    plug(kernel, *nodes)

    with pytest.raises(error, match="bus-0 does not open"):
        SourceOpener(always(True))(AUTO)

    assert not opened


def test_of_equal_cameras_the_one_used_last_is_taken_also_after_a_restart(
    kernel: Kernel, opened: list[str]
) -> None:
    plug(kernel, (5, "Iriun", ("YU12",), LOOPBACK))
    opener = new_opener()
    opener(AUTO)
    plug(kernel, (0, "Built-in", COLOUR))
    opener(AUTO)
    plug(kernel, (3, "Desk", COLOUR), (4, "Third", COLOUR))
    new_opener()(AUTO)
    kernel.unplug(0)
    opener = new_opener()
    opener(AUTO)
    plug(kernel, (0, "Built-in", COLOUR))
    new_opener()(AUTO)
    opener(AUTO)

    assert opened == ["Iriun", "Built-in", "Built-in", "Desk", "Desk", "Desk"]


def test_a_camera_used_by_name_is_remembered_but_no_infrared_one_for_it(
    kernel: Kernel, opened: list[str]
) -> None:
    plug(kernel, (0, "IR", ("GREY",)), (2, "Built-in", COLOUR), (3, "Desk", COLOUR))
    opener = new_opener()
    for wanted in ("3", "0"):
        opener(CaptureSettings(source=f"camera:{wanted}"))
        opener(AUTO)

    assert opened == ["Desk", "Desk", "IR", "Built-in"]


def test_where_it_cannot_be_remembered_the_camera_is_used(
    kernel: Kernel, opened: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("MATTECAM_DATA_DIR", str(tmp_path / "file"))
    plug(kernel, (0, "Cam", COLOUR))
    new_opener()(AUTO)

    assert opened == ["Cam"]
