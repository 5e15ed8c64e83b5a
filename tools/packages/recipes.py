"""Write the recipes for other distributions, which repack the Debian package: an rpm spec and a PKGBUILD (Arch).

    python -m tools.packages.recipes TREE DEB FOLDER

Builds the rpm as well; needs rpmbuild.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import tempfile
from pathlib import Path

from app import __version__
from app.doctor.fix import LOAD_FILE, MODPROBE_FILE
from models.weights import sha256_of
from tools.packages.check import Report, check
from tools.packages.deb import filled
from tools.packages.tree import ROOT, in_release, reproducible

DEPLOY = ROOT / "deploy"
NOWHERE = "https://mattecam.invalid"
"""Address in recipes of a release that nobody publishes."""


def spec_text(report: Report, address: str) -> str:
    """Return the rpm spec. address: of the project's page."""
    libraries = [f"{name}({'' if name != 'libc.so.6' else f'GLIBC_{report.glibc}'})(64bit)" for name in report.external]
    requires = "\n".join(f"Requires: {library}" for library in libraries)
    values = {"@URL@": address or NOWHERE, "@REQUIRES@": requires, "@WRITTEN@": f"{MODPROBE_FILE} {LOAD_FILE}"}
    return filled(DEPLOY / "rpm" / "mattecam.spec.in", values | {"@VERSION@": __version__})


def pkgbuild_text(deb: Path, address: str) -> str:
    """Return the PKGBUILD of a package. address: of the project's page; without one, the package lies beside it."""
    source = in_release(address, deb.name) if address else deb.name
    values = {"@URL@": address or NOWHERE, "@SOURCE@": source, "@SHA256@": sha256_of(deb)}
    return filled(DEPLOY / "arch" / "PKGBUILD.in", values | {"@VERSION@": __version__})


def build_rpm(deb: Path, spec: str, folder: Path) -> Path:
    """Build the rpm of a Debian package; return its path."""
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        recipe = Path(scratch) / "mattecam.spec"
        recipe.write_text(spec, encoding="utf-8")
        macros = {
            "_topdir": scratch,
            "_sourcedir": deb.parent,
            "_buildhost": "localhost",
            "use_source_date_epoch_as_buildtime": 1,
        }
        defines = [word for name, value in macros.items() for word in ("--define", f"{name} {value}")]
        # --nodeps: the build system may be Debian, whose packages rpm does not know.
        command = ("rpmbuild", "-bb", "--quiet", "--nodeps", "--target", "x86_64", *defines, str(recipe))
        subprocess.run(command, check=True, env=reproducible())
        (made,) = Path(scratch).glob("RPMS/x86_64/*.rpm")
        return Path(shutil.move(made, folder / made.name))


def write_recipes(report: Report, deb: Path, folder: Path, address: str) -> None:
    """Write spec and PKGBUILD, and build the rpm."""
    spec = spec_text(report, address)
    (folder / "mattecam.spec").write_text(spec, encoding="utf-8")
    (folder / "PKGBUILD").write_text(pkgbuild_text(deb, address), encoding="utf-8")
    build_rpm(deb, spec, folder)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tree", type=Path)
    parser.add_argument("deb", type=Path)
    parser.add_argument("folder", type=Path)
    named = parser.parse_args()
    write_recipes(check(named.tree.resolve()), named.deb.resolve(), named.folder.resolve(), "")
