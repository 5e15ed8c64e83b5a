"""The installer and the archive for Windows, run under Wine without network.

Runs with MATTECAM_PACKAGES=1, as root on Debian with NSIS and gcc of mingw-w64; takes an hour and more.
MATTECAM_OPENCV_WINDOWS names a wheel in place of the published one, MATTECAM_DIST_WINDOWS a folder that
`tools.packages.windows` has written, MATTECAM_WINDOWS_PLACE one of `deploy/windows/build.sh`.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from app import __version__
from app.core.paths import assets_dir
from models.table import NETWORKS
from tests.packaging.conftest import DEMO, WHERE_PACKAGES_ARE_BUILT, run
from tests.paths import ROOT
from tools.packages.release import INCLUDED
from tools.packages.windows import WindowsParts, build_windows

LARGEST_MB = 250
"""Of the installer and of the archive."""
INSTALLED_IN = PureWindowsPath("C:\\Programme für alle\\Mattecam ü")
SETTINGS = PureWindowsPath("C:\\users\\wine\\AppData\\Local\\mattecam")
UNPACKED_IN = PureWindowsPath("C:\\unpacked ü")
RESULTS = PureWindowsPath("C:\\results ü")
KEY = "HKCU\\Software\\Mattecam"
CAMERA_OF_OBS = "HKCR\\CLSID\\{A3FCE0F5-3493-419F-958A-ABA1250EC20B}"
SETUP = PureWindowsPath("C:\\mattecam-setup.exe")
pytestmark = [pytest.mark.slow, pytest.mark.timeout(7200), WHERE_PACKAGES_ARE_BUILT]


@dataclass(frozen=True)
class Windows:
    """A place where programs of Windows run, without network."""

    place: Path

    def path(self, path: PureWindowsPath) -> Path:
        """Return where a path of Windows is here."""
        return self.place / "prefix" / "drive_c" / Path(*path.parts[1:])

    def run(self, *words: str, code: int = 0) -> str:
        """Run a command beside Wine, see `run`; return what it prints."""
        # Sockets of Windows' Python talk to this computer itself.
        alone = ("unshare", "-n", "sh", "-ec", 'ip link set lo up; exec "$@"', "sh")
        return run(*alone, self.place / "w", *words, code=code, limit_s=3000)

    def program(self, folder: PureWindowsPath, *words: str, code: int = 0) -> str:
        """Run the command of the program that is in a folder."""
        return self.run("wine", str(folder / "Scripts" / "mattecam.exe"), *words, code=code)

    def wait(self) -> None:
        """Wait for what programs have started, such as the copy of itself that an uninstaller starts."""
        self.run("wineserver", "-w")

    def installed(self) -> set[str]:
        """Return the files where the program is installed, without compiled modules.

        None if the folder is not there.
        """
        folder = self.path(INSTALLED_IN)
        files = [path.relative_to(folder) for path in folder.rglob("*") if path.is_file()]
        return {path.as_posix() for path in files if path.suffix != ".pyc"}


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Installer and archive, built once."""
    if named := os.environ.get("MATTECAM_DIST_WINDOWS"):
        return Path(named)
    folder = tmp_path_factory.mktemp("windows") / "dist"
    parts = WindowsParts()
    if opencv := os.environ.get("MATTECAM_OPENCV_WINDOWS"):
        parts = WindowsParts(opencv=Path(opencv))
    build_windows(folder, parts, own_use=parts.opencv is None, fast=True)
    return folder


@pytest.fixture(scope="module")
def windows(dist: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Windows]:
    """A place with the unpacked archive, and the installer in C:."""
    named = os.environ.get("MATTECAM_WINDOWS_PLACE")
    place = Path(named or tmp_path_factory.mktemp("place"))
    if not (place / "w").is_file():
        subprocess.run([ROOT / "deploy/windows/build.sh", place], check=True, timeout=3600)
    windows = Windows(place)
    clear(windows)
    windows.path(RESULTS).mkdir()
    (archive,) = dist.glob("*.zip")
    with zipfile.ZipFile(archive) as contents:
        contents.extractall(windows.path(UNPACKED_IN).parent)
    (windows.path(UNPACKED_IN).parent / archive.stem).rename(windows.path(UNPACKED_IN))
    (setup,) = dist.glob("*-setup.exe")
    shutil.copy(setup, windows.path(SETUP))
    ask_directshow_alone(windows, UNPACKED_IN)
    yield windows
    clear(windows)


def clear(windows: Windows) -> None:
    """Remove what an earlier run has left."""
    for left in (INSTALLED_IN.parent, UNPACKED_IN, SETTINGS, RESULTS):
        shutil.rmtree(windows.path(left), ignore_errors=True)
    windows.path(SETUP).unlink(missing_ok=True)


def ask_directshow_alone(windows: Windows, folder: PureWindowsPath) -> None:
    """Wine leaves Media Foundation's list of cameras unset, and the package that lists them frees it."""
    package = windows.path(folder / "Lib" / "site-packages" / "cv2_enumerate_cameras")
    module = package / "windows_backend.py"
    text = module.read_text()
    assert "MSMF_enumerate_cameras()" in text
    module.write_text(text.replace("= MSMF_enumerate_cameras()", "= DSHOW_enumerate_cameras()"))
    for compiled in package.glob("__pycache__/windows_backend.*"):
        compiled.unlink()


def install(windows: Windows) -> None:
    """Install without questions. The folder is last, without quotes, which Wine's own command line would add."""
    script = RESULTS / "install.py"
    command = f"{SETUP} /S /PATH /D={INSTALLED_IN}"
    windows.path(script).write_text(
        f"import subprocess, sys\nsys.exit(subprocess.call({command!r}))\n", encoding="utf-8"
    )
    windows.run("wine", str(UNPACKED_IN / "python.exe"), str(script))
    windows.wait()
    ask_directshow_alone(windows, INSTALLED_IN)


