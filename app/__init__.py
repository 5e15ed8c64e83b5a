"""Mattecam: a virtual webcam that cuts people out of their room in real time."""

__version__ = "0.1.0"
