"""Cache of converted networks on disk and in memory. torch is imported only on a cache miss.

Packages ship converted networks beside the weights (`tools.convert_networks`), so that they need no torch.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib.util
import logging
import shutil
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path

from app.core.errors import ModelError, text_of
from app.core.files import paths
from app.core.files.disk_errors import why_not_written
from app.core.messages.matting import ModelText
from app.matting.openvino.artefact import Artefact, read_artefact
from app.matting.openvino.runtime import ov
from models.conversions import folders, missing
from models.weights import WeightsError, known_sha256, on_hand

LOG = logging.getLogger(__name__)
_KEPT = 3


class ArtefactCache:
    """Cache of artefacts in a folder; recently used ones are also kept in memory."""

    def __init__(self, folder: Callable[[], Path], shipped: Callable[[str], Sequence[Path]] = lambda model: ()) -> None:
        """shipped: returns the folders of published conversions of a network, which are searched first."""
        self._folder = folder
        self._shipped = shipped
        self._lock = threading.Lock()
        self._artefacts: OrderedDict[str, Artefact] = OrderedDict()

    def load(
        self, model: str, weights: Path, refiner: str = "auto", direct: bool = False, int8: Path | None = None
    ) -> Artefact:
        """Return the artefact of a network; convert the network on a cache miss.

        int8: the int8 version of the weights, to be converted in place of the float32 network. Raises ModelError if the
        file does not contain weights of this network.
        """
        folders = self._folders(model, weights, refiner, direct, int8)
        key = folders[-1].name
        with self._lock:
            artefact = self._artefacts.pop(key, None) or self._from_disk(
                folders, lambda folder: _convert(model, weights, refiner, direct, folder, int8)
            )
            self._artefacts[key] = artefact
            while len(self._artefacts) > _KEPT:
                self._artefacts.popitem(last=False)
        return artefact

    def folder(
        self, model: str, weights: Path, refiner: str = "auto", direct: bool = False, int8: Path | None = None
    ) -> Path:
        """Return where the artefact of a network is kept; it may not exist. Raises ModelError as `load`."""
        folders = self._folders(model, weights, refiner, direct, int8)
        return next((folder for folder in folders if folder.is_dir()), folders[-1])

    def _folders(self, model: str, weights: Path, refiner: str, direct: bool, int8: Path | None) -> list[Path]:
        """Return where an artefact may be, in the order of the search; the last one is written to."""
        name = shipped_name(model, weights, refiner, direct, int8)
        own = self._folder() / _name(model, weights, refiner, direct, int8, _sources())
        return [*(folder / name for folder in self._shipped(model)), own]

    def _from_disk(self, folders: list[Path], convert: Callable[[Path], None]) -> Artefact:
        for folder in filter(Path.is_dir, folders):
            try:
                return read_artefact(folder)
            except Exception as error:  # noqa: BLE001, PERF203 - OpenVINO raises anything, MemoryError included
                LOG.warning("The converted network %s cannot be read and is converted again (%r).", folder, error)
        folder = folders[-1]
        with tempfile.TemporaryDirectory() as temporary:
            convert(Path(temporary))
            try:
                _install(Path(temporary), folder)
                return read_artefact(folder)
            except (OSError, RuntimeError, ValueError) as error:
                reason = why_not_written(error) if isinstance(error, OSError) else error
                LOG.warning("The converted network cannot be kept in %s: %s.", folder.parent, reason)
            return read_artefact(Path(temporary), in_memory=True)


def _convert(model: str, weights: Path, refiner: str, direct: bool, folder: Path, int8: Path | None) -> None:
    if importlib.util.find_spec("torch") is None:
        if missing(model) and weights == on_hand(model):
            raise ModelError(ModelText.NOT_FETCHED(model=model))
        raise ModelError(ModelText.MODEL_NEEDS_TORCH(model=model))
    from app.matting.openvino.conversion import convert  # imports torch

    convert(model, weights, refiner, direct, folder, int8)


def shipped_name(
    model: str, weights: Path, refiner: str = "auto", direct: bool = False, int8: Path | None = None
) -> str:
    """Return the name of a shipped artefact. It ships with the code that it was made by, so that is no part of it."""
    return _name(model, weights, refiner, direct, int8, "")


def _name(model: str, weights: Path, refiner: str, direct: bool, int8: Path | None, sources: str) -> str:
    try:
        content = " ".join(known_sha256(file) for file in (weights, int8) if file is not None)
    except WeightsError as error:
        raise ModelError(text_of(error)) from error
    words = f"{ov.__version__} {model} {refiner} {direct} {content} {sources}"
    return f"{model}-{hashlib.sha256(words.encode()).hexdigest()[:16]}"


@functools.cache
def _sources() -> str:
    """Return a digest of the conversion code; part of the cache key, to invalidate artefacts of older versions."""
    files = [*(paths.ROOT / "models").rglob("*.py"), *Path(__file__).parent.glob("*.py")]
    return hashlib.sha256(b"".join(hashlib.sha256(file.read_bytes()).digest() for file in sorted(files))).hexdigest()


def _install(made: Path, folder: Path) -> None:
    """Move a finished artefact into the cache atomically, so that an interrupted run leaves no partial one."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".new-") as beside:
        copied = Path(beside) / folder.name
        copied.mkdir()
        for file in made.iterdir():  # copytree raises an error without its reason
            shutil.copy(file, copied)
        shutil.rmtree(folder, ignore_errors=True)
        with contextlib.suppress(FileExistsError):  # another process installed it first
            copied.replace(folder)


artefacts = ArtefactCache(lambda: paths.data_dir() / "cache", folders)
"""Shared cache of the process."""
