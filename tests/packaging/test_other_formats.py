"""rpm and Flatpak of the whole tree: they hold its files, and run from there without network.

Runs with MATTECAM_PACKAGES=1, as root on Debian with rpm, flatpak-builder and gcc. The runtime of the Flatpak is this
machine, in place of KDE's; the wheels come from PyPI.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.output.pipewire.sandbox import link_runtime
from tests.packaging.conftest import DEMO
from tools.packages import flatpak
from tools.packages.check import check
from tools.packages.recipes import build_rpm, spec_text
from tools.packages.tree import INSTALLED_IN, files_of

HOST = "--filesystem=host-os:ro"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(os.environ.get("MATTECAM_PACKAGES") != "1", reason="set MATTECAM_PACKAGES=1"),
]


def content(tree: Path) -> dict[Path, bytes]:
    """The files of a tree, without compiled modules."""
    files = (path for path in files_of(tree) if "__pycache__" not in path.parts)
    return {path.relative_to(tree): path.read_bytes() for path in files}


def run(*words: str | Path, folder: Path) -> str:
    """Run a command with a home of its own; return what it prints."""
    own = {"HOME": str(folder / "home"), "XDG_DATA_HOME": str(folder / "data"), "PATH": os.environ["PATH"]}
    network = {key: text for key, text in os.environ.items() if key.endswith(("_BUNDLE", "_CERT_FILE", "_proxy"))}
    done = subprocess.run(
        list(words),
        cwd=folder,
        env={**network, **own},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_an_rpm_has_the_tree_and_runs(tree: Path, package: Path, tmp_path: Path) -> None:
    rpm = build_rpm(package, spec_text(check(tree), ""), tmp_path)
    root = tmp_path / "root"
    run("rpm", "--root", root, "--nodeps", "--noscripts", "-i", rpm, folder=tmp_path)
    installed = root / INSTALLED_IN[1:]
    assert content(installed) == content(tree)
    film = tmp_path / "demo.mp4"
    run("unshare", "-n", installed / "bin/mattecam", "headless", *DEMO, "--record", film, folder=tmp_path)
    assert film.stat().st_size > 1000


def install_runtimes(folder: Path) -> None:
    """Install this machine as runtime and SDK, for the user whose home is in the folder."""
    composes = folder / "appstream-compose"  # started without the folders of this machine: it does nothing
    command = ["gcc", "-static", "-x", "c", "-", "-o", str(composes)]
    subprocess.run(command, input="int main(void) { return 0; }", text=True, check=True)
    for name in (flatpak.RUNTIME, flatpak.SDK):
        runtime, itself = folder / name, f"{name}/x86_64/{flatpak.BRANCH}"
        (runtime / "files").mkdir(parents=True)
        (runtime / "metadata").write_text(f"[Runtime]\nname={name}\nruntime={itself}\nsdk={itself}\n")
        link_runtime(runtime)
        (runtime / "usr/bin/appstream-compose").unlink(missing_ok=True)
        shutil.copy(composes, runtime / "usr/bin")
        run("flatpak", "build-export", "--runtime", "runtimes", runtime, flatpak.BRANCH, folder=folder)
    run("flatpak", "--user", "remote-add", "--no-gpg-verify", "runtimes", "runtimes", folder=folder)
    install = ("flatpak", "--user", "install", "--noninteractive", "runtimes")
    run(*install, flatpak.RUNTIME, flatpak.SDK, folder=folder)


@pytest.fixture
def short_path() -> Iterator[Path]:
    """A folder of a short name: Flatpak makes sockets below the home folder, and their paths have 107 characters."""
    with tempfile.TemporaryDirectory(prefix="flatpak-") as folder:
        yield Path(folder)


def test_a_flatpak_is_built_of_the_tree_and_runs(tree: Path, short_path: Path) -> None:
    configuration = short_path / "home/.config/user-dirs.dirs"
    configuration.parent.mkdir(parents=True)
    configuration.write_text('XDG_VIDEOS_DIR="$HOME/Videos"\n')
    (short_path / "home/Videos").mkdir()
    install_runtimes(short_path)
    flatpak.write_flatpak(tree, short_path)
    file = short_path / f"{flatpak.APP_ID}.json"
    manifest = json.loads(file.read_text())
    manifest["modules"][0]["build-options"]["build-args"] = [HOST]
    manifest["finish-args"].append(HOST)
    file.write_text(json.dumps(manifest))
    build = ("flatpak-builder", "--user", "--disable-rofiles-fuse", "--repo=made", "build", file)
    run(*build, folder=short_path)
    assert content(short_path / "build/files/lib/mattecam") == content(tree)
    exported = short_path / "build/export/share"
    assert (exported / f"applications/{flatpak.APP_ID}.desktop").is_file()
    assert (exported / f"icons/hicolor/scalable/apps/{flatpak.APP_ID}.svg").is_file()
    run("flatpak", "--user", "remote-add", "--no-gpg-verify", "made", "made", folder=short_path)
    run("flatpak", "--user", "install", "--noninteractive", "made", flatpak.APP_ID, folder=short_path)
    film = short_path / "home/Videos/Mattecam/demo.mp4"
    start = ("dbus-run-session", "--", "flatpak", "run", "--unshare=network", flatpak.APP_ID, "headless", *DEMO)
    run(*start, "--record", film, folder=short_path)
    assert film.stat().st_size > 1000
