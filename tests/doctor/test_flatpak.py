"""The doctor and the real stores of permissions and Flatpak programs, in a private session; half a minute long."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from app.doctor.finding import Finding, State
from app.doctor.pipewire import check_pipewire
from app.doctor.system import System
from app.system.portal import read_permissions
from tests.output.pipewire.desktop import desktop
from tests.pipewire_session import PrivateSession

__all__ = ["desktop"]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(200)]
APP = "org.example.Camera"
METADATA = f"[Application]\nname={APP}\nruntime=org.example.Platform/x86_64/1\n"


@pytest.fixture
def machine(desktop: PrivateSession, monkeypatch: pytest.MonkeyPatch) -> System:
    """This machine, with the private session as the user's."""
    for program in ("flatpak", "busctl"):
        if shutil.which(program) is None:
            pytest.skip(f"needs {program}")
    for name in ("DBUS_SESSION_BUS_ADDRESS", "HOME", "PIPEWIRE_RUNTIME_DIR", "XDG_DATA_HOME", "XDG_RUNTIME_DIR"):
        monkeypatch.setenv(name, desktop.environment[name])
    return System()


def findings_of(machine: System) -> dict[str, Finding]:
    return {one.check.removeprefix("PipeWire camera: "): one for one in check_pipewire(machine)}


def test_a_refusal_in_the_permission_store_is_found_and_forgotten(desktop: PrivateSession, machine: System) -> None:
    assert findings_of(machine)["portal"].state is State.OK and "permission" not in findings_of(machine)
    assert desktop.run(["flatpak", "permission-set", "devices", "camera", APP, "no"]).returncode == 0
    assert read_permissions() == {"": "yes", APP: "no"}
    refused = findings_of(machine)["permission"]
    assert refused.state is State.WARNING and APP in refused.detail
    command = next(line for line in refused.fix.splitlines() if line.startswith("busctl"))
    assert desktop.run(["sh", "-c", command]).returncode == 0
    assert read_permissions() == {"": "yes"} and "permission" not in findings_of(machine)
    assert APP not in desktop.run(["flatpak", "permissions"]).stdout


def test_an_installed_program_is_known(desktop: PrivateSession, machine: System, tmp_path: Path) -> None:
    (tmp_path / "app" / "files").mkdir(parents=True)
    (tmp_path / "app" / "export").mkdir()
    (tmp_path / "app" / "metadata").write_text(METADATA)
    repository = str(tmp_path / "repository")
    data = {**desktop.environment, "XDG_DATA_HOME": f"{desktop.environment['HOME']}/.local/share"}
    for command in (
        ["flatpak", "build-export", repository, str(tmp_path / "app")],
        ["flatpak", "--user", "remote-add", "--no-gpg-verify", "here", repository],
        ["flatpak", "--user", "install", "--no-deps", "--noninteractive", "here", APP],
    ):
        done = subprocess.run(command, env=data, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, (command, done.stderr)
    assert findings_of(machine)["Flatpak"].state is State.OK
