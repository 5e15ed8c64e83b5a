"""What is published beside packages: the bill of materials (CycloneDX), the licences, the SHA-256
of every file.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
import tempfile
from collections.abc import Container, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from app import __version__
from models.table import NETWORKS, NetworkSpec
from tools.packages.check import Report
from tools.packages.natives import OFFER
from tools.packages.tree import publisher


@contextmanager
def whole_folder(folder: Path) -> Iterator[tuple[Path, Path]]:
    """Yield a folder for what is published, and one for the work.

    The first gets the name `folder` and its `SHA256SUMS` at the end, unless something fails. Exit
    if there is something of this name.
    """
    if folder.exists():
        sys.exit(f"{folder} exists already: name a new folder.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        made = Path(scratch) / "made"
        made.mkdir(mode=0o755)
        yield made, Path(scratch)
        (made / "SHA256SUMS").write_text(sums(made), encoding="utf-8")
        made.rename(folder)


def write_materials(
    folder: Path, name: str, report: Report, published: Container[str], python: str = ""
) -> None:
    """Write the bill of materials and the licences of a checked tree into a folder.

    name: that the files begin with. published: names of networks that were added to the tree.
    python: as in `bill_of_materials`.
    """
    networks = [spec for spec in NETWORKS.values() if spec.bundled or spec.name in published]
    materials = bill_of_materials(report.licences, __version__, networks, report.natives, python)
    (folder / f"{name}.cdx.json").write_text(
        json.dumps(materials, indent=1) + "\n", encoding="utf-8"
    )
    (folder / f"{name}-LICENCES.txt").write_text(licence_list(report), encoding="utf-8")


def bill_of_materials(
    licences: Mapping[str, str],
    version: str,
    networks: Iterable[NetworkSpec] = (),
    natives: Iterable[Mapping[str, str]] = (),
    python: str = "",
) -> dict[str, object]:
    """Return the bill of materials (CycloneDX 1.6).

    licences: package with version → licence. natives: as in `Report`; their versions are those of
    the wheels. python: version of Python, this one if empty.
    """
    components = [_component("platform", "CPython", python or sys.version.split()[0], "PSF-2.0")]
    for package, licence in licences.items():
        name, _, number = package.rpartition(" ")
        if name != "mattecam":
            purl = f"pkg:pypi/{re.sub('[-_.]+', '-', name).lower()}@{number}"
            components.append(
                {**_component("library", name, number, licence), "purl": purl, "bom-ref": purl}
            )
    for part in natives:
        component = _component("library", part["name"], "", part["licence"])
        del component["version"]
        component["copyright"] = part["copyright"]
        component["externalReferences"] = [{"type": "source-distribution", "url": part["source"]}]
        component["properties"] = [{"name": "files", "value": part["files"]}]
        components.append(component)
    components += (
        _component("machine-learning-model", spec.name, version, spec.weights.licence)
        for spec in networks
    )
    program = {"component": _component("application", "mattecam", version, "GPL-3.0-or-later")}
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "metadata": program,
        "components": components,
    }


def licence_list(report: Report) -> str:
    """Return packages and native libraries with their licences, and the offer of their sources."""
    packages = "".join(f"{package}: {licence}\n" for package, licence in report.licences.items())
    natives = "".join(
        f"{part['name']}: {part['licence']}, {part['source']}\n" for part in report.natives
    )
    return (
        f"{packages}\nNative libraries in these:\n{natives}\n{OFFER.format(publisher=publisher())}"
    )


def _component(kind: str, name: str, version: str, licence: str) -> dict[str, object]:
    return {
        "type": kind,
        "name": name,
        "version": version,
        "licenses": [{"license": {"name": licence}}],
    }


def sums(folder: Path) -> str:
    """Return the SHA-256 of each file, as `sha256sum --check` reads it."""
    files = [
        path for path in sorted(folder.iterdir()) if path.is_file() and path.name != "SHA256SUMS"
    ]
    return "".join(
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files
    )
