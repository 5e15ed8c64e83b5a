"""Pictures of machines in a folder, for the checks to look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from app.doctor.finding import Finding, State
from app.doctor.system import System

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

    def write(self, absolute: str, text: str | bytes = "") -> None:
        path = self.root / absolute.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())

    def folder(self, absolute: str) -> None:
        (self.root / absolute.lstrip("/")).mkdir(parents=True, exist_ok=True)

    def headers(self) -> None:
        self.folder(f"/lib/modules/{self.release}/build")

    def module_file(self, release: str | None = None) -> None:
        self.write(f"/lib/modules/{release or self.release}/updates/dkms/v4l2loopback.ko.xz")

    def loaded(self, *numbers: int, label: str = "Mattecam", caps: str = "Y") -> None:
        """The module in the running kernel, with devices."""
        self.module_file()
        self.write("/sys/module/v4l2loopback/parameters/exclusive_caps", caps + ",N" * 7 + "\n")
        asked = ",".join(map(str, numbers)) or "-1"
        self.write("/sys/module/v4l2loopback/parameters/video_nr", asked + ",-1" * 7 + "\n")
        for number in numbers:
            folder = f"/sys/devices/virtual/video4linux/video{number}"
            self.write(f"{folder}/name", f"{label}\n")
            self.write(f"{folder}/max_openers", "10\n")
            self.write(f"/sys/class/video4linux/video{number}/name", f"{label}\n")
            self.write(f"/dev/video{number}")

    def camera(self, number: int, name: str, index: int = 0) -> None:
        self.write(f"/sys/class/video4linux/video{number}/name", f"{name}\n")
        self.write(f"/sys/class/video4linux/video{number}/index", f"{index}\n")
        self.write(f"/dev/video{number}")

    def process(self, pid: int, name: str, opened: str) -> None:
        self.write(f"/proc/{pid}/comm", f"{name}\n")
        self.folder(f"/proc/{pid}/fd")
        (self.root / f"proc/{pid}/fd/7").symlink_to(opened)

    def at_start(self, file: str = "/etc/modules-load.d/mattecam.conf") -> None:
        """Load the module, with a device, at every start."""
        self.loaded(10)
        self.write(file, "v4l2loopback\n")

    def system(
        self,
        *,
        allowed: bool = True,
        busy: bool = False,
        answers: Mapping[str, str] | None = None,
        environment: Mapping[str, str] | None = None,
        platform: str = "linux",
        libraries: bool = True,
        user: str = "ada",
        pipewire: bool = False,
        permissions: Mapping[str, str] | None = None,
        window_problem: str | None = None,
    ) -> System:
        """The machine. answers: what commands say, by the words they hold. permissions: None without a portal."""

        def run(command: Sequence[str]) -> str | None:
            return next((said for words, said in (answers or {}).items() if words in " ".join(command)), None)

        return System(
            root=self.root,
            platform=platform,
            machine="AMD64" if platform == "win32" else "x86_64",
            release=self.release,
            user=user,
            pid=4000,
            environment=environment or {},
            run=run,
            may_use=lambda path: allowed and path.exists(),
            is_busy=lambda device: busy,
            pipewire_answers=lambda: pipewire,
            camera_permissions=lambda: permissions,
            find_library=lambda name: f"lib{name}.so" if libraries else None,
            window_problem=lambda: window_problem,
        )


def expect(finding: Finding, state: State, detail: str = "", *fixes: str) -> None:
    """Assert that a finding has this state, and that its sentence and its steps hold these words."""
    assert finding.state is state, finding
    assert detail in finding.detail
    assert [words for words in fixes if words not in finding.fix] == [], finding.fix


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """Return a Debian that has nothing."""
    return Machine(tmp_path)
