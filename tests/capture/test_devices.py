"""Cameras of a fake sysfs: enumeration, and reasons for failures."""

from __future__ import annotations

import errno
import math
import struct
import sys
import threading
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import Mock

import cv2
import numpy as np
import pytest

from app.capture import devices, source_device
from app.core.errors import CameraAbsentError, SourceOpenError
from app.core.process import Holder
from app.core.settings import CaptureSettings
from app.system import v4l2
from app.system.v4l2 import LOOPBACK_DRIVER as LOOPBACK
from tests.capture.conftest import FAST, Driver, Kernel
from tests.sources import new_opener, open_source
from tests.stand_ins import always

# VIDIOC_G_INPUT and VIDIOC_ENUMINPUT.
G_INPUT = 0x80045626
ENUM_INPUT = 0xC050561A
TWIN = "usb-Maker_Twin-video-index0"
NAMES = ["camera:2", "2", "/dev/video2", "camera:bus-2", "camera:Cam", "LINK", "camera:LINK"]
OTHER_NAMES = ["auto", "demo", "film.mp4", "", "camera:gone", "portal:Cam"]


@pytest.mark.parametrize(
    "wanted", ["97", "/dev/video97", "usb-gone-video-index0", "-1", "99999999999999", "../x", "№"]
)
def test_an_absent_camera_is_named_and_nothing_printed(
    wanted: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SourceOpenError) as failure:
        open_source(CaptureSettings(source=f"camera:{wanted}"))
    assert wanted in str(failure.value)
    assert capfd.readouterr() == ("", "")


@pytest.mark.linux("app.system.v4l2")
@pytest.mark.parametrize("path", ["/dev/null", "/dev/video97", "/dev"])
def test_the_reason_why_a_device_delivers_no_frame(path: str) -> None:
    assert devices.why_not(path).startswith("it is not")


@pytest.mark.parametrize(
    ("driver", "is_camera", "held", "reason"),
    [
        (LOOPBACK, True, True, "nothing is sent to it; start the program that sends"),
        (LOOPBACK, False, False, "nothing is sent to it"),
        ("uvcvideo", True, True, "it is in use by obs (process 7); close it there"),
        ("uvcvideo", True, False, "it delivers no frames"),
        ("bcm2835-codec", False, False, "it is not a camera"),
    ],
)
def test_the_reason_names_who_is_to_blame(
    driver: str,
    is_camera: bool,
    held: bool,
    reason: str,
    monkeypatch: pytest.MonkeyPatch,
    kernel: Kernel,
) -> None:
    """A loopback camera has many readers: closing the program that holds it, which is the sender, would not help."""
    kernel.plug(2, "Cam", driver=driver, is_camera=is_camera)
    monkeypatch.setattr(devices, "holders", lambda path: (Holder(7, "obs", False),) if held else ())

    assert devices.why_not("/dev/video2").startswith(reason)


def test_an_input_without_a_signal_is_named(kernel: Kernel) -> None:
    """A grabber whose console was off was told to be reconnected."""
    kernel.plug(2, "Grabber", has_signal=False)

    assert devices.why_not("/dev/video2").startswith("its input has no signal; switch on")


NTSC = 0xB000
HAS_TIMINGS = 2
NO_POWER = 0x1
NO_SIGNAL = 0x2
NO_LINE_LOCK = 0x100
NO_SYNC = 0x10000


