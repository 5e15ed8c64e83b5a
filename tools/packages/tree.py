"""Build the relocatable folder that packages contain: Python, locked wheels, Mattecam and converted
networks.

    python -m tools.packages.tree FOLDER [--wheel FILE]... [--weights FOLDER]

It is built of the Python that runs this command (x86-64 Linux), and can be moved afterwards. A
wheel given by `--wheel` takes the place of the locked one; `--weights` adds the networks whose
published weights are in a folder. `tools.packages.check` checks the result.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from tools.convert_networks import published_in
from tools.lock_requirements import entries_of
from tools.packages.natives import write_licences
from tools.packages.prune import PACKAGES, STDLIB, prune

ROOT = Path(__file__).resolve().parents[2]
INSTALLED_IN = "/usr/lib/mattecam"
"""Folder that tracebacks name."""
OF_TORCH = (
    "filelock",
    "fsspec",
    "jinja2",
    "markupsafe",
    "mpmath",
    "networkx",
    "setuptools",
    "sympy",
)
"""Locked packages that only torch requires."""
NOT_PACKAGED = {*OF_TORCH, "llvmlite", "numba", "openvino-telemetry", "pyvirtualcam"}
"""What `requirements/base.lock` has beyond a package; pyvirtualcam is GPL-2-only
(docs/licences.md).

