"""A reader or the program stopped for ten seconds (SIGSTOP), as by a debugger or a suspended desktop."""

from __future__ import annotations

import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

import numpy as np
import pytest

from app.core.types import BgrImage
from app.testing.parts import ROOM
from tests.output.pictures import picture
from tests.output.pipewire.feeding import feeding, image_of, next_frame, reading
from tests.paths import ROOT
from tests.pipewire_session import PrivateSession
from tests.waiting import eventually

pytestmark = pytest.mark.long

STOPPED_S = 10.0
ENOUGH = 100
"""Frames: more than there are buffers."""
BLUE = np.array((255, 0, 0))


@contextmanager
def lines_of(stream: IO[str]) -> Iterator[queue.Queue[str]]:
    """Collect what another program prints, so that its pipe never fills."""
    lines: queue.Queue[str] = queue.Queue()

    def collect() -> None:
        for line in stream:
            lines.put(line)

    thread = threading.Thread(target=collect)
    thread.start()
    yield lines
    thread.join(60)


def brightness(lines: queue.Queue[str]) -> int:
    """Return the mean of the bytes of the next frame that the reader has printed."""
    return int(lines.get(timeout=30).split()[1])


def test_a_reader_that_was_stopped_for_ten_seconds_goes_on_with_new_frames(pipewire: PrivateSession) -> None:
    with feeding() as feeder, pipewire.reader() as stopped, reading() as other:
        assert stopped.stdout is not None
        feeder.picture = picture(64, 48, grey=30)
        with lines_of(stopped.stdout) as lines:
            eventually(lambda: brightness(lines) < 95)
            next_frame(other)
            stopped.send_signal(signal.SIGSTOP)
            time.sleep(0.3)
            while not lines.empty():
                lines.get()
            feeder.picture = picture(64, 48, grey=230)
            received, began_s = other.received, time.monotonic()
            while time.monotonic() < began_s + STOPPED_S or other.received < received + ENOUGH:
                next_frame(other)  # fails if the other reader is blocked
            assert lines.empty()
            assert feeder.camera.readers == 1, "a stopped program still has the camera open"
            stopped.send_signal(signal.SIGCONT)
            eventually(lambda: brightness(lines) > 150)
            stopped.kill()


def test_a_stopped_reader_does_not_block_the_program(pipewire: PrivateSession) -> None:
    """It is alone, so that no other reader gives buffers back."""
    with feeding() as feeder, pipewire.reader() as stopped:
        assert stopped.stdout is not None
        with lines_of(stopped.stdout) as lines:
            brightness(lines)
            stopped.send_signal(signal.SIGSTOP)
            feeder.counts = True
            began_s = time.monotonic()
            eventually(lambda: time.monotonic() > began_s + STOPPED_S, timeout_s=STOPPED_S + 30)
            eventually(lambda: feeder.sent > ENOUGH)
            stopped.kill()
            stopped.wait()
    with feeding(), reading() as reader:
        next_frame(reader)


def test_the_program_was_stopped_for_ten_seconds(pipewire: PrivateSession) -> None:
    """Readers stay connected, get nothing meanwhile, then the card or composites, and never the room."""
    command = [sys.executable, "-m", "tests.pipewire_program"]
    with subprocess.Popen(command, env=pipewire.environment, cwd=ROOT, stdin=subprocess.PIPE) as program:
        try:
            eventually(lambda: bool(pipewire.nodes()), timeout_s=60)
            with reading() as reader:
                eventually(lambda: is_composite(image_of(next_frame(reader))))
                program.send_signal(signal.SIGSTOP)
                time.sleep(0.5)
                reader.read(0.0)
                assert reader.read(STOPPED_S - 0.5) is None and not reader.lost
                program.send_signal(signal.SIGCONT)
                continued_s = time.monotonic()
                image = image_of(next_frame(reader))
                while not is_composite(image) or time.monotonic() < continued_s + 1:
                    assert time.monotonic() < continued_s + 30, "no composite"
                    assert not (np.abs(image.astype(int) - ROOM).max(2) <= 8).any(), "the room is shown"
                    image = image_of(next_frame(reader))
            assert program.stdin is not None
            program.stdin.close()
            assert program.wait(60) == 0
        finally:
            program.kill()


def is_composite(image: BgrImage) -> bool:
    """Whether the corner has the colour of the background."""
    return bool(np.abs(image[4, 4].astype(int) - BLUE).max() <= 2)
