"""What the doctor says about the PipeWire camera."""

from __future__ import annotations

import pytest

from app.doctor.finding import Finding, State
from app.doctor.pipewire import check_pipewire, prove_pipewire
from app.doctor.system import CommandResult
from tests.doctor.machine import Machine
from tests.pipewire_session import PrivateSession, private_session

ALLOWED = {"": "yes"}


def by_check(findings: list[Finding]) -> dict[str, Finding]:
    return {finding.check.removeprefix("PipeWire camera: "): finding for finding in findings}


def test_without_the_library_it_names_the_packages(machine: Machine) -> None:
    (finding,) = check_pipewire(machine.system(libraries=False), None)
    assert finding.state is State.WARNING and "not installed" in finding.detail
    assert finding.fix == "sudo apt install pipewire wireplumber"


def test_without_a_daemon_it_says_how_to_start_it(machine: Machine) -> None:
    (finding,) = check_pipewire(machine.system(), None)
    assert finding.state is State.WARNING and "does not answer" in finding.detail
    assert "systemctl --user enable --now pipewire" in finding.fix


def test_all_well(machine: Machine) -> None:
    findings = check_pipewire(machine.system(pipewire=True, permissions=ALLOWED), None)
    assert [finding.state for finding in findings] == [State.OK, State.OK]


def test_without_a_portal_it_names_the_packages(machine: Machine) -> None:
    finding = by_check(check_pipewire(machine.system(pipewire=True), None))["portal"]
    assert finding.state is State.WARNING and "xdg-desktop-portal-gtk" in finding.fix


def test_a_stored_refusal_can_be_forgotten(machine: Machine) -> None:
    permissions = {"org.mozilla.firefox": "no", "": "ask", "fine": "yes"}
    findings = check_pipewire(machine.system(pipewire=True, permissions=permissions), None)
    refused = [finding for finding in findings if finding.check.endswith("permission")]
    assert ["outside a sandbox" in one.detail for one in refused] == [True, False]
    assert 'DeletePermission sss devices camera "org.mozilla.firefox"' in refused[1].fix


@pytest.mark.parametrize("folder", [".mozilla/firefox", ".var/app/org.mozilla.firefox/.mozilla/firefox"])
def test_how_firefox_looks_for_cameras(machine: Machine, folder: str) -> None:
    system = machine.system(pipewire=True, permissions=ALLOWED, environment={"HOME": "/home/ada"})
    assert "Firefox" not in by_check(check_pipewire(system, None))
    machine.write(f"/home/ada/{folder}/x.default/prefs.js", 'user_pref("a", 1);\n')
    assert "device files" in by_check(check_pipewire(system, None))["Firefox"].detail
    machine.write(f"/home/ada/{folder}/x.default/user.js", 'user_pref("media.webrtc.camera.allow-pipewire", true);\n')
    assert "in PipeWire" in by_check(check_pipewire(system, None))["Firefox"].detail


def test_flatpak_and_snap_programs(machine: Machine) -> None:
    machine.folder("/var/lib/flatpak/app/org.example.App")
    machine.folder("/snap/firefox")
    unconnected = CommandResult(0, "Interface  Plug  Slot  Notes\ncamera  firefox:camera  -  -\n")
    system = machine.system(pipewire=True, permissions=ALLOWED, answers={"snap connections firefox": unconnected})
    findings = by_check(check_pipewire(system, None))
    assert findings["Flatpak"].state is State.OK
    assert findings["Snap"].fix == "sudo snap connect firefox:camera"
    connected = CommandResult(0, "camera  firefox:camera  :camera  -\n")
    system = machine.system(pipewire=True, permissions=ALLOWED, answers={"snap connections firefox": connected})
    assert "Snap" not in by_check(check_pipewire(system, None))


def test_the_picture_is_read_back(pipewire: PrivateSession) -> None:
    finding = prove_pipewire()
    assert finding.state is State.OK and finding.check == "PipeWire camera: proof", finding.detail
    assert "640×480" in finding.detail


def test_without_a_session_manager_nothing_arrives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.doctor.pipewire._READ_S", 0.3)
    with private_session() as session:
        session.end("wireplumber")
        monkeypatch.setenv("PIPEWIRE_RUNTIME_DIR", str(session.folder))
        finding = prove_pipewire()
    assert finding.state is State.PROBLEM and "delivers no frames" in finding.detail
    assert "WirePlumber" in finding.fix
