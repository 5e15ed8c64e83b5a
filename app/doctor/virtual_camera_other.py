"""Check the virtual camera on Windows and macOS, where another program provides it."""

from __future__ import annotations

from app.core.messages.doctor_virtual_camera import LoopbackFinding, ObsFinding
from app.core.text import Text
from app.doctor.finding import Command, Finding, State
from app.doctor.system import System

_WINDOWS_CAMERAS = {
    # the COM classes that the two programs register (HKEY_CLASSES_ROOT\CLSID)
    "OBS Virtual Camera": "{A3FCE0F5-3493-419F-958A-ABA1250EC20B}",
    "Unity Video Capture": "{5C2CD55C-92AD-4999-8666-912BD3E70010}",
}
_MAC_EXTENSION = "com.obsproject.obs-studio.mac-camera-extension"
_MAC_PLUGIN = "/Library/CoreMediaIO/Plug-Ins/DAL/obs-mac-virtualcam.plugin"
_CHECK = "virtual camera: installed"


def check_windows(system: System) -> tuple[Finding, ...]:
    """Look for OBS or Unity Video Capture by the COM classes they register."""
    found = [
        name
        for name, clsid in _WINDOWS_CAMERAS.items()
        if system.run(["reg", "query", rf"HKCR\CLSID\{clsid}"]).exit_code == 0
    ]
    if found:
        return (Finding(_CHECK, State.OK, ObsFinding.INSTALLED(programs=found)),)
    return _problem(
        ObsFinding.NONE_ON_WINDOWS(), ObsFinding.FIX_WINDOWS(), Command("winget install OBSProject.OBSStudio")
    )


def check_mac(system: System) -> tuple[Finding, ...]:
    """Look for the camera extension of OBS, which must be installed and allowed by the user."""
    lines = [line for line in system.run(["systemextensionsctl", "list"]).output.splitlines() if _MAC_EXTENSION in line]
    if any("activated enabled" in line for line in lines) or system.path(_MAC_PLUGIN).exists():
        return (Finding(_CHECK, State.OK, ObsFinding.ALLOWED()),)
    if lines:
        return _problem(ObsFinding.NOT_ALLOWED(), ObsFinding.FIX_ALLOW())
    if system.path("/Applications/OBS.app").exists():
        return _problem(ObsFinding.WITHOUT_EXTENSION(), ObsFinding.FIX_EXTENSION())
    return _problem(ObsFinding.NONE_ON_MAC(), ObsFinding.FIX_MAC(), Command("brew install --cask obs"))


def _problem(detail: Text, *steps: Text | Command) -> tuple[Finding, ...]:
    return (Finding(_CHECK, State.PROBLEM, detail, LoopbackFinding.WHY_NEEDED(), steps),)
