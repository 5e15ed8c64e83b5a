"""The command doctor, what it repairs, and the proof that frames arrive."""

from __future__ import annotations

import json
import queue
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.cli import machine as doctor_command
from app.cli import main
from app.core.errors import MattecamError, SinkLostError, SinkOpenError, t
from app.core.types import BgrImage, Picture
from app.doctor import checks, system
from app.doctor.finding import CommandLine, Finding, State
from app.doctor.fix import desktop_command, elevate, fix, make_script, run_fix
from app.doctor.proof import Frames, prove
from app.doctor.virtual_camera import check_virtual_camera
from app.output.base import FrameSink
from tests.doctor.conftest import Machine
from tests.waiting import eventually


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

    nothing = fix(machine.system(user="root"), no, lambda line: pytest.fail("must not be called"))
    assert nothing == "Nothing was changed."
    assert "/etc/modprobe.d/mattecam.conf" in shown[0] and "modprobe v4l2loopback" in shown[0]


@pytest.mark.parametrize(
    ("distribution", "words"), [("debian", "v4l2loopback is not installed"), ("nixos", "nixos-rebuild switch")]
)
def test_what_it_cannot_do(tmp_path: Path, distribution: str, words: str) -> None:
    with pytest.raises(MattecamError, match=words):
        fix(Machine(tmp_path, distribution).system(), lambda shown: True)
    with pytest.raises(MattecamError, match="comes from OBS"):
        make_script(Machine(tmp_path, distribution).system(platform="win32"))


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
    with pytest.raises(MattecamError, match="as root"):
        elevate(machine.system(environment={**environment, "PATH": str(tmp_path)}))


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


def test_the_doctor_looks_at_this_machine(capsys: pytest.CaptureFixture[str]) -> None:
    code = main.main(["doctor", "--json"])
    findings = json.loads(capsys.readouterr().out)["findings"]
    assert code == any(finding["state"] == "problem" for finding in findings)
    assert {"check", "state", "detail", "why", "fix"} == set(findings[0])
    checks = {finding["check"].split(":")[0] for finding in findings}
    assert checks >= {"camera", "virtual camera", "graphics card", "models", "display", "disk"}
    assert {finding["state"] for finding in findings} <= {"ok", "warning", "problem"}


def test_problems_are_shown_with_their_commands_and_are_a_failure(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = Finding(
        t("camera"),
        State.PROBLEM,
        t("{name} ({device}).", name="[gone]", device="[x]"),
        t("Without a camera, only the demo and video files are available."),
        (t("In a container, pass the device through:"), CommandLine("sudo plug --in [camera]")),
    )
    monkeypatch.setattr(checks, "run_checks", lambda system: (bad,))
    assert main.main(["doctor"]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "✗ camera: [gone] ([x]).",
        f"    {t('Without a camera, only the demo and video files are available.')}",
        f"    {t('In a container, pass the device through:')}",
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


Spoil = Callable[[BgrImage, int], BgrImage]


@dataclass(eq=False)
class Wire(FrameSink):
    """A virtual camera and its reader, joined."""

    spoil: Spoil = lambda image, number: image
    """What the way does to the picture with a number."""
    fail_after: int = 10**9
    """Pictures until the wire is cut."""
    opens: bool = True
    readable: bool = True
    """It opens as a camera."""
    silent: bool = False
    """No frame comes out."""
    opens_after_s: float = 0.0
    size: tuple[int, int] = 640, 480
    """Which a reader keeps."""
    pictures: queue.Queue[BgrImage] = field(default_factory=lambda: queue.Queue(maxsize=2))
    sent: int = 0
    open_ends: int = 0
    threads: set[int] = field(default_factory=set)
    name = "wire"

    def open_sink(self, width: int, height: int, fps: float) -> Wire:
        if not self.opens:
            raise SinkOpenError("The wire is not there.")
        time.sleep(self.opens_after_s)
        self.open_ends += 1
        return self

    def read(self) -> Frames:
        if not self.readable:
            raise OSError("The wire has another reader.")
        self.open_ends += 1
        try:
            while not self.silent:
                eventually(lambda: not self.pictures.empty() or self.sent > self.fail_after)
                if self.pictures.empty():
                    return
                yield self.pictures.get()
        finally:
            self.open_ends -= 1

    def send(self, picture: Picture) -> None:
        self.threads.add(threading.get_ident())
        self.sent += 1
        if self.sent > self.fail_after:
            raise SinkLostError("The wire was cut; plug it in again.")
        if not self.pictures.full():
            self.pictures.put(self.spoil(picture.image, self.sent))

    def close(self) -> None:
        self.open_ends -= 1


def with_other_matrix(image: BgrImage, _number: int) -> BgrImage:
    """BT.709 where readers assume BT.601: the fault that one sees on skin."""
    blue, green, red = (image[..., index].astype(float) for index in range(3))
    y = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    cb, cr = (blue - y) / 1.8556, (red - y) / 1.5748
    back = np.stack([y + 1.772 * cb, y - 0.344136 * cb - 0.714136 * cr, y + 1.402 * cr], -1)
    return np.clip(back.round(), 0, 255).astype(np.uint8)


READ: Mapping[str, Any] = {"readers": lambda: ("meet (process 12)",)}
"""v4l2loopback 0.15 refuses a second reader: that a program reads it is no problem."""


@pytest.mark.parametrize(
    ("wire", "given", "state", "words"),
    [
        (Wire(), {}, State.OK, "read back at 640×480; the largest error is 0 of 255"),
        (Wire(lambda image, number: np.full_like(image, 7) if number <= 6 else image), {}, State.OK, "read back"),
        (Wire(size=(320, 180)), {}, State.OK, "read back at 320×180"),
        (Wire(readable=False), {}, State.PROBLEM, "cannot be opened as a camera"),
        (Wire(readable=False), READ, State.WARNING, "one program at a time, and meet (process 12) reads it"),
        (Wire(), READ, State.OK, "read back"),
        (Wire(silent=True), {}, State.PROBLEM, "delivers no frames"),
        (Wire(opens=False), {}, State.PROBLEM, "The wire is not there."),
        (Wire(opens_after_s=0.5), {"first_frame_s": 0.1}, State.PROBLEM, "accepted no frame within"),
        (Wire(lambda image, _: np.ascontiguousarray(image[:, ::-1])), {}, State.PROBLEM, "colours"),
        (Wire(lambda image, _: np.ascontiguousarray(image[..., ::-1])), {}, State.PROBLEM, "colours"),
        (Wire(with_other_matrix), {}, State.PROBLEM, "colours"),
        (Wire(fail_after=0), {}, State.PROBLEM, "The wire was cut"),
        (Wire(fail_after=5), {}, State.PROBLEM, "The wire was cut"),
    ],
)
def test_what_the_proof_says(wire: Wire, given: Mapping[str, Any], state: State, words: str) -> None:
    finding = prove("wire", wire.open_sink, wire.read, **given)
    assert finding.state is state and words in finding.detail
    assert wire.open_ends == 0, "sink and reader are closed again"
    assert threading.get_ident() not in wire.threads and len(wire.threads) <= 1
