"""The public Python API of Mattecam. Names that are imported from here stay stable within a major version.

`Matting` mattes one stream of frames; `convert` mattes a file. `docs/api.md` has examples.
"""

from app.api.matting import Matting, convert
from app.core.errors import MattecamError, ModelError
from app.core.settings import EdgeSettings
from app.core.types import AlphaImage, BgrImage, Matte
from app.matting.base.interface import EngineInfo, EngineState
from app.offline.convert import ConvertReport

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
]
