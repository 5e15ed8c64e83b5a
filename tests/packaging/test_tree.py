"""Pure parts of the packaging tools: tree, lock files, workflows and licences."""

from __future__ import annotations

import gzip
import os
import re
import shutil
import subprocess
import sys
from importlib import metadata
from importlib.metadata import PackageNotFoundError, distribution, distributions
from pathlib import Path

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name

from app.core.paths import stated_licence
from app.doctor.fix import LOAD_FILE, MODPROBE_FILE
from app.system.environment import pins
from tests.paths import ROOT
from tests.stand_ins import always
from tools import lock_requirements
from tools.packages import deb, materials
from tools.packages.check import (
    Report,
    check,
    external_libraries,
    foreign_folders,
    refused,
    resolved,
    unknown,
)
from tools.packages.desktop import desktop_files
from tools.packages.natives import (
    COMMON,
    FILE,
    OF_PACKAGE,
    TEXTS,
    described,
    libraries_of,
    natives,
    part_of_file,
    write_licences,
)
from tools.packages.opencv import replace_texts
from tools.packages.prune import prune
from tools.packages.tree import (
    INSTALLED_IN,
    NOT_PACKAGED,
    locked_for_packages,
    relocated,
)

LOCK = (ROOT / "requirements" / "base.lock").read_text(encoding="utf-8")


def packaged() -> set[NormalizedName]:
    return {canonicalize_name(re.split(r"[= ]", entry)[0]) for entry in locked_for_packages(LOCK)}


def required_by(package: str) -> list[Requirement]:
    """Return what an installed package requires here; nothing of one for another system or build."""
    try:
        required = map(Requirement, distribution(package).requires or [])
    except PackageNotFoundError:
        return []
    return [each for each in required if each.marker is None or each.marker.evaluate({"extra": ""})]


def test_the_package_has_what_the_program_requires_without_torch() -> None:
    needed = {name for name, _ in pins(ROOT / "requirements.txt")}
    needed |= {each.name for package in packaged() for each in required_by(package)}
    wanted = {canonicalize_name(name) for name in needed} - {"torch", *NOT_PACKAGED}
    assert wanted <= packaged()
    assert {name for name in packaged() - wanted if not name.startswith("pyobjc")} <= {
        "typing-extensions",
        "colorama",
    }


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


@pytest.mark.linux("tools.packages")
def test_pruning_keeps_what_the_window_loads(tmp_path: Path) -> None:
    qt = tmp_path / "PyQt6" / "Qt6" / "lib"
    qt.mkdir(parents=True)
    for name in ("libQt6Core.so.6", "libQt6Quick.so.6", "libicuuc.so.73"):
        (qt / name).touch()
    (tmp_path / "numpy" / "linalg" / "tests").mkdir(parents=True)
    prune(tmp_path, ("numpy/**/tests",))
    assert {path.name for path in tmp_path.rglob("*.so.*")} == {"libQt6Core.so.6", "libicuuc.so.73"}
    assert not list(tmp_path.glob("numpy/linalg/*"))


@pytest.mark.linux("tools.packages")
def test_the_package_runs_networks_on_the_gpu_that_its_driver_is_suggested_for(
    tmp_path: Path,
) -> None:
    """The plugin was left out, and the trial took that for a GPU that fails."""
    libraries = tmp_path / "openvino" / "libs"
    shutil.copytree(
        str(distribution("openvino").locate_file("openvino/libs")),
        libraries,
        copy_function=os.symlink,
    )

    prune(tmp_path, ())

    plugins = {path.name for path in libraries.glob("*_plugin.so")}
    assert plugins == {"libopenvino_intel_cpu_plugin.so", "libopenvino_intel_gpu_plugin.so"}
    external, wrong = external_libraries(tmp_path, [libraries / "libopenvino_intel_gpu_plugin.so"])
    assert not {name for name in external if "OpenCL" in name}
    assert not [text for text in wrong if "OpenCL" in text], "no package is required for it"


def test_licences_that_rule_out_a_package_are_those_of_no_part() -> None:
    fit = "GPL-3.0-only", "LGPLv2+", "GPL-2.0-or-later"
    not_fit = (
        "GPL-2.0-only",
        "GNU General Public License v2 (GPLv2)",
        "NVIDIA Proprietary Software",
        "",
    )
    assert [licence for licence in (*fit, *not_fit) if refused({"part": licence})] == list(not_fit)
    here = {
        str(canonicalize_name(each.metadata["Name"])): stated_licence(each.metadata)
        for each in distributions()
    }
    installed = {name: here[name] for name in here.keys() & packaged()}
    assert len(installed) > 30 and refused(installed) == []
    assert refused({"pyvirtualcam": here["pyvirtualcam"]})


