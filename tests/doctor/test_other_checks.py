from __future__ import annotations

import os
import shutil
import sys
from collections import namedtuple
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.core.errors import Text, t
from app.doctor import checks
from app.doctor.checks import (
    TorchFacts,
    check_disk,
    check_display,
    check_gpu,
    check_processor,
    check_variables,
    check_weights,
    read_torch,
)
from app.doctor.display import X11_LIBRARIES
from app.doctor.finding import State, ok
from app.doctor.system import System, run_command
from app.matting.choice import hardware
from app.matting.choice.choice import Trial, save_trials
from app.system import environment
from models.table import BUNDLED
from tests.doctor.conftest import Machine, expect

CPU_TORCH = TorchFacts("2.13.0+cpu")
CUDA_TORCH = TorchFacts("2.13.0", "13.0")


@pytest.mark.parametrize(
    ("torch", "card", "driver", "words"),
    [
        (CPU_TORCH, True, "", "driver is not loaded"),
        (CPU_TORCH, True, "580.65.06", "cannot use the graphics card with the NVIDIA driver 580.65.06"),
        (CUDA_TORCH, True, "550.54.14", "torch 2.13.0 cannot use the graphics card"),
        (CUDA_TORCH, True, "580.65.06", "but torch finds no card"),
        (replace(CUDA_TORCH, unsupported=True), True, "580.65.06", "torch 2.13.0 cannot use the graphics card"),
        (replace(CPU_TORCH, unsupported=True), False, "", "with the NVIDIA driver ?; the CPU is used"),
        (TorchFacts(), False, "", "cannot be loaded"),
        (None, True, "", "from its sources"),
    ],
)
def test_what_keeps_torch_from_a_card(
    machine: Machine, torch: TorchFacts | None, card: bool, driver: str, words: str
) -> None:
    device = "/sys/bus/pci/devices/0000:01:00.0"
    machine.write(f"{device}/vendor", f"{'0x10de' if card else '0x1002'}\n")
    machine.write(f"{device}/class", "0x030000\n")
    if driver:
        module = f"NVRM version: NVIDIA UNIX x86_64 Kernel Module  {driver}  Thu Feb 22 01:44:30 UTC 2026\nGCC 12.2.0"
        machine.write("/proc/driver/nvidia/version", module)
    finding = check_gpu(machine.system(), torch)
    assert finding.state is State.WARNING and finding.fix and words in f"{finding.detail} {finding.fix}"


@pytest.mark.parametrize(
    ("torch", "words"),
    [
        (replace(CUDA_TORCH, cards=("NVIDIA H200",)), "NVIDIA H200"),
        (CPU_TORCH, "the CPU is used"),
        (None, ""),
    ],
)
def test_no_card_or_one_that_torch_uses_is_fine(machine: Machine, torch: TorchFacts | None, words: str) -> None:
    finding = check_gpu(machine.system(), torch)
    assert finding.state is State.OK and not finding.fix and words in finding.detail


@pytest.mark.parametrize(
    ("platform", "said", "words"),
    [
        ("linux", "580.65.06, 8.9", ["build for CUDA 13.0", "from PyPI"]),
        ("linux", "550.54.14, 8.9", ["driver 580 or newer", "build for CUDA 12.6", "whl/cu126"]),
        ("linux", "580.65.06, 6.1", ["build for CUDA 12.6", "whl/cu126"]),
        ("linux", "470.256.02, 7.5", ["driver 580 or newer", "No build of PyTorch with CUDA suits"]),
        ("linux", "580.65.06, 3.5", ["No build of PyTorch with CUDA suits this driver and graphics card"]),
        ("win32", "581.15, 8.9", ["build for CUDA 13.0", "whl/cu130"]),
    ],
)
def test_the_build_that_suits_is_named(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, platform: str, said: str, words: list[str]
) -> None:
    system = machine.system(platform=platform, answers={"nvidia-smi": f"{said}\n"})
    fixes = []
    for inside in (True, False):  # the environment that run.py makes, or another one
        monkeypatch.setattr(environment, "inside", lambda inside=inside: inside)
        finding = check_gpu(system, CPU_TORCH)
        assert finding.state is State.WARNING and f"driver {said.partition(',')[0]}" in finding.detail
        fixes.append(finding.fix)
    assert ("Delete" in fixes[0]) is ("build for" in " ".join(words)) and "Delete" not in fixes[1]
    assert all(word in " ".join(fixes) for word in words), fixes


@pytest.mark.torch
def test_the_installed_torch_can_be_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    facts = read_torch()
    assert facts is not None and facts.version[0].isdigit()
    with monkeypatch.context() as patch:
        patch.setattr(hardware, "apple_gpu_usable", lambda: True)
        assert check_gpu(System(), read_torch()).detail.endswith("runs on the graphics processor of this Mac.")
    assert check_gpu(System(), facts).check == "graphics card"
    monkeypatch.setitem(sys.modules, "torch", None)
    assert read_torch() == TorchFacts()


