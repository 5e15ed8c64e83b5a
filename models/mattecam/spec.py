"""The bundled networks."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from models.spec import NetworkSpec, WeightSpec, late

BUNDLED = Path(__file__).with_name("student.safetensors")
"""Path of the bundled weights, float16; see README.md next to them."""
BUNDLED_WITH_PLATE = BUNDLED.with_name("student-plate.safetensors")
"""Path of the bundled weights of the network that also sees a plate, float16."""

STUDENT = NetworkSpec(
    title="Standard",
    weights=WeightSpec("mattecam", BUNDLED.name, "GPL-3.0", "Mattecam's own, ships with the program"),
    load=late(__package__, "bundled", "network_of"),
    export=late(__package__, "bundled", "export"),
    short_side=180,
    precisions=("float32", "float16", "bfloat16", "int8"),
    cpu_rank=5,
    gpu_rank=6,
)
STUDENT_PLATE = NetworkSpec(
    title="Less exact, with a photo of your empty room",
    weights=WeightSpec(
        "mattecam-plate",
        BUNDLED_WITH_PLATE.name,
        "GPL-3.0",
        "Mattecam's own, less exact, needs a picture of the empty room, ships with the program",
    ),
    load=late(__package__, "bundled", "network_with_plate_of"),
    export=partial(late(__package__, "bundled", "export_images"), ("small", "plate")),
    needs_plate=True,
    short_side=180,  # No rank: `auto` does not take it, see README.md.
)
