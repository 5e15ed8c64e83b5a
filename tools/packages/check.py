"""Check a tree: nothing is missing, nothing is forbidden, it runs with an old C library, and how
large each part is.

A tree for Windows is checked on Linux as well: its libraries name those that they need.

    python -m tools.packages.check FOLDER

Prints the result as JSON; the exit code is 1 if something is wrong.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from app.core.paths import licences
from tools.packages.natives import described, libraries_of, natives, part_of_file
from tools.packages.tree import ROOT, files_of, is_windows, site_packages

GLIBC = (2, 35)
"""Newest version of the C library that may be required: Debian 12 has 2.36, Ubuntu 22.04 has 2.35.
"""
FORBIDDEN = ("ippicv", "oneAPI Math Kernel", "OpenSSL 1.1", "pip-build-env", "_skbuild")
"""Texts in binaries: of parts that a GPL-3 program may not contain, of old parts, of folders of a
build.
"""
OF_DRIVERS = {"libOpenCL.so.1", "OpenCL.dll"}
"""Libraries that come with a driver; OpenVINO lists no GPU without them."""
LONGEST_NAME = 150
"""Characters of a file's name below the tree: of 259 in a path of Windows, the rest is the folder
of the user.
"""
HERE = (str(ROOT), f"{sys.base_prefix}/lib/python")
"""Folders of this machine, which no text or module may name; Python's own library names that of its
build.
"""
OF_WINDOWS = re.compile(
    r"(?:api-ms-win|ext-ms)-.*|(?:advapi|authz|bcrypt|comctl|comdlg|crypt|d3d9|d3d11|d3d12|dbghelp|dnsapi|dwmapi|dwrite"
    r"|dxgi|gdi|imm|iphlpapi|kernel|mf|mfplat|mfreadwrite|mpr|msvcrt|ncrypt|netapi|ntdll|ole|oleaut|opengl|powrprof|psapi"
    r"|pdh|rpcrt4|secur|setupapi|shcore|shell|shlwapi|strmiids|ucrtbase|user|userenv|uxtheme|version|wevtapi|winmm|winhttp"
    r"|winspool|ws2_|wsock|wtsapi|d2d1|avicap|avrt|bcryptprimitives|cfgmgr|secur|propsys|normaliz|msvfw|ktmw|wintrust"
    r"|dxva2|vfw|evr|mfuuid|quartz|uiautomationcore|runtimeobject|combase|dcomp|usp10|winsta|hid|icuuc|icuin)(?:32)?\.(?:dll|drv)",
    re.IGNORECASE,
)
"""Libraries of Windows 10 itself."""
REFUSED_LICENCE = re.compile(
    r"proprietary|NVIDIA|(?<!L)GPL-?v?\s?2(?!\S*(\+|-or-later))|v2 \(GPLv2\)", re.IGNORECASE
)


@dataclass(slots=True)
class Report:
    """Result of the check; `wrong` is empty if the tree may be packaged."""

    megabytes: float = 0.0
    parts: dict[str, float] = field(default_factory=dict)
    """Megabytes of each part, the largest first."""
    glibc: str = ""
    external: dict[str, str] = field(default_factory=dict)
    """Libraries of the system that are loaded, with their paths here."""
    licences: dict[str, str] = field(default_factory=dict)
    natives: list[dict[str, str]] = field(default_factory=list)
    """Native libraries of others: name, licence, copyright, source, files."""
    digest: str = ""
    wrong: list[str] = field(default_factory=list)


def check(tree: Path) -> Report:
    """Return everything that is to be known of a tree."""
    files = list(files_of(tree))
    launcher = tree / ("Scripts/mattecam.exe" if is_windows(tree) else "bin/mattecam")
    report = Report(digest=digest(tree), licences=licences([str(site_packages(tree))]))
    if launcher not in files:
        report.wrong.append(f"there is no tree: {launcher} is missing")
    sizes: dict[str, int] = {}
    for path in files:
        part = part_of(path.relative_to(tree))
        sizes[part] = sizes.get(part, 0) + path.stat().st_size
    report.megabytes = round(sum(sizes.values()) / 1e6)
    report.parts = {
        part: round(size / 1e6, 1)
        for part, size in sorted(sizes.items(), key=lambda item: -item[1])
    }
    binaries = [path for path in files if is_binary(path)]
    report.natives = described(natives(files))
    report.wrong += [
        f"no licence is known of {path.relative_to(tree)}" for path in unknown(tree, files)
    ]
    if is_windows(tree):
        report.wrong += missing_on_windows(tree, binaries)
        report.wrong += too_long(tree, files)
    else:
        newest = max((newest_glibc(path) for path in binaries), default=(0,))
        report.glibc = ".".join(map(str, newest))
        if newest > GLIBC:
            report.wrong.append(f"needs glibc {report.glibc}")
        report.external, wrong = external_libraries(tree, binaries)
        report.wrong += wrong
    report.wrong += [
        f"contains {text!r}: {path.relative_to(tree)}"
        for path, text in containing(set(files) - set(binaries), HERE)
    ]
    report.wrong += [
        f"contains {text!r}: {path.relative_to(tree)}"
        for path, text in containing(binaries, FORBIDDEN)
    ]
    report.wrong += [
        f"licence of {name}: {text or 'none'}" for name, text in refused(report.licences)
    ]
    return report


def part_of(path: Path) -> str:
    """Return the name of the part that a file below the tree belongs to; libraries and metadata
    count for a package.
    """
    if "site-packages" not in path.parts:
        return "python"
    name = path.parts[path.parts.index("site-packages") + 1]
    return (
        re.sub(r"\.libs$|-[\d.]+\.dist-info$|\.py$", "", name)
        .lower()
        .replace("opencv_python_headless", "cv2")
    )


def is_binary(path: Path) -> bool:
    """Return whether a file is a program or a shared library, of Linux or of Windows."""
    with path.open("rb") as file:
        start = file.read(4)
    return start == b"\x7fELF" or start.startswith(b"MZ")


def missing_on_windows(tree: Path, binaries: Iterable[Path]) -> list[str]:
    """Return the libraries that binaries name, and neither the tree nor Windows has."""
    binaries = list(binaries)
    # Names of Windows have no case. Each part adds the folder of its libraries to those that are
    # searched.
    in_tree = {path.name.lower() for path in binaries}
    wrong = []
    for path in binaries:
        needed = re.findall(r"DLL Name: (\S+)", _output("objdump", "-p", str(path)))
        others = [
            name for name in needed if name not in OF_DRIVERS and not OF_WINDOWS.fullmatch(name)
        ]
        missing = [name for name in others if name.lower() not in in_tree]
        wrong += [f"missing library: {path.relative_to(tree)} needs {name}" for name in missing]
    return wrong


def too_long(tree: Path, files: Iterable[Path]) -> list[str]:
    """Return what is wrong with names that leave too little of a path of Windows to the folder of
    the user.
    """
    names = [str(path.relative_to(tree)) for path in files]
    return [
        f"the name is too long for Windows: {name}" for name in names if len(name) > LONGEST_NAME
    ]


def newest_glibc(path: Path) -> tuple[int, ...]:
    """Return the newest version of the C library that a binary asks for."""
    found = re.findall(r"GLIBC_([\d.]+)", _output("objdump", "-T", str(path)))
    return max((tuple(map(int, version.split("."))) for version in found), default=(0,))


def external_libraries(tree: Path, binaries: Iterable[Path]) -> tuple[dict[str, str], list[str]]:
    """Return the system's libraries that binaries name themselves, with their paths, and what is
    wrong with others.
    """
    external: dict[str, str] = {}
    wrong: list[str] = []
    binaries = list(binaries)
    # A module loads its libraries by its own search path, which they inherit: asked alone, such a
    # library finds nothing beside itself (libde265 beside libheif).
    in_tree = {binary.name for binary in binaries}
    for binary in binaries:
        dynamic = _output("readelf", "-d", str(binary))
        needed = set(re.findall(r"\(NEEDED\).*\[(.+)\]", dynamic))
        wrong += [
            f"{binary.relative_to(tree)} searches libraries in {folder}"
            for folder in foreign_folders(dynamic)
        ]
        for name, path in resolved(_output("ldd", str(binary))).items():
            if name not in needed or name in in_tree or name in OF_DRIVERS:
                continue
            if not path:
                wrong.append(f"missing library: {binary.relative_to(tree)} needs {name}")
            elif not Path(path).resolve().is_relative_to(tree):
                external[name] = path
    return dict(sorted(external.items())), wrong


def unknown(tree: Path, files: Iterable[Path]) -> list[Path]:
    """Return the shared libraries of a tree that `tools.packages.natives` has no entry for."""
    own = "mattecam/_program"
    libraries = [path for path in libraries_of(files) if own not in path.as_posix()]
    return [path for path in libraries if part_of_file(path.relative_to(tree)) is None]


def foreign_folders(dynamic: str) -> list[str]:
    """Return folders outside the tree that a binary searches for libraries, from the output of
    `readelf -d`.

    Another user may be able to create such a folder, in /tmp above all, with libraries of his own.
    """
    searched = re.findall(r"\((?:RPATH|RUNPATH)\).*\[(.+)\]", dynamic)
    return [
        folder
        for found in searched
        for folder in found.split(":")
        if not folder.startswith("$ORIGIN")
    ]


def resolved(ldd: str) -> dict[str, str]:
    """Return library → path from the output of ldd; the path is empty if the library is not found."""
    return {
        name: path or ""
        for name, path in re.findall(r"^\s+(\S+) => (?:(/\S+)|not found)", ldd, re.MULTILINE)
    }


def containing(files: Iterable[Path], texts: Iterable[str]) -> list[tuple[Path, str]]:
    """Return files that contain one of the texts, with the text."""
    pattern = re.compile("|".join(map(re.escape, texts)).encode())
    found = [(path, pattern.search(path.read_bytes())) for path in files]
    return [(path, match[0].decode()) for path, match in found if match]


def refused(stated_licences: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return packages whose licence is missing or rules out a GPL-3 program."""
    return [
        (name, text)
        for name, text in stated_licences.items()
        if not text or REFUSED_LICENCE.search(text)
    ]


def digest(tree: Path) -> str:
    """Return a digest of names, modes, times, links and contents; equal for equal builds."""
    total = hashlib.sha256()
    for path in sorted(tree.rglob("*")):
        state = path.lstat()
        if path.is_symlink():
            content = str(path.readlink()).encode()
        elif path.is_file():
            content = path.read_bytes()
        else:
            content = b""
        total.update(f"{path.relative_to(tree)} {state.st_mode} {int(state.st_mtime)} ".encode())
        total.update(hashlib.sha256(content).digest())
    return total.hexdigest()


def _output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tree", type=Path)
    result = check(parser.parse_args().tree.resolve())
    print(json.dumps(asdict(result), indent=1))
    sys.exit(bool(result.wrong))
