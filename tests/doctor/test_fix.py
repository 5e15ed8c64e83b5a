"""The doctor: checks of all but cameras, what it repairs, and the proof that frames arrive."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from app.cli import machine as doctor_command
from app.cli import main
from app.core.errors import MattecamError, Text, t
from app.core.targets import INTEL
from app.doctor import checks, system
from app.doctor.checks import (
    Check,
    TorchFacts,
    check_disk,
    check_display,
    check_gpu,
    check_intel,
    check_processor,
    check_variables,
    check_weights,
    read_torch,
    run_checks,
)
from app.doctor.display import X11_LIBRARIES
from app.doctor.finding import WHY, CommandLine, Finding, State, ok
from app.doctor.fix import desktop_command, elevate, fix, make_script, run_fix
from app.doctor.system import System, run_command
from app.doctor.virtual_camera import check_virtual_camera
from app.matting.choice import hardware
from app.matting.choice.trials import Trial, failed_trial, save_trials
from app.system import environment
from models.program import program_command
from models.table import BUNDLED
from tests.doctor.conftest import Machine, Wanted, expect, loaded, without_exclusive_caps
from tests.stand_ins import always

PROBLEM = State.PROBLEM
WARNING = State.WARNING
OK = State.OK
# The system refuses to look it up, as it does in a closed folder.
TOO_LONG = "x" * 300
CPU_TORCH = TorchFacts("2.13.0+cpu")
CUDA_TORCH = TorchFacts("2.13.0", "13.0")


@pytest.mark.linux("app.doctor.checks")
@pytest.mark.parametrize(
    ("torch", "vendor", "driver", "state", "words"),
    [
        (CPU_TORCH, "0x10de", "", WARNING, "driver is not loaded"),
        (
            CPU_TORCH,
            "0x10de",
            "580.65.06",
            WARNING,
            "cannot use the graphics card with the NVIDIA driver 580.65.06",
        ),
        (CUDA_TORCH, "0x10de", "550.54.14", WARNING, "torch 2.13.0 cannot use the graphics card"),
        (CUDA_TORCH, "0x10de", "580.65.06", WARNING, "but torch finds no card"),
        (
            replace(CUDA_TORCH, unsupported=True),
            "0x10de",
            "580.65.06",
            WARNING,
            "2.13.0 cannot use the graphics card",
        ),
        (
            replace(CPU_TORCH, unsupported=True),
            "0x1002",
            "",
            WARNING,
            "with the NVIDIA driver ?; the CPU is used",
        ),
        (TorchFacts(), "0x1002", "", WARNING, "cannot be loaded"),
        (None, "0x10de", "", WARNING, "from its sources"),
        (replace(CUDA_TORCH, cards=("NVIDIA H200",)), "0x10de", "580.65.06", OK, "NVIDIA H200"),
        (CPU_TORCH, "0x1002", "", OK, "the CPU is used"),
        (None, "0x1002", "", OK, ""),
    ],
)
def test_whether_torch_has_a_card(
    machine: Machine, torch: TorchFacts | None, vendor: str, driver: str, state: State, words: str
) -> None:
    device = "/sys/bus/pci/devices/0000:01:00.0"
    machine.write(f"{device}/vendor", f"{vendor}\n").write(f"{device}/class", "0x030000\n")
    if driver:
        module = f"NVRM version: NVIDIA UNIX x86_64 Kernel Module  {driver}  Thu Feb 22 01:44:30 UTC 2026\nGCC 12.2.0"
        machine.write("/proc/driver/nvidia/version", module)

    finding = check_gpu(machine.system(), torch)

    expect([finding], (state, ""))
    assert words in f"{finding.detail} {finding.fix}"


@pytest.mark.parametrize(
    ("platform", "said", "words"),
    [
        ("linux", "580.65.06, 8.9", ["build for CUDA 13.0", "from PyPI"]),
        ("linux", "550.54.14, 8.9", ["driver 580 or newer", "build for CUDA 12.6", "whl/cu126"]),
        ("linux", "580.65.06, 6.1", ["build for CUDA 12.6", "whl/cu126"]),
        (
            "linux",
            "470.256.02, 7.5",
            ["driver 580 or newer", "No build of PyTorch with CUDA suits"],
        ),
        (
            "linux",
            "580.65.06, 3.5",
            ["No build of PyTorch with CUDA suits this driver and graphics card"],
        ),
        ("win32", "581.15, 8.9", ["build for CUDA 13.0", "whl/cu130"]),
    ],
)
def test_the_build_that_suits_is_named(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, platform: str, said: str, words: list[str]
) -> None:
    processor = "AMD64" if platform == "win32" else "x86_64"
    system = machine.system(
        platform=platform, machine=processor, answers={"nvidia-smi": f"{said}\n"}
    )
    fixes = []
    for inside in (True, False):  # the environment that run.py makes, or another one
        monkeypatch.setattr(environment, "inside", always(inside))
        finding = check_gpu(system, CPU_TORCH)
        assert finding.state is WARNING and f"driver {said.partition(',')[0]}" in finding.detail
        fixes.append(finding.fix)
    assert ("Delete" in fixes[0]) is ("build for" in " ".join(words)) and "Delete" not in fixes[1]
    assert all(word in " ".join(fixes) for word in words), fixes


@pytest.mark.torch
def test_the_installed_torch_can_be_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    facts = read_torch()
    assert facts is not None and facts.version[0].isdigit()
    with monkeypatch.context() as patch:
        patch.setattr(hardware, "apple_gpu_usable", always(True))
        assert check_gpu(System(), read_torch()).detail.endswith(
            "runs on the graphics processor of this Mac."
        )
    assert check_gpu(System(), facts).check == "graphics card"
    monkeypatch.setitem(sys.modules, "torch", None)
    assert read_torch() == TorchFacts()


@pytest.mark.linux("app.doctor.fix")
def test_a_user_without_a_name_is_named_by_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a container that runs as any number."""
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "getuid", always(123_456_789))

    assert System().user == "123456789"


