"""Adding a model's weights to the user's folder, by one process at a time: all write to the same temporary file."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from app.core.files import locked
from models.weights import user_folder


def download_weights(name: str, progress: Callable[[int, int | None], None], *, again: bool = False) -> Path:
    """Download a model's weights as `models.download.download`, once no other process does.

    progress(bytes, total or None): called while it waits as well; may raise to cancel. Raises WeightsError.
    """
    from models.download import download  # here, since the window and other commands start without it

    with _alone(name, lambda: progress(0, None)):
        return download(name, progress, again=again)


def install_weights(name: str, file: Path) -> Path:
    """Install a model's weights from a file that was downloaded elsewhere. Raises WeightsError."""
    from models.download import install

    with _alone(name):
        return install(name, file)


def _alone(name: str, waiting: Callable[[], object] | None = None) -> AbstractContextManager[None]:
    return locked(user_folder() / f".{name}.lock", waiting)
