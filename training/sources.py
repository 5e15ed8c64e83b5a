"""The folders of training pictures: what they hold, and what is held out of every training."""

from __future__ import annotations

import csv
import zlib
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from app.core.errors import SourceOpenError

Pixels = npt.NDArray[np.uint8]

HELD_OUT_CLIPS = frozenset({"asl_walk", "asl_book", "asl_yes"})
"""Clips (one signer each) that no network is trained on."""

HELD_OUT_SOURCES = frozenset(
    {
        "cjdowner/interfaces",
        "betterscientificsoftware/bssw.io",
        "rladies/rladies.github.io",
        "okfde/codefor.de",
        "open-life-science/open-life-science.github.io",
        "reactjs/reactjs.org",
    }
)
"""Whole sources that no network is trained on in any form: the model card is measured on them."""

HELD_OUT_SCENES = (
    "ph_pm_apartment",
    "ph_pm_lobby",
    "ph_gk_brown_photostudio_01",
    "ph_gk_vestibule",
    "ph_gk_autoshop",
)
"""Prefixes of room views that no network is trained on; all views of one scene share a prefix."""

WHOLE_BODY = frozenset({"bearpaw/clothing-co-parsing", "VikramShenoy97/Human-Segmentation-Dataset"})
"""Sources of photos that show people from head to foot; the others show heads and shoulders, or
half bodies.
"""

_PUBLIC_DOMAIN = frozenset({"18F/18f.gsa.gov"})
"""Sources with stated free licences in a folder whose index has no tiers."""

_OFFICIAL_PORTRAITS = ("CivilServiceUSA/", "voteview/")
"""Sources of studio portraits before flags; one photo of three is used, so that they do not
dominate.
"""
_OFFICIAL_SHARE = 3

_ONE_PERSON_IN_MANY = ("isl_",)
"""Name prefixes of sources that show the same few people again and again: these are for training
only.
"""


@dataclass(frozen=True)
class Picture:
    """A photo of people, with or without a mask, a cut-out with alpha, or a background."""

    name: str
    source: str
    kind: str
    """"photo", "cutout" or "background"."""
    path: Path
    mask: Path | None = None
    clean: bool = False
    """Whether its source states a free licence."""

    @property
    def validation(self) -> bool:
        """Whether training never sees it: a source or scene held out, or a tenth of the others,
        chosen by name.
        """
        if self.source in HELD_OUT_SOURCES or self.name.startswith(HELD_OUT_SCENES):
            return True
        if self.name.startswith(_ONE_PERSON_IN_MANY):
            return False
        return zlib.crc32(self.name.encode()) % 10 == 0


def list_pictures(folder: Path) -> list[Picture]:
    """Return all pictures listed in `folder`/index.tsv (name, source, licence, kind, note) whose
    file exists.

    A name is a path relative to the folder, or the stem of a file in portraits/, masks/, cutouts/
    or backgrounds/. A note that begins with a tier marks a stated free licence.
    """
    folders = ("portraits", "masks", "cutouts", "backgrounds")
    files = {
        kind: {path.stem: path for path in (folder / kind).iterdir()}
        if (folder / kind).is_dir()
        else {}
        for kind in folders
    }
    pictures = []
    with (folder / "index.tsv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            kind = _kind(row["kind"] or "")
            place = {"background": "backgrounds", "cutout": "cutouts", "photo": "portraits"}[kind]
            relative = folder / row["name"]
            path = relative if relative.is_file() else files[place].get(row["name"])
            name = Path(row["name"]).stem if path == relative else row["name"]
            if path is None or not _is_used(name, row["source"]):
                continue
            mask = files["masks"].get(name) if kind == "photo" else None
            clean = row["source"] in _PUBLIC_DOMAIN or (row.get("note") or "").startswith("tier ")
            pictures.append(Picture(name, row["source"], kind, path, mask, clean))
    return pictures


def _kind(label: str) -> str:
    if label in ("background", "room"):
        return "background"
    return "cutout" if label.startswith("cutout") else "photo"


def _is_used(name: str, source: str) -> bool:
    official = source.startswith(_OFFICIAL_PORTRAITS)
    return not official or zlib.crc32(f"official {name}".encode()) % _OFFICIAL_SHARE == 0


def read_image(path: Path, mode: int = cv2.IMREAD_COLOR) -> Pixels:
    """Return the image with OpenCV's channel order: BGR, BGRA or grey."""
    image = cv2.imread(str(path), mode)
    if image is None:
        raise SourceOpenError(
            f"{path} is no image that can be read; remove it or its line in index.tsv."
        )
    return np.asarray(image, np.uint8)


def to_rgb(bgr: npt.NDArray[np.generic]) -> Pixels:
    """Return a BGR image, (H, W, 3), as contiguous uint8 RGB."""
    return np.ascontiguousarray(bgr[..., ::-1], np.uint8)
