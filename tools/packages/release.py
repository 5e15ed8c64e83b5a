"""Build everything that a release consists of, from a clean checkout: one command.

    python -m tools.packages.release FOLDER [--opencv WHEEL] [--weights FOLDER]

Fetches the published weights of RVM, unless they are in the folder of `--weights`. Writes the Debian package, the same
tree as tar.xz, the bill of materials (CycloneDX), the licences, the notes of this version and the SHA-256 of every
file. Refuses a version that CHANGELOG.md does not describe, a tag of another version, and weights whose SHA-256 is not
that of the published file.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import shutil
import sys
import tempfile
from collections.abc import Iterable, Mapping
from ctypes.util import find_library
from pathlib import Path

from app import __version__
from app.doctor.display import missing_x11_libraries
from models.download import fetch
from models.errors import DownloadError
from models.table import NETWORKS, NetworkSpec
from tools.convert_networks import published_in
from tools.packages.check import Report, check
from tools.packages.deb import build_archive, build_deb
from tools.packages.desktop import address
from tools.packages.natives import OFFER
from tools.packages.opencv import build_wheel
from tools.packages.tree import ROOT, build, git, publisher

INCLUDED = "rvm-mobilenetv3"
"""The published network that a release contains; its licence is that of Mattecam."""
TOOLS = ("dpkg-deb", "objdump")


def release(folder: Path, opencv: Path | None = None, weights: Path | None = None) -> None:
    """Build a release into a new folder.

    opencv: a wheel that is built already. weights: folder that may have published weights already.
    """
    if git("status", "--porcelain", "--untracked-files=no"):
        sys.exit("Commit or undo the changes first.")
    tags = git("tag", "--points-at", "HEAD").split()
    if tags and f"v{__version__}" not in tags:
        sys.exit(f"This commit is tagged {', '.join(tags)}, but the program's version is {__version__}.")
    if tags and ".invalid" in address():
        sys.exit("Write the address of the project into pyproject.toml first: a release names it in many places.")
    if folder.exists():
        sys.exit(f"{folder} exists already: name a new folder.")
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    missing += missing_x11_libraries(find_library)[1].split()
    if missing:
        sys.exit(f"Install {', '.join(missing)} first.")
    notes = notes_of((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), __version__)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        made = Path(scratch) / "made"
        made.mkdir(mode=0o755)
        _fill(made, Path(scratch), opencv, weights or Path(scratch) / "weights")
        (made / "NOTES.md").write_text(notes, encoding="utf-8")
        (made / "SHA256SUMS").write_text(sums(made), encoding="utf-8")
        made.rename(folder)  # only a whole release appears


def _fill(folder: Path, scratch: Path, opencv: Path | None, weights: Path) -> None:
    """Write the packages, the bill of materials and the licences into a folder."""
    published = published_weights(weights)
    tree = scratch / "tree"
    build(tree, [opencv or build_wheel(scratch)], weights)
    report = check(tree)
    if report.wrong:
        sys.exit("\n".join(report.wrong))
    build_deb(tree, folder, report=report)
    build_archive(tree, folder)
    networks = [spec for spec in NETWORKS.values() if spec.bundled or spec.name in published]
    materials = bill_of_materials(report.licences, __version__, networks, report.natives)
    (folder / "mattecam.cdx.json").write_text(json.dumps(materials, indent=1) + "\n", encoding="utf-8")
    (folder / "LICENCES.txt").write_text(licence_list(report), encoding="utf-8")


def published_weights(folder: Path) -> dict[str, Path]:
    """Return network → weights in a folder, among them RVM, which is fetched if it is missing. Exit if one is wrong."""
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
    found = re.search(rf"^## \[{re.escape(version)}\].*\n([\s\S]*?)(?=^## |\Z)", changelog, re.MULTILINE)
    if found is None:
        sys.exit(f"CHANGELOG.md has no section of version {version}.")
    return found[1].strip() + "\n"


def bill_of_materials(
    licences: Mapping[str, str],
    version: str,
    networks: Iterable[NetworkSpec] = (),
    natives: Iterable[Mapping[str, str]] = (),
    python: str = "",
) -> dict[str, object]:
    """Return the bill of materials (CycloneDX 1.6).

    licences: package with version → licence. natives: as in `Report`; their versions are those of the wheels.
    python: version of Python, this one if empty.
    """
    components = [_component("platform", "CPython", python or sys.version.split()[0], "PSF-2.0")]
    for package, licence in licences.items():
        name, _, number = package.rpartition(" ")
        if name != "mattecam":
            purl = f"pkg:pypi/{re.sub('[-_.]+', '-', name).lower()}@{number}"
            components.append({**_component("library", name, number, licence), "purl": purl, "bom-ref": purl})
    for part in natives:
        component = _component("library", part["name"], "", part["licence"])
        del component["version"]
        component["copyright"] = part["copyright"]
        component["externalReferences"] = [{"type": "source-distribution", "url": part["source"]}]
        component["properties"] = [{"name": "files", "value": part["files"]}]
        components.append(component)
    components += (_component("machine-learning-model", spec.name, version, spec.weights.licence) for spec in networks)
    program = {"component": _component("application", "mattecam", version, "GPL-3.0-or-later")}
    return {"bomFormat": "CycloneDX", "specVersion": "1.6", "metadata": program, "components": components}


def licence_list(report: Report) -> str:
    """Return packages and native libraries with their licences, and the offer of their sources."""
    packages = "".join(f"{package}: {licence}\n" for package, licence in report.licences.items())
    natives = "".join(f"{part['name']}: {part['licence']}, {part['source']}\n" for part in report.natives)
    return f"{packages}\nNative libraries in these:\n{natives}\n{OFFER.format(publisher=publisher())}"


def _component(kind: str, name: str, version: str, licence: str) -> dict[str, object]:
    return {"type": kind, "name": name, "version": version, "licenses": [{"license": {"name": licence}}]}


def sums(folder: Path) -> str:
    """Return the SHA-256 of each file, as `sha256sum --check` reads it."""
    files = [path for path in sorted(folder.iterdir()) if path.is_file() and path.name != "SHA256SUMS"]
    return "".join(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--opencv", type=Path, help="a wheel that is built already")
    parser.add_argument("--weights", type=Path, help="folder that has the published weights already")
    named = parser.parse_args()
    release(named.folder.resolve(), named.opencv, named.weights)
