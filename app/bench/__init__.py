"""What this machine reaches: `run.py bench`."""

from app.bench.report import table
from app.bench.run import bench

__all__ = ["bench", "table"]
