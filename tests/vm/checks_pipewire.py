"""The PipeWire camera beside the virtual camera: the age of their frames in the same run."""

from __future__ import annotations

import os
import threading
from fractions import Fraction

import numpy as np

from app.system.pipewire.reader import NodeReader
from tests.output.pipewire.feeding import image_of
from tests.pipewire_session import private_session
from tests.vm import feeder, marks
from tests.vm.checks_program import SLACK, SOURCE
from tests.vm.program import ctl, opened_reader, program, until_picture
from tests.vm.tools import LABEL, OpenCvReader, background_process, expect, say, shell, unload

FRAMES = 300
LIMIT_MS = 1000 / 30 + 10


def age_of_both() -> None:
    """Measure the age of frames in readers of both cameras at once, by a time drawn into the frame."""
    unload("v4l2loopback")
    shell(f'modprobe v4l2loopback devices=2 video_nr=10,20 card_label="Camera,{LABEL}" exclusive_caps=1,1')
    camera = ("--source", f"camera:{SOURCE}", "--background", "none", "--always-on", "--pipewire", "on")
    with private_session(start_s=120) as session:
        os.environ["PIPEWIRE_RUNTIME_DIR"] = str(session.folder)
        with background_process(feeder.feed, SOURCE), program(*camera):
            reader = opened_reader()
            until_picture(reader, lambda image: marks.read(image) is not None, 60)
            node = NodeReader("mattecam", (640, 480), Fraction(30))
            ages: list[float] = []
            thread = threading.Thread(target=_ages_of_device, args=(reader, ages))
            thread.start()
            of_node = [age for _ in range(FRAMES) if (age := _age_in_node(node)) is not None]
            thread.join()
            node.close()
            reader.close()
            say(f"measured by the program: {ctl('status')['latency_ms']}")
    for name, found in (("PipeWire", of_node), ("V4L2", ages)):
        expect(len(found) > FRAMES * 0.6, f"only {len(found)} of {FRAMES} marks of {name} can be read")
        median, late = np.percentile(found, (50, 95))
        say(f"{name}: age median {median:.1f} ms, p95 {late:.1f} ms, longest {max(found):.1f} ms")
    late_ms = np.percentile(of_node, 95) - np.percentile(ages, 50)
    expect(bool(np.percentile(of_node, 95) < LIMIT_MS * SLACK), "PipeWire's p95 exceeds a frame and 10 ms")
    say(f"PipeWire's p95 is {late_ms:+.1f} ms beside V4L2's median")


def _ages_of_device(reader: OpenCvReader, ages: list[float]) -> None:
    for _ in range(FRAMES):
        mark = marks.read(reader.read())
        if mark is not None:
            ages.append(mark[1])


def _age_in_node(node: NodeReader) -> float | None:
    frame = node.read(2.0)
    mark = None if frame is None else marks.read(image_of(frame))
    return None if mark is None else mark[1]


CHECKS = {"age-of-both-cameras": age_of_both}
