"""Pictures of machines in a folder, for the checks to look at."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.doctor.finding import Finding, State
from app.doctor.system import System
from tests.stand_ins import always

RELEASE = "6.1.0-25-amd64"
OS_RELEASES = {
    "debian": 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\n',
    "ubuntu": "ID=ubuntu\nID_LIKE=debian\n",
    "elementary": "ID=elementary\nID_LIKE=ubuntu\n",
    "fedora": "ID=fedora\nVERSION_ID=43\n",
    "arch": "ID=arch\n",
    "manjaro": "ID=manjaro\nID_LIKE=arch\n",
    "tumbleweed": 'ID="opensuse-tumbleweed"\nID_LIKE="opensuse suse"\n',
    "nixos": "ID=nixos\n",
    "void": "ID=void\n",
}


class Machine:
    """A folder that looks like a machine's root; built up by calls, then asked for as a `System`."""

    def __init__(self, root: Path, distribution: str = "debian", release: str = RELEASE) -> None:
        self.root = root
        self.release = release
        self.write("/etc/os-release", OS_RELEASES[distribution])
        self.folder(f"/lib/modules/{release}/kernel")
        self.write("/proc/1/comm", "systemd\n")

    def write(self, absolute: str, text: str = "") -> Machine:
        path = self.root / absolute.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, newline="\n")
        return self

    def folder(self, absolute: str) -> Path:
        path = self.root / absolute.lstrip("/")
        path.mkdir(parents=True, exist_ok=True)
        return path

    def without(self, absolute: str) -> Machine:
        (self.root / absolute.lstrip("/")).rename(self.root / "removed")
        return self

    def module_file(self) -> Machine:
        return self.write(f"/lib/modules/{self.release}/updates/dkms/v4l2loopback.ko.xz")

    def loaded(self, *numbers: int, label: str = "Mattecam", caps: str = "Y") -> Machine:
        """The module in the running kernel, with devices."""
        self.module_file()
        self.write("/sys/module/v4l2loopback/parameters/exclusive_caps", caps + ",N" * 7 + "\n")
        asked = ",".join(map(str, numbers)) or "-1"
        self.write("/sys/module/v4l2loopback/parameters/video_nr", asked + ",-1" * 7 + "\n")
        for number in numbers:
            folder = f"/sys/devices/virtual/video4linux/video{number}"
            self.write(f"{folder}/name", f"{label}\n").write(
                f"{folder}/max_openers", "10\n"
            ).camera(
                number,
                label,
            )
        return self

    def camera(self, number: int, name: str, index: int = 0) -> Machine:
        folder = f"/sys/class/video4linux/video{number}"
        return (
            self.write(f"{folder}/name", f"{name}\n")
            .write(f"{folder}/index", f"{index}\n")
            .write(f"/dev/video{number}")
        )

    def process(self, pid: int, name: str, opened: str) -> Machine:
        if sys.platform == "win32":
            pytest.skip("Windows lacks symbolic links for everybody")
        (self.folder(f"/proc/{pid}/fd") / "7").symlink_to(opened)
        return self.write(f"/proc/{pid}/comm", f"{name}\n")

    def at_start(self, file: str = "/etc/modules-load.d/mattecam.conf") -> Machine:
        """Load the module, with a device, at every start."""
        return self.loaded(10).write(file, "v4l2loopback\n")

    def system(
        self,
        *,
        allowed: bool = True,
        busy: bool = False,
        answers: Mapping[str, str] | None = None,
        libraries: bool = True,
        pipewire: bool = False,
        permissions: Mapping[str, str] | None = None,
        window_problem: str | None = None,
        **fields: Any,
    ) -> System:
        """The machine. answers: what commands say, by the words they hold. permissions: None without a portal."""

        def run(command: Sequence[str]) -> str | None:
            return next(
                (said for words, said in (answers or {}).items() if words in " ".join(command)),
                None,
            )

        def may_use(path: Path) -> bool:
            return allowed and path.exists()

        def find_library(name: str) -> str | None:
            return f"lib{name}.so" if libraries else None

        usual = System(
            root=self.root,
            platform="linux",
            machine="x86_64",
            release=self.release,
            user="ada",
            pid=4000,
            environment={},
            run=run,
            may_use=may_use,
            is_busy=always(busy),
            pipewire_answers=always(pipewire),
            camera_permissions=always(permissions),
            find_library=find_library,
            window_problem=always(window_problem),
        )
        return replace(usual, **fields)


def loaded(machine: Machine) -> Machine:
    """Return the machine with our device."""
    return machine.loaded(10)


def without_exclusive_caps(machine: Machine) -> Machine:
    """Return the machine with a device that browsers do not take for a camera."""
    return machine.loaded(4, caps="N")


# A finding: its state, words of its sentence, and words
# of its steps, which there are unless all is well.
Wanted = tuple[Any, ...]


def expect(findings: Iterable[Finding], *wanted: Wanted) -> None:
    """Assert that these findings were made, and no others."""
    found = list(findings)
    assert [finding.state for finding in found] == [state for state, *_ in wanted], found
    for finding, (state, detail, *fixes) in zip(found, wanted, strict=True):
        assert detail in finding.detail
        assert [words for words in fixes if words not in finding.fix] == [], finding.fix
        assert bool(finding.fix) is bool(finding.why) is (state is not State.OK), finding


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """Return a Debian that has nothing."""
    return Machine(tmp_path)
