"""Convert the bundled and downloaded networks for packages, which lack torch.

    python -m tools.convert_networks FOLDER

A package has the folder as `models/converted`. It does not belong into a source tree, where networks change.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from app.matting.openvino.artefact_cache import ArtefactCache, shipped_name
from models.int8 import find_int8
from models.table import NETWORKS
from models.weights import check_intact, on_hand


def convert_all(target: Path) -> None:
    """Convert each network in each of its versions into a new folder."""
    with tempfile.TemporaryDirectory() as scratch:
        cache = ArtefactCache(lambda: Path(scratch))
        for spec in NETWORKS.values():
            weights = on_hand(spec.name)
            if weights is None:
                continue
            check_intact(spec.name, weights)
            for direct in {False, spec.direct}:
                for int8 in {None, find_int8(weights, spec.int8)}:
                    cache.load(spec.name, weights, direct=direct, int8=int8)
                    made = cache.folder(spec.name, weights, direct=direct, int8=int8)
                    shutil.copytree(made, target / shipped_name(spec.name, weights, direct=direct, int8=int8))


if __name__ == "__main__":
    convert_all(Path(sys.argv[1]))
