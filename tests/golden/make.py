"""Cuts the reference outputs down to what the tests compare: `python -m tests.golden.make FOLDER`.

FOLDER holds the outputs of the published implementations on the weights and images of `fill.py`, one `.npz` a
case, their description `index.json` and the published `state_dicts.json`. Full-size outputs keep every third row
and column, which meets every pixel of the 4x4 cells that BGMv2's refiner works in; all else is kept whole.
"""

import json
import sys
from pathlib import Path

import numpy as np

STEP = 3
FULL_SIZE = ("fgr", "pha", "seg", "d0", "d1", "d6")
HERE = Path(__file__).parent


def main(folder: Path) -> None:
    """Writes the cases of the networks, their index and the published names beside this file."""
    cases = [case for case in json.loads((folder / "index.json").read_text()) if "net" in case]
    for case in cases:
        with np.load(folder / f"{case['case']}.npz") as full:
            kept = {
                name: full[name][..., ::STEP, ::STEP] if name in FULL_SIZE else full[name]
                for name in full
            }
        np.savez_compressed(HERE / f"{case['case']}.npz", allow_pickle=False, **kept)
    (HERE / "index.json").write_text(json.dumps(cases, indent=1) + "\n")
    names = json.loads((folder / "state_dicts.json").read_text())
    (HERE / "state_dicts.json").write_text(json.dumps(names, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
