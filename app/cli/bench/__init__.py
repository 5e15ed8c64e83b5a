"""Benchmark of the frame step on this machine: `run.py bench`."""
