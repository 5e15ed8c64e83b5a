"""Can other programs see our picture on Windows and macOS? There a virtual camera comes from another program."""

from __future__ import annotations

from app.doctor.finding import Finding, State
from app.doctor.system import System

_WINDOWS_CAMERAS = {
    # the COM classes that the two programs register (HKEY_CLASSES_ROOT\CLSID)
    "OBS Virtual Camera": "{A3FCE0F5-3493-419F-958A-ABA1250EC20B}",
    "Unity Video Capture": "{5C2CD55C-92AD-4999-8666-912BD3E70010}",
}
_MAC_EXTENSION = "com.obsproject.obs-studio.mac-camera-extension"
_MAC_PLUGIN = "/Library/CoreMediaIO/Plug-Ins/DAL/obs-mac-virtualcam.plugin"
_CHECK = "virtual camera: installed"
_WHY = "Without a virtual camera other programs cannot see the picture; only recording works."


def check_windows(system: System) -> tuple[Finding, ...]:
    """OBS or Unity Capture, by the classes they register."""
    found = [
        name
        for name, clsid in _WINDOWS_CAMERAS.items()
        if system.run(["reg", "query", rf"HKCR\CLSID\{clsid}"]).exit_code == 0
    ]
    if found:
        return (Finding(_CHECK, State.OK, f"Installed: {' and '.join(found)}."),)
    return (
        Finding(
            _CHECK,
            State.PROBLEM,
            "Neither the OBS Virtual Camera nor Unity Capture is installed.",
            _WHY,
            "Install OBS Studio (it need not run), then restart the programs that should see the camera:\n"
            "winget install OBSProject.OBSStudio",
        ),
    )


def check_mac(system: System) -> tuple[Finding, ...]:
    """The camera extension of OBS, which must be installed and allowed by the user."""
    lines = [line for line in system.run(["systemextensionsctl", "list"]).output.splitlines() if _MAC_EXTENSION in line]
    if any("activated enabled" in line for line in lines) or system.path(_MAC_PLUGIN).exists():
        return (Finding(_CHECK, State.OK, "The OBS Virtual Camera is installed and allowed."),)
    if lines:
        return (
            Finding(
                _CHECK,
                State.PROBLEM,
                "The camera extension of OBS is installed, but not allowed.",
                _WHY,
                "Allow it in System Settings › General › Login Items & Extensions › Camera Extensions "
                "(before macOS 15: Privacy & Security), then restart OBS once.",
            ),
        )
    if system.path("/Applications/OBS.app").exists():
        fix = "Open OBS, press “Start Virtual Camera” once, allow the extension, and close OBS."
        return (Finding(_CHECK, State.PROBLEM, "OBS is installed, but not its camera extension.", _WHY, fix),)
    fix = "Install OBS Studio, press “Start Virtual Camera” once, allow the extension:\nbrew install --cask obs"
    return (Finding(_CHECK, State.PROBLEM, "OBS, which brings the virtual camera, is not installed.", _WHY, fix),)
