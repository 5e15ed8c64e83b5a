"""Benchmark of the program as it is used, with preview, virtual camera and recording: `run.py bench --in-use`."""
