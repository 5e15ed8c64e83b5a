"""The Debian package, installed in clean systems without Python, and run there without network.

Runs with MATTECAM_PACKAGES=1, as root on Debian with debootstrap, lintian and Xvfb; takes half an hour.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from app import __version__
from app.system.pipewire.stream import NodeReader
from tests.output.pipewire.feeding import image_of, next_frame, reading
from tests.packaging.conftest import DEMO, WHERE_PACKAGES_ARE_BUILT, run
from tests.paths import ROOT
from tests.pipewire_session import PrivateSession
from tests.waiting import eventually
from tools.packages.check import check, digest
from tools.packages.deb import build_deb
from tools.packages.tree import build

MIRROR = "http://deb.debian.org/debian"
USER = 1000
NO_BED = 3
GREEN = (0x40, 0xB1, 0x00)
"""Colour of the green background: blue, green, red."""
LARGEST_MB = 600
"""Of the tree."""
pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600), WHERE_PACKAGES_ARE_BUILT]


@dataclass(frozen=True)
class System:
    """A Debian system in a folder."""

    root: Path
    display: str

    def run(self, *words: str, network: bool = False, user: int = USER, code: int = 0) -> str:
        """Run a command in the system, see `run`; return what it prints."""
        own = self.root / "tmp/.X11-unix"
        own.mkdir(parents=True, exist_ok=True)
        mounts = (
            f"mount --bind /tmp/.X11-unix {own}; mount -t tmpfs none {self.root}/dev/shm; "
            f"mount --rbind /sys {self.root}/sys; "
        )
        chroot = f"exec chroot --userspec={user}:{user} {self.root} "
        variables = {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": "/home/tester" if user else "/root",
            "LANG": "C.UTF-8",
            "DISPLAY": self.display,
            "DEBIAN_FRONTEND": "noninteractive",
        }
        environment = map("=".join, variables.items())
        unshare = [
            "unshare",
            "-m",
            "-p",
            "-f",
            *([] if network else ["-n"]),
            f"--mount-proc={self.root}/proc",
        ]
        command = [
            *unshare,
            "sh",
            "-ec",
            mounts + chroot + 'env -i "$@"',
            "sh",
            *environment,
            *words,
        ]
        return run(*command, code=code, limit_s=1200)

    def install(self, package: Path) -> None:
        """Install a package file with what it depends on."""
        shutil.copy(package, self.root / "tmp")
        self.run(
            "apt-get",
            "install",
            "-y",
            "--no-install-recommends",
            f"/tmp/{package.name}",
            network=True,
            user=0,
        )
        (self.root / "tmp" / package.name).unlink()


@pytest.fixture(scope="module")
def older(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_deb(tree, tmp_path_factory.mktemp("older"), "0.1.0", fast=True)


@pytest.fixture(scope="module")
def display() -> Iterator[str]:
    with subprocess.Popen(
        ["Xvfb", "-displayfd", "1", "-screen", "0", "1600x1000x24", "-nolisten", "tcp"],
        stdout=subprocess.PIPE,
    ) as server:
        assert server.stdout is not None
        yield f":{server.stdout.readline().decode().strip()}"
        server.terminate()


@pytest.fixture(scope="module", params=["bookworm", "trixie"])
def system(
    request: pytest.FixtureRequest,
    older: Path,
    display: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[System]:
    """A clean system with an older version of the package, that has been used once."""
    root = tmp_path_factory.mktemp(request.param)
    root.chmod(0o755)
    subprocess.run(
        ["debootstrap", "--variant=minbase", request.param, root, MIRROR],
        check=True,
        capture_output=True,
    )
    system = System(root, display)
    system.run("which", "python3", code=1)
    system.run("useradd", "--create-home", "--uid", str(USER), "tester", user=0)
    system.install(older)
    yield system
    shutil.rmtree(root)


def test_the_tree_passes_its_own_check(tree: Path) -> None:
    report = check(tree)
    assert report.wrong == []
    assert report.megabytes <= LARGEST_MB


@pytest.mark.skipif("MATTECAM_TREE" in os.environ, reason="the tree may be of another commit")
def test_two_builds_are_identical(tree: Path, opencv: Path, tmp_path: Path) -> None:
    build(tmp_path / "mattecam", [opencv])
    assert digest(tmp_path / "mattecam") == digest(tree)


def shows_green(reader: NodeReader) -> bool:
    difference = image_of(next_frame(reader))[5, 5] - GREEN
    return bool(np.abs(difference).max() <= 6.0)


def test_other_programs_read_its_pipewire_camera(
    tree: Path, pipewire: PrivateSession, tmp_path: Path
) -> None:
    options = (
        "--source",
        "demo",
        "--background",
        "green",
        "--virtual-camera",
        "off",
        "--pipewire",
        "on",
    )
    variables = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(tmp_path),
        "XDG_RUNTIME_DIR": str(pipewire.folder),
    }
    with subprocess.Popen([tree / "bin/mattecam", "headless", *options], env=variables) as program:
        try:
            eventually(pipewire.nodes)
            with reading(size=(1280, 720)) as reader:
                eventually(shows_green, reader)
        finally:
            program.terminate()
    assert program.returncode == 130  # ended by a signal


@pytest.mark.skipif(os.environ.get("MATTECAM_VM") != "1", reason="set MATTECAM_VM=1")
def test_it_runs_between_a_camera_and_a_reader(package: Path) -> None:
    slack = os.environ.get(
        "SLACK", "2"
    )  # the network of the program takes much of the machine's one processor
    environment = {**os.environ, "PYTHON": sys.executable, "PACKAGE": str(package), "SLACK": slack}
    run = (ROOT / "device_bed/run.sh", "program and not steady")
    done = subprocess.run(run, env=environment, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode == NO_BED:
        pytest.skip("there is no test bed beside the repository")
    assert done.returncode == 0, done.stdout


def test_lintian_finds_no_error(package: Path) -> None:
    run("lintian", "--fail-on", "error", package, limit_s=1200)


@pytest.mark.skipif(shutil.which("piuparts") is None, reason="needs piuparts")
def test_piuparts_finds_no_error(package: Path) -> None:
    mirror = ("--distribution", "trixie", "--merged-usr", "--mirror", f"{MIRROR} main")
    # A temporary folder of debconf itself, which stays there whatever is installed.
    ignored = ("--ignore", "/var/cache/debconf/tmp.ci/")
    run("piuparts", *mirror, *ignored, "--no-eatmydata", package, limit_s=3600)


def test_an_upgrade_keeps_the_settings(system: System, package: Path) -> None:
    home = system.root / "home/tester"
    entry = (system.root / "usr/share/applications/mattecam.desktop").read_text()
    started = re.search("^Exec=(.+)$", entry, re.MULTILINE)
    assert started is not None
    system.run(started[1], *DEMO, "--status-json", "/home/tester/window.json")
    status = json.loads((home / "window.json").read_text())
    assert status["frames_out"] > 0 and not status["errors"]
    settings = {path: path.read_bytes() for path in (home / ".config/mattecam").rglob("*.json")}
    assert settings
    system.install(package)
    assert __version__ in system.run("mattecam", "version")
    assert {path: path.read_bytes() for path in settings} == settings


def test_the_demo_is_recorded_and_converted(system: System) -> None:
    system.run("mattecam", "headless", *DEMO, "--record", "/home/tester/demo.mp4")
    system.run("mattecam", "convert", "/home/tester/demo.mp4", "/home/tester/matted.mp4")
    assert (system.root / "home/tester/matted.mp4").stat().st_size > 1000


def test_the_doctor_names_the_missing_module(system: System) -> None:
    assert "v4l2loopback" in system.run("mattecam", "doctor", code=1)


def test_purge_leaves_only_the_users_files(system: System) -> None:
    (system.root / "etc/modprobe.d").mkdir(exist_ok=True)
    (system.root / "etc/modprobe.d/mattecam.conf").touch()
    for action in ("remove", "purge"):
        system.run("apt-get", action, "-y", "mattecam", user=0)
    left = [
        path
        for path in system.root.rglob("*mattecam*")
        if not path.is_relative_to(system.root / "home")
    ]
    assert [path for path in left if "var/log" not in str(path) and "/tmp/" not in str(path)] == []
    assert (system.root / "home/tester/demo.mp4").is_file()
