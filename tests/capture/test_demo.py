"""The demo source."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.capture import demo as demo_source
from app.capture.demo import DemoSource
from app.capture.table import open_source
from app.core.settings import CaptureSettings, EdgeSettings, EngineSettings
from app.core.types import BgrImage, BlurredBackground
from app.matting.selection.registry import build_engine
from app.matting.strict.rules import WAIT_FRAMES
from tests.capture.played_time import played_time


def suit_share(image: BgrImage) -> float:
    """Return the share of the frame with the colour of the suit."""
    blue, green, red = (image[..., channel].astype(int) for channel in range(3))
    return float(((red > 150) & (green > 40) & (green < 140) & (blue < 90) & (red - blue > 110)).mean())


def test_a_frame_depends_on_seed_and_index_only() -> None:
    one, same, other = DemoSource(160, 90), DemoSource(160, 90), DemoSource(160, 90, seed=1)
    same.render(7)
    assert np.array_equal(one.render(3), same.render(3))
    assert not np.array_equal(one.render(3), one.render(4))
    assert not np.array_equal(one.render(3), other.render(3))


@pytest.mark.parametrize("size", [(1280, 720), (640, 480), (360, 640), (500, 500)])
def test_the_person_is_visible(size: tuple[int, int]) -> None:
    demo = DemoSource(*size, realtime=False)
    for index in (0, 100, 500):
        image = demo.render(index)
        assert suit_share(image) > 0.01  # the lowest share is that of 16:9, where the view ends below the collar
        middle = image[:, size[0] // 4 : 3 * size[0] // 4]
        assert suit_share(middle) > 0.6 * suit_share(image)


def test_the_person_appears_later_if_requested_before_the_same_background() -> None:
    demo = DemoSource(320, 180, 10, empty_scene_s=1.0, motion=0, realtime=False)
    images = [frame.image for frame in (demo.read() for _ in range(20)) if frame]
    shares = [suit_share(image) for image in images]
    assert max(shares[:10]) < 0.001
    assert min(shares[10:]) > 0.01
    change = np.abs(np.mean(images[:10], axis=0) - np.mean(images[10:], axis=0))
    assert change[:60, 200:].mean() < 4, "the wall"
    assert change[100:, 120:180].mean() > 40


@pytest.mark.parametrize("motion", [0.0, 1.0])
def test_camera_motion_is_optional(motion: float) -> None:
    demo = DemoSource(320, 180, motion=motion)
    moved = np.abs(demo.render(0).astype(int) - demo.render(60)).mean()
    assert (moved > 8) == bool(motion)
    assert np.abs(demo.render(0).astype(int) - demo.render(1)).mean() > 0.5  # exposure and noise go on


@settings(max_examples=15, deadline=None)
@given(st.integers(16, 700), st.integers(16, 700), st.integers(0, 100_000))
def test_any_size(width: int, height: int, index: int) -> None:
    image = DemoSource(width, height).render(index)
    assert image.shape == (height, width, 3)
    assert image.std() > 2


def test_frames_follow_the_clock_and_a_slow_reader_misses_some(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = played_time(monkeypatch, demo_source)
    demo = DemoSource(64, 48, 50)
    frames = [frame for frame in (demo.read() for _ in range(40)) if frame is not None]
    assert [frame.index for frame in frames] == list(range(40))
    assert [frame.captured_at_s - 100 for frame in frames] == pytest.approx([number / 50 for number in range(40)])
    clock.now_s += 0.21
    late = demo.read()
    assert late is not None and late.index == 39 + 10


def test_a_waiting_read_ends_with_close() -> None:
    demo = DemoSource(64, 48, 0.005)
    demo.read()
    closer = threading.Timer(0.1, demo.close)
    closer.start()
    started_s = time.perf_counter()
    assert demo.read() is None
    assert time.perf_counter() - started_s < 60
    closer.join()


def test_the_demonstration_shows_the_person_on_a_machine_that_mattes_two_frames_a_second() -> None:
    demo = open_source(CaptureSettings(source="demo", width=640, height=360))
    assert isinstance(demo, DemoSource)
    engine = build_engine(EngineSettings(model="mattecam"), 640, 360)
    shares = []
    for index in range(0, 12 * 15, 15):
        matte = engine.step(demo.render(index), BlurredBackground(70), EdgeSettings(strict="balanced")).result()
        shares.append(float((matte.alpha > 127).mean()))
    demo.close()
    engine.close()
    assert min(shares[WAIT_FRAMES:]) > 0.2, "strict mode hides the first frames of a stream only"
