"""Findings about cameras and PipeWire."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from app.capture.devices import CameraDevice
from app.doctor.camera import check_cameras
from app.doctor.finding import State
from app.doctor.proof import prove_pipewire
from app.doctor.virtual_camera import (
    check_elsewhere,
    check_pipewire,
)
from tests.doctor.conftest import Machine, Wanted, expect
from tests.pipewire_session import PrivateSession, private_session

PROBLEM = State.PROBLEM
WARNING = State.WARNING
OK = State.OK
LISTED = CameraDevice(
    "usb",
    "HD Webcam",
    "/dev/video0",
    0,
    ((1920, 1080), (640, 480)),
    ("MJPG", "YUYV"),
)
PHONE = CameraDevice("v4l2loopback-002", "DroidCam", "/dev/video2", 2, is_virtual=True)


def webcam(machine: Machine) -> Machine:
    """Return the machine with a camera, its metadata node, and a virtual camera."""
    return machine.camera(0, "HD Webcam").camera(1, "HD Webcam", index=1).loaded(10)


def decoder(machine: Machine) -> Machine:
    """Return the machine with two devices that are no cameras, one as on a Raspberry Pi."""
    return machine.camera(10, "bcm2835-codec-decode").loaded(11).without("/dev/video11")


def phone(machine: Machine) -> Machine:
    return machine.loaded(2, label="DroidCam")


def webcam_without_its_file(machine: Machine) -> Machine:
    return webcam(machine).without("/dev/video0")


def webcam_of_the_session(machine: Machine) -> Machine:
    return webcam(machine).process(70, "wireplumber", "/dev/video0")


def webcam_in_a_call(machine: Machine) -> Machine:
    return webcam(machine).process(71, "zoom", "/dev/video0")


def raw_sensor(name: str, machine: Machine) -> Machine:
    return machine.camera(0, name).camera(1, name)


NONE = "No camera was found."
DESCRIBED = OK, "HD Webcam (/dev/video0, up to 1920×1080, MJPG, YUYV)."
WSL = "5.15.167.4-microsoft-standard-WSL2"
OF_MACOS = replace(LISTED, path="0", sizes=(), formats=())


@pytest.mark.parametrize(
    ("prepare", "given", "listed", "wanted"),
    [
        pytest.param(webcam, {}, [LISTED], [DESCRIBED], id="a camera"),
        pytest.param(phone, {}, [PHONE], [(OK, "DroidCam (/dev/video2).")], id="a phone"),
        pytest.param(
            webcam,
            {"platform": "darwin"},
            [OF_MACOS],
            [(OK, "HD Webcam (0).")],
            id="a camera of macOS",
        ),
        pytest.param(decoder, {}, [], [(WARNING, NONE, "Connect a camera")], id="none"),
        pytest.param(
            decoder,
            {"release": WSL},
            [],
            [(WARNING, NONE, "usbipd")],
            id="none in WSL",
        ),
        pytest.param(
            decoder,
            {"platform": "darwin"},
            [],
            [(WARNING, NONE, "privacy settings")],
            id="none on macOS",
        ),
        pytest.param(
            decoder,
            {"platform": "win32"},
            [],
            [(WARNING, NONE, "Let desktop apps access your camera")],
            id="none on Windows",
        ),
        pytest.param(
            webcam,
            {"allowed": False},
            [LISTED],
            [
                (
                    PROBLEM,
                    "ada has no permission to open /dev/video0",
                    "sudo usermod -aG video ada",
                )
            ],
            id="no permission",
        ),
        pytest.param(
            webcam_without_its_file,
            {},
            [],  # nothing that can be listed
            [
                (
                    PROBLEM,
                    "the device file /dev/video0 is missing",
                    "docker run --device /dev/video0",
                )
            ],
            id="no device file",
        ),
        pytest.param(
            webcam_of_the_session,
            {},
            [LISTED],
            [DESCRIBED],
            id="open in WirePlumber",
        ),
        pytest.param(
            webcam_in_a_call,
            {},
            [LISTED],
            [DESCRIBED, (WARNING, "zoom (process 71)")],
            id="open in another program",
        ),
        pytest.param(
            webcam,
            {},
            [replace(LISTED, busy=True)],
            [DESCRIBED, (WARNING, "in use by another program")],
            id="busy",
        ),
        *(
            pytest.param(
                partial(raw_sensor, name),
                {},
                [],
                [(WARNING, "raw sensor", "libcamera")],
                id=name,
            )
            for name in ("Intel IPU6 ISYS Capture 0", "ipu3-cio2 1", "ipu3-imgu 2")
        ),
    ],
)
def test_what_is_found_of_cameras(
    machine: Machine,
    prepare: Callable[[Machine], Machine],
    given: dict[str, Any],
    listed: list[CameraDevice],
    wanted: list[Wanted],
) -> None:
    expect(check_cameras(prepare(machine).system(**given), listed), *wanted)


CONSENT = r"Software\Microsoft\Windows\CurrentVersion\CapabilityAccessManager\ConsentStore\webcam"


@pytest.mark.parametrize(
    "key", [CONSENT, rf"{CONSENT}\NonPackaged"], ids=["all programs", "desktop apps"]
)
def test_the_privacy_settings_of_windows_are_named(key: str, machine: Machine) -> None:
    """A camera that they keep back is listed, and gives nothing."""

    def registry_texts(asked: str, name: str) -> tuple[str, ...]:
        return ("Deny",) if (asked, name) == (key, "Value") else ()

    system = machine.system(platform="win32", registry_texts=registry_texts)

    expect(
        check_cameras(system, [replace(LISTED, sizes=(), formats=())]),
        (PROBLEM, "privacy settings of Windows", "Let desktop apps access your camera"),
        (OK, "HD Webcam"),
    )


def test_a_program_that_uses_a_camera_is_named_on_windows(machine: Machine) -> None:
    def programs_since(key: str, name: str) -> tuple[str, ...]:
        assert (key, name) == (rf"{CONSENT}\NonPackaged", "LastUsedTimeStop")
        return "Zoom.exe", "python.exe"

    system = machine.system(platform="win32", programs_since=programs_since)

    expect(
        check_cameras(system, [replace(LISTED, sizes=(), formats=())]),
        (OK, "HD Webcam"),
        (WARNING, "in use by Zoom.exe", "close it or choose another camera"),
    )


def test_privacy_settings_that_let_programs_use_cameras_are_not_named(machine: Machine) -> None:
    def registry_texts(asked: str, name: str) -> tuple[str, ...]:
        return ("Allow",)

    system = machine.system(platform="win32", registry_texts=registry_texts)

    expect(check_cameras(system, [replace(LISTED, sizes=(), formats=())]), (OK, "HD Webcam"))


ANSWERS = (OK, "PipeWire answers")
PORTAL = (OK, "has a camera portal")


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({"libraries": False}, [(WARNING, "not installed", "sudo apt install pipewire wireplumber")]),
        ({"pipewire": False}, [(WARNING, "does not answer", "systemctl --user enable --now pipewire")]),
        ({"permissions": None}, [ANSWERS, (WARNING, "", "xdg-desktop-portal-gtk")]),
        ({}, [ANSWERS, PORTAL]),
        ({"permissions": {"org.mozilla.firefox": "no", "": "ask", "fine": "yes"}},
         [ANSWERS, PORTAL, (WARNING, "outside a sandbox"),
          (WARNING, "org.mozilla.firefox", 'DeletePermission sss devices camera "org.mozilla.firefox"')]),
        ({"answers": {"snap connections firefox": "Interface  Plug\ncamera  firefox:camera  :camera  -\n"}},
         [ANSWERS, PORTAL]),
        ({"answers": {"snap connections firefox": "Interface  Plug\ncamera  firefox:camera  -  -\n"}},
         [ANSWERS, PORTAL, (WARNING, "firefox", "sudo snap connect firefox:camera")]),
    ],
)  # fmt: skip
def test_what_is_found_of_pipewire(
    machine: Machine,
    given: dict[str, Any],
    wanted: list[Wanted],
) -> None:
    machine.folder("/snap/firefox")
    expect(
        check_pipewire(machine.system(**{"pipewire": True, "permissions": {"": "yes"}, **given})),
        *wanted,
    )


def test_other_systems() -> None:
    expect(check_elsewhere([]), (PROBLEM, "No virtual camera", "Install OBS Studio"))
    expect(check_elsewhere(["OBS Virtual Camera"]), (OK, "Installed: OBS Virtual Camera."))


def test_the_picture_is_read_back(pipewire: PrivateSession) -> None:
    expect([prove_pipewire(read_s=60.0)], (OK, "640×480"))


@pytest.mark.linux("app.doctor.proof")
def test_without_a_session_manager_nothing_arrives(monkeypatch: pytest.MonkeyPatch) -> None:
    with private_session() as session:
        session.end("wireplumber")
        monkeypatch.setenv("PIPEWIRE_RUNTIME_DIR", str(session.folder))
        expect([prove_pipewire(read_s=0.3)], (PROBLEM, "delivers no frames", "WirePlumber"))
