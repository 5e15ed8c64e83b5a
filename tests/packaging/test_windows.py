"""Pure parts of the package for Windows: locked wheels, files of Python, licences, archive, script of the installer."""

from __future__ import annotations

import hashlib
import importlib.util
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path, PurePath
from types import ModuleType

import pytest

from app import __version__
from models.table import NETWORKS
from tests.fresh_python import printed_by
from tests.paths import ROOT
from tools.packages import opencv, opencv_windows, windows
from tools.packages.check import Report, check, missing_on_windows, too_long, unknown
from tools.packages.installer import (
    TEXTS,
    build_installer,
    commands_of_deletions,
    commands_of_files,
)
from tools.packages.natives import COMMON, part_of_file
from tools.packages.opencv_windows import write_wheel
from tools.packages.prune import prune
from tools.packages.release import INCLUDED
from tools.packages.tree import site_packages, write_zip
from tools.packages.windows import (
    PYTHON_FILES,
    WindowsParts,
    WindowsSystem,
    take_python,
    version_numbers,
)
from tools.packages.windows_parts import LOCK


def test_wheels_of_windows_are_taken_by_their_hashes_without_markers(tmp_path: Path) -> None:
    entries = WindowsSystem(tmp_path).locked(LOCK.read_text(encoding="utf-8"), ())
    named = {entry.partition("==")[0] for entry in entries}

    assert {"colorama", "pyqt6", "openvino", "numpy"} <= named, "colorama is for Windows alone"
    assert not named & {"pyvirtualcam", "numba", "torch", "pyobjc-core"}
    assert len(named) == len(entries), "one version of each: that for Python 3.11"
    assert all("--hash=sha256:" in entry and ";" not in entry for entry in entries)


def test_the_place_for_tests_gets_the_locked_wheels_of_windows_as_well(tmp_path: Path) -> None:
    lock = tmp_path / "some.lock"
    lock.write_text(
        "colorama==0.4.6 ; sys_platform == 'win32' \\\n    --hash=sha256:aa\n"
        "jeepney==0.9.0 ; sys_platform == 'linux' \\\n    --hash=sha256:bb\n"
        "numba==0.68.1 \\\n    --hash=sha256:cc \\\n    --hash=sha256:dd\n"
    )
    command = (sys.executable, "-m", "tools.packages.windows_parts", "locked", lock)

    printed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout

    assert printed == (
        "colorama==0.4.6 \\\n    --hash=sha256:aa\nnumba==0.68.1 \\\n    --hash=sha256:cc \\\n    --hash=sha256:dd\n"
    )


@pytest.mark.linux("tools.packages")
def test_the_wheel_of_opencv_names_each_of_its_files_and_is_the_same_each_time(
    tmp_path: Path,
) -> None:
    metadata = tmp_path / "PKG-INFO"
    metadata.write_text("Metadata-Version: 2.1\nName: opencv-python-headless\nVersion: 1.2\n")
    wheels = []
    for number in ("1", "2"):
        contents = tmp_path / number
        (contents / "cv2").mkdir(parents=True)
        (contents / "cv2" / "__init__.py").write_text("version = 1\n")
        wheels.append(
            write_wheel(contents, metadata, "opencv_python_headless-1.2", tmp_path / f"of-{number}")
        )

    assert wheels[0].name == "opencv_python_headless-1.2-cp37-abi3-win_amd64.whl"
    assert wheels[0].read_bytes() == wheels[1].read_bytes()
    with zipfile.ZipFile(wheels[0]) as wheel:
        record = wheel.read("opencv_python_headless-1.2.dist-info/RECORD").decode()
        assert {line.partition(",")[0] for line in record.splitlines()} == set(wheel.namelist())


