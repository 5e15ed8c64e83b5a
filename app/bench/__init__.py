"""Benchmark of the frame step on this machine: `run.py bench`."""

from app.bench.report import table
from app.bench.run import bench

__all__ = ["bench", "table"]