def test_a_user_without_a_name_is_named_by_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a container that runs as any number."""
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 123_456_789)
    assert System().user == "123456789"


def test_a_display_that_opens_no_window(machine: Machine) -> None:
    """It was called fine, also where the program had found that it does not answer."""
    reason = f"no window can open with {', '.join(['DISPLAY=:9'])}"
    (finding,) = check_display(machine.system(environment={"DISPLAY": ":9"}, window_problem=reason))
    expect(finding, State.WARNING, "No window can open on :9.", "run.py headless")
    reason = Text(
        "the window needs the library {library}, which `python3 run.py doctor` tells how to install",
        {"library": "libfontconfig.so.1"},
    )
    (finding,) = check_display(machine.system(environment={"DISPLAY": ":9"}, window_problem=reason))
    expect(finding, State.WARNING, "These libraries are missing: libfontconfig.so.1.")


def test_variables_of_other_programs_are_named(machine: Machine) -> None:
    (finding,) = check_variables(machine.system(environment={"PYTHONPATH": "/opt/ros", "LD_PRELOAD": "x.so"}))
    expect(finding, State.WARNING, "PYTHONPATH, LD_PRELOAD", "env -u PYTHONPATH -u LD_PRELOAD python3 run.py")
    assert not list(check_variables(machine.system()))


def test_a_display_or_none(machine: Machine) -> None:
    (none,) = check_display(machine.system())
    assert none.state is State.WARNING and none.fix == "python3 run.py headless"
    assert next(check_display(machine.system(platform="darwin"))).state is State.OK
    assert [f.state for f in check_display(machine.system(environment={"WAYLAND_DISPLAY": "wayland-0"}))] == [State.OK]
    missing = list(check_display(machine.system(environment={"DISPLAY": ":0"}, libraries=False)))
    everything = " ".join(debian for debian, _ in X11_LIBRARIES.values())
    assert [f.fix for f in missing[1:]] == [f"sudo apt install {everything}", "sudo apt install libegl1"]


@pytest.mark.parametrize(
    ("distribution", "fix"),
    [
        ("debian", "sudo apt install libxcb-cursor0"),
        ("tumbleweed", "sudo zypper install libxcb-cursor0"),
        ("fedora", "sudo dnf install xcb-util-cursor"),
        ("arch", "sudo pacman -S --needed xcb-util-cursor"),
        ("void", "Install one of these packages: libxcb-cursor0, xcb-util-cursor."),
    ],
)
def test_a_missing_library_of_x11_by_distribution(tmp_path: Path, distribution: str, fix: str) -> None:
    machine = Machine(tmp_path, distribution)
    system = machine.system(environment={"DISPLAY": ":0"})
    system = replace(system, find_library=lambda name: None if name == "xcb-cursor" else name)
    assert [(f.detail, f.fix) for f in [*check_display(system)][1:]] == [
        ("These libraries are missing: libxcb-cursor.", fix)
    ]


Usage = namedtuple("Usage", "total used free")


@pytest.mark.parametrize(("free", "state"), [(1 << 40, State.OK), (1 << 30, State.WARNING), (1 << 20, State.PROBLEM)])
def test_room_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, state: State) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(1 << 41, 0, free))
    (finding,) = check_disk(tmp_path / "not" / "made" / "yet")
    assert finding.state is state


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    (finding,) = check_disk(tmp_path / "file" / "mattecam")
    assert finding.state is State.PROBLEM and "is not writable" in finding.detail


def test_commands_that_are_not_there_are_no_fault() -> None:
    assert run_command(["no-such-command-anywhere"]) is run_command(["false"]) is None
    assert run_command(["uname", "-s"])


def test_the_processors_precision_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    for bfloat16, precision in ((True, "bfloat16"), (False, "float32")):
        monkeypatch.setattr(hardware, "cpu_has_bfloat16", lambda has=bfloat16: has)
        (finding,) = check_processor()
        assert finding.state is State.OK
        assert str(finding.detail) == (
            f"{hardware.processor()}: the model mattecam is chosen, in {precision}; nothing was measured yet."
        )
    save_trials("mattecam", BUNDLED, [Trial("float32", None, 11.5, 18.0), Trial("float32", 1, 15.0, 15.0)])
    (finding,) = check_processor()
    assert str(finding.detail).endswith(
        "is chosen, in float32 on one thread, which holds 30 fps with the least processor time. Measured per frame: "
        "float32 on one thread 15.0 ms (CPU 15.0 ms), float32 on all cores 11.5 ms (CPU 18.0 ms)."
    ), "it showed a faster one, and did not say why it is not the choice"
    save_trials("mattecam", BUNDLED, [Trial("float32", None, 92.5, 180.0), Trial("float32", 1, 123.0, 123.0)])
    (finding,) = check_processor()
    assert "mattecam is chosen, in float32 on all cores, which is the fastest here." in str(finding.detail)


@pytest.mark.parametrize(
    ("on_hand", "state"),
    [
        ((), State.PROBLEM),
        (("u2net",), State.WARNING),
        (("mattecam",), State.WARNING),
        (("mattecam", "rvm-mobilenetv3"), State.OK),
    ],
)
def test_models(on_hand: tuple[str, ...], state: State) -> None:
    (finding,) = check_weights(on_hand)
    assert finding.state is state
    assert ("run.py weights download" in finding.fix) is (state is not State.OK)


def test_the_checks_of_the_virtual_camera_alone_send_no_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    """The window asked all checks, which load PyTorch."""

    def row(name: str, platform: str = "", *, sends: bool = False) -> checks.Check:
        return checks.Check(name, lambda _: [ok(Text(name, {}), t("All is well."))], platform, sends)

    rows = row("camera"), row("virtual camera", "linux"), row("virtual camera", "win32"), row("models")
    monkeypatch.setattr(checks, "CHECKS", (*rows, row("virtual camera: test picture", sends=True)))

    def ran(**asked: Any) -> list[str]:
        return [finding.check for finding in checks.run_checks(System(platform="linux"), **asked)]

    assert ran() == ["camera", "virtual camera", "models", "virtual camera: test picture"]
    assert ran(proof=False) == ["camera", "virtual camera", "models"]
    assert ran(proof=False, only="virtual camera") == ["virtual camera"]