Kernels are compiled ahead (`tools.packages.kernels`).
"""
OF_PIP = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json")
"""What pip notes about an installation; `direct_url.json` names a folder of this machine."""
LAUNCHER = """\
#!/bin/sh
# -I: neither variables nor packages of the user's own Python take part, nor modules in the current folder.
here=$(dirname "$(readlink -f "$0")")
exec "$here/python3" -I -m mattecam "$@"
"""


def locked_for_packages(text: str, replaced: Iterable[str] = ()) -> list[str]:
    """Return the entries of a lock file that belong into a package, except those of `replaced`."""
    left_out = {*NOT_PACKAGED, *replaced}
    return [
        entry
        for name, entries in entries_of(text).items()
        if name not in left_out
        for entry in entries
    ]


class LinuxSystem:
    """Makes what the trees of the systems differ by; `tools.packages.windows` derives that of
    Windows.
    """

    unneeded: tuple[str, ...] = PACKAGES
    """Patterns below the folder of the packages that are left out."""
    kernel_options: tuple[str, ...] = ()

    def copy_python(self, tree: Path) -> None:
        """Copy a Python without packages into a new tree."""
        copy_python(tree)

    def locked(self, text: str, replaced: Iterable[str]) -> list[str]:
        """Return the entries of a lock file that this system installs."""
        return locked_for_packages(text, replaced)

    def pip_options(self, tree: Path) -> list[str]:
        """Return the options by which pip installs into the tree."""
        return ["--python", str(tree / "bin" / "python3")]

    def install_options(self, tree: Path) -> list[str]:
        """Return further options of `pip install`."""
        return []

    def arrange(self, tree: Path) -> None:
        """Move or remove what pip left elsewhere than the tree has it."""
        for path in (tree / "bin").iterdir():
            if not path.name.startswith("python"):
                path.unlink()

    def write_launchers(self, tree: Path) -> None:
        """Write what starts the program."""
        (tree / "bin" / "mattecam").write_text(LAUNCHER)

    def compiler(self, tree: Path) -> list[str]:
        """Return the Python that compiles the modules, and their folder as tracebacks name it."""
        return [str(tree / "bin" / "python3"), INSTALLED_IN]


def build(
    tree: Path,
    wheels: Sequence[Path] = (),
    published: Mapping[str, Path] | None = None,
    system: LinuxSystem | None = None,
) -> None:
    """Build the tree in a new folder.

    wheels: files that take the place of locked wheels. published: weights that become part of it,
    by network, as `given_weights` returns them. system: that the tree is for, Linux if None.
    """
    system = system or LinuxSystem()
    system.copy_python(tree)
    with tempfile.TemporaryDirectory() as scratch:
        lock = Path(scratch) / "packages.lock"
        replaced = [wheel.name.partition("-")[0].replace("_", "-").lower() for wheel in wheels]
        text = (ROOT / "requirements" / "base.lock").read_text(encoding="utf-8")
        lock.write_text("\n".join(system.locked(text, replaced)) + "\n", encoding="utf-8")
        _install(tree, system, "--require-hashes", "--only-binary=:all:", "-r", str(lock))
        _install(tree, system, *map(str, wheels), str(wheel_of_mattecam(Path(scratch))))
    system.arrange(tree)
    packages = site_packages(tree)
    prune(packages, system.unneeded)
    program = packages / "mattecam" / "_program"
    (program / "COMMIT").write_text(git("rev-parse", "--short=12", "HEAD"), encoding="utf-8")
    include_networks(program, (published or {}).values())
    folder = program / "app" / "core" / "kernels"
    compile_kernels = [
        sys.executable,
        "-m",
        "tools.packages.kernels",
        str(folder),
        *system.kernel_options,
    ]
    subprocess.run(compile_kernels, cwd=ROOT, check=True)
    write_licences(tree, publisher())
    finish(tree, system)


def given_weights(folder: Path | None) -> dict[str, Path]:
    """Return network → weights in a folder that a build is given; without a folder, none.

    Exit if one is not the published file, or if the folder has none: a package would lack them
    without a word.
    """
    if folder is None:
        return {}
    published = published_in(folder)
    if not published:
        sys.exit(f"{folder} has no published weights: name the folder that they are in.")
    return published


def include_networks(program: Path, published: Iterable[Path]) -> None:
    """Add weights as published, and the converted versions of these and of the bundled networks."""
    weights = program / "weights"
    for path in published:
        weights.mkdir(exist_ok=True)
        shutil.copy(path, weights)
    # In a process of its own, which gives the same files each time.
    convert = (
        sys.executable,
        "-m",
        "tools.convert_networks",
        program / "models" / "converted",
        "--weights",
        weights,
    )
    subprocess.run(convert, cwd=ROOT, check=True)


def copy_python(tree: Path) -> None:
    """Copy the running Python with its standard library, made relocatable and stripped."""
    prefix = Path(sys.base_prefix)
    name = f"python{sysconfig.get_python_version()}"
    library = tree / "lib" / name
    without = shutil.ignore_patterns("__pycache__", "site-packages")
    shutil.copytree(prefix / "lib" / name, library, ignore=without)
    prune(library, STDLIB)
    site_packages(tree).mkdir()
    (tree / "bin").mkdir()
    binaries = [tree / "bin" / name]
    shutil.copy(prefix / "bin" / name, binaries[0])
    (tree / "bin" / "python3").symlink_to(name)
    shared = str(sysconfig.get_config_var("INSTSONAME") or "")
    if ".so" in shared:
        binaries.append(tree / "lib" / shared)
        shutil.copy(prefix / "lib" / shared, tree / "lib" / shared)
    binaries += (library / "lib-dynload").iterdir()
    subprocess.run(["strip", "--strip-unneeded", *binaries], check=True)
    for binary in binaries:
        binary.write_bytes(relocated(binary.read_bytes(), str(prefix / "lib").encode()))
    # These name the folders of the build.
    for module in library.glob("_sysconfigdata*.py"):
        text = module.read_text(encoding="utf-8")
        module.write_text(text.replace(str(prefix), INSTALLED_IN), encoding="utf-8")
    _ignore_packages_of_users(library / "site.py")


def _ignore_packages_of_users(site: Path) -> None:
    """Change the module by which Python finds packages; `-I` does not reach child processes."""
    text, count = re.subn(
        r"(?m)^ENABLE_USER_SITE = None$",
        "ENABLE_USER_SITE = False",
        site.read_text(encoding="utf-8"),
    )
    assert count == 1, "site.py of this Python cannot be told to ignore the user's packages"
    site.write_text(text, encoding="utf-8")


def relocated(binary: bytes, search: bytes) -> bytes:
    """Return an ELF file that looks for libraries beside itself in place of in the folder `search`."""
    beside = b"$ORIGIN/../lib"
    if len(search) < len(beside):  # the system's Python, which has no path of its own
        return binary
    return binary.replace(b"\0" + search + b"\0", b"\0" + beside.ljust(len(search), b"\0") + b"\0")


def is_windows(tree: Path) -> bool:
    """Return whether a tree is for Windows."""
    return (tree / "python.exe").is_file()


def site_packages(tree: Path) -> Path:
    """Return the folder of the tree's packages."""
    if is_windows(tree):
        return tree / "Lib" / "site-packages"
    return tree / "lib" / f"python{sysconfig.get_python_version()}" / "site-packages"


