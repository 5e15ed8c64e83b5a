"""Findings about cameras, the virtual camera and PipeWire."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.capture.devices import CameraDevice
from app.core.errors import t
from app.doctor.camera import check_cameras
from app.doctor.finding import Finding, State
from app.doctor.proof import prove_pipewire
from app.doctor.system import System
from app.doctor.virtual_camera import check_elsewhere, check_pipewire, check_virtual_camera
from tests.doctor.conftest import RELEASE, Machine, expect
from tests.pipewire_session import PrivateSession, private_session

SECURE_BOOT = "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
PROBLEM, WARNING, OK = State.PROBLEM, State.WARNING, State.OK
OPTIONS = 'devices=1 video_nr=11 card_label="Mattecam" exclusive_caps=1'
RELOAD = ("sudo modprobe -r v4l2loopback", "video_nr=4", "exclusive_caps=1")
LISTED = CameraDevice("usb", "HD Webcam", "/dev/video0", 0, ((1920, 1080), (640, 480)), ("MJPG", "YUYV"))
PHONE = CameraDevice("v4l2loopback-002", "DroidCam", "/dev/video2", 2, is_virtual=True)
ALLOWED = {"": "yes"}


def found(system: System) -> dict[str, Finding]:
    return {finding.check.removeprefix("virtual camera: "): finding for finding in check_virtual_camera(system)}


def bare(machine: Machine) -> None:
    machine.write("/sys/devices/virtual/video4linux/video5/name", "vicodec")  # a virtual device, but not ours


def installed(machine: Machine) -> None:
    machine.module_file()
    machine.camera(10, "A real camera")  # has the number that ours would have


def opened(machine: Machine) -> None:
    machine.loaded(10)
    machine.process(812, "obs", "/dev/video10")
    machine.process(4000, "this program itself", "/dev/video10")


def without_device_file(machine: Machine) -> None:
    machine.loaded(10)
    (machine.root / "dev/video10").unlink()


def in_container(machine: Machine) -> None:
    (machine.root / f"lib/modules/{RELEASE}/kernel").rmdir()
    (machine.root / f"lib/modules/{RELEASE}").rmdir()


def secured(machine: Machine) -> None:
    machine.write(SECURE_BOOT, b"\x06\0\0\0\1")
    machine.write("/var/lib/shim-signed/mok/MOK.der")


def other_options(machine: Machine) -> None:
    machine.write("/etc/modprobe.d/obs.conf", "# for OBS\noptions  v4l2loopback devices=1 video_nr=9\n")


@pytest.mark.parametrize(
    ("prepare", "given", "check", "state", "detail", "fixes"),
    [
        (bare, {}, "module", PROBLEM, t("The kernel module v4l2loopback is not installed."),
         (f"sudo apt install v4l2loopback-dkms linux-headers-{RELEASE}", "run.py doctor --fix")),
        (installed, {}, "module", PROBLEM, "not loaded", (f"sudo modprobe v4l2loopback {OPTIONS}",)),
        (Machine.loaded, {}, "module", PROBLEM, "has no device", ()),
        (lambda machine: machine.loaded(4, caps="N", label="Dummy"), {}, "seen by browsers", PROBLEM, "", RELOAD),
        (opened, {"allowed": False}, "permission", PROBLEM, "ada has no permission to open /dev/video10",
         ("sudo usermod -aG video ada",)),
        (opened, {}, "in use", OK, "obs (process 812)", ()),
        (opened, {}, "after a restart", WARNING, "not loaded at the start", ("run.py doctor --fix",)),
        (lambda machine: machine.at_start("/etc/modules"), {}, "after a restart", OK, "", ()),
        (lambda machine: machine.at_start("/usr/lib/modules-load.d/a.conf"), {}, "after a restart", OK, "", ()),
        (opened, {"busy": True}, "in use", WARNING,
         "Another program sends to /dev/video10; it is open in obs (process 812).", ("fuser -v /dev/video10",)),
        (without_device_file, {}, "permission", PROBLEM, "the device file /dev/video10 is missing", ("docker run",)),
        (in_container, {}, "module", PROBLEM, "container", ("outside the container",)),
        (secured, {}, "Secure Boot", WARNING, "must be signed",
         ("sudo mokutil --import /var/lib/shim-signed/mok/MOK.der",)),
        (other_options, {}, "options", WARNING, "/etc/modprobe.d/obs.conf",
         ("options v4l2loopback devices=2", "keep what else")),
    ],
)  # fmt: skip
def test_what_is_found(
    machine: Machine, prepare: Callable[[Machine], None], given: dict[str, Any], check: str, state: State, detail: str,
    fixes: tuple[str, ...],
) -> None:  # fmt: skip
    prepare(machine)
    finding = found(machine.system(**given))[check]
    expect(finding, state, detail, *fixes)
    assert check != "seen by browsers" or "Chromium" in str(finding.why)
    assert prepare is not bare or set(found(machine.system())) == {"module"}


@pytest.mark.parametrize(
    ("name", "release", "install", "build"),
    [
        ("ubuntu", RELEASE, "sudo apt install v4l2loopback-dkms", f"dkms autoinstall -k {RELEASE}"),
        ("elementary", RELEASE, "sudo apt install v4l2loopback-dkms", f"dkms autoinstall -k {RELEASE}"),
        ("fedora", "6.17.4-300", "sudo dnf install akmod-v4l2loopback", "sudo akmods --force --kernels 6.17.4-300"),
        ("arch", "6.17.5", "sudo pacman -S --needed v4l2loopback-dkms linux-headers", "dkms autoinstall -k 6.17.5"),
        ("arch", "6.12.57-1-lts", "pacman -S --needed v4l2loopback-dkms linux-lts-headers", "linux-lts-headers"),
        ("manjaro", "6.17.5-zen1-1-zen", "v4l2loopback-dkms linux-zen-headers", "linux-zen-headers"),
        ("tumbleweed", "6.17.5-1-default", "sudo zypper install v4l2loopback-kmp-default", "sudo zypper update"),
        ("nixos", "6.12.57", "boot.extraModulePackages", "boot.extraModulePackages"),
        ("void", "6.12.57_1", "the headers of the running kernel", "dkms autoinstall -k 6.12.57_1"),
    ],
)
def test_a_distribution_gets_its_own_words(tmp_path: Path, name: str, release: str, install: str, build: str) -> None:
    machine = Machine(tmp_path, name, release)
    assert install in found(machine.system())["module"].fix
    machine.folder("/usr/src/v4l2loopback-0.12.7")  # for DKMS
    module = found(machine.system())["module"]
    expect(module, State.PROBLEM, f"not built for the running kernel {release}", build)
    assert "headers of this kernel are not installed" in module.detail
    machine.headers()
    assert "headers" not in found(machine.system())["module"].detail


def test_nixos_is_not_told_to_write_to_etc(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "nixos")
    machine.loaded(0, caps="N")
    findings = found(machine.system())
    for check in ("seen by browsers", "after a restart"):
        assert "nixos-rebuild switch" in findings[check].fix
        assert "--fix" not in findings[check].fix


def test_an_updated_kernel_that_does_not_run_yet_is_told_to_restart(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "arch", "6.17.5-arch1-1")
    machine.release = "6.17.4-arch1-1"
    machine.module_file("6.17.5-arch1-1")
    module = found(machine.system())["module"]
    expect(module, State.PROBLEM, "6.17.4-arch1-1 is no longer installed")
    assert module.fix == "Restart the computer: its kernel was updated since it was started."


def test_all_well(machine: Machine) -> None:
    machine.write("/etc/modprobe.d/mattecam.conf", "options v4l2loopback devices=1\n")
    machine.write("/etc/modprobe.d/blacklist.conf", "blacklist pcspkr\n")
    machine.at_start()
    findings = found(machine.system())
    assert {finding.state for finding in findings.values()} == {State.OK}
    assert set(findings) == {"module", "device", "seen by browsers", "permission", "in use", "after a restart"}
    assert not any(finding.fix for finding in findings.values())


def test_caps_are_read_in_the_order_in_which_the_devices_were_asked_for(machine: Machine) -> None:
    machine.loaded(20, 3, caps="Y,N")  # video20 has exclusive_caps, video3 has not
    machine.write("/sys/devices/virtual/video4linux/video3/name", "Other")
    findings = found(machine.system())
    assert "/dev/video20" in findings["device"].detail
    assert findings["seen by browsers"].state is State.OK
    machine.write("/sys/devices/virtual/video4linux/video3/name", "Mattecam")
    machine.write("/sys/devices/virtual/video4linux/video20/name", "Other")
    assert found(machine.system())["seen by browsers"].state is State.PROBLEM


def test_the_device_of_a_phone_is_no_virtual_camera(machine: Machine) -> None:
    """The doctor called it one; nothing is ever sent to it."""
    machine.loaded(2, 10)
    machine.write("/sys/devices/virtual/video4linux/video2/name", "DroidCam")
    assert "/dev/video10" in found(machine.system())["device"].detail
    machine.write("/sys/devices/virtual/video4linux/video10/name", "Iriun Webcam")
    expect(found(machine.system())["module"], State.PROBLEM, "has no device")


def test_secure_boot_is_no_matter_where_the_module_is_loaded(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "fedora")
    machine.write(SECURE_BOOT, b"\x06\0\0\0\0")
    assert "Secure Boot" not in found(machine.system())
    machine.write(SECURE_BOOT, b"\x06\0\0\0\1")
    assert "/etc/pki/akmods/certs/public_key.der" in found(machine.system())["Secure Boot"].fix
    machine.loaded(10)
    assert "Secure Boot" not in found(machine.system())


def webcam(machine: Machine) -> None:
    machine.camera(0, "HD Webcam")
    machine.camera(1, "HD Webcam", index=1)  # its metadata node
    machine.loaded(10)


@pytest.mark.parametrize(
    ("prepare", "platform", "listed", "details"),
    [
        (webcam, "linux", LISTED, ["HD Webcam (/dev/video0, up to 1920×1080, MJPG, YUYV)."]),
        (lambda machine: machine.loaded(2, label="DroidCam"), "linux", PHONE, ["DroidCam (/dev/video2)."]),
        (webcam, "darwin", replace(LISTED, path="0", sizes=(), formats=()), ["HD Webcam (0)."]),
    ],
    ids=["what it offers", "a phone where there is no other", "another system"],
)
def test_a_camera_is_described(
    machine: Machine, prepare: Callable[[Machine], None], platform: str, listed: CameraDevice, details: list[str]
) -> None:
    prepare(machine)
    findings = check_cameras(machine.system(platform=platform), [listed])
    assert [(finding.state, finding.detail) for finding in findings] == [(OK, detail) for detail in details]


@pytest.mark.parametrize(
    ("platform", "release", "words"),
    [
        ("linux", "6.1.0", "Connect a camera"),
        ("linux", "5.15.167.4-microsoft-standard-WSL2", "usbipd"),
        ("darwin", "25.0.0", "privacy settings"),
    ],
)
def test_no_camera(tmp_path: Path, platform: str, release: str, words: str) -> None:
    machine = Machine(tmp_path, release=release)
    machine.camera(10, "bcm2835-codec-decode")  # as on a Raspberry Pi
    (finding,) = check_cameras(machine.system(platform=platform), [])
    expect(finding, State.WARNING, "No camera was found.", words)
    assert finding.why


def test_a_camera_that_cannot_be_opened(machine: Machine) -> None:
    machine.camera(0, "HD Webcam")
    (finding,) = check_cameras(machine.system(allowed=False), [LISTED])
    expect(finding, State.PROBLEM, "ada has no permission to open /dev/video0", "sudo usermod -aG video ada")
    assert finding.check == "camera: permission"
    (machine.root / "dev/video0").unlink()
    (finding,) = check_cameras(machine.system(), [])  # nothing that can be listed
    expect(finding, State.PROBLEM, "the device file /dev/video0 is missing", "docker run --device /dev/video0")


def test_a_camera_in_use_names_the_program(machine: Machine) -> None:
    machine.camera(0, "HD Webcam")
    machine.process(70, "wireplumber", "/dev/video0")
    assert len(check_cameras(machine.system(), [LISTED])) == 1
    machine.process(71, "zoom", "/dev/video0")
    expect(check_cameras(machine.system(), [LISTED])[1], State.WARNING, "zoom (process 71)")
    (machine.root / "proc/71/fd/7").unlink()  # as of a program of another user
    expect(check_cameras(machine.system(), [replace(LISTED, busy=True)])[1], State.WARNING, "in use by another program")


@pytest.mark.parametrize("name", ["Intel IPU6 ISYS Capture", "ipu3-cio2", "ipu3-imgu"])
def test_raw_sensors_are_not_offered_as_cameras(machine: Machine, name: str) -> None:
    for number in range(3):
        machine.camera(number, f"{name} {number}")
    (finding,) = check_cameras(machine.system(), [])
    expect(finding, State.WARNING, "raw sensor", "libcamera")


@pytest.mark.parametrize(
    ("given", "detail", "fix"),
    [
        ({"libraries": False}, "not installed", "sudo apt install pipewire wireplumber"),
        ({}, "does not answer", "systemctl --user enable --now pipewire"),
        ({"pipewire": True}, "", "xdg-desktop-portal-gtk"),
    ],
    ids=["no library", "no daemon", "no portal"],
)
def test_what_pipewire_lacks_is_named(machine: Machine, given: dict[str, Any], detail: str, fix: str) -> None:
    expect(list(check_pipewire(machine.system(**given)))[-1], State.WARNING, detail, fix)
    well = check_pipewire(machine.system(pipewire=True, permissions=ALLOWED))
    assert [finding.state for finding in well] == [State.OK, State.OK]


def test_a_stored_refusal_can_be_forgotten(machine: Machine) -> None:
    permissions = {"org.mozilla.firefox": "no", "": "ask", "fine": "yes"}
    findings = check_pipewire(machine.system(pipewire=True, permissions=permissions))
    refused = [finding for finding in findings if finding.check.endswith("permission")]
    assert ["outside a sandbox" in one.detail for one in refused] == [True, False]
    assert 'DeletePermission sss devices camera "org.mozilla.firefox"' in refused[1].fix


def test_a_snap_without_the_permission_for_cameras(machine: Machine) -> None:
    machine.folder("/snap/firefox")
    for slot, fixes in (("-", ["sudo snap connect firefox:camera"]), (":camera", [])):
        answers = {"snap connections firefox": f"Interface  Plug  Slot  Notes\ncamera  firefox:camera  {slot}  -\n"}
        found = check_pipewire(machine.system(pipewire=True, permissions=ALLOWED, answers=answers))
        assert [finding.fix for finding in found if finding.check.endswith("Snap")] == fixes


def test_other_systems() -> None:
    (finding,) = check_elsewhere([])
    expect(finding, State.PROBLEM, "No virtual camera", "Install OBS Studio")
    (finding,) = check_elsewhere(["OBS Virtual Camera"])
    expect(finding, State.OK, "Installed: OBS Virtual Camera.")


def test_the_picture_is_read_back(pipewire: PrivateSession) -> None:
    finding = prove_pipewire()
    expect(finding, State.OK, "640×480")
    assert finding.check == "PipeWire camera: test picture"


def test_without_a_session_manager_nothing_arrives(monkeypatch: pytest.MonkeyPatch) -> None:
    with private_session() as session:
        session.end("wireplumber")
        monkeypatch.setenv("PIPEWIRE_RUNTIME_DIR", str(session.folder))
        finding = prove_pipewire(read_s=0.3)
    expect(finding, State.PROBLEM, "delivers no frames", "WirePlumber")
