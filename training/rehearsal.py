"""Pictures for a rehearsal: the bundled test photo in several crops, and the bundled backgrounds."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from training.sources import read_image

_ASSETS = Path(__file__).resolve().parents[1] / "app" / "assets"
_NUMBERS = range(4, 11)
"""By the hash of their names, two are for validation."""
_LONGEST = 160


def draw_pictures(folder: Path) -> Path:
    """Write JPEGs and index.tsv, as `training.sources` reads them, to `folder`; return it."""
    person = read_image(_ASSETS / "astronaut.png")
    room = read_image(_ASSETS / "astronaut_empty.png")
    rng = np.random.default_rng(0)
    lines = ["name\tsource\tlicence\tkind"]
    for kind, image, place in (("photo", person, "portraits"), ("background", room, "backgrounds")):
        (folder / place).mkdir(parents=True, exist_ok=True)
        for number in _NUMBERS:
            left, right, top = (int(share * image.shape[1]) for share in rng.uniform(0, 0.12, 3))
            cut = image[top:, left : image.shape[1] - right]
            cut = cut[:, ::-1] if number % 2 else cut
            scale = _LONGEST / max(cut.shape[:2])
            small = cv2.resize(cut, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            cv2.imwrite(str(folder / place / f"{kind}{number}.jpg"), small)
            lines.append(f"{kind}{number}\trehearsal\tCC0\t{kind}")
    (folder / "index.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder
