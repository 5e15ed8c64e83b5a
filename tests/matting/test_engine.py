"""The frame engine: failing executors, other scenes, and frames so like the last ones that work is used again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from functools import partial
from typing import Any
from unittest.mock import Mock

import cv2
import numpy as np
import pytest

from app.core.errors import ModelError
from app.core.settings import EdgeSettings, MattingSettings, StrictLevel
from app.core.types import BgrImage, BlurredBackground, Floats, Matte, MatteEdit
from app.matting import build_engine
from app.matting.blur import blurred_background
from app.matting.cpu import cpu_backend
from app.matting.engine import FrameEngine
from app.matting.interface import (
    Backend,
    ExecutorError,
    NotAMatteError,
    Reuse,
    StepGeometry,
    StepRequest,
    is_device_lost,
)
from app.matting.motion import (
    CALM_FRAMES,
    FIRST_FRAMES,
    SELDOM,
    STEADY_LEVELS,
    STEADY_SHARE,
    STILL_LEVELS,
    Motion,
)
from tests.clips import demo
from tests.matting.stubs import EDGES, Case, Fixed, StubCpu, showing

WIDTH = 96
HEIGHT = 64
STILL = np.full((18, 32, 3), 100, np.float32)
FEW = int(STEADY_SHARE * STILL[..., 0].size)
"""Cells that a hand may change."""
MATTE = Reuse.MATTE
FEATURES = Reuse.FEATURES
NOTHING = Reuse.NOTHING
SECOND = [MATTE, NOTHING] * (CALM_FRAMES // 2)
REST = [STILL] * (CALM_FRAMES + SELDOM // 2)
RESTED = [*SECOND, *[MATTE] * (SELDOM // 2)]


def moved(levels: float, cells: int = 1) -> Floats:
    """Return the thumbnail with cells that have changed in one colour."""
    other = STILL.copy()
    other.reshape(-1, 3)[:cells, 2] += np.float32(levels)
    return other


def waves(cells: int, count: int = 9) -> list[Floats]:
    """Return thumbnails of frames in which so many cells differ from those of the frames before and after."""
    return [moved(20 * (frame % 5), cells) for frame in range(1, count + 1)]


REUSES: dict[str, tuple[list[Floats], list[Reuse]]] = {
    "still for a second": ([STILL] * CALM_FRAMES, SECOND),
    "still for longer": (
        [STILL] * (CALM_FRAMES + 2 * SELDOM), [*SECOND, *[*[MATTE] * (SELDOM - 1), NOTHING] * 2],
    ),
    "it moves at once, and rests": ([moved(STILL_LEVELS + 1)] * 5, [FEATURES, *[MATTE, NOTHING] * 2]),
    "it moves after a rest": ([*REST, *[moved(STILL_LEVELS + 1)] * 5], [*RESTED, NOTHING, *[MATTE, NOTHING] * 2]),
    "it moves slowly": ([moved(4.0 * frame) for frame in range(1, 9)], [MATTE, FEATURES, MATTE, NOTHING] * 2),
    "a hand moves": (waves(FEW), [FEATURES, FEATURES, NOTHING] * 3),
    "the camera moves": (waves(FEW + 1), [NOTHING] * 9),
    "a hand moves after a rest": ([*REST, *waves(1, 1)], [*RESTED, NOTHING]),
    "the whole picture changes slowly": (
        [STILL + np.float32(0.6 * STEADY_LEVELS * frame) for frame in range(1, 7)], [FEATURES, NOTHING] * 3,
    ),
}  # fmt: skip
"""Thumbnails after a still picture to which the network has settled, and what the step of each may use again."""


def reused(
    motion: Motion,
    thumbnail: Floats,
    edges: EdgeSettings = EDGES,
    strict: StrictLevel = "balanced",
) -> Reuse:
    """Return what the step of a frame with this thumbnail may use again."""
    motion.thumbnail = thumbnail
    return motion.reuse(edges, strict)


def settled() -> Motion:
    motion = Motion(live=True)
    assert {reused(motion, STILL) for _ in range(FIRST_FRAMES)} == {NOTHING}
    return motion


@pytest.mark.parametrize("name", REUSES)
def test_work_is_used_again_while_little_moves(name: str) -> None:
    motion = settled()
    thumbnails, expected = REUSES[name]

    assert [reused(motion, thumbnail) for thumbnail in thumbnails] == expected


@pytest.mark.parametrize("other", [{"edges": EdgeSettings(grow_px=1)}, {"strict": "off"}], ids=str)
def test_another_setting_is_looked_at(other: dict[str, Any]) -> None:
    motion = settled()

    assert reused(motion, STILL) is MATTE
    assert reused(motion, STILL, **other) is not MATTE


@pytest.fixture
def case() -> Case:
    return Case(WIDTH, HEIGHT, 0.5, 3)


@pytest.fixture(params=[True], ids=["live"])
def engine(request: pytest.FixtureRequest) -> Iterator[FrameEngine]:
    """A live engine that shows all of a frame, whose backend records what is asked of it."""

    def make(geometry: StepGeometry) -> Backend:
        stub: Any = StubCpu(
            geometry, showing(np.ones((geometry.small_height, geometry.small_width), np.float32))
        )
        for name in ("infer", "reset", "close"):
            setattr(stub, name, Mock(wraps=getattr(stub, name)))
        stub.device = "nowhere"
        return stub  # type: ignore[no-any-return]

    made = FrameEngine(
        "a-model", make, partial(StepGeometry, ratio=0.5), WIDTH, HEIGHT, live=request.param
    )
    with closing(made):
        yield made


def backend_of(engine: FrameEngine) -> Any:
    return engine.backend


def last_of(engine: FrameEngine, frame: BgrImage, count: int = FIRST_FRAMES) -> Matte:
    """Return the last matte of a frame that is given several times, before black."""
    return [engine.step(StepRequest(frame, np.zeros_like(frame), EDGES)) for _ in range(count)][-1]


def test_the_network_leaves_out_every_second_still_frame_and_the_composite_is_of_each(
    engine: FrameEngine, case: Case
) -> None:
    frame = case.frame()
    backdrop = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    last = last_of(engine, frame)
    assert backend_of(engine).infer.call_count == FIRST_FRAMES
    again = engine.step(StepRequest(frame, backdrop, EDGES))
    assert backend_of(engine).infer.call_count == FIRST_FRAMES and again.still
    np.testing.assert_array_equal(again.alpha, last.alpha)
    brighter = np.clip(frame.astype(int) + 3, 0, 255).astype(np.uint8)
    seen = engine.step(StepRequest(brighter, backdrop, EDGES))
    assert not seen.still
    shown = engine.step(StepRequest(frame, backdrop, EDGES))
    assert backend_of(engine).infer.call_count == FIRST_FRAMES + 1
    np.testing.assert_array_equal(shown.composite, frame, "of the new frame, not of the one before")


@pytest.mark.parametrize("engine", [False], indirect=True)
def test_a_film_is_matted_frame_by_frame(engine: FrameEngine, case: Case) -> None:
    last_of(engine, case.frame(), FIRST_FRAMES + 6)
    assert backend_of(engine).infer.call_count == FIRST_FRAMES + 6


@pytest.mark.parametrize("what", ["reset", "cut", "size"])
def test_of_another_stream_the_first_frames_are_all_seen(
    engine: FrameEngine, case: Case, what: str
) -> None:
    frame = case.frame()
    before = backend_of(engine)
    last_of(engine, frame)
    if what == "reset":
        engine.reset()
    elif what == "cut":
        frame = np.random.default_rng(9).integers(0, 256, (HEIGHT, WIDTH, 1), np.uint8).repeat(3, 2)
    else:
        frame = np.asarray(
            cv2.resize(frame, (WIDTH, HEIGHT + 16)), np.uint8
        )  # the same picture, which is no cut
    last_of(engine, frame)
    if what == "size":
        assert (before.close.call_count, backend_of(engine).close.call_count) == (1, 0)
        assert backend_of(engine).infer.call_count == FIRST_FRAMES
        assert (engine.info.small_size, engine.cuts) == ((WIDTH // 2, (HEIGHT + 16) // 2), 0)
    else:
        assert before.infer.call_count == 2 * FIRST_FRAMES


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Mock:
    """Records the blurred rooms that are made from now on."""
    made = Mock(wraps=blurred_background)
    monkeypatch.setattr(cpu_backend, "blurred_background", made)
    return made


def test_a_still_frame_lies_before_the_room_that_was_blurred_for_the_last_one(
    engine: FrameEngine, case: Case, made: Mock
) -> None:
    frame = case.frame()
    room = BlurredBackground(10.0)
    *_, last, again = [
        engine.step(StepRequest(frame, room, EDGES)) for _ in range(FIRST_FRAMES + 1)
    ]
    assert made.call_count == FIRST_FRAMES
    np.testing.assert_array_equal(again.composite, last.composite)
    engine.step(StepRequest(frame, room, EDGES))
    assert made.call_count == FIRST_FRAMES + 1, "the network saw this frame"
    engine.step(StepRequest(frame, BlurredBackground(90.0), EDGES))
    strengths = [call.args[2] for call in made.call_args_list]
    assert made.call_count == FIRST_FRAMES + 2 and strengths[-1] > strengths[0], (
        "another strength, on one left out"
    )
    hidden = Fixed(
        MatteEdit(np.zeros((case.geometry.small_height, case.geometry.small_width), np.float32))
    )
    for count in (3, 4):
        engine.step(StepRequest(frame, BlurredBackground(90.0), EDGES, edit=hidden))
        assert made.call_count == FIRST_FRAMES + count, (
            "whom a zone hides is in the room, also on one left out"
        )


def test_a_moving_hand_lies_before_the_room_that_was_blurred_with_the_last_coarse_features(
    engine: FrameEngine, case: Case, made: Mock
) -> None:
    frame = case.frame()
    last_of(engine, frame)
    for n in range(1, 7):
        waved = frame.copy()
        waved[:4, :4] = 40 * n  # one cell of the thumbnail, and a part of another
        engine.step(StepRequest(waved, BlurredBackground(10.0), EDGES))
    backend = backend_of(engine)
    steady = [call.args[1] for call in backend.infer.call_args_list]

    assert (len(steady), steady.count(False), made.call_count) == (
        FIRST_FRAMES + 6,
        FIRST_FRAMES + 2,
        3,
    )


def test_an_edit_is_applied_once_to_each_frame(engine: FrameEngine, case: Case) -> None:
    frame = case.frame()
    size = case.geometry.small_height, case.geometry.small_width
    half = Fixed(MatteEdit(np.full(size, 0.5, np.float32)))
    mattes = [
        engine.step(StepRequest(frame, np.zeros_like(frame), EDGES, "off", half))
        for _ in range(FIRST_FRAMES + 4)
    ]

    assert backend_of(engine).infer.call_count == FIRST_FRAMES + 2
    for matte in mattes[FIRST_FRAMES:]:
        np.testing.assert_allclose(matte.alpha, 127.5, atol=0.5)


def test_the_bundled_network_shows_the_same_person_on_still_frames() -> None:
    (frame,) = demo(320, 180, [0])
    noise = np.random.default_rng(4)
    stream = [
        np.clip(frame + noise.normal(0, 2, frame.shape), 0, 255).astype(np.uint8) for _ in range(24)
    ]
    settings = MattingSettings(
        model="mattecam", device="cpu", executor="openvino", precision="float32"
    )
    alphas = []
    for live in (False, True):
        with closing(build_engine(settings, 320, 180, live=live)) as engine:
            alphas.append(
                np.stack(
                    [
                        engine.step(StepRequest(image, np.zeros_like(image), EDGES)).alpha
                        for image in stream
                    ]
                )
            )
    every, second = (alpha.astype(np.float32) / 255 for alpha in alphas)

    assert 0 < np.abs(every - second).mean() < 1e-3, "0 is no frame left out"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (NotAMatteError(), "not numbers"),
        (RuntimeError("out of memory\nat line 3"), "ran out of memory on the device nowhere"),
    ],
)
def test_a_failure_is_named_and_starts_the_state_anew(
    engine: FrameEngine, case: Case, error: Exception, words: str
) -> None:
    frame = case.frame()
    backend = backend_of(engine)
    last_of(engine, frame // np.uint8(2))
    backend.infer.side_effect = error
    with pytest.raises(ModelError, match=words):
        engine.step(StepRequest(frame, frame, EDGES))
    assert backend.reset.call_count == 1
    backend.infer.side_effect = None
    backend.infer.reset_mock()
    assert last_of(engine, frame).alpha.shape == (HEIGHT, WIDTH)
    assert backend.infer.call_count == FIRST_FRAMES, "the network sees all of the first frames"


def test_a_lost_device_that_refuses_the_reset_as_well_is_named(
    engine: FrameEngine, case: Case
) -> None:
    backend = backend_of(engine)
    backend.infer.side_effect = RuntimeError("CUDA error: an illegal memory access was encountered")
    backend.reset.side_effect = RuntimeError("out of memory")

    with pytest.raises(ExecutorError, match="failed on the device nowhere") as caught:
        last_of(engine, case.frame(), 1)

    assert is_device_lost(caught.value)
    assert (caught.value.device, caught.value.precision) == ("nowhere", "float32")


def test_wrong_pictures_are_refused_and_a_closed_engine_says_so_and_is_closed_once(
    engine: FrameEngine, case: Case
) -> None:
    frame = case.frame()
    with pytest.raises(ValueError, match="backdrop"):
        engine.step(StepRequest(frame, frame[:20].copy(), EDGES))
    with pytest.raises(TypeError):
        engine.step(StepRequest(frame.astype(np.float32), frame, EDGES))
    engine.close()
    engine.close()
    engine.reset()
    assert (backend_of(engine).close.call_count, backend_of(engine).reset.call_count) == (1, 0)
    with pytest.raises(ModelError, match="closed"):
        last_of(engine, frame, 1)


def test_a_cut_starts_the_state_anew_but_none_follows_a_reset_and_the_editor_hears_of_it(
    engine: FrameEngine,
) -> None:
    """Else the people that strict mode is told of would be forgotten, and the light of the last room would go on."""
    random = np.random.default_rng(0)
    here, there = (
        np.repeat(np.repeat(random.integers(0, 256, (8, 12, 3), np.uint8), 8, 0), 8, 1)
        for _ in range(2)
    )
    edit = Fixed(MatteEdit())
    resets = []
    for frame in (here, here, there, there, here):
        engine.step(StepRequest(frame, here, EDGES, edit=edit))
        resets.append(backend_of(engine).reset.call_count)
    assert resets == [0, 0, 1, 1, 2]
    engine.reset(np.full((HEIGHT, WIDTH), 255, np.uint8))
    engine.step(StepRequest(there, here, EDGES))
    assert backend_of(engine).reset.call_count == 3
    tall = there.repeat(2, 0)
    engine.step(StepRequest(tall, tall, EDGES, edit=edit))
    assert (edit.scenes, engine.cuts) == ([2, 4, 5], 2), (
        "before it edits, also of another size, which is no cut"
    )


SIZE = 640, 360


def room(seed: int) -> BgrImage:
    """Return a room of large and small coloured patches."""
    random = np.random.default_rng(seed)
    layers = [
        cv2.resize(random.uniform(-1, 1, (rows, 2 * rows, 3)), SIZE, interpolation=cv2.INTER_CUBIC)
        for rows in (3, 12)
    ]
    mixed: BgrImage = np.clip(128 + 80 * layers[0] + 40 * layers[1], 0, 255).astype(np.uint8)
    return mixed


def lit(image: BgrImage, gain: float, gamma: float = 1.0, offset: float = 0.0) -> BgrImage:
    return np.asarray(np.clip(255 * gain * (image / 255) ** gamma + offset, 0, 255), np.uint8)


def cuts(images: Sequence[BgrImage]) -> list[int]:
    """Return the numbers of the images that begin another scene."""
    detector = Motion()
    return [number for number, image in enumerate(images) if detector.is_cut(image)]


def test_other_scenes_are_cuts_also_rooms_of_equal_brightness() -> None:
    assert cuts([*demo(*SIZE, range(3)), room(1), room(1), room(2), *demo(*SIZE, range(2))]) == [
        3,
        5,
        6,
    ]
    assert cuts([room(seed) for seed in range(20)]) == list(range(1, 20))


def test_motion_is_no_cut() -> None:
    here = room(1)
    there = room(2)
    covered = [
        demo(*SIZE, [number], empty_scene_s=1.0)[0] for number in (29, 30, 29)
    ]  # a third, at once
    passed = [
        np.hstack([here[:, :x], there[:, :240], here[:, x + 240 :]]) for x in range(0, 400, 60)
    ]

    assert [cuts(images) for images in (demo(*SIZE, range(90)), covered, passed)] == [[]] * 3


@pytest.mark.parametrize(
    "light", [(0.5,), (1.7,), (0.15,), (1.0, 0.6), (1.0, 1.5), (1.0, 1.0, 30.0)]
)
def test_a_change_of_light_is_no_cut(light: tuple[float, ...]) -> None:
    for image in (*demo(*SIZE, [0]), room(1)):
        assert cuts([image, lit(image, *light), image]) == []
