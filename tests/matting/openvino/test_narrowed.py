"""A recurrent network that looks at the columns around people, or uses features again, gives the matte of the frame."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing

import cv2
import numpy as np
import pytest

from app.core.settings import EdgeSettings
from app.core.threads import Strips
from app.core.types import AlphaImage, BgrImage, Floats
from app.matting.base.interface import StepGeometry
from app.matting.openvino.artefact import NetworkSource
from app.matting.openvino.artefact_cache import artefacts
from app.matting.openvino.openvino_backend import SETTLE_FRAMES, OpenVinoBackend, window_widths
from app.matting.openvino.recurrent import RecurrentNetwork, quartered
from models.table import bundled
from models.weights import find
from tests.clips import demo
from tests.matting.networks import bundled_backend, small_of

SIZE = 320, 180
GEOMETRY = StepGeometry(*SIZE, 1.0)
BACKDROP = np.full((SIZE[1], SIZE[0], 3), (200, 30, 120), np.uint8)
EDGES = EdgeSettings()
FRAMES = demo(*SIZE, range(SETTLE_FRAMES + 12))
"""The person of the demo sways; about 0.6 of the frame's width."""
DARKER = 8
"""In a scene that is darker by this factor, what moves beside the window is not seen as motion."""


@pytest.fixture(scope="module")
def _backends() -> Iterator[tuple[OpenVinoBackend, OpenVinoBackend]]:
    backends = bundled_backend(GEOMETRY), bundled_backend(GEOMETRY, live=True)
    alpha_of(backends[0], FRAMES[0])
    for frame in itertools.islice(itertools.cycle(FRAMES), 1000):  # the network for fewer columns is made beside these
        alpha_of(backends[1], frame)
        if backends[1].window is not None:
            break
    yield backends
    for backend in backends:
        backend.close()


@pytest.fixture
def whole(_backends: tuple[OpenVinoBackend, OpenVinoBackend]) -> OpenVinoBackend:
    _backends[0].reset()
    return _backends[0]


@pytest.fixture
def live(_backends: tuple[OpenVinoBackend, OpenVinoBackend]) -> OpenVinoBackend:
    _backends[1].reset()
    return _backends[1]


def alpha_of(backend: OpenVinoBackend, frame: BgrImage, edges: EdgeSettings = EDGES) -> AlphaImage:
    return backend.step(frame, BACKDROP, edges).alpha


def settle(*backends: OpenVinoBackend, frames: Sequence[BgrImage] = FRAMES) -> None:
    """Show somebody until the live backend looks at a window."""
    for frame in frames[:-4]:
        for backend in backends:
            alpha_of(backend, frame)
    assert backends[-1].window is not None


def test_the_matte_is_nearly_that_of_the_whole_frame(whole: OpenVinoBackend, live: OpenVinoBackend) -> None:
    settle(whole, live)
    for frame in FRAMES[-4:]:
        expected, alpha = alpha_of(whole, frame), alpha_of(live, frame)
        assert live.window is not None
        # 0 is the whole frame; a window that begins without the memory of the frame differs by 3e-4.
        assert 0 < np.abs(expected / 255.0 - alpha / 255.0).mean() < 2e-4
        beside = np.ones(SIZE[0], np.bool_)
        beside[live.window] = False
        assert beside.any()
        assert not alpha[:, beside].any()


def test_somebody_who_enters_beside_is_shown_as_in_the_whole_frame(
    whole: OpenVinoBackend, live: OpenVinoBackend
) -> None:
    settle(whole, live)
    for frame in FRAMES[-4:]:
        two = frame.copy()
        two[:, 220:] = frame[:, 60:160]  # the middle of the person once more
        expected, alpha = alpha_of(whole, two), alpha_of(live, two)
        assert live.window is None
    assert (expected[:, 240:] > 127).mean() > 0.2
    assert np.abs(expected / 255.0 - alpha / 255.0).mean() < 2e-3


