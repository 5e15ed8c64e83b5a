"""Torch backend: eager execution on any device, or a captured CUDA graph."""