def wheel_of_mattecam(scratch: Path) -> Path:
    """Build the wheel from the files that git knows; a folder `build` of an earlier one would ship
    old modules.
    """
    source = scratch / "source"
    for name in git("ls-files", "-z").split("\0"):
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, source / name)
    pip = (sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation")
    subprocess.run([*pip, "--wheel-dir", scratch, source], check=True, env=reproducible())
    (wheel,) = scratch.glob("mattecam-*.whl")
    return wheel


def finish(tree: Path, system: LinuxSystem) -> None:
    """Remove what differs between builds, compile all modules, set times and modes."""
    for name in OF_PIP:
        for path in site_packages(tree).glob(f"*.dist-info/{name}"):
            path.unlink()
    system.write_launchers(tree)
    python, installed_in = system.compiler(tree)
    modules = site_packages(tree).parent
    # -f: pip left modules compiled with the path of this build. Modules never change in place:
    # compare no times.
    options = (
        "-q",
        "-f",
        "--invalidation-mode",
        "unchecked-hash",
        "-s",
        str(tree),
        "-p",
        installed_in,
    )
    command = (python, "-I", "-m", "compileall", *options, str(modules))
    subprocess.run(command, check=True, env=reproducible() | {"PYTHONHASHSEED": "0"})
    moment = int(reproducible()["SOURCE_DATE_EPOCH"])
    for path in [*tree.rglob("*"), tree]:
        if not path.is_symlink():
            is_program = path.is_dir() or (path.parent.name == "bin" and path.parent.parent == tree)
            path.chmod(0o755 if is_program else 0o644)
        os.utime(path, (moment, moment), follow_symlinks=False)


def files_of(tree: Path) -> Iterator[Path]:
    """Yield the files of a folder, sorted, without links."""
    yield from sorted(path for path in tree.rglob("*") if path.is_file() and not path.is_symlink())


def write_zip(folder: Path, target: Path, inside: str = "") -> None:
    """Pack the files of a folder into an archive, below a folder `inside` it. Equal for equal
    files.
    """
    moment = time.gmtime(int(reproducible()["SOURCE_DATE_EPOCH"]))[:6]
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path in files_of(folder):
            name = Path(inside) / path.relative_to(folder)
            entry = zipfile.ZipInfo(name.as_posix(), moment)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, path.read_bytes())


def git(*words: str) -> str:
    """Return what git prints."""
    return subprocess.run(
        ["git", "-C", ROOT, *words], check=True, capture_output=True, text=True
    ).stdout


def publisher() -> str:
    """Return who publishes what is built here."""
    name = os.environ.get("DEBFULLNAME") or "The Mattecam developers"
    address = os.environ.get("DEBEMAIL") or "mattecam@mattecam.invalid"
    return f"{name} <{address}>"


def reproducible() -> dict[str, str]:
    """Return the environment of builds: files get the time of the commit."""
    moment = os.environ.get("SOURCE_DATE_EPOCH") or git("log", "-1", "--format=%ct").strip()
    return {**os.environ, "SOURCE_DATE_EPOCH": moment}


def _install(tree: Path, system: LinuxSystem, *words: str) -> None:
    pip = (
        sys.executable,
        "-m",
        "pip",
        *system.pip_options(tree),
        "--quiet",
        "--no-input",
        "install",
    )
    options = (
        "--no-deps",
        "--no-compile",
        "--no-warn-script-location",
        *system.install_options(tree),
    )
    subprocess.run([*pip, *options, *words], check=True, env={**os.environ, "PIP_USER": "0"})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--wheel", type=Path, action="append", default=[])
    parser.add_argument("--weights", type=Path)
    named = parser.parse_args()
    build(named.folder.resolve(), named.wheel, given_weights(named.weights))
