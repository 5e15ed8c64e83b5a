"""The Python API of Mattecam. Its names stay stable within a major version; everything else in the package is private.

`Matting` mattes one stream of frames, `step_many` several at once; `convert` mattes a file. `docs/api.md` has examples.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.api import (
        AlphaImage,
        BgrImage,
        ConvertReport,
        EdgeSettings,
        EngineInfo,
        EngineState,
        Matte,
        MattecamError,
        Matting,
        ModelError,
        convert,
        step_many,
    )

__all__ = [
    "AlphaImage",
    "BgrImage",
    "ConvertReport",
    "EdgeSettings",
    "EngineInfo",
    "EngineState",
    "Matte",
    "MattecamError",
    "Matting",
    "ModelError",
    "convert",
    "step_many",
]


def __getattr__(name: str) -> object:
    """Load the API when a name is used: every command imports this package, and most need no network."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from app import api

    return getattr(api, name)
