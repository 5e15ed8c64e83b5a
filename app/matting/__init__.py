"""The frame step: networks, executors and the engines built from them."""

from app.matting.selection.registry import build_engine, choose_model
from app.matting.selection.trial import try_executors

__all__ = ["build_engine", "choose_model", "try_executors"]
