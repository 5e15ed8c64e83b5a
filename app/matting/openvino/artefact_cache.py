"""Cache of converted networks on disk and in memory. torch is imported only on a cache miss.

Packages ship converted networks beside the weights (`tools.convert_networks`), so that they need no torch.
"""

from __future__ import annotations

import errno
import functools
import hashlib
import logging
import shutil
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path

from app.core import paths
from app.core.errors import ModelError, t
from app.core.files import why_not_written
from app.matting.openvino.artefact import Artefact, NetworkSource, read_artefact
from models.weights import conversion_folders, converts, missing_conversions, on_hand

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

    def load(self, source: NetworkSource) -> Artefact:
        """Return the artefact of a network; convert the network on a cache miss.

        Raises ModelError if a file does not contain weights of this network.
        """
        folders = self._folders(source)
        key = folders[-1].name
        with self._lock:
            artefact = self._artefacts.pop(key, None) or self._from_disk(folders, source)
            self._artefacts[key] = artefact
            while len(self._artefacts) > _KEPT:
                self._artefacts.popitem(last=False)
        return artefact

    def folder(self, source: NetworkSource) -> Path:
        """Return where the artefact of a network is kept; it may not exist. Raises ModelError as `load`."""
        folders = self._folders(source)
        return next((folder for folder in folders if folder.is_dir()), folders[-1])

    def _folders(self, source: NetworkSource) -> list[Path]:
        """Return where an artefact may be, in the order of the search; the last one is written to."""
        shipped = (folder / source.artefact_name() for folder in self._shipped(source.model))
        return [*shipped, self._folder() / source.artefact_name(_sources())]

    def _from_disk(self, folders: list[Path], source: NetworkSource) -> Artefact:
        for folder in filter(Path.is_dir, folders):
            try:
                return read_artefact(folder)
            except Exception as error:  # noqa: BLE001, PERF203 - OpenVINO raises anything, MemoryError included
                LOG.warning("The converted network %s cannot be read and is converted again (%r).", folder, error)
        folder = folders[-1]
        with tempfile.TemporaryDirectory() as temporary:
            _convert(source, Path(temporary))
            try:
                _install(Path(temporary), folder)
                return read_artefact(folder)
            except (OSError, RuntimeError, ValueError) as error:
                reason = why_not_written(error) if isinstance(error, OSError) else error
                LOG.warning("The converted network cannot be kept in %s: %s.", folder.parent, reason)
            return read_artefact(Path(temporary), in_memory=True)


def _convert(source: NetworkSource, folder: Path) -> None:
    if not converts():
        if missing_conversions(source.model) and source.weights == on_hand(source.model):
            raise ModelError(
                t(
                    "The model {model} is installed without the part that runs here; download it again⟦ with `python3 "
                    "run.py weights download {model}`⟧.",
                    model=source.model,
                )
            )
        raise ModelError(
            t(
                "The model {model} needs PyTorch, which this copy of Mattecam lacks; run Mattecam from its sources "
                "for it.",
                model=source.model,
            )
        )
    from app.matting.openvino.conversion import convert  # imports torch

    convert(source, folder)


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
        try:
            copied.replace(folder)
        except OSError as error:
            if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):  # another process installed it first
                raise


artefacts = ArtefactCache(lambda: paths.data_dir() / "cache", conversion_folders)
"""Shared cache of the process."""
