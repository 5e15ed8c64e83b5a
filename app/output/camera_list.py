"""Which virtual cameras this machine has."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from app.system.device_holders import LINUX, holders

OUR_LABEL = "Mattecam"
"""The label that our set-up gives; preferred where several are free."""

_WINDOWS_CLASSES = {
    "OBS Virtual Camera": "{A3FCE0F5-3493-419F-958A-ABA1250EC20B}",
    "Unity Video Capture": "{5C2CD55C-92AD-4999-8666-912BD3E70010}",
}
"""The DirectShow filters that pyvirtualcam can feed."""


@dataclass(frozen=True, slots=True)
class VirtualCameraDevice:
    """A virtual camera that pictures can be sent to."""

    id: str
    """What to give as `--virtual-camera`: the device on Linux, the name elsewhere."""
    label: str
    path: str
    """The device file; empty where there is none."""
    busy: bool
    """Another program is sending to it."""


def list_virtual_cameras(*, probe: bool = True) -> tuple[VirtualCameraDevice, ...]:
    """All of them, ours first; no real camera is opened. probe: find out which are busy, up to half a second each."""
    if LINUX:
        return _on_linux(probe)
    if sys.platform == "win32":
        return tuple(VirtualCameraDevice(name, name, "", False) for name in _registered_on_windows())
    if sys.platform == "darwin" and Path("/Applications/OBS.app").exists():
        return (VirtualCameraDevice("OBS Virtual Camera", "OBS Virtual Camera", "", False),)
    return ()


def _on_linux(probe: bool) -> tuple[VirtualCameraDevice, ...]:
    from app.output import v4l2  # ioctls: Linux only

    nodes = sorted(v4l2.loopback_nodes(), key=lambda node: (node.label != OUR_LABEL, node.number))
    return tuple(VirtualCameraDevice(node.path, node.label, node.path, probe and is_busy(node.path)) for node in nodes)


def is_busy(path: str) -> bool:
    """Whether another program sends to this loopback camera."""
    from app.output import v4l2

    found = holders(path) or ()
    if any(holder.only_writes and holder.pid != os.getpid() for holder in found):
        return True
    if any(holder.only_writes for holder in found):
        return False  # this program sends to it
    try:
        return not v4l2.takes_output(path) and v4l2.pictures_arrive(path)
    except OSError:
        return False  # not ours to open: opening it will say why


def _registered_on_windows() -> list[str]:
    names: list[str] = []
    if sys.platform == "win32":
        import winreg

        for name, guid in _WINDOWS_CLASSES.items():
            try:
                winreg.CloseKey(winreg.OpenKey(winreg.HKEY_CLASSES_ROOT, rf"CLSID\{guid}"))
            except OSError:
                continue
            names.append(name)
    return names
