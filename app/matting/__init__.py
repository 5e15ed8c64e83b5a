"""The frame step: networks, executors and the engines built from them."""

from app.matting.selection.choice import choose_model
from app.matting.selection.registry import build_engine

__all__ = ["build_engine", "choose_model"]