def test_a_missing_compiler_is_named_before_anything_is_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half a minute of downloads and a traceback came first."""
    monkeypatch.setattr(opencv_windows, "TOOLS", ("no-such-compiler", sys.executable))

    with pytest.raises(
        SystemExit, match=r"^Install no-such-compiler first \(on Debian g\+\+-mingw"
    ):
        opencv_windows.build_wheel(tmp_path)

    assert not list(tmp_path.iterdir())


def test_the_opencv_of_packages_has_nothing_of_intel_or_a_second_ffmpeg() -> None:
    assert {"-DWITH_IPP=OFF", "-DWITH_ITT=OFF", "-DWITH_FFMPEG=OFF"} <= set(opencv.PARTS)
    assert "-DWITH_MSMF=OFF" in opencv_windows.SYSTEM, (
        "editions of Windows without Media Foundation could not load it"
    )


def archive_of_python(path: Path, replaced: str = "") -> Path:
    """Write an archive with files that count as those of Python; `replaced` has other contents."""
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("python.exe", "python311.dll", "_ctypes.pyd", "LICENSE.txt"):
            archive.writestr(f"folder/{name}", "other" if name == replaced else name)
    return path


@pytest.fixture
def pinned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("python.exe", "python311.dll", "_ctypes.pyd", "LICENSE.txt")
    lines = [f"{hashlib.sha256(name.encode()).hexdigest()}  {name}" for name in names]
    (tmp_path / "pins").write_text("\n".join(["# files", *lines]) + "\n")
    monkeypatch.setattr(windows, "PYTHON_FILES", tmp_path / "pins")


@pytest.mark.usefixtures("pinned")
def test_python_is_taken_from_an_archive_and_finds_modules_of_the_tree_alone(
    tmp_path: Path,
) -> None:
    take_python(archive_of_python(tmp_path / "python.zip"), tmp_path / "tree")

    assert (tmp_path / "tree" / "python.exe").read_text() == "python.exe"
    assert (tmp_path / "tree" / "DLLs" / "_ctypes.pyd").is_file()
    assert (
        tmp_path / "tree" / "python311._pth"
    ).read_bytes() == b"python311.zip\r\nDLLs\r\nLib\\site-packages\r\n"
    assert site_packages(tmp_path / "tree") == tmp_path / "tree" / "Lib" / "site-packages"


@pytest.mark.usefixtures("pinned")
def test_a_file_of_python_with_another_hash_is_refused(tmp_path: Path) -> None:
    archive = archive_of_python(tmp_path / "python.zip", replaced="python311.dll")

    with pytest.raises(SystemExit, match=r"does not hold python311\.dll"):
        take_python(archive, tmp_path / "tree")


def test_each_file_of_python_is_pinned_once() -> None:
    lines = [line for line in PYTHON_FILES.read_text().splitlines() if not line.startswith("#")]
    names = [line.split("  ")[1] for line in lines]

    assert all(re.fullmatch(r"[0-9a-f]{64}  [\w.-]+", line) for line in lines)
    assert len(set(names)) == len(names) and {
        "python.exe",
        "python311.dll",
        "python311.zip",
    } <= set(names)


@pytest.mark.parametrize(
    ("file", "part"),
    [
        ("av.libs/avcodec-62-984de33114b7fa384296817dec999c9d.dll", "FFmpeg"),
        ("av.libs/libx264-165-f3a909470ddc2d85ed21eda3d0fb7954.dll", "x264"),
        ("av.libs/libstdc++-6-2d5c346d47ad531ef9f5185db0e8cef3.dll", "GCC runtime"),
        ("av.libs/libiconv-2-6ce5f4ff92ada49d6f23a8e413455502.dll", "GNU libiconv"),
        (
            "av.libs/libwinpthread-1-02332fab016bf884a2a7a7b2ece22ffe.dll",
            "winpthreads of mingw-w64",
        ),
        ("av.libs/zlib1-79e0c4f9db71cb511398c504b832d395.dll", "zlib"),
        ("numpy.libs/libscipy_openblas64_-63c857e738469261263c764a36be9436.dll", "OpenBLAS"),
        (
            "numpy.libs/msvcp140-a4c2229bdc2a2a630acdc095b4d86008.dll",
            "Microsoft Visual C++ runtime",
        ),
        ("libde265-0-aa0625e0aec56a9d4310a2447674dd8a.dll", "libde265"),
        ("openvino/libs/openvino_intel_cpu_plugin.dll", "OpenVINO"),
        ("openvino/libs/tbb12.dll", "oneTBB"),
        ("PyQt6/Qt6/bin/Qt6Core.dll", "Qt"),
        ("DLLs/libcrypto-3.dll", "OpenSSL 3"),
        ("DLLs/libffi-8.dll", "libffi"),
        ("python311.dll", "CPython"),
        ("vcruntime140_1.dll", "Microsoft Visual C++ runtime"),
    ],
)
def test_a_library_of_windows_has_the_entry_of_its_makers(file: str, part: str) -> None:
    found = part_of_file(PurePath(file))

    assert found is not None and found.name == part


def test_a_library_of_windows_without_an_entry_stops_the_package(tmp_path: Path) -> None:
    foreign = tmp_path / "av.libs" / "libforeign-1-02332fab016bf884a2a7a7b2ece22ffe.dll"

    assert unknown(tmp_path, [foreign, tmp_path / "av" / "_core.pyd"]) == [foreign]


def test_pruning_keeps_what_the_window_loads_on_windows(tmp_path: Path) -> None:
    kept = (
        "PyQt6/Qt6/bin/Qt6Core.dll",
        "PyQt6/Qt6/plugins/platforms/qwindows.dll",
        "PyQt6/Qt6/plugins/styles/qmodernwindowsstyle.dll",
        "PyQt6/QtCore.pyd",
        "openvino/libs/openvino.dll",
        "openvino/libs/tbb12.dll",
        "openvino/libs/openvino_intel_cpu_plugin.dll",
    )
    removed = (
        "PyQt6/Qt6/bin/Qt6Quick.dll",
        "PyQt6/Qt6/bin/opengl32sw.dll",
        "PyQt6/QtQml.pyd",
        "openvino/libs/openvino_c.dll",
        "openvino/libs/openvino_intel_npu_compiler.dll",
    )
    for name in (*kept, *removed):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()

    prune(tmp_path, ())

    assert {
        path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.*") if path.is_file()
    } == set(kept)


@pytest.mark.skipif(
    not (shutil.which("x86_64-w64-mingw32-gcc") and shutil.which("objdump")),
    reason="needs gcc of mingw-w64",
)
def test_a_library_that_neither_the_tree_nor_windows_has_is_missing(tmp_path: Path) -> None:
    source = tmp_path / "code.c"
    source.write_text("int answer(void) { return 42; }\n")
    library = tmp_path / "Own.dll"
    compiler = ("x86_64-w64-mingw32-gcc", "-shared")
    subprocess.run([*compiler, "-o", library, source], check=True)
    source.write_text("int answer(void); int twice(void) { return 2 * answer(); }\n")
    user = tmp_path / "user.dll"
    subprocess.run([*compiler, "-o", user, source, library], check=True)

    assert missing_on_windows(tmp_path, [library, user]) == []
    assert missing_on_windows(tmp_path, [user]) == ["missing library: user.dll needs Own.dll"]


@pytest.mark.linux("tools.packages")
def test_a_tree_for_windows_without_its_command_is_none(tmp_path: Path) -> None:
    (tmp_path / "Scripts").mkdir()
    (tmp_path / "python.exe").touch()
    missing = check(tmp_path).wrong
    (tmp_path / "Scripts" / "mattecam.exe").touch()

    assert missing == [f"there is no tree: {tmp_path}/Scripts/mattecam.exe is missing"]
    assert check(tmp_path).wrong == []


@pytest.mark.linux("tools.packages")
def test_names_leave_room_for_the_folder_of_the_user(tmp_path: Path) -> None:
    long = tmp_path / "folder" / ("a" * 150)

    (said,) = too_long(tmp_path, [long, tmp_path / "python.exe"])

    assert said.startswith("the name is too long for Windows: folder/aaa")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    tree = tmp_path / "tree"
    for name in ("python.exe", "Lib/site-packages/ü und.txt", "Lib/empty.py"):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(name)
    return tree


@pytest.mark.linux("tools.packages")
def test_the_archive_holds_one_folder_and_is_the_same_each_time(tree: Path, tmp_path: Path) -> None:
    target = tmp_path / "mattecam-1.2.3.zip"
    write_zip(tree, target, "mattecam-1.2.3")
    first = target.read_bytes()
    (tree / "python.exe").touch()

    write_zip(tree, target, "mattecam-1.2.3")

    assert target.read_bytes() == first
    with zipfile.ZipFile(target) as archive:
        names = set(archive.namelist())
    files = ("python.exe", "Lib/site-packages/ü und.txt", "Lib/empty.py")
    assert names == {f"mattecam-1.2.3/{name}" for name in files}


@pytest.mark.linux("tools.packages")
def test_the_installer_unpacks_and_deletes_each_file_and_no_other(tree: Path) -> None:
    files = [
        PurePath("Lib/empty.py"),
        PurePath("Lib/site-packages/ü und.txt"),
        PurePath("python.exe"),
    ]

    unpacking = "\n".join(commands_of_files(tree, files))
    deleting = [line.strip() for line in commands_of_deletions(files)]

    assert 'SetOutPath "$INSTDIR\\Lib\\site-packages"' in unpacking
    assert f'File "{tree}/Lib/site-packages/ü und.txt"' in unpacking
    assert deleting == [
        'Delete "$INSTDIR\\Lib\\empty.py"',
        'Delete "$INSTDIR\\Lib\\site-packages\\ü und.txt"',
        'Delete "$INSTDIR\\python.exe"',
        'RMDir "$INSTDIR\\Lib\\site-packages"',
        'RMDir "$INSTDIR\\Lib"',
    ]


def test_the_installer_says_everything_in_each_language_of_the_window() -> None:
    assert all(set(said) == {"ENGLISH", "GERMAN", "SPANISH"} for said in TEXTS.values())


@pytest.mark.skipif(shutil.which("makensis") is None, reason="needs NSIS")
def test_the_installer_is_made_without_a_warning_and_the_same_each_time(
    tree: Path, tmp_path: Path
) -> None:
    icon = tmp_path / "mattecam.ico"
    windows.write_icon(icon)
    target = tmp_path / "mattecam-setup.exe"
    build_installer(tree, target, version_numbers(), 1, icon, fast=True)
    first = target.read_bytes()

    build_installer(tree, target, version_numbers(), 1, icon, fast=True)

    assert first.startswith(b"MZ")
    assert target.read_bytes() == first


@pytest.mark.skipif(shutil.which("makensis") is None, reason="needs NSIS")
def test_two_builds_are_whole_and_equal(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def copied(
        made: Path, wheels: list[Path], published: dict[str, Path], system: WindowsSystem
    ) -> None:
        assert wheels == [tmp_path / "opencv.whl"] and published == {}
        shutil.copytree(tree, made)

    monkeypatch.setattr(windows, "build", copied)
    report = Report(megabytes=1, licences={"six 1.17": "MIT"})
    monkeypatch.setattr(windows, "check", lambda made: report)
    monkeypatch.setattr(windows, "refuse_where_impossible", lambda: None)
    for name in ("first", "second"):
        parts = WindowsParts(tmp_path / "python.zip", tmp_path / "opencv.whl")
        windows.build_windows(tmp_path / name, parts, fast=True)

    name = f"mattecam-{__version__}-windows-x86_64"
    suffixes = (".zip", "-setup.exe", ".cdx.json", "-LICENCES.txt")
    made = sorted(path.name for path in (tmp_path / "first").iterdir())
    assert made == sorted(["SHA256SUMS", *(name + suffix for suffix in suffixes)])
    sums = (tmp_path / "first" / "SHA256SUMS").read_text()
    assert sums == (tmp_path / "second" / "SHA256SUMS").read_text()
    subprocess.run(
        ["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"],
        cwd=tmp_path / "first",
        check=True,
    )


def test_weights_are_refused_before_python_is_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = tmp_path / "weights"
    weights.mkdir()
    (weights / NETWORKS[INCLUDED].weights.file).write_bytes(b"other")
    monkeypatch.setattr(windows, "refuse_where_impossible", lambda: None)

    with pytest.raises(SystemExit, match=r"not the published file of rvm-mobilenetv3.* differs\.$"):
        windows.build_windows(tmp_path / "dist", WindowsParts(weights=weights))

    assert [path.name for path in tmp_path.iterdir()] == ["weights"]


@pytest.mark.linux("tools.packages")
def test_a_tree_with_what_may_not_be_given_to_others_is_refused_unless_it_is_for_own_use(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(windows, "build", lambda made, *given: shutil.copytree(tree, made))
    report = Report(wrong=["contains 'ippicv': cv2.pyd"])
    monkeypatch.setattr(windows, "check", lambda made: report)
    monkeypatch.setattr(windows, "refuse_where_impossible", lambda: None)
    monkeypatch.setattr(windows, "build_installer", lambda *given: None)

    with pytest.raises(SystemExit, match=r"^contains 'ippicv': cv2\.pyd$"):
        windows.build_windows(tmp_path / "dist", WindowsParts(tmp_path / "python.zip"))
    assert not (tmp_path / "dist").exists()

    windows.build_windows(tmp_path / "dist", WindowsParts(tmp_path / "python.zip"), own_use=True)
    assert capsys.readouterr().err == "Not for others: contains 'ippicv': cv2.pyd\n"


def user_path() -> ModuleType:
    """Return the script that changes the PATH, which lies in no package."""
    spec = importlib.util.spec_from_file_location("user_path", ROOT / "deploy/windows/user_path.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_command_is_once_in_the_path_and_other_folders_stay() -> None:
    folder = r"C:\Program Files ü\Mattecam\Scripts"
    before = r"%USERPROFILE%\bin;C:\Tools"

    once = user_path().with_folder(before, folder)
    twice = user_path().with_folder(once + "\\", folder.upper())

    assert once == rf"{before};{folder}"
    assert twice == rf"{before};{folder.upper()}"
    assert user_path().without_folder(once, folder) == before
    assert user_path().with_folder("", folder) == folder


@pytest.mark.skipif(not COMMON.is_dir(), reason="needs the licences of Debian")
def test_the_terms_of_microsoft_lie_beside_its_files(tmp_path: Path) -> None:
    from tools.packages.natives import FILE, write_licences

    (tmp_path / "vcruntime140.dll").touch()

    write_licences(tmp_path, "A Publisher <a@b.example>")

    text = (tmp_path / FILE).read_text()
    assert "vcruntime140.dll" in text and "Distributable Code" in text


def test_the_doctor_needs_no_module_that_the_embeddable_python_lacks() -> None:
    code = (
        "import sys; sys.modules['venv'] = None; import app.system.environment; print('imported')"
    )

    assert "imported" in printed_by(code)


@pytest.mark.linux("tools.packages")
def test_a_folder_that_exists_is_refused_before_anything_is_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(windows, "refuse_where_impossible", lambda: None)

    with pytest.raises(SystemExit, match="exists already"):
        windows.build_windows(tmp_path, WindowsParts())
