"""The program does not import OpenVINO's telemetry."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.paths import ROOT

WATCHED = """
import socket, sys, threading
tried = []
socket.socket.connect = lambda *arguments: tried.append(arguments)
socket.getaddrinfo = lambda *arguments, **named: tried.append(arguments) or []
import app.matting.selection.hardware, app.matting.openvino.conversion, app.matting.openvino.openvino_backend
app.matting.selection.hardware.cpu_has_bfloat16()
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
    done = subprocess.run([sys.executable, "-c", WATCHED], cwd=ROOT, capture_output=True, text=True, timeout=110)

    assert done.returncode == 0, done.stderr
