"""Benchmark of the program as it is used, with preview, virtual camera and recording: `run.py bench --in-use`."""

from app.cli.bench.in_use.report import table
from app.cli.bench.in_use.run import in_use, program_row

__all__ = ["in_use", "program_row", "table"]
