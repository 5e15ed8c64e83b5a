from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from app.core.errors import MattecamError
from app.doctor.fix import desktop_command, elevate, fix, make_script, run_fix
from app.doctor.virtual_camera import check_virtual_camera
from tests.doctor.machine import Machine


def executed(machine: Machine) -> list[str]:
    """What the repair does to the files of the machine; its modprobe calls are only noted."""
    log = machine.root / "modprobe.log"
    done: list[str] = []

    def run(line: Sequence[str]) -> None:
        script = line[-1].replace("/etc/", f"{machine.root}/etc/").replace("modprobe ", "echo >> LOG ")
        subprocess.run(["sh", "-euc", script.replace("LOG", str(log))], check=True)
        done.extend(log.read_text().splitlines() if log.exists() else [])

    sentence = fix(machine.system(user="root"), lambda shown: True, run)
    assert sentence.startswith("Done")
    return done


def test_it_writes_both_files_and_loads_the_module(machine: Machine, tmp_path: Path) -> None:
    machine.module_file()
    assert executed(machine) == ["v4l2loopback"]
    assert (tmp_path / "etc/modprobe.d/mattecam.conf").read_text() == (
        'options v4l2loopback devices=1 video_nr=10 card_label="Mattecam" exclusive_caps=1\n'
    )
    assert (tmp_path / "etc/modules-load.d/mattecam.conf").read_text() == "v4l2loopback\n"


def test_it_reloads_a_module_without_exclusive_caps_under_the_same_number(machine: Machine, tmp_path: Path) -> None:
    machine.loaded(4, caps="N")
    assert executed(machine) == ["-r v4l2loopback", "v4l2loopback"]
    assert "video_nr=4" in (tmp_path / "etc/modprobe.d/mattecam.conf").read_text()


def test_it_leaves_a_good_module_alone_and_only_makes_it_last(machine: Machine) -> None:
    machine.loaded(10)
    assert executed(machine) == []
    assert fix(machine.system(), lambda shown: True).startswith("Nothing to repair")
    assert all(finding.state.value == "ok" for finding in check_virtual_camera(machine.system()))


def test_nothing_happens_without_a_yes(machine: Machine) -> None:
    machine.module_file()
    shown: list[str] = []

    def no(text: str) -> bool:
        shown.append(text)
        return False

    def run(line: Sequence[str]) -> None:
        raise AssertionError("must not be called")

    assert fix(machine.system(user="root"), no, run) == "Nothing was changed."
    assert "/etc/modprobe.d/mattecam.conf" in shown[0] and "modprobe v4l2loopback" in shown[0]


@pytest.mark.parametrize(
    ("distribution", "words"), [("debian", "v4l2loopback is not installed"), ("nixos", "nixos-rebuild switch")]
)
def test_what_it_cannot_do(tmp_path: Path, distribution: str, words: str) -> None:
    with pytest.raises(MattecamError, match=words):
        fix(Machine(tmp_path, distribution).system(), lambda shown: True)


def test_other_systems(machine: Machine) -> None:
    with pytest.raises(MattecamError, match="comes from OBS"):
        make_script(machine.system(platform="win32"))


def programs(folder: Path, *names: str) -> str:
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).write_text("#!/bin/sh\n")
        (folder / name).chmod(0o755)
    return str(folder)


@pytest.mark.parametrize(
    ("installed", "environment", "chosen"),
    [
        (("sudo", "pkexec"), {"TERM": "xterm", "DISPLAY": ":0"}, "sudo"),
        (("sudo", "pkexec"), {"DISPLAY": ":0"}, "pkexec"),
        (("pkexec",), {"TERM": "xterm", "WAYLAND_DISPLAY": "wayland-0"}, "pkexec"),
        (("sudo",), {}, "sudo"),
    ],
)
def test_how_it_becomes_root(
    machine: Machine, tmp_path: Path, installed: tuple[str, ...], environment: dict[str, str], chosen: str
) -> None:
    path = programs(tmp_path / "bin", *installed)
    assert elevate(machine.system(environment={**environment, "PATH": path})) == [chosen]


def test_without_sudo_and_pkexec(tmp_path: Path) -> None:
    with pytest.raises(MattecamError, match="as root"):
        elevate(Machine(tmp_path).system(environment={"PATH": str(tmp_path)}))


@pytest.mark.parametrize(
    ("said", "advice"),
    [
        ("modprobe: FATAL: Module v4l2loopback is in use.", "Close the programs"),
        ("modprobe: ERROR: could not insert 'v4l2loopback': Key was rejected by service", "Secure Boot"),
        ("E: Broken\nE: in two lines", r"exit code 1 \(details are in the log\); run the shown commands as root"),
        ("", "exit code 1"),
        ("Error executing command as another user: Request dismissed", "the password was not entered"),
        ("Error executing command as another user: No authentication agent found.", "cannot ask for the password"),
    ],
)
def test_a_failed_repair_says_what_to_do(said: str, advice: str, caplog: pytest.LogCaptureFixture) -> None:
    """In one sentence; the output of the commands is for the log."""
    with pytest.raises(MattecamError, match=advice) as failed:
        run_fix(["sh", "-c", f'echo "{said}" >&2; exit 1'])
    assert "\n" not in str(failed.value) and (not said or said not in str(failed.value))
    assert said in caplog.text


def test_a_repair_that_succeeds_prints_nothing(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    done = tmp_path / "done"
    run_fix(["touch", str(done)])
    assert done.exists()
    assert capfd.readouterr() == ("", "")


def test_the_window_asks_for_the_password_in_a_dialog_of_the_desktop(tmp_path: Path) -> None:
    machine = Machine(tmp_path / "machine")
    machine.module_file()
    script = "\n".join(make_script(machine.system()))
    shown = {"TERM": "xterm", "DISPLAY": ":0"}
    system = machine.system(user="somebody", environment={**shown, "PATH": programs(tmp_path / "bin", "pkexec")})
    assert desktop_command(system) == ["pkexec", "--disable-internal-agent", "sh", "-euc", script]
    assert desktop_command(machine.system(user="root")) == ["sh", "-euc", script]
    none = machine.system(user="somebody", environment={**shown, "PATH": str(tmp_path)})
    assert desktop_command(none) == [], "there are commands to copy"
    assert desktop_command(machine.system(platform="win32")) == []
