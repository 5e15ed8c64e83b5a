"""Does once what a first start would have to wait for; run.py calls it after installing.

`python -m app.matting.warm_up` compiles the full-size arithmetic and the check of JPEG frames, and converts the bundled
network; the results stay on disk.
"""

from __future__ import annotations

import contextlib

from app.core.errors import ModelError
from app.core.settings import MattingSettings
from app.matting.kernels.dispatch import compiled
from app.matting.selection.registry import build_engine
from models.table import bundled


def warm_up() -> None:
    """All of it; what cannot be done here is done, or said, at the first start."""
    compiled.wait()
    with contextlib.suppress(ImportError):
        import app.matting.kernels.patches
        import app.media.jpeg_walk  # noqa: F401 - these compile
    try:
        build_engine(MattingSettings(model=bundled().name), 1280, 720).close()
    except ModelError:
        return


if __name__ == "__main__":
    warm_up()
