"""Build the Debian package of a tree.

    python -m tools.packages.deb TREE FOLDER [--version VERSION] [--fast]

`$DEBFULLNAME` and `$DEBEMAIL` name who publishes it. No script of the package loads a kernel
module.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from email.utils import formatdate
from pathlib import Path

from app import __version__
from app.doctor.fix import LOAD_FILE, MODPROBE_FILE
from tools.packages.check import Report, check
from tools.packages.desktop import DESKTOP, FOLDERS, desktop_files, write
from tools.packages.natives import FILE, OFFER
from tools.packages.tree import INSTALLED_IN, ROOT, publisher, reproducible

RECOMMENDS = "v4l2loopback-dkms, pipewire, xdg-desktop-portal, xdg-utils"
POSTRM = f"""\
#!/bin/sh
set -e
if [ "$1" = purge ]; then # what `mattecam doctor --fix` wrote
    rm -f {MODPROBE_FILE} {LOAD_FILE}
fi
"""
SUMMARY = "virtual webcam that replaces the background behind people"
DESCRIPTION = """\
 Mattecam removes the background behind a person in real time, with neural
 matting on the own computer. Other programs list the result as a camera.
 .
 The package contains its own Python, Qt, OpenVINO and FFmpeg, and needs no
 network. The virtual camera needs v4l2loopback or PipeWire.
"""
COPYRIGHT = """\
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/

Files: *
Copyright: 2025-2026 The Mattecam developers
License: GPL-3+
 The program is free software under the GNU General Public License, version 3
 or any later version; /usr/share/common-licenses/GPL-3 has its text.
Comment: The package contains parts of others, with these licences in their
 metadata; the full texts lie beside the parts.
