"""Mattecam: a virtual webcam with real-time background matting."""

__version__ = "0.5.0.dev0"
