"""Images of different sizes in one memory-mapped file."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]

PACKS = ("backgrounds", "clips", "people", "views")
"""Names of the packs of a cache."""

CUTOUT = "cutout"
"""Group of people cut out with an exact alpha."""


def default_cache() -> Path:
    """Return the user's cache folder for training data."""
    from platformdirs import user_cache_path  # not installed on every machine that trains

    return user_cache_path("mattecam", appauthor=False) / "training"


@dataclass(frozen=True)
class Entry:
    """Position and metadata of an image in the pack."""

    name: str
    group: str
    """Kind: a source of photos, "background", "cutout" or the name of a clip."""
    offset: int
    shape: tuple[int, int, int]
    """(height, width, channels)."""
    validation: bool = False
    composable: bool = False
    """Whether the alpha is good enough to cut the person out."""
    usable: bool = True
    """Whether the teacher was certain enough to learn from the photo as it is."""
    masked: bool = False
    """Whether a mask drawn by a person confirmed or corrected the alpha."""


_FLUSH_EVERY = 200


class PackWriter:
    """Appends uint8 images (H, W, C) to `NAME.u8` and lists them in `NAME.json`, periodically and
    at the end.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._file = path.with_suffix(".u8").open("wb")
        self._entries: list[Entry] = []

    def __enter__(self) -> PackWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.flush()
        self._file.close()

    def add(
        self,
        pixels: Pixels,
        name: str,
        group: str,
        *,
        validation: bool = False,
        composable: bool = False,
        usable: bool = True,
        masked: bool = False,
    ) -> None:
        """Append one image, uint8 (H, W, C)."""
        height, width, channels = pixels.shape
        entry = Entry(
            name,
            group,
            self._file.tell(),
            (height, width, channels),
            validation,
            composable,
            usable,
            masked,
        )
        self._file.write(np.ascontiguousarray(pixels).tobytes())
        self._entries.append(entry)
        if len(self._entries) % _FLUSH_EVERY == 0:
            self.flush()

    def flush(self) -> None:
        """Write the list of images so far."""
        self._file.flush()
        text = json.dumps([asdict(entry) for entry in self._entries])
        self._path.with_suffix(".json").write_text(text, encoding="utf-8")


class Pack:
    """Reads a pack: `entries`, and `pixels` of each.

    halved: return all images at half of the stored width and height; they are then kept in memory.
    """

    def __init__(self, path: Path, *, halved: bool = False) -> None:
        listing = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        self.entries = [Entry(**{**item, "shape": tuple(item["shape"])}) for item in listing]
        self._bytes = np.memmap(path.with_suffix(".u8"), np.uint8, "r") if self.entries else None
        self._halved = halved
        self._halves: dict[int, Pixels] = {}

    def pixels(self, entry: Entry) -> Pixels:
        """Return the image, uint8 (H, W, C), read-only."""
        if self._bytes is None:
            raise LookupError(f"The pack holds no images, so not {entry.name} either.")
        if entry.offset in self._halves:
            return self._halves[entry.offset]
        size = entry.shape[0] * entry.shape[1] * entry.shape[2]
        image: Pixels = self._bytes[entry.offset : entry.offset + size].reshape(entry.shape)
        if self._halved:
            image = _half(image)
            self._halves[entry.offset] = image
        return image


def _half(image: Pixels) -> Pixels:
    height, width = image.shape[0] // 2, image.shape[1] // 2
    blocks = image[: 2 * height, : 2 * width].reshape(height, 2, width, 2, -1)
    halved: Pixels = np.rint(blocks.mean((1, 3), dtype=np.float32)).astype(np.uint8)
    return halved
