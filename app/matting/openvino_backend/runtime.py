"""OpenVINO without its telemetry: import it from here and nowhere else.

Importing openvino reports that to its makers, unless the package `openvino_telemetry` cannot be imported; then a
stand-in without any connection takes its place. This program sends nothing.
"""

from __future__ import annotations

import functools
import sys

sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]

import openvino as ov  # noqa: E402
from openvino import preprocess  # noqa: E402

__all__ = ["core", "ov", "preprocess"]


@functools.cache
def core() -> ov.Core:
    """The one OpenVINO core of the program."""
    return ov.Core()