@pytest.mark.linux("app.system.v4l2")
@pytest.mark.parametrize(
    ("standards", "status", "capabilities", "answer"),
    [
        pytest.param(0, 0, 0, None, id="a webcam"),
        pytest.param(NTSC, 0, 0, True, id="television"),
        pytest.param(NTSC, NO_SIGNAL, 0, False, id="television without a signal"),
        pytest.param(NTSC, NO_LINE_LOCK, 0, True, id="a worn tape"),
        pytest.param(0, 0, HAS_TIMINGS, True, id="HDMI"),
        pytest.param(0, NO_SIGNAL, HAS_TIMINGS, False, id="HDMI without a signal"),
        pytest.param(0, NO_SYNC, HAS_TIMINGS, False, id="HDMI without sync"),
        pytest.param(0, NO_POWER, 0, False, id="a sensor that is off"),
    ],
)
def test_the_driver_says_whether_its_input_has_a_signal(
    standards: int,
    status: int,
    capabilities: int,
    answer: bool | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def ioctl(node: int, request: int, argument: bytearray) -> int:
        if request == G_INPUT:
            struct.pack_into("I", argument, 0, 3)
            return 0
        assert request == ENUM_INPUT
        assert struct.unpack_from("I", argument)[0] == 3, "another input than that in use"
        struct.pack_into("QII", argument, 48, standards, status, capabilities)
        return 0

    monkeypatch.setattr("app.system.v4l2.fcntl.ioctl", ioctl)

    assert v4l2.has_signal(7) is answer


@pytest.mark.linux("app.system.v4l2")
@pytest.mark.parametrize("path", ["/dev/null", "/dev/video97"])
def test_what_has_no_inputs_says_nothing_of_a_signal(path: str) -> None:
    assert devices.has_signal(path) is None


@pytest.mark.linux("app.system.v4l2")
def test_black_frames_of_a_grabber_are_told_from_a_closed_shutter(driver: Driver) -> None:
    driver.has_signal = False
    black = np.zeros((48, 64, 3), np.uint8)
    driver.shows = {"MJPG": black, "YUYV": black}

    with pytest.raises(SourceOpenError, match="its input has no signal"):
        driver.source(FAST)


def test_physical_cameras_are_listed_first(kernel: Kernel) -> None:
    kernel.plug(10, "Webcam", ("MJPG",), bus="usb-1")
    kernel.plug(11, "Webcam", node=1, is_camera=False)
    kernel.plug(14, "not ours", node=1, error=PermissionError(13, "Permission denied"))
    kernel.plug(2, "OBS Cam", driver=LOOPBACK)
    kernel.plug(3, "Mattecam")
    kernel.plug(4, "decoder", driver="dec", is_camera=False)
    kernel.plug(5, "Intel IPU6 ISYS Capture 0")
    kernel.plug(8, "ipu3-cio2 0")
    kernel.plug(6, "broken", error=OSError(5, "Input/output error"))
    kernel.plug(12, "not ours", error=PermissionError(13, "Permission denied"))
    kernel.plug(13, "taken", error=OSError(errno.EBUSY, "Device or resource busy"))
    kernel.plug(1, "full", driver=LOOPBACK, error=OSError(errno.EBUSY, "Device or resource busy"))
    (kernel.folder / "by-id" / "usb-Maker_Webcam_1-video-index0").symlink_to("/dev/video10")
    found = devices.list_cameras()
    assert [(device.index, device.is_virtual) for device in found] == [
        (10, False), (12, False), (13, False), (1, True), (2, True)
    ]  # fmt: skip
    assert [device.index for device in found if device.busy] == [13, 1]
    assert found[0].id == "usb-Maker_Webcam_1-video-index0"
    assert (found[0].sizes, found[0].formats) == (((640, 480),), ("MJPG",))
    for wanted in ("10", "/dev/video10", "usb-Maker_Webcam_1-video-index0", "usb-1", "Webcam"):
        assert devices.find_camera(wanted) == found[0], wanted
    assert devices.find_camera("/dev/./video10") == found[0], "as through a link in /dev/v4l"
    (kernel.folder / "by-id" / "usb-late").symlink_to("/dev/null")
    for wanted, found_id in (("/dev/null", "usb-late"), ("99", "/dev/video99")):
        late = devices.find_camera(wanted)
        assert (late.id, late.index) == (found_id, -1), "not listed, but it may open a moment later"


def list_of_other_systems(
    monkeypatch: pytest.MonkeyPatch, system: str, **backends: list[SimpleNamespace]
) -> None:
    """Let the back ends of a system list these cameras."""
    known = {"msmf": cv2.CAP_MSMF, "dshow": cv2.CAP_DSHOW, "avfoundation": cv2.CAP_AVFOUNDATION}
    of_number = {known[name]: cameras for name, cameras in backends.items()}

    def enumerate_cameras(backend: int) -> list[SimpleNamespace]:
        return of_number.get(backend, [])

    monkeypatch.setitem(
        sys.modules, "cv2_enumerate_cameras", Mock(enumerate_cameras=enumerate_cameras)
    )
    monkeypatch.setattr(devices, "SYSTEM", system)


def numbered(*cameras: tuple[str, str | None]) -> list[SimpleNamespace]:
    """Return what a back end says of cameras, by name and path."""
    return [
        SimpleNamespace(name=name, path=path, index=index)
        for index, (name, path) in enumerate(cameras)
    ]


@pytest.mark.parametrize(("system", "backend"), [("Windows", "msmf"), ("Darwin", "avfoundation")])
def test_other_systems_list_physical_cameras_first_and_not_ours(
    system: str, backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = numbered(("OBS Virtual Camera", None), ("Mattecam", None), ("HD Webcam", None))
    list_of_other_systems(monkeypatch, system, **{backend: found})

    assert [(each.name, each.index, each.is_virtual) for each in devices.list_cameras()] == [
        ("HD Webcam", 2, False),
        ("OBS Virtual Camera", 0, True),
    ]


DESK = (
    r"\\?\usb#vid_046d&pid_0825&mi_00#7&1c2b&0&0000#{e5323777-f976-4f5b-9b55-b94699c46e44}\global"
)
DESK_OF_DIRECTSHOW = (
    r"\\?\USB#VID_046D&PID_0825&MI_00#7&1C2B&0&0000#{65e8773d-8f56-11d0-a3b9-00a0c9223196}\global"
)
LAPTOP = DESK.replace("046d", "0bda")
LAPTOP_OF_DIRECTSHOW = DESK_OF_DIRECTSHOW.replace("046D", "0BDA")


def test_directshow_opens_the_camera_of_the_path_and_not_that_of_the_number(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where Media Foundation did not open a camera, DirectShow was asked for the same number: another camera."""
    list_of_other_systems(
        monkeypatch,
        "Windows",
        msmf=numbered(("Laptop", LAPTOP), ("Desk", DESK)),
        dshow=numbered(
            ("OBS Virtual Camera", None),
            ("Desk", DESK_OF_DIRECTSHOW),
            ("Laptop", LAPTOP_OF_DIRECTSHOW),
        ),
    )

    laptop = devices.find_camera("0")

    assert laptop.name == "Laptop"
    assert devices.windows_numbers(laptop) == [(0, cv2.CAP_MSMF), (2, cv2.CAP_DSHOW)]


def test_a_camera_keeps_its_path_when_another_one_is_connected(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    list_of_other_systems(monkeypatch, "Windows", msmf=numbered(("Desk", DESK)))
    desk = devices.find_camera("Desk")

    list_of_other_systems(monkeypatch, "Windows", msmf=numbered(("Laptop", LAPTOP), ("Desk", DESK)))

    assert devices.windows_numbers(desk) == [(1, cv2.CAP_MSMF)]


def test_a_camera_that_directshow_alone_has_is_listed_and_opened_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """OBS Studio's camera was not in the list."""
    list_of_other_systems(
        monkeypatch,
        "Windows",
        msmf=numbered(("Laptop", LAPTOP)),
        dshow=numbered(("OBS Virtual Camera", None), ("Laptop", LAPTOP_OF_DIRECTSHOW)),
    )

    laptop, of_obs = devices.list_cameras()

    assert (laptop.name, laptop.index, of_obs.name, of_obs.index) == (
        "Laptop",
        0,
        "OBS Virtual Camera",
        1,
    )
    assert devices.windows_numbers(of_obs) == [(0, cv2.CAP_DSHOW)]


def test_one_of_two_cameras_of_a_name_without_a_path_is_not_guessed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    list_of_other_systems(
        monkeypatch,
        "Windows",
        msmf=numbered(("Cam", None)),
        dshow=numbered(("Cam", None), ("Cam", None)),
    )

    (camera,) = devices.list_cameras()

    assert devices.windows_numbers(camera) == [(0, cv2.CAP_MSMF)]


def test_a_camera_that_windows_does_not_list_is_tried_by_number_in_one_back_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    list_of_other_systems(monkeypatch, "Windows", dshow=numbered(("Other", None)))

    camera = devices.find_camera("7")

    assert devices.windows_numbers(camera) == [(7, cv2.CAP_DSHOW)]


def test_a_new_camera_waits_for_its_names(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that was opened before udev had made its links had another id: its drop zones did not hide anything."""
    udev = kernel.folder / "udev"
    monkeypatch.setattr(devices, "UDEV_S", math.inf)

    def set_up() -> None:
        (kernel.folder / "by-id" / "usb-Webcam").symlink_to("/dev/null")
        (udev / "c1:3").touch()

    timer = threading.Timer(0.2, set_up)
    timer.start()
    found = devices.links("/dev/null")
    timer.join()
    assert found == ["usb-Webcam"]
    monkeypatch.setattr(devices, "UDEV_S", 0.0)
    assert devices.links("/dev/zero") == [], "udev never sees the devices of a container"


def test_two_cameras_without_serial_numbers_have_two_ids(kernel: Kernel) -> None:
    for number in range(2):
        kernel.plug(number, "Twin", bus="usb")
    ids = [device.id for device in devices.list_cameras()]

    assert len(set(ids)) == 2
    assert [device.id for device in map(devices.find_camera, ids)] == ids


def plug_twin(kernel: Kernel, number: int, port: str) -> None:
    """Connect a camera without a serial number, whose link by model leads to it from now on."""
    kernel.plug(number, "Twin", bus="usb")
    folder = kernel.folder
    (folder / "sys" / f"video{number}" / "dev").write_text(f"81:{number}\n")
    names = {"by-id": TWIN, "by-path": f"pci-usb-{port}-video-index0"}
    (folder / "udev" / f"c81:{number}").write_text(
        "".join(f"S:v4l/{f}/{n}\n" for f, n in names.items()) + "V:1\n"
    )
    for kind, name in names.items():
        (folder / kind / name).unlink(missing_ok=True)
        (folder / kind / name).symlink_to(f"/dev/video{number}")


def test_two_cameras_of_a_model_keep_their_ids_when_they_are_found_in_another_order(
    kernel: Kernel,
) -> None:
    """The id was that of the model for one of them, and for the other one after the next start: with the zones and the
    empty-background plate of the first one.
    """
    plug_twin(kernel, 0, "1")
    plug_twin(kernel, 1, "2")
    first = {device.id: device.path for device in devices.list_cameras()}
    for number in (0, 1):
        kernel.unplug(number)
    plug_twin(kernel, 2, "2")
    plug_twin(kernel, 3, "1")
    ids = [f"{TWIN}#pci-usb-{port}-video-index0" for port in "12"]
    assert first == {ids[0]: "/dev/video0", ids[1]: "/dev/video1"}
    found = {device.id: device.path for device in devices.list_cameras()}
    assert found == {ids[0]: "/dev/video3", ids[1]: "/dev/video2"}
    for wanted in (TWIN, "Twin"):
        with pytest.raises(
            SourceOpenError,
            match=f"several cameras {wanted}; choose one of camera:{ids[1]}, camera:",
        ):
            devices.find_camera(wanted)  # it may be the other one
    kernel.unplug(3)
    alone = devices.find_camera(TWIN)
    assert (alone.id, alone.path) == (TWIN, "/dev/video2")
    assert devices.find_camera(ids[1]) == alone
    with pytest.raises(CameraAbsentError):
        devices.find_camera(ids[0])


def address(kernel: Kernel) -> str:
    """Return what is saved of the only camera."""
    (camera,) = devices.list_cameras()
    return camera.source.removeprefix("camera:")


def test_a_camera_saved_alone_is_opened_beside_a_second_one_of_its_model(kernel: Kernel) -> None:
    """It was refused: both have the id that was saved."""
    plug_twin(kernel, 0, "1")
    saved = address(kernel)

    plug_twin(kernel, 2, "2")

    assert devices.find_camera(saved).path == "/dev/video0"
    first, _ = devices.automatic_cameras(devices.list_cameras(), saved)
    assert first.path == "/dev/video0"


def test_of_two_cameras_of_a_model_auto_takes_the_one_that_it_took_alone(kernel: Kernel) -> None:
    plug_twin(kernel, 2, "2")
    saved = address(kernel)

    plug_twin(kernel, 0, "1")

    first, _ = devices.automatic_cameras(devices.list_cameras(), saved)
    assert first.path == "/dev/video2"


def test_a_camera_saved_alone_may_move_to_another_port(kernel: Kernel) -> None:
    plug_twin(kernel, 0, "1")
    saved = address(kernel)
    kernel.unplug(0)

    plug_twin(kernel, 3, "7")

    assert devices.find_camera(saved).path == "/dev/video3"
    assert devices.without_port(saved) == devices.without_port(address(kernel)) == TWIN


@pytest.mark.parametrize("bus", ["PCI:0000:03:00.0", "platform:vivid-000", "/dev/video0"])
def test_a_camera_whose_only_link_is_its_port_is_found_by_its_address(
    kernel: Kernel, bus: str
) -> None:
    """`auto` said that there is no such camera: the address ended in the name of the bus."""
    kernel.plug(0, "Card", bus=bus)
    link = kernel.folder / "by-path" / "pci-0000:03:00.0-video-index0"
    link.symlink_to("/dev/video0")

    saved = address(kernel)

    assert devices.find_camera(saved).path == "/dev/video0"
    assert devices.without_port(saved) == saved == link.name


def test_two_cameras_of_a_model_that_both_moved_are_not_guessed(kernel: Kernel) -> None:
    plug_twin(kernel, 0, "1")
    saved = address(kernel)
    kernel.unplug(0)

    plug_twin(kernel, 2, "2")
    plug_twin(kernel, 3, "3")

    with pytest.raises(SourceOpenError, match="several cameras"):
        devices.find_camera(saved)


def test_cameras_of_one_name_have_titles_of_their_own(kernel: Kernel) -> None:
    plug_twin(kernel, 0, "1")
    plug_twin(kernel, 1, "2")
    kernel.plug(5, "Desk")

    assert devices.titles(devices.list_cameras()) == [
        "Twin (/dev/video0)",
        "Twin (/dev/video1)",
        "Desk",
    ]


@pytest.mark.parametrize("name", ["tw686x channel", "TW6869"], ids=["numbered names", "one name"])
def test_all_channels_of_a_card_are_listed_and_opened(name: str, kernel: Kernel) -> None:
    """Only the first node of a card was listed, as if the others held metadata."""
    for number in range(4):
        is_numbered = name.endswith("channel")
        kernel.plug(
            number,
            f"{name} {number}" if is_numbered else name,
            ("UYVY",),
            "tw686x",
            bus="PCI:1",
            node=number,
        )
    kernel.plug(4, name, (), "tw686x", bus="PCI:1", node=4, is_camera=False)

    found = devices.list_cameras()

    assert [camera.index for camera in found] == [0, 1, 2, 3]
    assert len({camera.source for camera in found}) == len(set(devices.titles(found))) == 4
    for camera in found:
        assert devices.find_camera(camera.source.removeprefix("camera:")) == camera


@pytest.mark.parametrize(
    ("named", "device"),
    [*((name, "/dev/video2") for name in NAMES), *((name, "") for name in OTHER_NAMES)],
)
def test_the_device_of_a_source(named: str, device: str, kernel: Kernel, tmp_path: Path) -> None:
    kernel.plug(2, "Cam", ("MJPG", "YUYV"))
    link = tmp_path / "my-camera"
    link.symlink_to("/dev/video2")

    assert source_device(named.replace("LINK", str(link))) == device


def test_the_virtual_camera_in_use_is_no_source(
    kernel: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    kernel.plug(2, "Dummy", ("YU12",), LOOPBACK)
    monkeypatch.setattr("app.capture.camera.os.getpid", always(7))
    monkeypatch.setattr(
        "app.capture.camera.holders", lambda path: (Holder(7, "mattecam", True, True),)
    )
    for named in ("camera:2", "/dev/video9"):
        with pytest.raises(
            SourceOpenError, match="is the virtual camera that this program sends to"
        ):
            new_opener()(CaptureSettings(source=named))


@pytest.mark.parametrize("system", ["Linux", "Windows"])
@pytest.mark.parametrize("number", [str(2**31), "99999999999999", "9" * 5000])
def test_a_number_that_no_driver_takes_is_no_camera(
    monkeypatch: pytest.MonkeyPatch, system: str, number: str
) -> None:
    """It was an internal error: drivers take a C int, and Python reads at most 4300 digits."""
    monkeypatch.setattr(devices, "SYSTEM", system)
    monkeypatch.setattr(devices, "_device_cameras", list)

    with pytest.raises(CameraAbsentError):
        devices.find_camera(number)
