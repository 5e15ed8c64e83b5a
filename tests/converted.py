"""A cache of converted networks that the processes of a test run share."""

from __future__ import annotations

from pathlib import Path

from app.core.files import lock_file
from app.matting.choice.hardware import torch_usable
from app.matting.openvino.artefact import Artefact, NetworkSource
from app.matting.openvino.conversion import ArtefactCache
from models.weights import conversion_folders


class SharedCache(ArtefactCache):
    """Converts each network once, however many processes ask for it; without torch, those that ship are used."""

    def __init__(self, folder: Path) -> None:
        super().__init__(lambda: folder, (lambda model: ()) if torch_usable() else conversion_folders)
        folder.mkdir(exist_ok=True)
        self._lock_path = folder / "lock"

    def load(self, source: NetworkSource) -> Artefact:
        """Return the artefact of a network; see `ArtefactCache.load`."""
        lock = lock_file(self._lock_path, wait=True)
        assert lock is not None
        with lock:
            return super().load(source)
