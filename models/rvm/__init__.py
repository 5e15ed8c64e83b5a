"""Robust Video Matting (arXiv 2108.11515): a recurrent network for human video matting."""

from models.rvm.network import MattingNetwork
from models.rvm.sizes import small_size

__all__ = ["MattingNetwork", "small_size"]
