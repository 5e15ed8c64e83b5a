"""Imports OpenVINO with telemetry disabled; all other modules import it from here.

Importing openvino sends usage data to its vendor unless the package `openvino_telemetry` cannot be imported; OpenVINO
then uses a stub without network access. This program sends no telemetry.
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
    """Return the OpenVINO core shared by the process."""
    return ov.Core()
