"""What tests of browsers share: a desktop with the camera portal, and whether the program shows
its first matte.
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.paths import ROOT
from tests.pipewire_session import PrivateSession, private_session

LIBEXEC = Path("/usr/libexec")
PORTALS = ("xdg-permission-store", "xdg-desktop-portal-gtk", "xdg-desktop-portal")
PERMIT = (
    "dbus-send --session --print-reply --dest=org.freedesktop.impl.portal.PermissionStore "
    "/org/freedesktop/impl/portal/PermissionStore "
    "org.freedesktop.impl.portal.PermissionStore.SetPermission string:devices boolean:true "
    "string:camera string: array:string:yes"
)


@pytest.fixture
def desktop(tmp_path: Path) -> Iterator[PrivateSession]:
    """A private session with a display and the camera portal, whose question is answered with
    yes.
    """
    missing = [one for one in PORTALS if not (LIBEXEC / one).exists()] + [
        one
        for one in ("Xvfb", "dbus-send", "dbus-update-activation-environment")
        if shutil.which(one) is None
    ]
    if missing:
        pytest.skip(f"needs {', '.join(missing)}")
    configuration = tmp_path / "home" / ".config" / "xdg-desktop-portal"
    configuration.mkdir(parents=True)
    (configuration / "portals.conf").write_text("[preferred]\ndefault=gtk\n")
    with private_session() as session:
        session.environment |= {
            "HOME": str(tmp_path / "home"),
            "XDG_CONFIG_HOME": str(tmp_path / "home" / ".config"),
            "XDG_DATA_HOME": str(tmp_path / "home" / ".local"),
            "XDG_CURRENT_DESKTOP": "GNOME",
            "DISPLAY": ":87",
        }
        session.launch("Xvfb", ":87", "-screen", "0", "1280x800x24")
        time.sleep(1)
        session.run(
            [
                "dbus-update-activation-environment",
                "DISPLAY",
                "XDG_CURRENT_DESKTOP",
                "XDG_RUNTIME_DIR",
                "HOME",
            ]
        )
        for portal in PORTALS:
            session.launch(str(LIBEXEC / portal))
            time.sleep(1)
        assert session.run(PERMIT.split(" ")).returncode == 0
        yield session


def composites(desktop: PrivateSession) -> bool:
    """Return whether the program has made a composite: a first start shows the card while it
    compiles.
    """
    answer = desktop.run([sys.executable, str(ROOT / "run.py"), "ctl", "--json", "status"])
    return answer.returncode == 0 and json.loads(answer.stdout)["frames_out"] > 0
