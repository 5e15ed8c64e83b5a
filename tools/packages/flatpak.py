"""Write the Flatpak manifest of a tree: the locked wheels from PyPI, and an archive of what no wheel there has.

    python -m tools.packages.flatpak TREE FOLDER

The archive has Python, OpenCV of our own, and Mattecam with its networks and kernels; `flatpak-builder` unpacks the
wheels into it, prunes them as the tree and compiles their modules.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from app import __version__
from models.weights import sha256_of
from tools.packages import prune
from tools.packages.check import part_of
from tools.packages.deb import desktop_files
from tools.packages.opencv import NAME
from tools.packages.tree import ROOT, archive, in_release, locked_for_packages, site_packages

APP_ID = "org.mattecam.Mattecam"
RUNTIME, SDK, BRANCH = "org.kde.Platform", "org.kde.Sdk", "6.10"
"""The runtime gives the libraries of X11, Wayland, PipeWire and sound; Qt is that of the tree."""
OWN = ("python", "cv2", "mattecam")
"""Parts of the tree that the archive has."""
PERMISSIONS = (
    "--share=ipc",
    "--socket=wayland",
    "--socket=fallback-x11",
    "--socket=pulseaudio",  # microphones, for recordings
    "--share=network",  # for what the user asks for: downloads of networks, a server that mattes, updates
    "--filesystem=xdg-run/pipewire-0",  # the camera for other programs; the camera of the user comes by the portal
    "--filesystem=xdg-videos/Mattecam:create",  # recordings
    "--talk-name=org.kde.StatusNotifierWatcher",  # tray
)
"""No devices: the user grants them for v4l2loopback (`flatpak override --device=all`)."""


def manifest(wheels: Sequence[Mapping[str, str]], own: Mapping[str, str], packages: str) -> dict[str, object]:
    """Return the manifest. wheels, own: sources. packages: folder of the packages below the tree."""
    tree = "/app/lib/mattecam"
    python, site = f"{tree}/bin/python3 -I", f"{tree}/{packages}"
    pruning = f"from pathlib import Path; import prune; prune.prune(Path('{site}'), prune.PACKAGES)"
    commands = [
        "mkdir -p /app/lib /app/bin",
        f"cp -a tree {tree}",
        "cp -a share /app",
        "ln -s ../lib/mattecam/bin/mattecam /app/bin/mattecam",
        f'for wheel in *.whl; do {python} -m zipfile -e "$wheel" {site}; done',
        f'{tree}/bin/python3 -c "{pruning}"',
        f"rm -rf {site}/bin {site}/*.dist-info/RECORD",
        f"{python} -m compileall -q -f --invalidation-mode unchecked-hash {site}",
    ]
    module = {
        "name": "mattecam",
        "buildsystem": "simple",
        "only-arches": ["x86_64"],
        "build-options": {"strip": False, "no-debuginfo": True},
        "build-commands": commands,
        "sources": [own, *wheels],
    }
    return {
        "id": APP_ID,
        "runtime": RUNTIME,
        "runtime-version": BRANCH,
        "sdk": SDK,
        "command": "mattecam",
        "finish-args": list(PERMISSIONS),
        "rename-desktop-file": "mattecam.desktop",
        "rename-icon": "mattecam",
        "modules": [module],
    }


def locked_wheels() -> list[dict[str, str]]:
    """Return the sources of the wheels in a tree of this Python: their addresses on PyPI and their locked SHA-256."""
    text = (ROOT / "requirements" / "base.lock").read_text(encoding="utf-8")
    # Without settings pip asks PyPI, whatever index this machine uses.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    environment["PIP_CONFIG_FILE"] = os.devnull
    with tempfile.TemporaryDirectory() as scratch:
        lock, report = Path(scratch) / "packages.lock", Path(scratch) / "report.json"
        lock.write_text("\n".join(locked_for_packages(text, [NAME])), encoding="utf-8")
        pip = (sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed", "--no-deps")
        options = ("--require-hashes", "--only-binary=:all:")
        subprocess.run([*pip, *options, "--report", report, "-r", lock], check=True, env=environment)
        found = json.loads(report.read_text(encoding="utf-8"))["install"]
    files = [entry["download_info"] for entry in found]
    return [{"type": "file", "url": file["url"], "sha256": file["archive_info"]["hashes"]["sha256"]} for file in files]


def own_parts(tree: Path, target: Path) -> None:
    """Pack what a Flatpak takes from a tree and from no wheel of PyPI, desktop files and the rules of pruning."""

    def of_wheels(folder: str, names: list[str]) -> list[str]:
        inside = Path(folder) == site_packages(tree)
        return [name for name in names if inside and part_of(Path("site-packages", name)) not in OWN]

    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        folder = Path(scratch) / "mattecam"
        shutil.copytree(tree, folder / "tree", symlinks=True, ignore=of_wheels)
        desktop_files(folder, __version__)
        shutil.copy(prune.__file__, folder / "prune.py")
        archive(folder, target)


def write_flatpak(tree: Path, folder: Path, address: str = "") -> None:
    """Write archive and manifest. address: of the project's page; without one, the archive lies beside the manifest."""
    target = folder / f"mattecam-{__version__}-flatpak.tar.xz"
    own_parts(tree, target)
    place = {"url": in_release(address, target.name)} if address else {"path": target.name}
    own = {"type": "archive", **place, "sha256": sha256_of(target)}
    made = manifest(locked_wheels(), own, str(site_packages(tree).relative_to(tree)))
    (folder / f"{APP_ID}.json").write_text(json.dumps(made, indent=4) + "\n", encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tree", type=Path)
    parser.add_argument("folder", type=Path)
    named = parser.parse_args()
    write_flatpak(named.tree.resolve(), named.folder.resolve())
