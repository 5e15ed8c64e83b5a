"""Sound and picture of a long recording, in real time, with a microphone whose clock is wrong.

`MATTECAM_SOUND_S` says how many seconds are recorded.
"""

from __future__ import annotations

import os
import time
from collections import defaultdict
from collections.abc import Generator, Iterable
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from app.core.types import BgrImage, BlurredBackground, Frame, Matte
from app.matting.interface import StepRequest
from app.output.sound import BLOCK_S, RATE, SoundBlock
from app.output.table import SINKS
from mattecam.testing import HEIGHT, WIDTH, FakeEngine
from tests.fakes.world import BASE, FakeWorld, live

LENGTH_S = float(os.environ.get("MATTECAM_SOUND_S", "600"))
pytestmark = [pytest.mark.slow, pytest.mark.timeout(300 + 2 * LENGTH_S)]

MIDDLE = slice(WIDTH // 3, 2 * WIDTH // 3)
# Of a sound card: 100 ppm are 60 ms after ten minutes.
DRIFT = 100e-6
# At the end of the recording.
MOST_S = 0.04
# In each second of the machine's clock there are light and a tone for this time, from its beginning.
LIT_S = 0.1
TONE_HZ = 1000
# Few, so that a busy machine drops none; no divisor of a second, so that frames and light are never
# in step and their mean has the time of the light.
FRAME_S = 0.037
# Flashes that are averaged: half a second of a frame's interval is left of each one alone.
FLASHES = 20


def is_lit(times_s: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return whether there are light and tone at these times of `time.perf_counter`."""
    return times_s % 1 < LIT_S


def room(frame: Frame) -> BgrImage:
    """Return a white picture while there is light; a dark one, with some noise, otherwise."""
    level = 250 if is_lit(np.array(frame.captured_at_s)) else 20
    image = np.full((HEIGHT, WIDTH, 3), level, np.uint8)
    image[0, 0] = frame.index % 251
    return image


class MiddleThird(FakeEngine):
    """An engine that takes the middle of the frame for the person."""

    def matte(self, step: StepRequest) -> Matte:
        assert not isinstance(step.backdrop, BlurredBackground)
        alpha = np.zeros(step.frame.shape[:2], np.uint8)
        alpha[:, MIDDLE] = 255
        return Matte(np.where(alpha[..., None] > 0, step.frame, step.backdrop), alpha)


def wrong_clock(name: str) -> Generator[SoundBlock, None, None]:
    """Yield what a microphone hears whose second is too short; stamped as those of the sound
    server, by the clock of the machine.
    """
    rate = RATE * (1 + DRIFT)
    began_s = time.perf_counter()
    count = round(BLOCK_S * RATE)
    first = 0
    while True:
        time.sleep(max(0.0, began_s + (first + count) / rate - time.perf_counter()))
        times_s = began_s + np.arange(first, first + count) / rate
        tone = 9000 * np.sin(2 * np.pi * TONE_HZ * times_s)
        samples = np.where(is_lit(times_s), tone, 0).astype(np.int16)
        yield SoundBlock(samples, time.perf_counter() - count / RATE)
        first += count


def centres(times_s: Iterable[float]) -> list[float]:
    """Return the middle of each flash of the light or the tone, from the times in it."""
    flashes = defaultdict[int, list[float]](list)
    number = 0
    last_s = -1.0
    for time_s in times_s:
        if time_s > last_s + 0.5:
            number += 1
        flashes[number].append(time_s)
        last_s = time_s
    return [float(np.mean(flash)) for flash in flashes.values()]


def flashes_of(path: Path) -> list[float]:
    """Return when the picture is white, in seconds from the beginning of the file."""
    with av.open(str(path)) as container:
        lit = [
            float(frame.time or 0)
            for frame in container.decode(video=0)
            if frame.to_ndarray(format="gray")[:, MIDDLE].mean() > 128
        ]
    return centres(lit)


def tones_of(path: Path) -> list[float]:
    """Return when the tone is heard, in seconds from the beginning of the file."""
    loud: list[float] = []
    with av.open(str(path)) as container:
        for frame in container.decode(audio=0):
            # Those of AAC are from -1 to 1.
            places = np.flatnonzero(np.abs(frame.to_ndarray()[0]) > 0.05)
            loud.extend(float(frame.time or 0) + places / frame.sample_rate)
    return centres(loud)


def test_sound_and_picture_stay_together_although_the_clock_of_the_sound_is_wrong(
    tmp_path: Path,
) -> None:
    world = FakeWorld()
    world.engine = MiddleThird
    world.shape = room
    world.pause_s = FRAME_S
    path = tmp_path / "long.mp4"
    output = BASE.output.replace(
        virtual_camera="off", pipewire="off", record=path, microphone="default"
    )
    parts = replace(world.parts(), sinks=SINKS, open_microphone=wrong_clock)

    with live(world, BASE.replace(output=output), parts=parts) as pipeline:
        ends_at_s = time.monotonic() + LENGTH_S
        while time.monotonic() < ends_at_s:
            time.sleep(1.0)
            assert not pipeline.status().problems
    pictures = flashes_of(path)
    tones = tones_of(path)

    # The first flash may have begun before the file, and the last one not be over at its end.
    late_s = np.array(tones[1:-1]) - [
        min(pictures, key=lambda at_s: abs(at_s - tone_s)) for tone_s in tones[1:-1]
    ]
    first_s = float(np.mean(late_s[:FLASHES]))
    last_s = float(np.mean(late_s[-FLASHES:]))
    print(  # noqa: T201 - the result of a measurement
        f"{len(late_s)} flashes; the sound comes {1000 * first_s:.1f} ms after the picture at the "
        f"beginning, {1000 * last_s:.1f} ms at the end; at most {1000 * np.abs(late_s).max():.1f}"
    )
    assert len(late_s) >= LENGTH_S - 5
    assert abs(last_s) <= MOST_S
