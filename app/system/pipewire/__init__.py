"""Streams of video through PipeWire, by ctypes on its shared library (Linux)."""
