"""Kernels that are compiled ahead give the bits of those that numba compiles at the start, without numba."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from app.core.compiling import LEVELS
from tests.fresh_python import printed_by
from tools.packages.kernels import build

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(
        sys.platform != "linux" or not shutil.which("gcc"), reason="needs gcc on Linux"
    ),
]
STEPS = """
import hashlib, sys
from pathlib import Path
import numpy as np
from app.core import compiling
if sys.argv[1] != "numba":
    sys.modules["numba"] = sys.modules["llvmlite"] = None
    compiling.FOLDER, compiling.LEVELS = Path(sys.argv[1]), {sys.argv[2]: set()}
from app.core.settings import EdgeSettings
from app.core.types import BlurredBackground
from app.matting.interface import StepRequest
from app.matting.kernels.network import matte_rows
from tests.matting.stubs import Case, StubCpu
digest = hashlib.sha256()
for edges, strict in (
    (EdgeSettings(), "balanced"),
    (EdgeSettings(contrast=0.3, grow_px=2, feather_px=4, temporal_smoothing=0.5, despill=0.5), "balanced"),
    (EdgeSettings(), "off"),
):
    case = Case(320, 180, 0.5, 1)
    backend = StubCpu(case.geometry)
    for backdrop in (case.rng.integers(0, 256, (180, 320, 3), dtype=np.uint8), BlurredBackground(50)):
        for _ in range(4):
            backend.coefficients = case.coefficients()
            matte = backend.step(StepRequest(case.frame(), backdrop, edges, strict, want_foreground=True))
            digest.update(matte.alpha.tobytes() + matte.composite.tobytes() + matte.foreground.tobytes())
    backend.close()
cells, matte = np.random.default_rng(1).random((2, 2, 16), np.float32), np.zeros((4, 4, 4), np.float32)
matte_rows(cells, 0.1, matte, 0, 4)
digest.update(matte.tobytes())
for wrong in (matte[0], cells.astype(np.float64)):
    try:
        matte_rows(wrong, 0.1, matte, 0, 4)
    except TypeError:
        digest.update(b"refused")
print(digest.hexdigest())
"""


def test_a_library_gives_the_bits_of_numba(tmp_path: Path) -> None:
    flags = Path("/proc/cpuinfo").read_text(encoding="utf-8").split()
    level = next(name for name, needed in LEVELS.items() if needed <= set(flags))
    build(tmp_path, [level])
    assert printed_by(STEPS, str(tmp_path), level, limit_s=400) == printed_by(
        STEPS, "numba", limit_s=400
    )
