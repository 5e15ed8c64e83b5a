"""What tests of whole packages share: OpenCV, the tree and the Debian package, each built once.

MATTECAM_OPENCV, MATTECAM_TREE and MATTECAM_DEB name what is there already.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from tools.packages.deb import build_deb
from tools.packages.opencv import build_wheel
from tools.packages.tree import build

DEMO = ("--source", "demo", "--size", "320x240", "--frames", "3", "--virtual-camera", "off")
"""Arguments of a short run."""
WHERE_PACKAGES_ARE_BUILT = pytest.mark.skipif(
    os.environ.get("MATTECAM_PACKAGES") != "1", reason="set MATTECAM_PACKAGES=1"
)


def run(
    *words: str | Path,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    code: int = 0,
    limit_s: float = 900,
) -> str:
    """Run a command; return what it prints. It must end with this code and without a traceback."""
    done = subprocess.run(
        words,
        cwd=cwd,
        env=env,
        capture_output=True,
        text=True,
        errors="replace",  # a console of Windows has a code page
        check=False,
        timeout=limit_s,
    )
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="session")
def opencv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    named = os.environ.get("MATTECAM_OPENCV")
    return Path(named) if named else build_wheel(tmp_path_factory.mktemp("opencv"))


@pytest.fixture(scope="session")
def tree(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    if named := os.environ.get("MATTECAM_TREE"):
        return Path(named)
    folder = tmp_path_factory.mktemp("tree") / "mattecam"
    build(folder, [request.getfixturevalue("opencv")])
    return folder


@pytest.fixture(scope="session")
def package(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    named = os.environ.get("MATTECAM_DEB")
    return Path(named) if named else build_deb(tree, tmp_path_factory.mktemp("deb"), fast=True)
