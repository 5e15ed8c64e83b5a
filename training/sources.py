"""The folder of training pictures: what lies where, and which of it is for validation only."""

from __future__ import annotations

import csv
import zlib
from dataclasses import dataclass
from pathlib import Path

VALIDATION_CLIPS = frozenset({"asl_walk", "asl_book", "asl_yes"})
"""Clips (one signer each) that no network is trained on."""

WHOLE_BODY = frozenset({"bearpaw/clothing-co-parsing", "VikramShenoy97/Human-Segmentation-Dataset"})
"""Sources of photos that show people from head to foot; the others show heads and shoulders, or half bodies."""

_ONE_PERSON_IN_MANY = ("isl_",)
"""Name prefixes of sources that show the same few people again and again: these are for training only."""


@dataclass(frozen=True)
class Picture:
    """A photo of people, with or without a mask, a cut-out with alpha, or a background."""

    name: str
    source: str
    kind: str
    """"photo", "cutout" or "background"."""
    path: Path
    mask: Path | None = None

    @property
    def validation(self) -> bool:
        """Kept out of the training: a tenth of the people and of the backgrounds, chosen by name."""
        if self.name.startswith(_ONE_PERSON_IN_MANY):
            return False
        return zlib.crc32(self.name.encode()) % 10 == 0


def list_pictures(folder: Path) -> list[Picture]:
    """All pictures named in `folder`/index.tsv (name, source, licence, kind) that are there.

    They lie in portraits/, masks/, cutouts/ and backgrounds/ under their name and any image suffix.
    """
    files = {
        kind: {path.stem: path for path in (folder / kind).iterdir()}
        for kind in ("portraits", "masks", "cutouts", "backgrounds")
    }
    pictures = []
    with (folder / "index.tsv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            name, label = row["name"], row["kind"] or ""
            if label == "background":
                kind, place = "background", files["backgrounds"]
            elif label.startswith("cutout"):
                kind, place = "cutout", files["cutouts"]
            else:
                kind, place = "photo", files["portraits"]
            if name in place:
                mask = files["masks"].get(name) if kind == "photo" else None
                pictures.append(Picture(name, row["source"], kind, place[name], mask))
    return pictures
