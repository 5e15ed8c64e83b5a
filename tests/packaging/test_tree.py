"""Pure parts of the packaging tools; test_installed.py builds and installs the package itself."""

from __future__ import annotations

import gzip
import hashlib
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler
from importlib.metadata import PackageNotFoundError, distribution, distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name

from app.doctor.fix import LOAD_FILE, MODPROBE_FILE
from app.system.environment import pins
from app.system.licences import stated
from models.table import NETWORKS
from tests.paths import ROOT
from tests.serving import served
from tools.packages import deb, release
from tools.packages.check import Report, digest, foreign_folders, part_of, refused, resolved
from tools.packages.prune import prune
from tools.packages.tree import INSTALLED_IN, NOT_PACKAGED, build, locked_for_packages, relocated

LOCK = (ROOT / "requirements" / "base.lock").read_text(encoding="utf-8")


def packaged() -> set[NormalizedName]:
    return {canonicalize_name(re.split(r"[= ]", entry)[0]) for entry in locked_for_packages(LOCK)}


def test_the_package_has_what_the_program_requires_without_torch() -> None:
    needed = [canonicalize_name(name) for name, _ in pins(ROOT / "requirements.txt")]
    wanted: set[str] = set()
    while needed:
        name = needed.pop()
        if name in wanted or name in {"torch", *NOT_PACKAGED}:
            continue
        wanted.add(name)
        try:
            required = distribution(name).requires or []
        except PackageNotFoundError:  # for another system
            continue
        found = [Requirement(line) for line in required]
        needed += [canonicalize_name(each.name) for each in found if not each.marker or each.marker.evaluate()]
    assert wanted <= packaged()
    assert {name for name in packaged() - wanted if not name.startswith("pyobjc")} <= {"typing-extensions", "colorama"}


def test_a_wheel_of_our_own_takes_the_place_of_the_locked_one() -> None:
    entries = locked_for_packages(LOCK, ["opencv-python-headless"])
    assert len(entries) == len(locked_for_packages(LOCK)) - 1
    assert all("--hash=sha256:" in entry for entry in entries)


def test_python_looks_for_its_library_beside_itself() -> None:
    search, beside = b"/opt/builds/python/lib", b"$ORIGIN/../lib"
    binary = b"\x7fELF\0" + search + b"\0" + search + b"/other\0"
    padded = beside.ljust(len(search), b"\0")
    assert relocated(binary, search) == b"\x7fELF\0" + padded + b"\0" + search + b"/other\0"
    assert relocated(b"\0/lib\0", b"/lib") == b"\0/lib\0"


@pytest.mark.skipif(sys.platform != "linux", reason="links")
def test_pruning_keeps_what_the_window_loads(tmp_path: Path) -> None:
    qt = tmp_path / "PyQt6" / "Qt6" / "lib"
    qt.mkdir(parents=True)
    for name in ("libQt6Core.so.6", "libQt6Quick.so.6", "libicuuc.so.73"):
        (qt / name).touch()
    (tmp_path / "numpy" / "linalg" / "tests").mkdir(parents=True)
    prune(tmp_path, ("numpy/**/tests",))
    assert sorted(path.name for path in qt.iterdir()) == ["libQt6Core.so.6", "libicuuc.so.73"]
    assert not list(tmp_path.glob("numpy/linalg/*"))