def test_variables_of_other_programs_are_named(machine: Machine) -> None:
    system = machine.system(environment={"PYTHONPATH": "/opt/ros", "LD_PRELOAD": "x.so"})
    step = f"env -u PYTHONPATH -u LD_PRELOAD {program_command()}"

    expect(check_variables(system), (WARNING, "PYTHONPATH, LD_PRELOAD", step))
    expect(check_variables(machine.system()))


def find_all_but_the_cursor(name: str) -> str | None:
    return None if name == "xcb-cursor" else name


X11 = {"environment": {"DISPLAY": ":9"}}
HEADLESS = f"{program_command()} headless"
LACKING = Text("the window needs the library {library}, which …", {"library": "libfontconfig.so.1"})


@pytest.mark.parametrize(
    ("distribution", "given", "wanted"),
    [
        ("debian", {}, [(WARNING, "There is no display", HEADLESS)]),
        ("debian", {"platform": "darwin"}, [(OK, "")]),
        ("debian", {"environment": {"WAYLAND_DISPLAY": "wayland-0"}}, [(OK, "")]),
        # it was called fine, also where the program had found that it does not answer
        ("debian", {**X11, "window_problem": "no window can open"}, [(WARNING, "No window can open on :9.", HEADLESS)]),
        ("debian", {**X11, "window_problem": LACKING}, [(WARNING, "are missing: libfontconfig.so.1.", HEADLESS)]),
        ("debian", {**X11, "libraries": False, "window_problem": LACKING},
         [(OK, ":9"), (PROBLEM, "", f"apt install {' '.join(debian for debian, _ in X11_LIBRARIES.values())}"),
          (PROBLEM, "", "sudo apt install libegl1")]),
        *((distribution, {**X11, "find_library": find_all_but_the_cursor},
           [(OK, ":9"), (PROBLEM, "These libraries are missing: libxcb-cursor.", step)])
          for distribution, step in (
              ("debian", "sudo apt install libxcb-cursor0"),
              ("tumbleweed", "sudo zypper install libxcb-cursor0"),
              ("fedora", "sudo dnf install xcb-util-cursor"),
              ("arch", "sudo pacman -S --needed xcb-util-cursor"),
              ("void", "Install one of these packages: libxcb-cursor0, xcb-util-cursor."),
          )),
    ],
)  # fmt: skip
def test_what_is_found_of_the_display(
    tmp_path: Path, distribution: str, given: dict[str, Any], wanted: list[Wanted]
) -> None:
    expect(check_display(Machine(tmp_path, distribution).system(**given)), *wanted)


@pytest.mark.parametrize(("free", "state"), [(1 << 40, OK), (1 << 30, WARNING), (1 << 20, PROBLEM)])
def test_room_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, state: State
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", always(Mock(free=free)))
    expect(check_disk(tmp_path / "not" / "made" / "yet"), (state, ""))


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    expect(check_disk(tmp_path / "file" / "mattecam"), (PROBLEM, "is not writable"))


