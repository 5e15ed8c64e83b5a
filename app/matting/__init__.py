"""The frame step: networks, executors and the engines built from them."""

from app.matting.registry import build_engine, choose_model
from app.matting.trial import try_executors

__all__ = ["build_engine", "choose_model", "try_executors"]
