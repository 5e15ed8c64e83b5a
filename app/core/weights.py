"""Adding a model's weights to the user's folder, by one process at a time: all write to the same temporary file."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path

from app.core.files import lock_file
from models.weights import user_folder

POLL_S = 0.1


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

    with _alone(name, lambda: None):
        return install(name, file)


@contextmanager
def _alone(name: str, waiting: Callable[[], None]) -> Iterator[None]:
    folder, file = user_folder(), None
    with suppress(OSError):  # a folder that cannot be written to is reported by what is written there
        folder.mkdir(parents=True, exist_ok=True)
        while (file := lock_file(folder / f".{name}.lock", wait=False)) is None:
            waiting()
            time.sleep(POLL_S)
    with file or nullcontext():
        yield
