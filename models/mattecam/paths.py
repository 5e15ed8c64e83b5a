"""Where the bundled weights are."""

from __future__ import annotations

from pathlib import Path

BUNDLED = Path(__file__).with_name("student.safetensors")
"""Path of the bundled weights, float16; see README.md next to them."""
BUNDLED_WITH_PLATE = BUNDLED.with_name("student-plate.safetensors")
"""Path of the bundled weights of the network that also sees a plate, float16."""
