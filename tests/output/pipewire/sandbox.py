"""A Flatpak program whose runtime is this machine: links to its /usr, which Flatpak shows the program under /run/host.

The sandbox is a real one: the program has an id, no devices and no PipeWire but the one that the portal gives it.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from tests.pipewire_session import PrivateSession

APP = "org.example.Camera"
PLATFORM = "org.example.Platform"
_VIEWER = Path(__file__).with_name("sandboxed_viewer.py")
_FOLDERS = ("bin", "lib", "lib64", "libexec", "sbin", "share")
_RUNTIME = f"[Runtime]\nname={PLATFORM}\nruntime={PLATFORM}/x86_64/1\nsdk={PLATFORM}/x86_64/1\n"
_APP = (
    f"[Application]\nname={APP}\nruntime={PLATFORM}/x86_64/1\ncommand=env\n\n"
    "[Context]\nshared=network;\nfilesystems=host-os:ro;\n"
)


def install(session: PrivateSession, folder: Path) -> None:
    """Install the program for the user of the session; it keeps its files in `folder`."""
    app, runtime, repository = folder / "app", folder / "runtime", str(folder / "repository")
    for part in (app / "files", app / "export", runtime / "files"):
        part.mkdir(parents=True)
    shutil.copy(_VIEWER, app / "files")
    (app / "metadata").write_text(_APP)
    (runtime / "metadata").write_text(_RUNTIME)
    link_runtime(runtime)
    for command in (
        ["flatpak", "build-export", "--runtime", repository, str(runtime), "1"],
        ["flatpak", "build-export", repository, str(app)],
        ["flatpak", "--user", "remote-add", "--no-gpg-verify", "here", repository],
        ["flatpak", "--user", "install", "--noninteractive", "here", APP],
    ):
        done = session.run(command, timeout_s=200)
        assert done.returncode == 0, (command, done.stderr)


def link_runtime(runtime: Path) -> None:
    """Fill the folder of a runtime with links to this machine."""
    for name in _FOLDERS:
        _link(Path("/usr") / name, runtime / "usr" / name)
    shutil.copy(_real_ldconfig(), runtime / "usr" / "bin" / "ldconfig")  # runs before /run/host is there


def viewer(camera: str) -> list[str]:
    """Return the command of a program that shows a camera; see `sandboxed_viewer.py`."""
    return ["/usr/bin/python3", f"/app/{_VIEWER.name}", camera]


def in_sandbox(command: Sequence[str], *shared: Path) -> list[str]:
    """Return the command line that runs a program of this machine in the sandbox. shared: folders that it may use."""
    return ["flatpak", "run", *(f"--filesystem={folder}" for folder in shared), APP, *command]


def permit(session: PrivateSession, answer: str) -> None:
    """Store the user's answer, "yes" or "no", to the question whether the program may use cameras."""
    done = session.run(["flatpak", "permission-set", "devices", "camera", APP, answer])
    assert done.returncode == 0, done.stderr


def _link(folder: Path, to: Path) -> None:
    to.mkdir(parents=True)
    for one in folder.iterdir():
        if one.name != "ldconfig":
            (to / one.name).symlink_to(Path("/run/host") / one.relative_to("/"))


def _real_ldconfig() -> Path:
    return next(path for path in map(Path, ("/usr/sbin/ldconfig", "/sbin/ldconfig")) if path.exists())
