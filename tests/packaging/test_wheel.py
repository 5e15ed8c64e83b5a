"""The wheel, installed in an environment of its own: the command `mattecam` works from any folder."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import venv
import zipfile
from collections.abc import Mapping
from email.parser import Parser
from pathlib import Path

import cv2
import numpy as np
import pytest

from app import __version__
from app.system.environment import pins
from tests.paths import ROOT

SOURCES = ("app", "models", "service", "docs", "pyproject.toml", "requirements.txt", "README.md", "LICENSE")
NOT_SHIPPED = shutil.ignore_patterns("__pycache__", "*.pyc")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.skipif(os.name == "nt", reason="the folders of a Windows environment differ"),
]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel built from a copy of the sources, so that no `build` folder is left in the repository."""
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, source / name, ignore=NOT_SHIPPED)
        else:
            shutil.copy(ROOT / name, source / name)
    run(sys.executable, "-m", "pip", "wheel", "-q", str(source), "--no-deps", "--no-build-isolation", "-w", str(out))
    (built,) = out.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def command(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The installed command, in an environment that borrows the packages of this one."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, symlinks=True)
    (site,) = folder.glob("lib/python*/site-packages")
    (site / "borrowed.pth").write_text("\n".join(path for path in sys.path if path.endswith("site-packages")))
    run(sys.executable, "-m", "pip", f"--python={folder / 'bin' / 'python'}", "install", "-q", "--no-deps", str(wheel))
    return folder / "bin" / "mattecam"


def run(*words: str, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> str:
    done = subprocess.run(words, cwd=cwd, env=env, capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def start(command: Path, *words: str, cwd: Path) -> str:
    """Run the installed command where nothing of the source folder can be found."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return run(str(command), *words, cwd=cwd, env=env | {"QT_QPA_PLATFORM": "offscreen"})


def test_metadata_names_version_and_pinned_dependencies(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        metadata = Parser().parsestr(archive.read(f"mattecam-{__version__}.dist-info/METADATA").decode())
    assert metadata["Version"] == __version__
    required = {str(line).partition(";")[0].strip() for line in metadata.get_all("Requires-Dist", [])}
    assert {f"{name}=={version}" for name, version in pins(ROOT / "requirements.txt")} <= required


def test_everything_that_the_sources_read_is_shipped(wheel: Path) -> None:
    shipped = set(zipfile.ZipFile(wheel).namelist())
    tracked = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "app", "models"], capture_output=True, text=True, check=False
    )
    if tracked.returncode != 0:
        pytest.skip("not a git checkout")
    assert set(tracked.stdout.splitlines()) <= shipped


def test_help_and_version(command: Path, tmp_path: Path) -> None:
    assert "Usage: mattecam" in start(command, "--help", cwd=tmp_path)
    assert start(command, "version", cwd=tmp_path).strip() == __version__


def test_mattes_are_compared(command: Path, tmp_path: Path) -> None:
    matte = np.zeros((24, 32), np.uint8)
    cv2.imwrite(str(tmp_path / "matte.png"), matte)
    assert json.loads(start(command, "evaluate", "matte.png", "matte.png", cwd=tmp_path))["all"]["mad"] == 0


def test_headless_from_another_folder(command: Path, tmp_path: Path) -> None:
    words = ["headless", "--source", "demo", "--size", "320x240", "--frames", "3", "--virtual-camera", "off"]
    start(command, *words, "--status-json", str(tmp_path / "status.json"), cwd=tmp_path)
    status = json.loads((tmp_path / "status.json").read_text())
    assert status["frames_out"] >= 3
    assert not status["errors"]


def test_window_opens_and_ends(command: Path, tmp_path: Path) -> None:
    words = ["--source", "demo", "--size", "320x240", "--frames", "3", "--virtual-camera", "off"]
    start(command, *words, "--status-json", str(tmp_path / "status.json"), cwd=tmp_path)
    assert json.loads((tmp_path / "status.json").read_text())["frames_out"] >= 3


def test_installed_paths_and_advice(command: Path, tmp_path: Path) -> None:
    code = (
        "from app.config import paths, program; assert paths.manual_page('apps.md').is_file(); "
        "assert next(paths.assets_dir().glob('backgrounds/*.jpg')); "
        "print(program.name(), program.advice('Run `python3 run.py doctor`.'), *program.command())"
    )
    printed = run(str(command.with_name("python")), "-I", "-c", code, cwd=tmp_path).strip()
    assert printed == f"mattecam Run `mattecam doctor`. {command}"