def installed_files() -> list[Path]:
    """The files here of the packages that a package contains."""
    return [
        Path(str(file.locate()))
        for found in distributions()
        if canonicalize_name(found.metadata["Name"]) in packaged()
        for file in found.files or []
    ]


@pytest.mark.skipif(sys.platform != "linux", reason="the entries are of the wheels for Linux")
def test_every_shared_library_has_an_entry_with_a_text() -> None:
    libraries = list(libraries_of(installed_files()))
    parts = natives(libraries)
    named = {text for part in parts for text in part.texts} - {OF_PACKAGE}

    assert len(libraries) > 100
    assert [path for path in libraries if part_of_file(path) is None] == []
    # Debian has the long licences, the folder of texts the short ones.
    assert {text for text in named if not (TEXTS / f"{text}.txt").is_file()} <= {
        "Apache-2.0",
        *gnu_licences(),
    }
    assert {part.name for part in parts} >= {
        "FFmpeg",
        "x264",
        "x265",
        "GnuTLS",
        "LAME",
        "libheif",
        "libde265",
        "Qt",
    }


def gnu_licences() -> set[str]:
    return {"GPL-2", "GPL-3", "LGPL-2", "LGPL-2.1", "LGPL-3"}


@pytest.mark.skipif(sys.platform != "linux", reason="the entries are of the wheels for Linux")
def test_a_text_that_is_said_to_be_in_the_package_is_there() -> None:
    """It lies in the metadata of the wheel whose folder holds the library."""
    for path in libraries_of(installed_files()):
        part = part_of_file(path)
        if part is None or OF_PACKAGE not in part.texts:
            continue
        site = next(parent for parent in path.parents if parent.name == "site-packages")
        package = path.relative_to(site).parts[0].removesuffix(".libs")
        texts = [text for text in site.glob(f"{package}-*.dist-info/**/LICEN*") if text.is_file()]
        assert texts, path


@pytest.mark.skipif(not COMMON.is_dir(), reason="needs the licences of Debian")
def test_notices_texts_and_an_offer_of_sources_lie_beside_the_libraries(tmp_path: Path) -> None:
    folder = tmp_path / "site-packages" / "av.libs"
    folder.mkdir(parents=True)
    for name in ("libx264-d6533a8d.so.165", "libdav1d-f4b27961.so.7.0.0"):
        (folder / name).touch()

    write_licences(tmp_path, "A Publisher <a@b.example>")

    text = (folder / FILE).read_text()
    assert (
        "GNU GENERAL PUBLIC LICENSE" in text
        and "Two Orioles" in text
        and "A Publisher <a@b.example>" in text
    )
    assert "https://code.videolan.org/videolan/x264" in text and "pyav-ffmpeg" in text


def test_native_libraries_are_in_the_bill_of_materials_and_in_the_copyright() -> None:
    report = Report(natives=described(natives([Path("av.libs/libx265-f5385bb8.so.216")])))

    components = materials.bill_of_materials({}, "1.2.3", natives=report.natives)["components"]
    text = deb.copyright_text(report)

    assert isinstance(components, list)
    assert components[-1]["name"] == "x265" and "bitbucket" in str(
        components[-1]["externalReferences"]
    )
    assert "Files: */libx265-f5385bb8.so.216\n" in text and "License: GPL-2.0-or-later\n" in text
    assert "x265: GPL-2.0-or-later" in materials.licence_list(report)


@pytest.mark.linux("tools.packages")
def test_a_folder_without_a_tree_does_not_pass_the_check(tmp_path: Path) -> None:
    """After a build that had failed, the check of the folder that was not there passed."""
    report = check(tmp_path / "none")

    assert report.wrong == [f"there is no tree: {tmp_path}/none/bin/mattecam is missing"]


def test_a_library_without_an_entry_stops_the_package(tmp_path: Path) -> None:
    known = tmp_path / "av.libs" / "libx264-d6533a8d.so.165"
    foreign = tmp_path / "av.libs" / "libforeign.so.1"
    assert unknown(tmp_path, [known, foreign]) == [foreign]


def test_libraries_are_searched_nowhere_but_in_the_tree_and_may_be_missing() -> None:
    text = "\tlibz.so.1 => /lib/libz.so.1 (0x7f)\n\tlibtorch.so => not found\n\tlinux-vdso.so.1 (0x7f)\n"
    assert resolved(text) == {"libz.so.1": "/lib/libz.so.1", "libtorch.so": ""}
    line = " 0x000000000000001d (RUNPATH)  Library runpath: [{}]\n"
    assert foreign_folders(line.format("$ORIGIN/../lib:$ORIGIN")) == []
    assert foreign_folders(line.format("$ORIGIN:/tmp/build/lib")) == ["/tmp/build/lib"]


