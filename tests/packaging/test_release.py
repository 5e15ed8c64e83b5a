"""What a release consists of: published weights, notes, bill of materials, archive, sums; and what it refuses."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler
from pathlib import Path

import pytest

from app import __version__
from models.table import NETWORKS
from tests.fresh_python import printed_by
from tests.paths import ROOT
from tests.serving import served
from tests.stand_ins import always
from tools.packages import deb, materials, release
from tools.packages.check import Report
from tools.packages.tree import given_weights, include_networks, site_packages
from tools.packages.windows import WindowsParts


@pytest.fixture
def pinned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[bytes]:
    """Weights that count as the published ones of RVM; a local server has them."""
    weights = b"published"
    spec = NETWORKS[release.INCLUDED]
    (tmp_path / "server").mkdir()
    (tmp_path / "server" / spec.weights.file).write_bytes(weights)
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path / "server"))
    with served(handler) as address:
        url = f"{address}/{spec.weights.file}"
        pin = hashlib.sha256(weights).hexdigest()
        published = replace(spec.weights, url=url, bytes=len(weights), sha256=pin)
        monkeypatch.setitem(NETWORKS, release.INCLUDED, replace(spec, weights=published))
        yield weights


def test_a_release_fetches_the_published_weights_once(pinned: bytes, tmp_path: Path) -> None:
    found = release.published_weights(tmp_path / "weights")
    assert {name: file.read_bytes() for name, file in found.items()} == {release.INCLUDED: pinned}
    shutil.rmtree(tmp_path / "server")
    assert release.published_weights(tmp_path / "weights") == found


def test_weights_that_are_not_the_published_file_are_refused(pinned: bytes, tmp_path: Path) -> None:
    file = tmp_path / NETWORKS[release.INCLUDED].weights.file
    file.write_bytes(pinned + b" ")
    for use in (release.published_weights, given_weights):
        with pytest.raises(SystemExit, match="not the published file of rvm-mobilenetv3"):
            use(tmp_path)
    (tmp_path / "server" / file.name).write_bytes(pinned[::-1])
    with pytest.raises(SystemExit):
        release.published_weights(tmp_path / "weights")
    assert not list((tmp_path / "weights").iterdir())


def test_a_folder_without_published_weights_is_refused(tmp_path: Path) -> None:
    """The package was built without them, and nothing said so."""
    (tmp_path / "rvm_mobilenetv3.safetensors").touch()

    with pytest.raises(SystemExit, match=f"^{re.escape(str(tmp_path))} has no published weights"):
        given_weights(tmp_path)


def test_weights_of_a_package_are_found_beside_the_program(pinned: bytes, tmp_path: Path) -> None:
    weights = tmp_path / "server" / NETWORKS[release.INCLUDED].weights.file
    program = tmp_path / "mattecam" / "_program"
    large = shutil.ignore_patterns("converted", "*.safetensors", "__pycache__")
    shutil.copytree(ROOT / "models", program / "models", ignore=large)

    # Conversion has tests of its own (`test_without_torch.py`).
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(subprocess, "run", always(None))
        include_networks(program, [weights])

    code = "import sys; from models.weights import find; print(find(sys.argv[1]))"
    of_nobody = os.environ | {"MATTECAM_DATA_DIR": str(tmp_path / "data")}
    found = printed_by(code, release.INCLUDED, folder=program, env=of_nobody)
    assert Path(found.strip()) == program / "weights" / weights.name


def test_a_release_has_the_notes_of_its_version() -> None:
    changes = "## [Unreleased]\n\n- new\n\n## [1.2.3] - 2026-11-25\n\n- fixed\n\n## [1.2.2] - 2026-10-01\n\n- old\n"
    assert release.notes_of(changes, "1.2.3") == "- fixed\n"
    with pytest.raises(SystemExit, match=r"no section of version 2\.0"):
        release.notes_of(changes, "2.0")


def test_the_bill_of_materials_names_every_part_with_its_licence() -> None:
    licences = {"mattecam 1.2.3": "GPL-3.0-or-later", "PyQt6_sip 13.13": "BSD-2-Clause"}
    components = materials.bill_of_materials(licences, "1.2.3")["components"]
    assert isinstance(components, list) and [part["name"] for part in components] == [
        "CPython",
        "PyQt6_sip",
    ]
    told = {"purl": "pkg:pypi/pyqt6-sip@13.13", "licenses": [{"license": {"name": "BSD-2-Clause"}}]}
    assert {name: components[1][name] for name in told} == told


@pytest.fixture
def checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Report:
    """The result of the check of a tree that a release takes, as a version that the changelog describes."""
    if missing := [tool for tool in release.TOOLS if not shutil.which(tool)]:
        pytest.skip(f"needs {', '.join(missing)}")
    tree = tmp_path / "tree"
    report = Report(megabytes=1, glibc="2.34", licences={"six 1.17": "MIT"})
    (tree / "bin").mkdir(parents=True)
    (tree / "bin" / "mattecam").write_text("#!/bin/sh\necho started $1\n")
    (tree / "bin" / "mattecam").chmod(0o755)
    for package in (
        "numpy",
        "six-1.17.dist-info",
        "mattecam",
        "cv2",
        "opencv_python_headless-4.13.dist-info",
    ):
        (site_packages(tree) / package).mkdir(parents=True)
        (site_packages(tree) / package / "file").touch()
    (site_packages(tree) / "six.py").touch()
    monkeypatch.setattr(release, "__version__", "0.3.0")
    monkeypatch.setattr(release, "git", always(""))
    monkeypatch.setattr(release, "missing_x11_libraries", always(([], "", "")))
    monkeypatch.setattr(release, "build", lambda made, *given: shutil.copytree(tree, made))
    monkeypatch.setattr(release, "check", always(report))
    monkeypatch.setattr(release, "published_weights", lambda folder: {release.INCLUDED: folder})
    monkeypatch.setattr(release, "refuse_where_impossible", lambda: None)
    monkeypatch.setattr(release, "fill_windows", written_for_windows)
    return report


def written_for_windows(folder: Path, scratch: Path, parts: WindowsParts) -> None:
    """Stand for the build for Windows, which has tests of its own."""
    assert parts.opencv is not None
    (folder / "mattecam-windows").write_text(parts.opencv.name)


def test_a_release_has_the_package_and_sums(checked: Report, tmp_path: Path) -> None:
    folder = tmp_path / "dist"

    release.release(folder, tmp_path / "opencv.whl", tmp_path / "opencv-windows.whl", tmp_path)

    debian = __version__.replace(".dev", "~dev")
    assert {path.name for path in folder.iterdir()} == {
        f"mattecam_{debian}_amd64.deb", f"mattecam-{__version__}-x86_64.tar.xz",
        "mattecam-0.3.0-x86_64.cdx.json", "mattecam-0.3.0-x86_64-LICENCES.txt",
        "mattecam-windows", "NOTES.md", "SHA256SUMS",
    }  # fmt: skip
    parts = json.loads((folder / "mattecam-0.3.0-x86_64.cdx.json").read_text())["components"]
    assert {"CPython", "six", "mattecam", "mattecam-plate", release.INCLUDED} == {
        part["name"] for part in parts
    }
    subprocess.run(
        ["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"], cwd=folder, check=True
    )


@pytest.mark.linux("tools.packages")
def test_the_archive_unpacks_to_one_folder_and_is_the_same_each_time(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    (tree / "bin").mkdir(parents=True)
    (tree / "bin" / "mattecam").write_text("#!/bin/sh\n")

    first = deb.build_archive(tree, tmp_path, "1.2.3").read_bytes()
    second = deb.build_archive(tree, tmp_path, "1.2.3")

    assert second.read_bytes() == first
    with tarfile.open(second) as archive:
        assert "mattecam-1.2.3-x86_64/bin/mattecam" in archive.getnames()
        assert {name.partition("/")[0] for name in archive.getnames()} == {"mattecam-1.2.3-x86_64"}


def test_a_release_that_fails_leaves_nothing(checked: Report, tmp_path: Path) -> None:
    checked.wrong.append("needs glibc 2.99")
    with pytest.raises(SystemExit, match=r"needs glibc 2\.99"):
        release.release(
            tmp_path / "releases" / "dist",
            tmp_path / "opencv.whl",
            tmp_path / "windows.whl",
            tmp_path,
        )
    assert list((tmp_path / "releases").iterdir()) == []


@pytest.mark.parametrize(
    ("tag", "said"), [("v0.0.1\n", r"tagged v0\.0\.1"), ("", "exists already")]
)
def test_another_tag_and_a_folder_that_exists_are_refused_before_anything_is_built(
    tag: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(release, "git", lambda *words: tag if words[0] == "tag" else "")
    monkeypatch.setattr(release, "TOOLS", ())
    with pytest.raises(SystemExit, match=said):
        release.release(tmp_path)
    assert not list(tmp_path.iterdir())