"""


def build_deb(
    tree: Path,
    folder: Path,
    version: str = __version__,
    fast: bool = False,
    report: Report | None = None,
) -> Path:
    """Build the package of a tree; return its path. report: of the tree, if it is checked already."""
    report = report or check(tree)
    version = version.replace(".dev", "~dev")  # before the release of that number, as in Python
    target = folder / f"mattecam_{version}_amd64.deb"
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        root = Path(scratch)
        root.chmod(0o755)
        shutil.copytree(tree, root / INSTALLED_IN[1:], symlinks=True)
        (root / "usr/bin").mkdir(parents=True)
        (root / "usr/bin/mattecam").symlink_to("../lib/mattecam/bin/mattecam")
        for name in FOLDERS:  # of the wheel, for trees that are no package
            shutil.rmtree(root / INSTALLED_IN[1:] / "share" / name, ignore_errors=True)
        desktop_files(root / "usr/share", version, _moment())
        system_files(root, version, report)
        control = root / "DEBIAN"
        control.mkdir()
        (control / "control").write_text(
            control_text(version, report, packages_of(report.external.values()))
        )
        (control / "postrm").write_text(POSTRM)
        (control / "postrm").chmod(0o755)
        (control / "md5sums").write_text(_md5sums(root))
        command = (
            "dpkg-deb",
            "--build",
            "--root-owner-group",
            "-Zxz",
            *(("-z0",) if fast else ()),
            root,
            target,
        )
        subprocess.run(command, check=True, env=reproducible(), stdout=subprocess.DEVNULL)
    return target


def build_archive(tree: Path, folder: Path, version: str = __version__) -> Path:
    """Pack a tree as it is, for systems without dpkg; it runs from any folder. Return the path of
    the archive.
    """
    name = f"mattecam-{version}-x86_64"
    target = folder / f"{name}.tar.xz"
    same_in_every_build = (
        "--sort=name",
        "--owner=0",
        "--group=0",
        "--numeric-owner",
        f"--mtime=@{_moment()}",
    )
    moved = (f"--transform=s,^\\.,{name},", "-C", tree, ".")
    subprocess.run(["tar", "-cJf", target, *same_in_every_build, *moved], check=True)
    return target


def system_files(root: Path, version: str, report: Report) -> None:
    """Write what the system reads: user service, rules for the virtual camera, documents of the
    package.
    """
    write(
        root / "usr/lib/systemd/user/mattecam.service",
        (ROOT / "deploy/mattecam.service").read_text(),
    )
    write(root / "usr/lib/modprobe.d/mattecam.conf", (DESKTOP / "modprobe.conf").read_text())
    write(root / "usr/lib/udev/rules.d/60-mattecam.rules", (DESKTOP / "udev.rules").read_text())
    write(
        root / "usr/share/lintian/overrides/mattecam", (DESKTOP / "lintian-overrides").read_text()
    )
    doc = root / "usr/share/doc/mattecam"
    write(doc / "copyright", copyright_text(report))
    (doc / "manual").symlink_to(f"../../../{INSTALLED_IN.removeprefix('/usr/')}/share/doc/mattecam")
    stamp = formatdate(_moment(), localtime=False)
    entry = (
        f"mattecam ({version}) unstable; urgency=medium\n\n  * Release {version}.\n\n -- "
        f"{publisher()}  {stamp}\n"
    )
    write(doc / "changelog.gz", entry)


def copyright_text(report: Report) -> str:
    """Return the file of licences: of the program, of the packages in it, and of the native
    libraries of these.
    """
    stated = "".join(f" {name}: {text}\n" for name, text in report.licences.items())
    offer = "".join(f" {line}\n" for line in OFFER.format(publisher=publisher()).splitlines())
    natives = "".join(
        f"\nFiles: {' '.join(f'*/{file}' for file in part['files'].split())}\n"
        f"Copyright: {part['copyright']}\n"
        f"License: {part['licence']}\n"
        f" The text is in {FILE} beside the files, or in the licence file of their package.\n"
        f"Comment: {part['name']}; sources: {part['source']}\n"
        for part in report.natives
    )
    return f"{COPYRIGHT}{stated} .\n{offer}{natives}"


def control_text(version: str, report: Report, depends: Iterable[str]) -> str:
    """Return the control file."""
    libraries = [f"{name} (>= {report.glibc})" if name == "libc6" else name for name in depends]
    fields = {
        "Package": "mattecam",
        "Version": version,
        "Architecture": "amd64",
        "Maintainer": publisher(),
        "Installed-Size": str(round(report.megabytes * 1e6 / 1024)),
        "Depends": ", ".join(libraries),
        "Recommends": RECOMMENDS,
        "Suggests": "intel-opencl-icd",
        "Section": "video",
        "Priority": "optional",
        "Description": SUMMARY,
    }
    return "".join(f"{name}: {value}\n" for name, value in fields.items()) + DESCRIPTION


def packages_of(libraries: Iterable[str]) -> list[str]:
    """Return the Debian packages that libraries come in, sorted; dpkg knows some files by their
    path in /lib.
    """
    real = [str(Path(library).resolve()) for library in libraries]
    files = [*real, *(path.removeprefix("/usr") for path in real)]
    owners = subprocess.run(
        ["dpkg", "-S", *files], capture_output=True, text=True, check=False
    ).stdout
    found = re.findall(r"^(\S+?)(?::\w+)?: .*/(.+)$", owners, re.MULTILINE)
    missing = {Path(path).name for path in real} - {file for _, file in found}
    assert not missing, f"no package has {missing}"
    return sorted({package for package, _ in found})


def _moment() -> int:
    return int(reproducible()["SOURCE_DATE_EPOCH"])


def _md5sums(root: Path) -> str:
    files = sorted(
        path for path in (root / "usr").rglob("*") if path.is_file() and not path.is_symlink()
    )
    names = [str(path.relative_to(root)) for path in files]
    return subprocess.run(
        ["md5sum", *names], cwd=root, check=True, capture_output=True, text=True
    ).stdout


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tree", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--version", default=__version__)
    parser.add_argument("--fast", action="store_true", help="compress less, for tests")
    named = parser.parse_args()
    print(build_deb(named.tree.resolve(), named.folder.resolve(), named.version, named.fast))
