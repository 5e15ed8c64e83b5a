"""A release of a small tree; test_installed.py builds the whole one."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from app import __version__
from tools.packages import release
from tools.packages.check import Report
from tools.packages.opencv import replace_texts
from tools.packages.tree import site_packages

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="links")


def needs(*tools: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(not all(map(shutil.which, tools)), reason=f"needs {', '.join(tools)}")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A tree with a program, a package of a wheel, and two parts of our own."""
    made = tmp_path / "tree"
    (made / "bin").mkdir(parents=True)
    (made / "bin" / "mattecam").write_text("#!/bin/sh\necho started $1\n")
    (made / "bin" / "mattecam").chmod(0o755)
    for package in ("numpy", "six-1.17.dist-info", "mattecam", "cv2", "opencv_python_headless-4.13.dist-info"):
        (site_packages(made) / package).mkdir(parents=True)
        (site_packages(made) / package / "file").touch()
    (site_packages(made) / "six.py").touch()
    return made


@needs(*release.TOOLS)
def test_a_release_has_the_package_and_sums(tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _use(monkeypatch, tree, Report(megabytes=1, glibc="2.34", licences={"six 1.17": "MIT"}))
    folder = tmp_path / "dist"
    release.release(folder, tmp_path / "opencv.whl", tmp_path)
    debian = __version__.replace(".dev", "~dev")
    assert {path.name for path in folder.iterdir()} == {
        f"mattecam_{debian}_amd64.deb", "NOTES.md", "LICENCES.txt", "mattecam.cdx.json", "SHA256SUMS",
    }  # fmt: skip
    materials = json.loads((folder / "mattecam.cdx.json").read_text())["components"]
    assert {"CPython", "six", "mattecam", "mattecam-plate", release.INCLUDED} == {part["name"] for part in materials}
    subprocess.run(["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"], cwd=folder, check=True)


@needs(*release.TOOLS)
def test_a_release_that_fails_leaves_nothing(tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _use(monkeypatch, tree, Report(wrong=["needs glibc 2.99"]))
    with pytest.raises(SystemExit, match=r"needs glibc 2\.99"):
        release.release(tmp_path / "releases" / "dist", tmp_path / "opencv.whl", tmp_path)
    assert list((tmp_path / "releases").iterdir()) == []


@needs(*release.TOOLS)
def test_a_folder_that_exists_is_refused_before_anything_is_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(release, "git", lambda *words: "")
    with pytest.raises(SystemExit, match="exists already"):
        release.release(tmp_path)


def _use(monkeypatch: pytest.MonkeyPatch, tree: Path, report: Report) -> None:
    """Let a release take this tree, with this result of its check, as a version that the changelog describes."""
    monkeypatch.setattr(release, "__version__", "0.3.0")
    monkeypatch.setattr(release, "git", lambda *words: "")
    monkeypatch.setattr(release, "missing_x11_libraries", lambda: ())
    monkeypatch.setattr(release, "build", lambda made, *given: shutil.copytree(tree, made))
    monkeypatch.setattr(release, "check", lambda made: report)
    monkeypatch.setattr(release, "published_weights", lambda folder: {release.INCLUDED: folder})


def test_a_tag_of_another_version_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(release, "git", lambda *words: "v0.0.1\n" if words[0] == "tag" else "")
    monkeypatch.setattr(release, "TOOLS", ())
    with pytest.raises(SystemExit, match=r"tagged v0\.0\.1"):
        release.release(tmp_path / "dist")
    assert not (tmp_path / "dist").exists()


def test_another_version_of_opencv_is_noticed(tmp_path: Path) -> None:
    source = tmp_path / "system.cpp"
    source.write_text("int main() {}\n")
    replace_texts(source, {"int": "void"})
    assert source.read_text() == "void main() {}\n"
    with pytest.raises(ValueError, match=r"system\.cpp of this version of OpenCV does not contain 'int'"):
        replace_texts(source, {"int": "void"})
