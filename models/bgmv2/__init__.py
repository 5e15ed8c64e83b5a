"""Background Matting V2 (arXiv 2012.07810): matting against a captured background plate."""

from models.bgmv2.base import MattingBase
from models.bgmv2.network import MattingRefine

__all__ = ["MattingBase", "MattingRefine"]
