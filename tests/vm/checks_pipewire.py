"""The PipeWire camera beside the virtual camera: the age of the same frames in readers of both, in one run."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fractions import Fraction

import numpy as np
import pytest

from app.output.pipewire import PipeWireCamera
from app.output.virtual_camera import VirtualCamera
from app.system.pipewire.reader import NodeReader
from tests.output.pictures import FPS, marked_bars, sender
from tests.output.pipewire.feeding import image_of
from tests.pipewire_session import PrivateSession, private_session
from tests.vm import marks
from tests.vm.producer import backend
from tests.vm.program import SLACK
from tests.vm.tools import DEVICE, CheckFailed, OpenCvReader, expect, in_a_child, load, say

WIDTH, HEIGHT = 640, 480
FRAMES = 300
LIMIT_MS = 1000 / FPS + 10
"""How much older a frame may be through PipeWire than through the device, at the 95th percentile."""


def age_of_both() -> None:
    """Measure the age of the same frames in readers of both cameras, by a time drawn into each frame."""
    load()
    with _session() as session:
        of_node, of_device = in_a_child(_ages_in_node), in_a_child(_ages_in_device)
        cameras = VirtualCamera(DEVICE, WIDTH, HEIGHT, FPS, backend=backend()), PipeWireCamera(WIDTH, HEIGHT, FPS)
        with sender(marked_bars(WIDTH, HEIGHT), *cameras):
            told = {"PipeWire": of_node(120 * SLACK), "V4L2": of_device(120 * SLACK)}
        expect(not session.nodes(), "the node is left behind")
    late_ms: dict[str, float] = {}
    for name, text in told.items():
        say(f"{name}: {text}")
        expect(text.startswith("age "), f"{name} gave no frames")
        late_ms[name] = float(text.split("p95 ")[1].split(" ")[0])
    more_ms = late_ms["PipeWire"] - late_ms["V4L2"]
    say(f"through PipeWire, p95 is {more_ms:+.1f} ms beside V4L2")
    expect(more_ms <= LIMIT_MS * SLACK, f"frames are more than {LIMIT_MS * SLACK:.0f} ms older through PipeWire")


@contextmanager
def _session() -> Iterator[PrivateSession]:
    try:
        with private_session(start_s=30 * SLACK) as session:
            before = os.environ.get("PIPEWIRE_RUNTIME_DIR")
            os.environ["PIPEWIRE_RUNTIME_DIR"] = str(session.folder)
            try:
                yield session
            finally:
                os.environ.pop("PIPEWIRE_RUNTIME_DIR")
                if before is not None:
                    os.environ["PIPEWIRE_RUNTIME_DIR"] = before
    except pytest.skip.Exception as missing:
        raise CheckFailed(str(missing)) from missing


def _ages_in_device() -> str:
    reader = _opened()
    reader.settled()
    found = [mark[1] for _ in range(FRAMES) if (mark := marks.read(reader.read())) is not None]
    reader.close()
    return _summary(found)


def _opened() -> OpenCvReader:
    for _ in range(600):  # the driver refuses readers until the first frame is sent
        with suppress(CheckFailed):
            return OpenCvReader()
        time.sleep(0.1)
    return OpenCvReader()


def _ages_in_node() -> str:
    reader = NodeReader("mattecam", (WIDTH, HEIGHT), Fraction(FPS), follows=True)
    found = []
    for number in range(FRAMES + 8):
        frame = reader.read(60.0)
        expect(frame is not None, f"no frame {number}: {reader.error}")
        mark = None if frame is None else marks.read(image_of(frame))
        if mark is not None and number >= 8:
            found.append(mark[1])
    reader.close()
    return _summary(found)


def _summary(ages_ms: list[float]) -> str:
    expect(len(ages_ms) > FRAMES * 0.6, f"only {len(ages_ms)} of {FRAMES} marks can be read")
    median, late = np.percentile(ages_ms, (50, 95))
    return f"age median {median:.1f} ms, p95 {late:.1f} ms, longest {max(ages_ms):.1f} ms, {len(ages_ms)} frames"


CHECKS = {"age-of-both-cameras": age_of_both}