def test_a_download_is_not_too_large(dist: Path) -> None:
    subprocess.run(
        ["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"], cwd=dist, check=True
    )
    for file in (*dist.glob("*.zip"), *dist.glob("*.exe")):
        assert file.stat().st_size < LARGEST_MB * 1e6, file.name


def recorded_size(windows: Windows, folder: PureWindowsPath) -> tuple[int, int]:
    """Record the demonstration by the program in a folder; return width and height of the film."""
    film = RESULTS / f"{folder.name}.mp4"
    windows.program(folder, "headless", *DEMO, "--record", str(film))
    capture = cv2.VideoCapture(str(windows.path(film)))
    found, frame = capture.read()
    capture.release()
    assert found
    height, width, _ = frame.shape
    return width, height


def test_the_archive_runs_where_it_was_unpacked(windows: Windows) -> None:
    assert __version__ in windows.program(UNPACKED_IN, "--version")
    assert recorded_size(windows, UNPACKED_IN) == (320, 240)


def test_it_is_installed_without_questions_into_a_folder_with_spaces(windows: Windows) -> None:
    install(windows)

    assert {
        "Mattecam.exe",
        "Scripts/mattecam.exe",
        "python.exe",
        "uninstall.exe",
    } <= windows.installed()
    assert "Scripts" in windows.run("wine", "reg", "query", "HKCU\\Environment", "/v", "Path")
    assert "Folder" in windows.run("wine", "reg", "query", KEY)
    assert __version__ in windows.program(INSTALLED_IN, "--version")
    assert list(windows.path(PureWindowsPath("C:\\users\\wine")).rglob("Mattecam.lnk"))


def test_the_demonstration_is_recorded(windows: Windows) -> None:
    assert recorded_size(windows, INSTALLED_IN) == (320, 240)


def cut_out(windows: Windows, name: str, *options: str) -> NDArray[np.uint8]:
    """Cut the person out of a photo by the installed program; return the alpha."""
    photo = RESULTS / "photo.png"
    made = RESULTS / f"{name}.png"
    shutil.copy(assets_dir() / "astronaut.png", windows.path(photo))
    windows.program(INSTALLED_IN, "convert", str(photo), str(made), *options)
    picture = cv2.imread(str(windows.path(made)), cv2.IMREAD_UNCHANGED)
    assert picture is not None and picture.shape[2] == 4
    return np.asarray(picture[..., 3], np.uint8)


def test_a_photo_becomes_a_cut_out(windows: Windows) -> None:
    alpha = cut_out(windows, "cut out")

    assert np.any(alpha == 0) and np.any(alpha > 250)


def test_a_network_that_is_included_needs_no_network(windows: Windows) -> None:
    program = INSTALLED_IN / "Lib" / "site-packages" / "mattecam" / "_program"
    if not windows.path(program / "weights" / NETWORKS[INCLUDED].weights.file).is_file():
        pytest.skip("built without published weights")

    alpha = cut_out(windows, "by RVM", "--model", INCLUDED)

    assert np.any(alpha == 0) and np.any(alpha > 250)


def test_the_doctor_names_the_camera_of_obs(windows: Windows) -> None:
    windows.run("sh", "-c", f"wine reg delete '{CAMERA_OF_OBS}' /f || true")

    assert "OBS" in windows.program(INSTALLED_IN, "doctor", code=1)


def test_the_window_opens_from_the_menu_entry(windows: Windows) -> None:
    status = RESULTS / "window.json"
    start = (
        "Xvfb :77 -screen 0 1366x768x24 -nolisten tcp & screen=$!\n"
        "trap 'kill $screen' EXIT\n"
        "sleep 3\n"
        'DISPLAY=:77 wine "$@"'
    )
    program = str(INSTALLED_IN / "Mattecam.exe")

    windows.wait()
    windows.run("bash", "-ec", start, "bash", program, *DEMO, "--status-json", str(status))

    seen = json.loads(windows.path(status).read_text(encoding="utf-8"))
    assert seen["frames_out"] > 0 and not seen["errors"]


def test_a_second_installation_replaces_the_first_and_keeps_settings(windows: Windows) -> None:
    before = windows.installed()
    settings = {path: path.read_bytes() for path in windows.path(SETTINGS).rglob("*.json")}

    install(windows)

    assert windows.installed() == before
    assert settings and {path: path.read_bytes() for path in settings} == settings
    assert __version__ in windows.program(INSTALLED_IN, "--version")


def uninstall(windows: Windows, *options: str) -> None:
    windows.run("wine", str(INSTALLED_IN / "uninstall.exe"), "/S", *options)
    windows.wait()


def test_the_uninstaller_leaves_the_settings_alone(windows: Windows) -> None:
    uninstall(windows)

    assert not windows.path(INSTALLED_IN).exists()
    assert list(windows.path(SETTINGS).rglob("*.json"))
    assert not list(windows.path(PureWindowsPath("C:\\users\\wine")).rglob("Mattecam.lnk"))
    assert "Mattecam ü" not in windows.run(
        "wine", "reg", "query", "HKCU\\Environment", "/v", "Path"
    )
    windows.run("wine", "reg", "query", KEY, code=1)


def test_the_uninstaller_removes_the_settings_when_asked(windows: Windows) -> None:
    install(windows)

    uninstall(windows, "/SETTINGS")

    assert not windows.path(INSTALLED_IN).exists()
    assert not windows.path(SETTINGS).exists()
