"""The frame step: networks, executors and the engines built from them."""

from app.matting.selection.registry import build_engine, choose_model

__all__ = ["build_engine", "choose_model"]