def test_the_digest_tells_content_names_and_modes_apart(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("a")
    seen = {digest(tmp_path)}
    file.chmod(0o700)
    seen.add(digest(tmp_path))
    file.rename(tmp_path / "other")
    seen.add(digest(tmp_path))
    assert len(seen) == 3


@pytest.mark.parametrize(
    ("path", "part"),
    [
        ("lib/python3.11/os.py", "python"),
        ("lib/python3.11/site-packages/av.libs/libx265.so", "av"),
        ("lib/python3.11/site-packages/openvino-2026.4.1.dist-info/METADATA", "openvino"),
        ("lib/python3.11/site-packages/opencv_python_headless.libs/libssl.so", "cv2"),
    ],
)
def test_every_file_counts_for_a_part(path: str, part: str) -> None:
    assert part_of(Path(path)) == part


@pytest.mark.parametrize(
    ("licence", "is_refused"),
    [
        ("GPL-3.0-only", False),
        ("LGPLv2+", False),
        ("GPL-2.0-or-later", False),
        ("GPL-2.0-only", True),
        ("GNU General Public License v2 (GPLv2)", True),
        ("NVIDIA Proprietary Software", True),
        ("", True),
    ],
)
def test_licences_that_rule_out_a_package(licence: str, is_refused: bool) -> None:
    assert bool(refused({"part": licence})) is is_refused


def test_the_packaged_parts_state_a_licence_that_fits() -> None:
    here = {str(canonicalize_name(each.metadata["Name"])): stated(each.metadata) for each in distributions()}
    installed = {name: here[name] for name in here.keys() & packaged()}
    assert len(installed) > 30 and refused(installed) == []
    assert refused({"pyvirtualcam": here["pyvirtualcam"]})


def test_libraries_that_ldd_does_not_find_are_missing() -> None:
    text = "\tlibz.so.1 => /lib/libz.so.1 (0x7f)\n\tlibtorch.so => not found\n\tlinux-vdso.so.1 (0x7f)\n"
    assert resolved(text) == {"libz.so.1": "/lib/libz.so.1", "libtorch.so": ""}


def test_libraries_are_searched_nowhere_but_in_the_tree() -> None:
    line = " 0x000000000000001d (RUNPATH)  Library runpath: [{}]\n"
    assert foreign_folders(line.format("$ORIGIN/../lib:$ORIGIN")) == []
    assert foreign_folders(line.format("$ORIGIN:/tmp/build/lib")) == ["/tmp/build/lib"]


def test_the_package_recommends_the_module_and_loads_none(tmp_path: Path) -> None:
    text = deb.control_text("1.2.3", Report(megabytes=1, glibc="2.34"), ["libc6", "libx11-6"])
    assert "Version: 1.2.3\n" in text and "Depends: libc6 (>= 2.34), libx11-6\n" in text
    assert "Recommends: v4l2loopback-dkms" in text
    assert "modprobe " not in deb.POSTRM and MODPROBE_FILE in deb.POSTRM and LOAD_FILE in deb.POSTRM
    deb.system_files(tmp_path, "1.2.3", Report())
    unit = (tmp_path / "usr/lib/systemd/user/mattecam.service").read_text()
    assert unit == (ROOT / "deploy/mattecam.service").read_text()
    assert not (tmp_path / "usr/lib/modules-load.d").exists()


def test_the_manual_page_names_a_folder_that_is_there(tmp_path: Path) -> None:
    """The folder that it named held licences and changes alone."""
    deb.desktop_files(tmp_path / "usr", "1.2.3")
    deb.system_files(tmp_path, "1.2.3", Report())
    documents = tmp_path / INSTALLED_IN[1:] / "share/doc/mattecam"
    documents.mkdir(parents=True)
    (documents / "apps.md").touch()
    page = gzip.decompress((tmp_path / "usr/share/man/man1/mattecam.1.gz").read_bytes()).decode()
    (named,) = re.findall(r"^\.IR (/\S+) ", page, re.MULTILINE)
    assert (tmp_path / named[1:] / "apps.md").is_file()


def test_the_desktop_finds_the_program(tmp_path: Path) -> None:
    deb.desktop_files(tmp_path, "1.2.3")
    entry = (tmp_path / "share/applications/mattecam.desktop").read_text()
    assert "\nExec=mattecam\n" in entry and "\nIcon=mattecam\n" in entry
    assert (tmp_path / "share/icons/hicolor/scalable/apps/mattecam.svg").is_file()
    metainfo = (tmp_path / "share/metainfo/org.mattecam.Mattecam.metainfo.xml").read_text()
    assert '<release version="1.2.3" date="20' in metainfo and "@" not in metainfo


@pytest.mark.skipif(sys.platform != "linux", reason="dpkg")
def test_dpkg_names_the_packages_of_libraries() -> None:
    if shutil.which("dpkg") is None:
        pytest.skip("not a Debian system")
    libraries = subprocess.run(["ldd", "/bin/sh"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"=> (/\S*libc\.so\.6)", libraries)
    assert found is not None
    assert deb.packages_of([found[1]]) == ["libc6"]


@pytest.fixture
def pinned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[bytes]:
    """Weights that count as the published ones of RVM; a local server has them."""
    weights, spec = b"published", NETWORKS[release.INCLUDED]
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
    for use in (release.published_weights, lambda folder: build(tmp_path / "tree", weights=folder)):
        with pytest.raises(SystemExit, match="not the published file of rvm-mobilenetv3"):
            use(tmp_path)
    assert not (tmp_path / "tree").exists()


def test_a_server_with_other_weights_ends_the_release(pinned: bytes, tmp_path: Path) -> None:
    (tmp_path / "server" / NETWORKS[release.INCLUDED].weights.file).write_bytes(pinned[::-1])
    with pytest.raises(SystemExit):
        release.published_weights(tmp_path / "weights")
    assert not list((tmp_path / "weights").iterdir())


CHANGES = """# Changelog

## [Unreleased]

- new

## [1.2.3] - 2026-11-25

- a fault is repaired

## [1.2.2] - 2026-10-01

- old
"""


def test_a_release_has_the_notes_of_its_version() -> None:
    assert release.notes_of(CHANGES, "1.2.3") == "- a fault is repaired\n"
    with pytest.raises(SystemExit, match=r"no section of version 2\.0"):
        release.notes_of(CHANGES, "2.0")


def test_the_bill_of_materials_names_every_part_with_its_licence() -> None:
    found = release.bill_of_materials(
        {"mattecam 1.2.3": "GPL-3.0-or-later", "PyQt6_sip 13.13": "BSD-2-Clause"}, "1.2.3"
    )
    components = found["components"]
    assert isinstance(components, list)
    assert [part["name"] for part in components] == ["CPython", "PyQt6_sip"]
    assert components[1]["purl"] == "pkg:pypi/pyqt6-sip@13.13"
    assert components[1]["licenses"] == [{"license": {"name": "BSD-2-Clause"}}]


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="sha256sum")
def test_the_sums_are_those_that_sha256sum_checks(tmp_path: Path) -> None:
    (tmp_path / "a.deb").write_bytes(b"a")
    (tmp_path / "SHA256SUMS").write_text(release.sums(tmp_path))
    checked = ["sha256sum", "--check", "--strict", "SHA256SUMS"]
    assert subprocess.run(checked, cwd=tmp_path, capture_output=True, text=True, check=True).stdout == "a.deb: OK\n"