@pytest.mark.skipif(sys.platform != "linux" or not shutil.which("gcc"), reason="needs gcc on Linux")
def test_a_library_that_another_folder_of_the_tree_has_is_not_missing(tmp_path: Path) -> None:
    """`libheif` names `libde265`, which only the search path of the module that loads both leads to."""
    (tmp_path / "libs").mkdir()
    names = ("libdecoder.so.1", "libother.so.1", "libreader.so.1")
    made = {name: tmp_path / "libs" / name for name in names}
    source = tmp_path / "empty.c"
    source.touch()
    for name in names[:2]:
        subprocess.run(
            ["gcc", "-shared", f"-Wl,-soname,{name}", "-o", made[name], source], check=True
        )
    needed = ("-Wl,--no-as-needed", made["libdecoder.so.1"], made["libother.so.1"])
    reader = made["libreader.so.1"]
    subprocess.run(["gcc", "-shared", "-o", reader, source, *needed], check=True)

    made["libother.so.1"].unlink()
    external, wrong = external_libraries(tmp_path, [made["libdecoder.so.1"], reader])

    assert wrong == ["missing library: libs/libreader.so.1 needs libother.so.1"]
    assert "libdecoder.so.1" not in external


@pytest.mark.linux("tools.packages")
def test_the_package_recommends_the_module_and_is_found_with_its_manual(tmp_path: Path) -> None:
    text = deb.control_text("1.2.3", Report(megabytes=1, glibc="2.34"), ["libc6", "libx11-6"])
    assert "Version: 1.2.3\n" in text and "Depends: libc6 (>= 2.34), libx11-6\n" in text
    assert "Recommends: v4l2loopback-dkms" in text
    assert "Suggests: intel-opencl-icd" in text, "the driver of Intel's GPUs"
    assert "modprobe " not in deb.POSTRM and MODPROBE_FILE in deb.POSTRM and LOAD_FILE in deb.POSTRM
    deb.system_files(tmp_path, "1.2.3", Report())
    unit = (tmp_path / "usr/lib/systemd/user/mattecam.service").read_text()
    assert unit == (ROOT / "deploy/mattecam.service").read_text()
    options = (tmp_path / "usr/lib/modprobe.d/mattecam.conf").read_text()
    assert 'card_label="Mattecam"' in options and "video_nr" not in options, (
        "number 10 may be another device's"
    )
    assert not (tmp_path / "usr/lib/modules-load.d").exists()
    desktop_files(tmp_path / "usr/share", "1.2.3")
    documents = tmp_path / INSTALLED_IN[1:] / "share/doc/mattecam"
    documents.mkdir(parents=True)
    (documents / "apps.md").touch()
    page = gzip.decompress((tmp_path / "usr/share/man/man1/mattecam.1.gz").read_bytes()).decode()
    (named,) = re.findall(r"^\.IR (/\S+) ", page, re.MULTILINE)
    assert (tmp_path / named[1:] / "apps.md").is_file(), (
        "the folder that it named held licences and changes alone"
    )
    share = tmp_path / "usr/share"
    entry = (share / "applications/mattecam.desktop").read_text(encoding="utf-8")
    assert "\nExec=mattecam\n" in entry and "\nIcon=mattecam\n" in entry
    assert (share / "icons/hicolor/scalable/apps/mattecam.svg").is_file()
    metainfo = (share / "metainfo/org.mattecam.Mattecam.metainfo.xml").read_text(encoding="utf-8")
    assert '<release version="1.2.3" date="20' in metainfo and "@" not in metainfo
    assert "<li>" in metainfo, "what the changelog says"


def test_another_version_of_opencv_is_noticed(tmp_path: Path) -> None:
    source = tmp_path / "system.cpp"
    source.write_text("int main() {}\n")
    replace_texts(source, {"int": "void"})
    assert source.read_text() == "void main() {}\n"
    with pytest.raises(
        ValueError, match=r"system\.cpp of this version of OpenCV does not contain 'int'"
    ):
        replace_texts(source, {"int": "void"})


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_every_requirement_is_an_exact_pin_that_is_understood(name: str) -> None:
    pinned = dict(pins(ROOT / name))
    for line in re.findall("^(?!#|-r ).+$", (ROOT / name).read_text(), re.MULTILINE):
        assert re.fullmatch(r'[\w.-]+==[\w.]+(; python_version (<|>=) "3\.\d+")?', line), line
        assert line.partition("==")[0] in pinned, line
    assert pinned["torch"] == "2.13.0"


LOCK_ENTRY = re.compile(
    r"^([\w.-]+)==([\w.+]+)(?: ; (.+?))?((?: \\\n    --hash=sha256:\w{64})+)$", re.MULTILINE
)


