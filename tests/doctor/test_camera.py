from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from app.capture.devices import CameraDevice
from app.doctor.camera import check_cameras
from app.doctor.finding import State
from tests.doctor.machine import Machine, expect

LISTED = CameraDevice("usb", "HD Webcam", "/dev/video0", 0, ((1920, 1080), (640, 480)), ("MJPG", "YUYV"))


def test_a_camera_is_described_by_what_it_offers(machine: Machine) -> None:
    machine.camera(0, "HD Webcam")
    machine.camera(1, "HD Webcam", index=1)  # its metadata node
    machine.loaded(10)
    (finding,) = check_cameras(machine.system(), [LISTED])
    expect(finding, State.OK)
    assert finding.detail == "HD Webcam (/dev/video0, up to 1920×1080, MJPG, YUYV)."


def test_cameras_are_found_without_the_list_too(machine: Machine) -> None:
    for number in (10, 2):
        machine.camera(number, f"Camera {number}")
    details = [finding.detail for finding in check_cameras(machine.system(), [])]
    assert details == ["Camera 2 (/dev/video2).", "Camera 10 (/dev/video10)."]


@pytest.mark.parametrize(
    ("platform", "release", "words"),
    [
        ("linux", "6.1.0", "Connect a camera"),
        ("linux", "5.15.167.4-microsoft-standard-WSL2", "usbipd"),
        ("darwin", "25.0.0", "System Settings"),
        ("win32", "11", "desktop apps"),
    ],
)
def test_no_camera(tmp_path: Path, platform: str, release: str, words: str) -> None:
    machine = Machine(tmp_path, release=release)
    (finding,) = check_cameras(machine.system(platform=platform), [])
    expect(finding, State.WARNING, "No camera was found.", words)
    assert finding.why


def test_a_phone_is_a_camera_where_there_is_no_other(machine: Machine) -> None:
    machine.loaded(2, label="DroidCam")
    phone = CameraDevice("v4l2loopback-002", "DroidCam", "/dev/video2", 2, is_virtual=True)
    (finding,) = check_cameras(machine.system(), [phone])
    expect(finding, State.OK)
    assert finding.detail == "DroidCam (/dev/video2)."


def test_other_systems_show_what_was_listed(machine: Machine) -> None:
    (finding,) = check_cameras(machine.system(platform="darwin"), [replace(LISTED, path="0", sizes=(), formats=())])
    assert finding.detail == "HD Webcam (0)."


def test_no_permission(machine: Machine) -> None:
    machine.camera(0, "HD Webcam")
    (finding,) = check_cameras(machine.system(allowed=False), [])
    expect(finding, State.PROBLEM, "", "sudo usermod -aG video ada")
    assert finding.check == "camera: permission"


def test_a_node_that_is_not_in_the_container(machine: Machine, tmp_path: Path) -> None:
    machine.camera(0, "HD Webcam")
    (tmp_path / "dev/video0").unlink()
    (finding,) = check_cameras(machine.system(), [])
    expect(finding, State.PROBLEM, "", "docker run --device /dev/video0")


def test_a_camera_in_use_names_the_program(machine: Machine) -> None:
    machine.camera(0, "HD Webcam")
    machine.process(70, "wireplumber", "/dev/video0")
    assert len(check_cameras(machine.system(), [])) == 1
    machine.process(71, "zoom", "/dev/video0")
    expect(check_cameras(machine.system(), [])[1], State.WARNING, "zoom (process 71)")


def test_codecs_are_no_cameras(machine: Machine) -> None:
    """As on a Raspberry Pi."""
    machine.camera(10, "bcm2835-codec-decode")
    machine.camera(11, "Webcam")
    system = replace(machine.system(), is_camera=lambda device: device == "/dev/video11")
    assert [finding.detail for finding in check_cameras(system, [])] == ["Webcam (/dev/video11)."]
    (finding,) = check_cameras(replace(system, is_camera=lambda device: False), [])
    expect(finding, State.WARNING, "No camera was found.")


@pytest.mark.parametrize("name", ["Intel IPU6 ISYS Capture", "ipu3-cio2", "ipu3-imgu"])
def test_raw_sensors_are_not_offered_as_cameras(machine: Machine, name: str) -> None:
    for number in range(3):
        machine.camera(number, f"{name} {number}")
    (finding,) = check_cameras(machine.system(), [])
    expect(finding, State.WARNING, "raw sensor", "libcamera")
