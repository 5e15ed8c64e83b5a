"""Recipes of rpm, Arch and Flatpak, with a small tree; test_installed.py builds them of the whole one."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import pytest

from app import __version__
from tests.paths import ROOT
from tools.packages import flatpak, recipes, release
from tools.packages.check import Report
from tools.packages.deb import build_deb
from tools.packages.opencv import replace_texts
from tools.packages.tree import archive, locked_for_packages, site_packages

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="links")
LOCK = (ROOT / "requirements" / "base.lock").read_text(encoding="utf-8")
REPORT = Report(megabytes=1, glibc="2.34", external={"libX11.so.6": "", "libc.so.6": ""})
PROJECT = "https://github.com/owner/name"
WHEEL = {"type": "file", "url": "https://example.org/six-1.0-py3-none-any.whl", "sha256": "0"}


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


@pytest.fixture
def package(tree: Path, tmp_path: Path) -> Path:
    """The Debian package of the tree, compressed as in a release."""
    return build_deb(tree, tmp_path / "deb", report=Report(megabytes=1))


def files_in(deb: Path) -> set[str]:
    listed = subprocess.run(["dpkg-deb", "--contents", deb], check=True, capture_output=True, text=True).stdout
    lines = [line for line in listed.splitlines() if not line.startswith("d")]
    return {re.split(r" \./", line, maxsplit=1)[1].split(" -> ")[0] for line in lines}


@needs("dpkg-deb", "rpmbuild", "rpm")
def test_the_rpm_has_the_files_of_the_debian_package(package: Path, tmp_path: Path) -> None:
    rpm = recipes.build_rpm(package, recipes.spec_text(REPORT, PROJECT), tmp_path)
    assert rpm.name == f"mattecam-{__version__}-1.x86_64.rpm"

    def query(*what: str) -> list[str]:
        command = ["rpm", "--nosignature", "-qp", *what, str(rpm)]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()

    listed = [line.split() for line in query("--queryformat", "[%{FILENAMES} %{FILEMODES:perms}\n]")]
    found = {name[1:] for name, mode in listed if not mode.startswith("d")}
    assert found == {name for name in files_in(package) if "lintian" not in name}
    required = [line for line in query("--requires") if not line.startswith("rpmlib")]
    assert {"libX11.so.6()(64bit)", "libc.so.6(GLIBC_2.34)(64bit)"} <= set(required)
    assert not [line for line in required if "numpy" in line]
    assert "v4l2loopback" in query("--recommends")
    assert "modprobe " not in "\n".join(query("--scripts")), "no script loads a module"


@needs("dpkg-deb", "rpmbuild")
def test_two_rpms_of_one_package_are_equal(package: Path, tmp_path: Path) -> None:
    spec = recipes.spec_text(REPORT, PROJECT)
    made = [recipes.build_rpm(package, spec, tmp_path).read_bytes() for _ in range(2)]
    assert made[0] == made[1]


@needs("dpkg-deb", "makepkg", "bsdtar", "setpriv")
@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="gives files to nobody")
def test_arch_builds_the_files_of_the_debian_package(package: Path) -> None:
    with tempfile.TemporaryDirectory() as name:  # makepkg refuses root, and others may not enter tmp_path
        folder = Path(name)
        shutil.copy(package, folder)
        (folder / "PKGBUILD").write_text(recipes.pkgbuild_text(package, ""))
        for path in (folder, *folder.iterdir()):
            os.chown(path, 65534, 65534)
        user = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "env", f"HOME={name}"]
        command = [*user, "PKGEXT=.pkg.tar", "makepkg", "--nodeps", "--nocolor"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        with tarfile.open(folder / f"mattecam-bin-{__version__}-1-x86_64.pkg.tar") as made:
            found = {member.name for member in made if not member.isdir() and not member.name.startswith(".")}
    licence = "usr/share/licenses/mattecam-bin/copyright"
    assert found == {licence, *(name for name in files_in(package) if "lintian" not in name)}


def test_a_published_pkgbuild_names_the_package_of_its_release(tmp_path: Path) -> None:
    deb = tmp_path / "mattecam_1_amd64.deb"
    deb.write_bytes(b"package")
    text = recipes.pkgbuild_text(deb, PROJECT)
    assert f"source=('{PROJECT}/releases/download/v{__version__}/{deb.name}')" in text
    assert hashlib.sha256(b"package").hexdigest() in text and "@" not in text


def test_every_source_of_a_flatpak_has_a_hash_and_no_device_is_granted() -> None:
    own = {"type": "archive", "path": "own.tar.xz", "sha256": "1"}
    made = json.loads(json.dumps(flatpak.manifest([WHEEL], own, "lib/python3.11/site-packages")))
    assert [module["sources"] for module in made["modules"]] == [[own, WHEEL]]
    assert made["id"] == "org.mattecam.Mattecam" and made["command"] == "mattecam"
    assert "--filesystem=xdg-run/pipewire-0" in made["finish-args"]
    broad = ("--device", "--filesystem=home", "--filesystem=host", "--socket=session-bus", "--socket=system-bus")
    assert not [permission for permission in made["finish-args"] if permission.startswith(broad)]


def test_the_archive_of_a_flatpak_has_what_no_wheel_has(tree: Path, tmp_path: Path) -> None:
    flatpak.own_parts(tree, tmp_path / "own.tar.xz")
    with tarfile.open(tmp_path / "own.tar.xz") as made:
        names = {member.name.removeprefix("mattecam/") for member in made if member.isfile()}
    packages = f"tree/{site_packages(tree).relative_to(tree)}/"
    inside = {name.removeprefix(packages).partition("/")[0] for name in names if name.startswith(packages)}
    assert inside == {"mattecam", "cv2", "opencv_python_headless-4.13.dist-info"}
    assert {"tree/bin/mattecam", "prune.py", "share/applications/mattecam.desktop"} <= names


def test_archives_of_one_folder_are_equal(tree: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        archive(tree, tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@needs(*release.TOOLS)
def test_a_release_has_every_format_with_its_sum(tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _use(monkeypatch, tree, Report(megabytes=1, glibc="2.34", licences={"six 1.17": "MIT"}))
    monkeypatch.setattr(flatpak, "locked_wheels", lambda: [WHEEL])
    folder = tmp_path / "dist"
    release.release(folder, tmp_path / "opencv.whl", tmp_path, "owner/name")
    made, debian = f"mattecam-{__version__}", __version__.replace(".dev", "~dev")
    assert {path.name for path in folder.iterdir()} == {
        f"mattecam_{debian}_amd64.deb", f"{made}-1.x86_64.rpm", "mattecam.spec", "PKGBUILD",
        "org.mattecam.Mattecam.json", f"{made}-flatpak.tar.xz", f"{made}-x86_64.AppDir.tar.xz",
        "NOTES.md", "LICENCES.txt", "mattecam.cdx.json", "SHA256SUMS",
    }  # fmt: skip
    manifest = json.loads((folder / "org.mattecam.Mattecam.json").read_text())
    own, wheel = manifest["modules"][0]["sources"]
    assert own["url"] == f"{PROJECT}/releases/download/v{__version__}/{made}-flatpak.tar.xz" and wheel == WHEEL
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
    """Let a release take this tree, with this result of its check."""
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


@pytest.mark.slow
@pytest.mark.skipif(os.environ.get("MATTECAM_PACKAGES") != "1", reason="set MATTECAM_PACKAGES=1; asks PyPI")
def test_a_flatpak_has_every_locked_package_with_its_hash() -> None:
    wheels = flatpak.locked_wheels()
    entries = {re.split(r"==| ", entry)[0]: entry for entry in locked_for_packages(LOCK, ["opencv-python-headless"])}
    here = {name for name, entry in entries.items() if not re.search(r"; .*(darwin|win32|Windows|< '3\.)", entry)}
    named = {re.sub(r"[-_.]+", "-", wheel["url"].rpartition("/")[2].split("-")[0]).lower(): wheel for wheel in wheels}
    assert named.keys() == here
    for wheel in wheels:
        assert wheel["url"].startswith("https://") and wheel["url"].endswith(".whl")
        assert f"--hash=sha256:{wheel['sha256']}" in LOCK