def test_the_lock_files_hold_every_requirement_and_what_it_requires() -> None:
    versions: dict[str, str] = {}
    other_builds = {"cuda-cu126.lock", "torch-cu126.lock"}
    for path in (
        path for path in (ROOT / "requirements").glob("*.lock") if path.name not in other_builds
    ):
        text = path.read_text()
        entries = LOCK_ENTRY.findall(text)
        assert len(entries) == len(re.findall(r"^\w", text, re.MULTILINE)), (
            f"{path.name}: an entry without a hash"
        )
        for name, number, marker, _ in entries:
            if not marker or Marker(marker).evaluate():
                number = number.partition("+")[0]
                assert versions.setdefault(name, number) == number, f"{name} is locked twice"
    for name, number in pins(ROOT / "requirements-dev.txt"):
        assert versions[canonicalize_name(name)] == number, "run python -m tools.lock_requirements"
    for package in versions:
        for requirement in required_by(package):
            number = versions[canonicalize_name(requirement.name)]
            assert requirement.specifier.contains(number), f"{package} requires {requirement}"


def test_actions_are_named_by_commit() -> None:
    """The owner of an action can move its tags to other code."""
    for workflow in (ROOT / ".github" / "workflows").glob("*.yml"):
        for action in re.findall(r"uses: (.+)", workflow.read_text(encoding="utf-8")):
            assert re.fullmatch(r"[\w/-]+@[0-9a-f]{40}  # v[\d.]+", action), action


@pytest.mark.torch
@pytest.mark.skipif(
    sys.version_info < (3, 11), reason="Python 3.10 gets older releases, which state less"
)
def test_licences_are_those_of_the_installed_packages() -> None:
    page = (ROOT / "docs" / "licences.md").read_text(encoding="utf-8")
    tables = (
        part.split("\n\n")[0] for part in page.split("| licence as stated in its metadata |")[1:]
    )
    direct, indirect = (
        dict(re.findall(r"^\| ([\w.-]+) \| (.+) \|$", table, re.MULTILINE)) for table in tables
    )
    assert set(direct) == {package for package, _ in pins(ROOT / "requirements.txt")}
    assert not set(direct) & set(indirect)
    installed = {str(found.metadata["Name"]) for found in metadata.distributions()}
    named = {package: licence for package, licence in indirect.items() if package in installed}
    assert len(named) > len(indirect) // 2
    expected = direct | named
    assert {package: stated_licence(metadata.metadata(package)) for package in expected} == expected


INDEX = "".join(
    f'<a href="/whl/{build}/torch-{version}%2B{build}-{tags}.whl#sha256={digit * 64}">x</a>\n'
    for build, version, tags, digit in [
        ("cu126", "2.13.0", "cp310-cp310-manylinux_2_28_x86_64", "1"),
        ("cu126", "2.13.0", "cp312-cp312-win_amd64", "2"),
        ("cu126", "2.13.0", "cp313-cp313t-win_amd64", "3"),
        ("cu126", "2.13.0", "cp312-cp312-manylinux_2_28_aarch64", "4"),
        ("cu126", "2.12.0", "cp312-cp312-win_amd64", "5"),
        ("cu126", "2.13.0", "cp315-cp315-win_amd64", "6"),
        ("cpu", "2.13.0", "cp312-cp312-manylinux_2_28_x86_64", "7"),
    ]
)


def test_each_file_of_a_cuda_build_becomes_an_entry_for_its_python(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lock_requirements, "index_page", always(INDEX))
    (linux,) = lock_requirements.cuda_entries("2.13.0", "cu126", "linux")
    (windows,) = lock_requirements.cuda_entries("2.13.0", "cu126", "win32", (11, 12))
    assert linux.startswith(
        "torch==2.13.0+cu126 ; python_version == '3.10' and sys_platform == 'linux'"
    )
    assert linux.endswith("--hash=sha256:" + "1" * 64) and windows.endswith("2" * 64)
    assert "platform_machine == 'AMD64'" in windows
    assert lock_requirements.cpu_entries("2.13.0") == [
        "torch==2.13.0+cpu \\\n    --hash=sha256:" + "7" * 64
    ]


def test_without_the_index_the_present_entries_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock_requirements, "index_page", always(""))
    text = (lock_requirements.LOCKS / "torch-cu126.lock").read_text()
    places = ("2.13.0", "win32"), ("2.13.0", "linux"), (lock_requirements.OLDER_VERSION, "linux")
    kept = [
        entry
        for number, system in places
        for entry in lock_requirements.cuda_entries(number, "cu126", system)
    ]
    assert lock_requirements.HEADER + "\n".join(kept) + "\n" == text
    with pytest.raises(SystemExit, match=r"No hashes of torch 9\.0\+cu126 are known"):
        lock_requirements.cuda_entries("9.0", "cu126", "win32")
