"""Convert the bundled and downloaded networks for copies of the program that lack torch.

    python -m tools.convert_networks models/converted --bundled
    python -m tools.convert_networks FOLDER [--weights FOLDER]

The first line renews those in the sources, and is due when weights, networks or the version of
OpenVINO have changed. A package has FOLDER as `models/converted`. With `--weights` those in that
folder take the place of the installed networks; each has to be the published file.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from app.matting.openvino.conversion import ArtefactCache, NetworkSource
from models.table import NETWORKS, NetworkSpec
from models.weights import check_intact, find_int8, on_hand, sha256_of


def published_in(folder: Path) -> dict[str, Path]:
    """Return network → weights of the files in a folder. Exit if one is not the published file."""
    named = {
        spec.name: folder / spec.weights.file for spec in NETWORKS.values() if not spec.bundled
    }
    found = {name: file for name, file in named.items() if file.is_file()}
    for name, file in found.items():
        if sha256_of(file) != NETWORKS[name].weights.sha256:
            sys.exit(f"{file} is not the published file of {name}: its SHA-256 differs.")
    return found


def renew(target: Path) -> None:
    """Convert the bundled networks into a folder, in place of earlier versions."""
    bundled = [spec for spec in NETWORKS.values() if spec.bundled]
    for spec in bundled:
        for old in target.glob(f"{spec.name}-{'[0-9a-f]' * 16}"):
            shutil.rmtree(old)
    convert_all(target, specs=bundled)


def convert_all(
    target: Path, weights: Path | None = None, specs: Sequence[NetworkSpec] = ()
) -> None:
    """Convert each installed network, or those of `specs`, in each of its versions into a folder.

    weights: folder whose networks take the place of the installed ones.
    """
    given = None if weights is None else published_in(weights)
    for spec in specs or NETWORKS.values():
        file = on_hand(spec.name) if given is None or spec.bundled else given.get(spec.name)
        if file is not None:
            convert_network(spec, file, target)


def convert_network(spec: NetworkSpec, weights: Path, target: Path) -> None:
    """Convert a network in each of its versions into a folder."""
    check_intact(spec.name, weights)
    with tempfile.TemporaryDirectory() as scratch:
        cache = ArtefactCache(lambda: Path(scratch))
        # In this order, since OpenVINO numbers the operations of a process: two builds give the
        # same files.
        for direct in (False, True)[: 1 + spec.direct]:
            for int8 in dict.fromkeys((None, find_int8(weights, spec.int8))):
                source = NetworkSource(spec.name, weights, direct=direct, int8=int8)
                cache.load(source)
                shutil.copytree(
                    cache.folder(source), target / source.artefact_name(), dirs_exist_ok=True
                )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--weights", type=Path)
    parser.add_argument(
        "--bundled", action="store_true", help="the bundled networks, in place of older versions"
    )
    given = parser.parse_args()
    if given.bundled:
        renew(given.folder)
    else:
        convert_all(given.folder, given.weights)
