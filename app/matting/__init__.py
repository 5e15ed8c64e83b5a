"""The frame step: networks, executors and the engines built from them."""

from app.matting.build import build_engine
from app.matting.choice.choice import choose_model

__all__ = ["build_engine", "choose_model"]