@pytest.mark.parametrize(("darker", "shift"), [(1, 60), (DARKER, 10)], ids=["seen-as-motion", "seen-at-the-border"])
def test_an_arm_that_leaves_the_window_is_shown_in_the_same_frame(
    whole: OpenVinoBackend, live: OpenVinoBackend, darker: int, shift: int
) -> None:
    frames = [np.asarray(frame // darker, np.uint8) for frame in FRAMES]
    settle(whole, live, frames=frames)
    moved = np.ascontiguousarray(np.roll(frames[-1], shift, 1))
    expected, alpha = alpha_of(whole, moved), alpha_of(live, moved)
    assert live.window is None
    assert np.abs(expected / 255.0 - alpha / 255.0).mean() < 3e-3


@pytest.mark.long
def test_a_narrower_network_takes_over_where_it_suffices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.matting.openvino.openvino_backend.SURVEY_FRAMES", SETTLE_FRAMES)
    narrow = [cv2.resize(frame, (200, SIZE[1])) for frame in (*FRAMES, *FRAMES[::-1])]
    frames = [np.asarray(cv2.copyMakeBorder(frame, 0, 0, 60, 60, cv2.BORDER_REPLICATE), np.uint8) for frame in narrow]
    whole, live = bundled_backend(GEOMETRY), bundled_backend(GEOMETRY, live=True)
    widest, shares = max(window_widths(SIZE[0])), []
    for frame in itertools.islice(itertools.cycle(frames), 1000):
        expected, alpha = alpha_of(whole, frame), alpha_of(live, frame)
        if live.window is not None:
            shares.append(live.window.stop - live.window.start)
            assert np.abs(expected / 255.0 - alpha / 255.0).mean() < 1e-3
        if shares.count(min(shares, default=widest)) > 4 and min(shares) < widest:
            break
    assert shares[0] == widest > shares[-1] >= min(window_widths(SIZE[0]))
    for backend in (whole, live):
        backend.close()


def test_a_reset_shows_the_whole_frame(live: OpenVinoBackend) -> None:
    settle(live)
    live.reset()
    alpha_of(live, FRAMES[-1])
    assert live.window is None


def test_a_saved_state_holds_what_the_window_remembers(whole: OpenVinoBackend, live: OpenVinoBackend) -> None:
    settle(live)
    seen = live.state()["forgetting.last"]
    np.testing.assert_allclose(seen[:, :, 20:60], quartered(small_of(FRAMES[-5]))[:, :, 20:60], atol=1e-5)
    whole.load_state(live.state())
    expected = alpha_of(live, FRAMES[-1])
    np.testing.assert_array_equal(alpha_of(whole, FRAMES[-1]), expected)


def test_films_are_always_seen_whole(whole: OpenVinoBackend) -> None:
    for frame in FRAMES:
        alpha_of(whole, frame)
        assert whole.window is None


@pytest.fixture
def network() -> Iterator[RecurrentNetwork]:
    spec = bundled()
    with closing(Strips(1)) as strips:
        artefact = artefacts.load(NetworkSource(spec.name, find(spec.name)))
        with closing(RecurrentNetwork(artefact, GEOMETRY, "float32", strips)) as network:
            yield network


def test_without_a_network_for_fewer_columns_all_are_seen(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_backend: OpenVinoBackend, _width: int) -> RecurrentNetwork:
        raise RuntimeError("out of memory")

    monkeypatch.setattr(OpenVinoBackend, "make_narrow", fail)
    with closing(bundled_backend(GEOMETRY, live=True)) as backend:
        for frame in FRAMES:
            alpha_of(backend, frame)
            assert backend.window is None
    assert caplog.messages == ["The network for fewer columns could not be made."]
    caplog.clear()


def coarse_of(network: RecurrentNetwork, frame: BgrImage, *, steady: bool = False) -> Floats:
    network.small[:] = small_of(frame)
    return network.step(steady).coarse.copy()


CHANGES: dict[str, Callable[[RecurrentNetwork], object]] = {
    "nothing": lambda network: None,
    "reset": RecurrentNetwork.reset,
    "saved state": lambda network: network.load_state(network.state()),
}


@pytest.mark.parametrize("change", CHANGES)
def test_coarse_features_are_used_again_only_while_they_are_of_the_stream(
    network: RecurrentNetwork, change: str
) -> None:
    mattes = []
    for steady in (False, True):
        network.reset()
        for frame in FRAMES[:2]:
            coarse_of(network, frame)
        CHANGES[change](network)
        mattes.append(coarse_of(network, FRAMES[2], steady=steady))
    every, reused = mattes
    if change == "nothing":
        assert 0 < np.abs(every - reused).mean() < 1e-3, "0 is nothing used again"
    else:
        np.testing.assert_array_equal(reused, every)
