"""The engine is prepared before a test counts seconds."""

from __future__ import annotations

import numpy as np
import pytest

from app.api import Matting


@pytest.fixture(scope="session", autouse=True)
def _prepared() -> None:
    """Kernels and network are compiled once."""
    with Matting("mattecam") as matting:
        matting.step(np.zeros((180, 320, 3), np.uint8))
