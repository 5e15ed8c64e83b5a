"""The encoder of a recording: it never holds up the frames, and is replaced where it does not work."""

from __future__ import annotations

import os
import sys
import threading
import time
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from app.core.concurrency.turns import Turns
from app.media.video_writer import VideoWriter
from app.output.recorder import Recorder
from app.output.recording import CAPACITY, ENCODER_NICENESS, EncoderThread, RecordingCounts, RecordingOptions
from tests.output.pictures import picture
from tests.output.recordings import composite, read
from tests.waiting import eventually


class SlowWriter(VideoWriter):
    """Encodes only while `allowed` is set."""

    allowed = threading.Event()

    def write(self, image: NDArray[np.uint8], pts_s: Fraction | float | None = None) -> None:
        self.allowed.wait(20)
        super().write(image, pts_s)


def test_an_encoder_that_is_too_slow_drops_the_oldest_frames_and_never_blocks(tmp_path: Path) -> None:
    counts = RecordingCounts()
    SlowWriter.allowed.clear()
    options = RecordingOptions(30, counts=counts)
    thread = EncoderThread(lambda: SlowWriter(tmp_path / "a.mp4", 64, 48, 30), lambda shown: shown.image, options)
    started_s = time.perf_counter()
    for number in range(40):
        thread.put(composite(0.0, number), number / 30)
    assert time.perf_counter() - started_s < 15
    SlowWriter.allowed.set()
    thread.finish()
    thread.writer.close()
    _, times = read(tmp_path / "a.mp4")
    assert len(times) == counts.encoded and CAPACITY <= counts.encoded <= CAPACITY + 1
    assert counts.dropped == 40 - counts.encoded
    assert times[-CAPACITY:] == pytest.approx([number / 30 for number in range(40 - CAPACITY, 40)], abs=2e-3)


class PlayedTurns(Turns):
    """Counts the waits; each lasts until the test ends the step."""

    def __init__(self) -> None:
        super().__init__()
        self.waits = 0
        self.step_ended = threading.Event()

    def wait_for_gap(self, timeout_s: float) -> None:
        """Wait for the test, not for the time."""
        self.waits += 1
        assert 0 < timeout_s < 1
        self.step_ended.wait(60)


def test_frames_are_encoded_between_the_steps_unless_many_wait(tmp_path: Path) -> None:
    turns, counts = PlayedTurns(), RecordingCounts()
    recorder = Recorder(tmp_path / "a.mp4", 64, 48, RecordingOptions(30, counts=counts, turns=turns))
    recorder.send(composite(100.0))
    eventually(lambda: turns.waits == 1)
    for number in range(1, 6):
        recorder.send(composite(100 + number / 30, number))
    assert counts.encoded == 0
    turns.step_ended.set()
    eventually(lambda: counts.encoded == 6)
    assert turns.waits == 5, "one frame did not wait, while four others waited"
    recorder.close()


@pytest.mark.skipif(sys.platform != "linux", reason="only there a thread has a niceness of its own")
def test_the_threads_of_the_encoder_have_a_low_priority(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "a.mp4", 1920, 1080, RecordingOptions(60))
    recorder.send(picture(1920, 1080))
    names = {int(task.name): (task / "comm").read_text().strip() for task in Path("/proc/self/task").iterdir()}
    started = [task for task, name in names.items() if name == "encoder-pool"]
    assert len(started) >= 2
    assert {os.getpriority(os.PRIO_PROCESS, task) for task in started} == {
        min(19, os.getpriority(os.PRIO_PROCESS, 0) + ENCODER_NICENESS)
    }
    assert {os.sched_getscheduler(task) for task in started} == {os.SCHED_BATCH}
    recorder.close()


def test_an_encoder_that_does_not_work_here_is_replaced_and_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    recorder = Recorder(tmp_path / "a.mp4", 64, 48, RecordingOptions(30, encoder="vaapi"))
    recorder.send(picture())
    recorder.close()
    assert len(read(tmp_path / "a.mp4")[0]) == 1
    assert "The encoder vaapi does not work on this computer; the recording uses x264." in caplog.text
