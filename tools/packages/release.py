"""Build everything that a release consists of, from a clean checkout: one command.

    python -m tools.packages.release FOLDER [--opencv WHEEL] [--opencv-windows WHEEL] [--weights
    FOLDER]

Fetches the published weights of RVM, unless they are in the folder of `--weights`. Writes the
Debian package, the same tree as tar.xz, with `--opencv-windows` the installer and the archive for
Windows, for each system the bill of materials (CycloneDX) and the licences, the notes of this
version and the SHA-256 of every file. Refuses a version that CHANGELOG.md does not describe, a tag
of another version, and weights whose SHA-256 is not that of the published file.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Mapping
from ctypes.util import find_library
from pathlib import Path

from app import __version__
from app.doctor.display import missing_x11_libraries
from models.download import fetch
from models.errors import DownloadError
from models.table import NETWORKS
from tools.convert_networks import published_in
from tools.packages.check import check
from tools.packages.deb import build_archive, build_deb
from tools.packages.desktop import address, section_of
from tools.packages.materials import whole_folder, write_materials
from tools.packages.opencv import build_wheel
from tools.packages.tree import ROOT, build, git
from tools.packages.windows import WindowsParts, fill_windows, refuse_where_impossible

INCLUDED = "rvm-mobilenetv3"
"""The published network that a release contains; its licence is that of Mattecam."""
TOOLS = ("dpkg-deb", "objdump")


def release(
    folder: Path,
    opencv: Path | None = None,
    opencv_windows: Path | None = None,
    weights: Path | None = None,
) -> None:
    """Build a release into a new folder.

    opencv: a wheel that is built already. opencv_windows: one for Windows, without which nothing is
    built for Windows. weights: folder that may have published weights already.
    """
    if git("status", "--porcelain", "--untracked-files=no"):
        sys.exit("Commit or undo the changes first.")
    tags = git("tag", "--points-at", "HEAD").split()
    if tags and f"v{__version__}" not in tags:
        sys.exit(
            f"This commit is tagged {', '.join(tags)}, but the program's version is {__version__}."
        )
    if tags and ".invalid" in address():
        sys.exit(
            "Write the address of the project into pyproject.toml first: a release names it in "
            "many places."
        )
    with whole_folder(folder) as (made, scratch):
        missing = [tool for tool in TOOLS if shutil.which(tool) is None]
        missing += missing_x11_libraries(find_library)[1].split()
        if missing:
            sys.exit(f"Install {', '.join(missing)} first.")
        if opencv_windows is not None:
            refuse_where_impossible()
        notes = notes_of((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), __version__)
        weights = weights or scratch / "weights"
        published = published_weights(weights)
        _fill(made, scratch, opencv, published)
        if opencv_windows is not None:
            fill_windows(made, scratch, WindowsParts(opencv=opencv_windows, weights=weights))
        (made / "NOTES.md").write_text(notes, encoding="utf-8")


def _fill(folder: Path, scratch: Path, opencv: Path | None, published: Mapping[str, Path]) -> None:
    """Write the packages for Linux, their bill of materials and licences into a folder."""
    tree = scratch / "tree"
    build(tree, [opencv or build_wheel(scratch)], published)
    report = check(tree)
    if report.wrong:
        sys.exit("\n".join(report.wrong))
    build_deb(tree, folder, report=report)
    build_archive(tree, folder)
    write_materials(folder, f"mattecam-{__version__}-x86_64", report, published)


def published_weights(folder: Path) -> dict[str, Path]:
    """Return network → weights in a folder, among them RVM, which is fetched if it is missing. Exit
    if one is wrong.
    """
    spec = NETWORKS[INCLUDED].weights
    assert spec.url is not None
    if not (folder / spec.file).is_file():
        try:
            fetch(spec, spec.url, folder / spec.file)
        except DownloadError as error:
            sys.exit(str(error))
    return published_in(folder)


def notes_of(changelog: str, version: str) -> str:
    """Return the section of a version. Exit if there is none."""
    section = section_of(changelog, version)
    if not section:
        sys.exit(f"CHANGELOG.md has no section of version {version}.")
    return section + "\n"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--opencv", type=Path, help="a wheel that is built already")
    parser.add_argument(
        "--opencv-windows",
        type=Path,
        help="a wheel for Windows without IPP: build for Windows, too",
    )
    parser.add_argument(
        "--weights", type=Path, help="folder that has the published weights already"
    )
    named = parser.parse_args()
    release(named.folder.resolve(), named.opencv, named.opencv_windows, named.weights)
