"""Mattecam: a virtual webcam with real-time background matting."""

__version__ = "0.2.0"
