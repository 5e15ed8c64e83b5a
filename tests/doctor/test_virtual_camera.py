"""Findings about the virtual camera of Linux."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.core.errors import t
from app.doctor.finding import Finding, State
from app.doctor.fix import make_script
from app.doctor.system import System
from app.doctor.virtual_camera import (
    check_virtual_camera,
    find_device,
)
from tests.doctor.conftest import RELEASE, Machine, Wanted, expect, loaded, without_exclusive_caps

SECURE_BOOT = "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
PROBLEM = State.PROBLEM
WARNING = State.WARNING
OK = State.OK
OPTIONS = 'devices=1 video_nr=11 card_label="Mattecam" exclusive_caps=1'


def found(system: System) -> dict[str, Finding]:
    return {
        finding.check.removeprefix("virtual camera: "): finding
        for finding in check_virtual_camera(system)
    }


def opened(machine: Machine) -> Machine:
    machine.loaded(10).process(812, "obs", "/dev/video10")
    return machine.process(4000, "this program itself", "/dev/video10")


def untouched(machine: Machine) -> Machine:
    return machine


def not_loaded(machine: Machine) -> Machine:
    """Return the machine with the module, and with a camera that has the number of our device."""
    return machine.module_file().camera(10, "A real camera")


def loaded_in_a_container(machine: Machine) -> Machine:
    return machine.loaded(10).without("/dev/video10")


def in_a_container(machine: Machine) -> Machine:
    return machine.without(f"/lib/modules/{RELEASE}")


def loaded_at_start(machine: Machine) -> Machine:
    return machine.at_start("/etc/modules")


def loaded_at_start_by_another_program(machine: Machine) -> Machine:
    return machine.at_start("/usr/lib/modules-load.d/a.conf")


def with_secure_boot(machine: Machine) -> Machine:
    machine.write(SECURE_BOOT, "\6\0\0\0\1")
    return machine.write("/var/lib/shim-signed/mok/MOK.der")


def with_options_of_obs(machine: Machine) -> Machine:
    options = "# for OBS\noptions  v4l2loopback video_nr=9\n"
    return machine.write("/etc/modprobe.d/obs.conf", options)


NOT_INSTALLED = t("The kernel module v4l2loopback is not installed.")
INSTALL = f"sudo apt install v4l2loopback-dkms linux-headers-{RELEASE}"
OPEN_IN_OBS = "Another program sends to /dev/video10; it is open in obs (process 812)."
RESTART = "Restart the computer: its kernel was updated since it was started."
IMPORT_KEY = "sudo mokutil --import /var/lib/shim-signed/mok/MOK.der"
OLD_RELEASE = "6.1.0-24-amd64"


@pytest.mark.parametrize(
    ("prepare", "given", "check", "wanted"),
    [
        pytest.param(
            untouched,
            {},
            "module",
            (PROBLEM, NOT_INSTALLED, INSTALL, "run.py doctor --fix"),
            id="not installed",
        ),
        pytest.param(
            not_loaded,
            {},
            "module",
            (PROBLEM, "not loaded", f"sudo modprobe v4l2loopback {OPTIONS}"),
            id="not loaded",
        ),
        pytest.param(
            Machine.loaded,
            {},
            "module",
            (PROBLEM, "has no device"),
            id="without a device",
        ),
        pytest.param(
            without_exclusive_caps,
            {},
            "seen by browsers",
            (PROBLEM, "", "sudo modprobe -r v4l2loopback", "video_nr=4", "exclusive_caps=1"),
            id="not seen by browsers",
        ),
        pytest.param(
            opened,
            {"allowed": False},
            "permission",
            (PROBLEM, "ada has no permission to open /dev/video10", "sudo usermod -aG video ada"),
            id="no permission",
        ),
        pytest.param(
            opened,
            {},
            "in use",
            (OK, "obs (process 812)"),
            id="read by a program",
        ),
        pytest.param(
            opened,
            {},
            "after a restart",
            (WARNING, "not loaded at the start", "run.py doctor --fix"),
            id="not loaded at the start",
        ),
        pytest.param(
            loaded_at_start,
            {},
            "after a restart",
            (OK, ""),
            id="loaded at the start",
        ),
        pytest.param(
            loaded_at_start_by_another_program,
            {},
            "after a restart",
            (OK, ""),
            id="loaded at the start by another program",
        ),
        pytest.param(
            opened,
            {"busy": True},
            "in use",
            (WARNING, OPEN_IN_OBS, "fuser -v /dev/video10"),
            id="another program sends",
        ),
        pytest.param(
            loaded,
            {"busy": True},
            "in use",
            (WARNING, "in a program of another user."),
            id="a program of another user sends",
        ),
        pytest.param(
            loaded_in_a_container,
            {},
            "permission",
            (PROBLEM, "the device file /dev/video10 is missing", "docker run"),
            id="no device file",
        ),
        pytest.param(
            in_a_container,
            {},
            "module",
            (PROBLEM, "container", "outside the container"),
            id="in a container",
        ),
        pytest.param(
            Machine.module_file,
            {"release": OLD_RELEASE},
            "module",
            (PROBLEM, f"{OLD_RELEASE} is no longer installed", RESTART),
            id="a kernel that was updated",
        ),
        pytest.param(
            with_secure_boot,
            {},
            "Secure Boot",
            (WARNING, "must be signed", IMPORT_KEY),
            id="Secure Boot",
        ),
        pytest.param(
            with_options_of_obs,
            {},
            "options",
            (
                WARNING,
                "/etc/modprobe.d/obs.conf",
                "options v4l2loopback devices=2",
                "keep what else",
            ),
            id="options of another program",
        ),
    ],
)
def test_what_is_found(
    machine: Machine,
    prepare: Callable[[Machine], Machine],
    given: dict[str, Any],
    check: str,
    wanted: Wanted,
) -> None:
    expect([found(prepare(machine).system(**given))[check]], wanted)


@pytest.mark.parametrize(
    ("name", "release", "install", "build"),
    [
        ("ubuntu", RELEASE, "sudo apt install v4l2loopback-dkms", f"dkms autoinstall -k {RELEASE}"),
        (
            "elementary",
            RELEASE,
            "sudo apt install v4l2loopback-dkms",
            f"dkms autoinstall -k {RELEASE}",
        ),
        (
            "fedora",
            "6.17.4-300",
            "sudo dnf install akmod-v4l2loopback",
            "sudo akmods --force --kernels 6.17.4-300",
        ),
        (
            "arch",
            "6.17.5",
            "sudo pacman -S --needed v4l2loopback-dkms linux-headers",
            "dkms autoinstall -k 6.17.5",
        ),
        (
            "arch",
            "6.12.57-1-lts",
            "pacman -S --needed v4l2loopback-dkms linux-lts-headers",
            "linux-lts-headers",
        ),
        (
            "manjaro",
            "6.17.5-zen1-1-zen",
            "v4l2loopback-dkms linux-zen-headers",
            "linux-zen-headers",
        ),
        (
            "tumbleweed",
            "6.17.5-1-default",
            "sudo zypper install v4l2loopback-kmp-default",
            "sudo zypper update",
        ),
        ("nixos", "6.12.57", "boot.extraModulePackages", "boot.extraModulePackages"),
        ("void", "6.12.57_1", "the headers of the running kernel", "dkms autoinstall -k 6.12.57_1"),
    ],
)
def test_a_distribution_gets_its_own_words(
    tmp_path: Path,
    name: str,
    release: str,
    install: str,
    build: str,
) -> None:
    machine = Machine(tmp_path, name, release)
    assert install in found(machine.system())["module"].fix
    machine.folder("/usr/src/v4l2loopback-0.12.7")  # for DKMS
    module = found(machine.system())["module"]
    expect([module], (PROBLEM, f"not built for the running kernel {release}", build))
    assert "headers of this kernel are not installed" in module.detail
    machine.folder(f"/lib/modules/{release}/build")
    assert "headers" not in found(machine.system())["module"].detail


def test_nixos_is_not_told_to_write_to_etc(tmp_path: Path) -> None:
    findings = found(Machine(tmp_path, "nixos").loaded(0, caps="N").system())
    for check in ("seen by browsers", "after a restart"):
        assert "nixos-rebuild switch" in findings[check].fix
        assert "--fix" not in findings[check].fix


def test_all_well(machine: Machine) -> None:
    # A virtual device, but not ours.
    machine.write(
        "/sys/devices/virtual/video4linux/video5/name",
        "vicodec",
    )
    assert set(found(machine.system())) == {"module"}
    machine.write("/etc/modprobe.d/mattecam.conf", "options v4l2loopback devices=1\n")
    machine.write("/etc/modprobe.d/blacklist.conf", "blacklist pcspkr\n")
    machine.at_start()
    findings = found(machine.system())
    assert set(findings) == {
        "module",
        "device",
        "seen by browsers",
        "permission",
        "in use",
        "after a restart",
    }
    expect(findings.values(), *[(OK, "")] * 6)


def test_caps_are_read_in_the_order_in_which_the_devices_were_asked_for(machine: Machine) -> None:
    machine.loaded(20, 3, caps="Y,N")  # video20 has exclusive_caps, video3 has not
    machine.write("/sys/devices/virtual/video4linux/video3/name", "Other")
    findings = found(machine.system())
    assert "/dev/video20" in findings["device"].detail
    assert findings["seen by browsers"].state is OK
    machine.write("/sys/devices/virtual/video4linux/video3/name", "Mattecam")
    machine.write("/sys/devices/virtual/video4linux/video20/name", "Other")
    assert found(machine.system())["seen by browsers"].state is PROBLEM


def test_the_device_of_a_phone_is_no_virtual_camera(machine: Machine) -> None:
    """The doctor called it one; nothing is ever sent to it."""
    machine.loaded(2, 10)
    machine.write("/sys/devices/virtual/video4linux/video2/name", "DroidCam")
    assert "/dev/video10" in found(machine.system())["device"].detail
    machine.write("/sys/devices/virtual/video4linux/video10/name", "Iriun Webcam")
    expect(
        [found(machine.system())["module"]],
        (PROBLEM, "/dev/video10 (Iriun Webcam) belong to other programs"),
    )


@pytest.mark.parametrize(
    "label", ["Intel MIPI Camera", "OBS Virtual Camera", "Dummy video device (0x0000)"]
)
def test_the_device_of_another_program_is_not_ours_and_is_kept(
    machine: Machine,
    label: str,
) -> None:
    """The doctor sent its test picture to the camera of a laptop, and the repair would have taken that away."""
    machine.loaded(4, label=label)

    findings = found(machine.system())

    assert set(findings) == {"module"}
    kept = f'devices=2 video_nr=10,4 card_label="Mattecam,{label}" exclusive_caps=1,1'
    expect(
        findings.values(),
        (
            PROBLEM,
            f"is named Mattecam: /dev/video4 ({label}) belong",
            f"sudo modprobe v4l2loopback {kept}",
        ),
    )
    assert find_device(machine.system()) is None
    assert shlex.quote(f"options v4l2loopback {kept}") in "\n".join(make_script(machine.system()))


@pytest.mark.parametrize(
    ("taken", "numbers"),
    [((), "10,11"), ((10,), "11,12"), ((11,), "10,12")],
    ids=["none", "ours", "the next"],
)
def test_the_advice_for_two_devices_names_free_numbers(
    machine: Machine,
    taken: tuple[int, ...],
    numbers: str,
) -> None:
    machine.write("/etc/modprobe.d/obs.conf", "options v4l2loopback devices=1\n")
    for number in taken:
        machine.camera(number, "bcm2835-codec-decode")

    advice = found(machine.system())["options"].fix

    assert (
        f'devices=2 video_nr={numbers} card_label="Mattecam,OBS Virtual Camera" exclusive_caps=1,1'
        in advice
    )


def test_secure_boot_is_no_matter_where_the_module_is_loaded(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "fedora")
    machine.write(SECURE_BOOT, "\6\0\0\0\0")
    assert "Secure Boot" not in found(machine.system())
    machine.write(SECURE_BOOT, "\6\0\0\0\1")
    assert "/etc/pki/akmods/certs/public_key.der" in found(machine.system())["Secure Boot"].fix
    machine.loaded(10)
    assert "Secure Boot" not in found(machine.system())
