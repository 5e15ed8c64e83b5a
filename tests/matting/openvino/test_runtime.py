"""Networks in OpenVINO on one thread and on all, and without connections to anybody."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from app.core.settings import EdgeSettings, EngineSettings
from app.matting import build_engine
from app.matting.base.interface import StepGeometry
from models.table import bundled
from tests.fresh_python import printed_by
from tests.matting.networks import bundled_backend

GEOMETRY = StepGeometry(160, 96, 0.5)


def test_one_thread_and_all_threads_give_the_same_mattes() -> None:
    usual, alone = bundled_backend(GEOMETRY), bundled_backend(GEOMETRY, 1)
    rng = np.random.default_rng(1)
    for _ in range(3):
        frame = rng.integers(0, 255, (96, 160, 3), np.uint8)
        backdrop = np.zeros_like(frame)
        mattes = [each.step(frame, backdrop, EdgeSettings()) for each in (usual, alone)]
        assert np.abs(mattes[0].alpha.astype(int) - mattes[1].alpha).max() <= 1
    usual.close()
    alone.close()


@pytest.mark.skipif(sys.platform != "linux", reason="counts threads in /proc")
def test_another_engine_uses_the_threads_of_those_that_were_closed() -> None:
    """A program has built hundreds of engines after a day of changes."""
    counts = []
    for number in range(5):
        width, height = 160 + 32 * number, 96
        engine = build_engine(EngineSettings(model=bundled().name, device="cpu"), width, height)
        frame = np.zeros((height, width, 3), np.uint8)
        engine.step(frame, frame, EdgeSettings())
        engine.close()
        counts.append(len(list(Path("/proc/self/task").iterdir())))
    later = counts[2:]
    assert max(later) < max(counts[:2]) + len(later), f"less than one thread more for each engine: {counts}"


WATCHED = """
import socket, sys, threading
tried = []
socket.socket.connect = lambda *arguments: tried.append(arguments)
socket.getaddrinfo = lambda *arguments, **named: tried.append(arguments) or []
import app.matting.choice.hardware, app.matting.openvino.conversion, app.matting.openvino.openvino_backend
app.matting.choice.hardware.cpu_has_bfloat16()
from app.matting.openvino.runtime import ov
import torch
ov.convert_model(torch.nn.ReLU(), example_input=torch.zeros(2))
names = [t.name for t in threading.enumerate() if t is not threading.main_thread()]
assert not tried, tried
assert not names, names
assert "openvino_telemetry.main" not in sys.modules
"""


@pytest.mark.torch
@pytest.mark.long
def test_no_connection_is_tried() -> None:
    printed_by(WATCHED)