def test_a_check_that_may_not_read_a_file_does_not_end_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def closed(system: System) -> Iterator[Finding]:
        yield ok(Text("disk", {}), Text("as it should be", {}))
        raise PermissionError(errno.EACCES, "closed", "/etc/closed")

    rows = (Check(Text("camera", {}), closed), Check(Text("disk", {}), closed))
    monkeypatch.setattr(checks, "CHECKS", rows)

    found = run_checks(Machine(tmp_path).system())

    closed_file = (WARNING, "/etc/closed cannot be read: you have no permission", "Make it")
    expect(found, (OK, ""), closed_file, (OK, ""), closed_file)


def test_a_folder_that_cannot_be_looked_up_ends_no_check(tmp_path: Path) -> None:
    """An error of the system, as of a closed folder, ended `doctor` without a finding."""
    expect(check_disk(tmp_path / TOO_LONG / "mattecam"), (OK, ""))


@pytest.mark.posix("these commands")
def test_commands_that_are_not_there_are_no_fault() -> None:
    assert run_command(["no-such-command-anywhere"]) is run_command(["false"]) is None
    assert run_command(["uname", "-s"])


@pytest.mark.posix("colons in names")
def test_what_became_of_the_gpu_of_intel_is_reported(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = "/sys/bus/pci/devices/0000:00:02.0"
    assert not list(check_intel(machine.system()))
    machine.write(f"{device}/vendor", "0x8086\n").write(f"{device}/class", "0x030000\n")
    monkeypatch.setattr(hardware, "intel_driver", always("a driver"))
    on_gpu = Trial("float16", None, 9.0, 2.0, 1e-5, "GPU.0", "Intel Iris")

    (without_driver,) = check_intel(machine.system())

    assert without_driver.state is WARNING and "intel-opencl-icd" in without_driver.fix
    machine.write("/etc/OpenCL/vendors/nvidia.icd", "libnvidia-opencl.so.1\n")
    assert list(check_intel(machine.system())) == [without_driver], "that of another maker"
    machine.write("/etc/OpenCL/vendors/intel.icd", "libigdrcl.so\n")
    expect(check_intel(machine.system()), (OK, "was not measured yet"))
    save_trials("mattecam", BUNDLED, [failed_trial("it does not answer")], INTEL)
    expect(
        check_intel(machine.system()),
        (OK, "intel.icd failed with the GPU of Intel (it does not answer)"),
    )
    save_trials("mattecam", BUNDLED, [replace(on_gpu, mean_difference=0.1)], INTEL)
    expect(
        check_intel(machine.system()),
        (OK, "(its alpha differs from that of the CPU by 0.1)"),
    )
    save_trials("mattecam", BUNDLED, [on_gpu], INTEL)
    expect(check_intel(machine.system()), (OK, "float16 on Intel Iris 9.0 ms (CPU 2.0 ms)"))


def test_the_processors_precision_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    begin = f"{hardware.processor()}: the model mattecam is chosen, in "
    for bfloat16, precision in ((True, "bfloat16"), (False, "float32")):
        monkeypatch.setattr(hardware, "cpu_has_bfloat16", always(bfloat16))
        expect(check_processor(), (OK, f"{begin}{precision}; nothing was measured yet."))
    save_trials(
        "mattecam", BUNDLED, [Trial("float32", None, 11.5, 18.0), Trial("float32", 1, 15.0, 15.0)]
    )
    # it showed a faster one, and did not say why it is not the choice
    told = (
        "float32 on one thread, which holds 30 fps with the least processor time. Measured per frame: "
        "float32 on one thread 15.0 ms (CPU 15.0 ms), float32 on all cores 11.5 ms (CPU 18.0 ms)."
    )
    expect(check_processor(), (OK, begin + told))
    save_trials(
        "mattecam",
        BUNDLED,
        [Trial("float32", None, 92.5, 180.0), Trial("float32", 1, 123.0, 123.0)],
    )

    expect(check_processor(), (OK, f"{begin}float32 on all cores, which is the fastest here."))


def test_what_is_found_of_models() -> None:
    expect(check_weights([]), (PROBLEM, "", "run.py weights download"))
    for one in ("u2net", "mattecam"):
        expect(check_weights([one]), (WARNING, "", "run.py weights download"))
    expect(check_weights(["mattecam", "rvm-resnet50"]), (OK, ""))


def test_the_checks_of_the_virtual_camera_alone_send_no_picture(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The window asked all checks, which load PyTorch."""

    def row(name: str, platform: str = "", *, sends: bool = False) -> checks.Check:
        title = Text(name, {})
        return checks.Check(title, always([ok(title, t("All is well."))]), platform, sends)

    rows = (
        row("camera"),
        row("virtual camera", "linux"),
        row("virtual camera", "win32"),
        row("models"),
    )
    monkeypatch.setattr(checks, "CHECKS", (*rows, row("virtual camera: test picture", sends=True)))

    def ran(**asked: Any) -> list[str]:
        return [finding.check for finding in checks.run_checks(System(platform="linux"), **asked)]

    assert ran() == ["camera", "virtual camera", "models", "virtual camera: test picture"]
    assert ran(proof=False) == ["camera", "virtual camera", "models"]
    assert ran(proof=False, only="virtual camera") == ["virtual camera"]


@pytest.mark.linux("app.doctor.fix")
@pytest.mark.parametrize(
    ("prepare", "number", "modprobe"),
    [
        (Machine.module_file, 10, ["v4l2loopback"]),
        (without_exclusive_caps, 4, ["-r v4l2loopback", "v4l2loopback"]),
        (loaded, 10, []),
    ],
    ids=["not loaded", "without exclusive_caps", "until the next restart alone"],
)
def test_the_repair_loads_the_module_under_its_number_and_makes_it_last(
    machine: Machine, prepare: Callable[[Machine], None], number: int, modprobe: list[str]
) -> None:
    prepare(machine)
    etc = machine.root / "etc"
    log = machine.root / "modprobe.log"
    log.touch()

    def run(line: Sequence[str]) -> None:
        script = line[-1].replace("/etc/", f"{etc}/").replace("modprobe ", f"echo >> {log} ")
        subprocess.run(["sh", "-euc", script], check=True)

    assert fix(machine.system(user="root"), always(True), run).startswith("Done")
    assert log.read_text().splitlines() == modprobe
    options = (
        f'options v4l2loopback devices=1 video_nr={number} card_label="Mattecam" exclusive_caps=1\n'
    )
    assert (etc / "modprobe.d/mattecam.conf").read_text() == options
    assert (etc / "modules-load.d/mattecam.conf").read_text() == "v4l2loopback\n"
    if not modprobe:
        assert fix(machine.system(), always(True)).startswith("Nothing to repair")
        assert {finding.state for finding in check_virtual_camera(machine.system())} == {OK}


def test_nothing_happens_without_a_yes(machine: Machine) -> None:
    machine.module_file()
    no = Mock(return_value=False)
    run = Mock()
    assert fix(machine.system(user="root"), no, run) == "Nothing was changed."
    (shown,) = no.call_args.args
    assert "/etc/modprobe.d/mattecam.conf" in shown and "modprobe v4l2loopback" in shown
    assert not run.called


@pytest.mark.parametrize(
    ("distribution", "words"),
    [("debian", "v4l2loopback is not installed"), ("nixos", "nixos-rebuild switch")],
)
def test_what_it_cannot_do(tmp_path: Path, distribution: str, words: str) -> None:
    with pytest.raises(MattecamError, match=words):
        fix(Machine(tmp_path, distribution).system(), always(True))
    with pytest.raises(MattecamError, match="comes from OBS"):
        make_script(Machine(tmp_path, distribution).system(platform="win32"))


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Programs that can be found."""
    names: set[str] = set()

    def which(name: str, path: str) -> str | None:
        return name if name in names and path == "/bin" else None

    monkeypatch.setattr(shutil, "which", which)
    return names


@pytest.mark.parametrize(
    ("there", "environment", "chosen"),
    [
        ({"sudo", "pkexec"}, {"TERM": "xterm", "DISPLAY": ":0"}, "sudo"),
        ({"sudo", "pkexec"}, {"DISPLAY": ":0"}, "pkexec"),
        ({"pkexec"}, {"TERM": "xterm", "WAYLAND_DISPLAY": "wayland-0"}, "pkexec"),
        ({"sudo"}, {}, "sudo"),
    ],
)
def test_how_it_becomes_root(
    machine: Machine, installed: set[str], there: set[str], environment: dict[str, str], chosen: str
) -> None:
    system = machine.system(environment={**environment, "PATH": "/bin"})
    with pytest.raises(MattecamError, match="as root"):
        elevate(system)
    installed |= there

    assert elevate(system) == [chosen]


@pytest.mark.linux("app.doctor.fix")
@pytest.mark.parametrize(
    ("said", "advice"),
    [
        ("modprobe: FATAL: Module v4l2loopback is in use.", "Close the programs"),
        (
            "modprobe: ERROR: could not insert 'v4l2loopback': Key was rejected by service",
            "Secure Boot",
        ),
        (
            "E: Broken\nE: in two lines",
            r"exit code 1 \(details are in the log\); run the shown commands as root",
        ),
        ("", "exit code 1"),
        (
            "Error executing command as another user: Request dismissed",
            "the password was not entered",
        ),
        (
            "Error executing command as another user: No authentication agent found.",
            "cannot ask for the password",
        ),
    ],
)
def test_a_failed_repair_says_what_to_do(
    said: str, advice: str, caplog: pytest.LogCaptureFixture
) -> None:
    """In one sentence; the output of the commands is for the log."""
    with pytest.raises(MattecamError, match=advice) as failed:
        run_fix(["sh", "-c", f'echo "{said}" >&2; exit 1'])
    assert "\n" not in str(failed.value) and (not said or said not in str(failed.value))
    assert said in caplog.text


def test_a_repair_that_succeeds_prints_nothing(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    done = tmp_path / "done"
    run_fix(
        [sys.executable, "-c", "import pathlib, sys; pathlib.Path(sys.argv[1]).touch()", str(done)]
    )

    assert done.exists()
    assert capfd.readouterr() == ("", "")


@pytest.mark.linux("app.doctor.fix")
def test_the_window_asks_for_the_password_in_a_dialog_of_the_desktop(
    machine: Machine, installed: set[str]
) -> None:
    system = machine.module_file().system(
        environment={"TERM": "xterm", "DISPLAY": ":0", "PATH": "/bin"}
    )
    script = ["sh", "-euc", "\n".join(make_script(system))]
    assert desktop_command(system) == [], "there are commands to copy"
    installed |= {"sudo", "pkexec"}
    assert desktop_command(system) == ["pkexec", "--disable-internal-agent", *script]
    assert desktop_command(machine.system(user="root")) == script
    assert desktop_command(machine.system(platform="win32")) == []


def test_the_doctor_looks_at_this_machine(capsys: pytest.CaptureFixture[str]) -> None:
    code = main.main(["doctor", "--json"])
    findings = json.loads(capsys.readouterr().out)["findings"]
    assert code == any(finding["state"] == "problem" for finding in findings)
    assert {"check", "state", "detail", "why", "fix"} == set(findings[0])
    checks = {finding["check"].split(":")[0] for finding in findings}
    assert checks >= {"camera", "virtual camera", "graphics card", "models", "display", "disk"}
    assert {finding["state"] for finding in findings} <= {"ok", "warning", "problem"}


def test_every_reason_is_of_a_check() -> None:
    """A check of another name had the reason of its group, or none."""
    source = "".join(path.read_text("utf-8") for path in Path(checks.__file__).parent.glob("*.py"))
    assert [name for name in WHY if f't("{name}' not in source] == []


def test_problems_are_shown_with_their_commands_and_are_a_failure(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    why = t("Without a camera, only the demo and video files are available.")
    step = t("In a container, pass it on:")
    steps = step, CommandLine("sudo plug --in [camera]")
    bad = Finding(
        t("camera"), PROBLEM, t("{name} ({device}).", name="[gone]", device="[x]"), why, steps
    )
    monkeypatch.setattr(checks, "run_checks", always((bad,)))
    assert main.main(["doctor"]) == 1
    shown = capsys.readouterr().out.splitlines()
    assert shown == [
        "✗ camera: [gone] ([x]).",
        f"    {why}",
        f"    {step}",
        "    sudo plug --in [camera]",
    ]


def test_a_repair_that_is_not_possible_is_a_failure(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(system, "System", Machine(tmp_path).system)
    assert main.main(["doctor", "--fix"]) == 1
    assert "v4l2loopback is not installed" in capsys.readouterr().err


def test_nobody_can_agree_without_a_terminal() -> None:
    with pytest.raises(MattecamError, match="no terminal"):
        doctor_command._ask("modprobe v4l2loopback")
