"""Networks in OpenVINO: the window of columns around people, dark frames, threads, no connections to anybody."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import wait
from contextlib import closing
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.settings import EdgeSettings, EngineSettings
from app.core.types import AlphaImage, BgrImage, Floats
from app.matting import build_engine
from app.matting.interface import StepGeometry, StepRequest, network_gain
from app.matting.openvino import conversion, openvino_backend
from app.matting.openvino.columns import (
    ALIGNMENT,
    LEAST_MARGIN,
    MARGIN,
    MOST_SETTLE_FRAMES,
    SETTLE_FRAMES,
    SURVEY_FRAMES,
    TOUCH,
    WHOLE_EVERY,
    WHOLE_FRAMES,
    ColumnTracker,
    window_widths,
)
from app.matting.openvino.openvino_backend import (
    FRAMES_BEFORE_OWN,
    OpenVinoBackend,
    RecurrentNetwork,
)
from models.table import bundled
from tests.clips import demo
from tests.fresh_python import printed_by
from tests.matting.stubs import bundled_backend
from tests.stand_ins import always
from tests.waiting import eventually

WIDTH = 320
HEIGHT = 180
GEOMETRY = StepGeometry(WIDTH, HEIGHT, 1.0)
BACKDROP = np.full((HEIGHT, WIDTH, 3), (200, 30, 120), np.uint8)
FRAMES = demo(WIDTH, HEIGHT, range(SETTLE_FRAMES + 12))
"""The person of the demo sways; about 0.6 of the frame's width."""


Both = tuple[OpenVinoBackend, OpenVinoBackend]


@pytest.fixture(scope="module")
def both() -> Iterator[Both]:
    """Yield a backend that sees all columns, and one that looks at a window once it has settled."""
    with (
        closing(bundled_backend(GEOMETRY)) as whole,
        closing(bundled_backend(GEOMETRY, live=True)) as live,
    ):
        alpha_of(whole, FRAMES[0])
        stream = itertools.cycle(FRAMES)  # the network for fewer columns is made beside it
        eventually(lambda: alpha_of(live, next(stream)) is not None and live.window is not None)
        yield whole, live


def alpha_of(backend: OpenVinoBackend, frame: BgrImage) -> AlphaImage:
    return backend.step(StepRequest(frame, BACKDROP, EdgeSettings())).alpha


def difference(one: AlphaImage, other: AlphaImage) -> float:
    """Return the mean difference, in 0..1."""
    return float(np.abs(one / 255.0 - other / 255.0).mean())


def settle(both: Both, frames: Sequence[BgrImage] = FRAMES) -> slice:
    """Show somebody to both from the start until the live one looks at a window, which is returned."""
    for backend in both:
        backend.reset()
        for frame in frames[:-4]:
            alpha_of(backend, frame)
    assert both[1].window is not None and both[0].window is None, "films are always seen whole"
    return both[1].window


def test_the_matte_is_nearly_that_of_the_whole_frame_until_a_reset(both: Both) -> None:
    settle(both)
    for frame in FRAMES[-4:]:
        expected, alpha = (alpha_of(backend, frame) for backend in both)
        # 0 is the whole frame; a window that begins without the memory of the frame differs by 3e-4.
        assert 0 < difference(expected, alpha) < 2e-4
        beside = np.delete(alpha, np.r_[both[1].window], 1)
        assert beside.size and not beside.any()
    both[1].infer(frame).offset[:] = (
        1  # what the last frame may leave there, which strict mode would hide
    )
    alpha = both[1].step(StepRequest(frame, BACKDROP, EdgeSettings(), "off")).alpha
    assert alpha.any() and not np.delete(alpha, np.r_[both[1].window], 1).any()
    both[1].reset()
    alpha_of(both[1], FRAMES[-1])
    assert both[1].window is None


MOTIONS: dict[str, tuple[int, Callable[[BgrImage], BgrImage]]] = {
    "somebody enters": (1, lambda frame: np.hstack([frame[:, :220], frame[:, 60:160]])),
    "an arm is seen as motion": (1, lambda frame: np.roll(frame, 60, 1)),
    "an arm in the dark is seen at the border": (8, lambda frame: np.roll(frame, 10, 1)),
}
"""By how much the room is darker, and the frame with what is beside the window."""


@pytest.mark.parametrize("name", MOTIONS)
def test_who_leaves_the_window_or_enters_beside_it_is_shown_in_the_same_frame(
    both: Both, name: str
) -> None:
    darker, moved = MOTIONS[name]
    frames = [frame // np.uint8(darker) for frame in FRAMES]
    window = settle(both, frames)
    for frame in frames[-4:]:
        expected, alpha = (
            alpha_of(backend, np.ascontiguousarray(moved(frame))) for backend in both
        )
        assert both[1].window is None
        assert difference(expected, alpha) < 2e-3
        assert np.delete(expected, np.r_[window], 1).max() > 127 or darker > 1, (
            "it reaches the border"
        )


@pytest.mark.long
def test_a_narrower_network_takes_over_where_it_suffices() -> None:
    narrow = [cv2.resize(frame, (200, HEIGHT)) for frame in (*FRAMES, *FRAMES[::-1])]
    frames = [
        np.asarray(cv2.copyMakeBorder(frame, 0, 0, 60, 60, cv2.BORDER_REPLICATE), np.uint8)
        for frame in narrow
    ]
    surveying = bundled_backend(GEOMETRY, live=True, survey_frames=SETTLE_FRAMES)
    widest = max(window_widths(WIDTH))
    shares = []
    with closing(bundled_backend(GEOMETRY)) as whole, closing(surveying) as live:
        for frame in itertools.islice(itertools.cycle(frames), 1000):
            expected = alpha_of(whole, frame)
            alpha = alpha_of(live, frame)
            if live.window is not None:
                shares.append(live.window.stop - live.window.start)
                assert difference(expected, alpha) < 1e-3
            if shares.count(min(shares, default=widest)) > 4 and min(shares) < widest:
                break
    assert shares[0] == widest > shares[-1] >= min(window_widths(WIDTH))


def test_the_networks_that_spare_time_are_made_beside_the_picture_and_not_before_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make = OpenVinoBackend.make_network
    made: list[tuple[int, bool]] = []

    def note(
        backend: OpenVinoBackend, width: int, *, for_any_size: bool = False
    ) -> RecurrentNetwork:
        made.append((width, for_any_size))
        return make(backend, width, for_any_size=for_any_size)

    monkeypatch.setattr(OpenVinoBackend, "make_network", note)
    with closing(bundled_backend(GEOMETRY, live=True)) as backend:
        for frame in itertools.islice(itertools.cycle(FRAMES), FRAMES_BEFORE_OWN - 1):
            alpha_of(backend, frame)
        assert made == [(WIDTH, True)], "whoever tries another detail waits for nothing else"
        eventually(lambda: alpha_of(backend, FRAMES[0]) is not None and len(made) == 5)
    assert made[1:3] == [(WIDTH, False), (WIDTH, True)], "each is compared with one for any size"
    narrow = made[3][0]
    assert narrow < WIDTH
    assert made[3:] == [(narrow, False), (narrow, True)]


def test_another_size_compiles_nothing_before_its_picture(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bundled_backend(GEOMETRY, live=True).close()
    compiling = 0
    compile_stages = conversion.compiled

    def count(*args: Any, **options: Any) -> list[conversion.ov.CompiledModel]:
        nonlocal compiling
        compiling += 1
        return compile_stages(*args, **options)

    monkeypatch.setattr(conversion, "compiled", count)
    monkeypatch.setattr(openvino_backend, "compiled", count)
    smaller = StepGeometry(WIDTH, HEIGHT, 0.8)
    # Larger frames of the network may have more threads.
    other_threads = 2
    with (
        closing(bundled_backend(smaller, other_threads, live=True)) as live,
        closing(bundled_backend(smaller)) as film,
    ):
        assert compiling == 1, "films alone compile for their size"
        for frame in FRAMES[:4]:
            assert difference(alpha_of(live, frame), alpha_of(film, frame)) < 1e-5


def test_the_network_for_the_size_goes_on_where_the_one_for_any_size_was(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(openvino_backend, "FRAMES_BEFORE_OWN", 6)
    # Not divisible by the factors of the states: their last column is a part of one.
    odd = [np.ascontiguousarray(frame[: HEIGHT - 3, : WIDTH - 5]) for frame in FRAMES[:8]]
    geometry = StepGeometry(WIDTH - 5, HEIGHT - 3, 1.0)
    with closing(bundled_backend(geometry)) as film:
        expected = [film.infer(frame).coarse.copy() for frame in odd]

    errors = []
    with closing(bundled_backend(geometry, live=True)) as live:
        for frame, coarse in zip(odd, expected, strict=True):
            errors.append(float(np.abs(live.infer(frame).coarse - coarse).max()))
            if live._next is not None:  # noqa: SLF001 - until the frame that goes over is known
                wait([live._next])  # noqa: SLF001
        assert not live._whole.is_for_any_size  # noqa: SLF001

    assert max(errors) < 1e-3


def test_without_a_network_for_fewer_columns_all_are_seen(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    make = OpenVinoBackend.make_network

    def fail(
        backend: OpenVinoBackend, width: int, *, for_any_size: bool = False
    ) -> RecurrentNetwork:
        if width < WIDTH:
            raise RuntimeError("out of memory")
        return make(backend, width, for_any_size=for_any_size)

    monkeypatch.setattr(OpenVinoBackend, "make_network", fail)
    with closing(bundled_backend(GEOMETRY, live=True)) as backend:
        eventually(lambda: alpha_of(backend, FRAMES[0]) is not None and bool(caplog.messages))
        for frame in FRAMES:
            alpha_of(backend, frame)
            assert backend.window is None
    assert caplog.messages == ["A network that spares time cannot be used."]
    caplog.clear()


@pytest.mark.parametrize("wrong_are_whole", [True, False], ids=["all columns", "fewer columns"])
def test_a_network_for_one_size_that_shows_the_room_is_never_used(
    wrong_are_whole: bool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The self-test was that of the network for any size alone."""
    read_cells = RecurrentNetwork._read_cells  # noqa: SLF001

    def read_wrong_cells(network: RecurrentNetwork) -> Floats:
        alpha = read_cells(network)
        is_whole = alpha.shape[1] == WIDTH
        if not network.is_for_any_size and is_whole == wrong_are_whole:
            alpha[:, :10] = 1
        return alpha

    monkeypatch.setattr(RecurrentNetwork, "_read_cells", read_wrong_cells)
    stream = itertools.cycle(FRAMES)
    room = []

    def has_said_so() -> bool:
        room.append(backend.infer(next(stream)).coarse[:, :10].mean())
        return bool(caplog.messages)

    with closing(bundled_backend(GEOMETRY, live=True)) as backend:
        eventually(has_said_so)
        room.extend(backend.infer(frame).coarse[:, :10].mean() for frame in FRAMES)
        assert not backend.is_settling, "what runs is what goes on running"

    assert caplog.messages == ["A network that spares time cannot be used."]
    caplog.clear()
    assert max(room) < 0.1


def test_coarse_features_are_used_again_only_while_they_are_of_the_stream(both: Both) -> None:
    whole, _ = both
    changes: list[Callable[[], object]] = [bool, whole.reset]
    errors = []
    for change in changes:
        mattes = []
        for steady in (False, True):
            whole.reset()
            for frame in FRAMES[:2]:
                whole.infer(frame)
            change()
            mattes.append(whole.infer(FRAMES[2], steady).coarse.copy())
        errors.append(float(np.abs(mattes[0] - mattes[1]).mean()))

    assert 0 < errors[0] < 1e-3, "0 is nothing used again"
    assert errors[1:] == [0]


WINDOW = 224
COLUMNS = 334
ROOM: Floats = np.full((3, 183, COLUMNS), 0.4, np.float32)
"""Square cells leave out a part of it."""
LEFT = 110
RIGHT = 210
"""Where the person is."""


def shown(left: int, right: int, value: float = 1.0) -> Floats:
    """Return alpha of somebody in these columns."""
    alpha = np.zeros(ROOM.shape[1:], np.float32)
    alpha[60:, left:right] = value
    return alpha


def look(tracker: ColumnTracker, alpha: Floats, small: Floats = ROOM) -> int | None:
    """Show a frame; return the window in which it is seen."""
    first = tracker.choose(small)
    tracker.track(alpha)
    return first


@given(
    left=st.integers(0, WIDTH - 1),
    columns=st.integers(1, WIDTH),
    width=st.sampled_from([320, 326, 333]),
)
def test_a_window_lies_in_the_frame_with_a_margin_on_either_side(
    left: int, columns: int, width: int
) -> None:
    tracker = ColumnTracker(width)
    alpha = np.zeros((9, width), np.float32)
    alpha[:, left : left + columns] = 1
    right = min(left + columns, width)
    small = np.zeros((3, 9, width), np.float32)
    windows = [look(tracker, alpha, small) for _ in range(SETTLE_FRAMES + 1)]
    first = windows[-1]
    assert windows[:-1] == [None] * SETTLE_FRAMES
    if first is None:
        assert (
            right - left > WINDOW - 2 * (MARGIN + ALIGNMENT)
            or right > width - width % ALIGNMENT - MARGIN
        )
    else:
        assert first % ALIGNMENT == 0
        assert 0 <= first <= width - WINDOW
        assert first == 0 or first + MARGIN <= left
        assert first + WINDOW == width or right <= first + WINDOW - MARGIN


PERSON = shown(LEFT, RIGHT)
TEXTURE = (0.5 + 0.4 * np.sin(np.arange(COLUMNS + 8) / 9)).astype(np.float32)


def entered(place: tuple[slice, slice], value: float = 1.0) -> Floats:
    """Return the room with somebody there."""
    small = ROOM.copy()
    small[:, place[0], place[1]] = value
    return small


def beside(value: float) -> Floats:
    """Return alpha of the person, and of something on either side of the window."""
    return np.asarray(np.maximum(PERSON, shown(10, 20, value) + shown(300, 310, value)), np.float32)


def moving(frame: int) -> Floats:
    """Return a room that becomes brighter, in which the person moves."""
    small = ROOM * np.float32(1 + 0.004 * frame)
    small[:, 60:, LEFT + frame % 9 : RIGHT] = 0.9
    return small


def shaken(frame: int) -> Floats:
    """Return a textured room before a camera in the hand."""
    shift = round(2 + 2 * np.sin(frame / 3))
    return np.ascontiguousarray(np.broadcast_to(TEXTURE[shift : shift + COLUMNS], ROOM.shape))


YES = True
NO = False
NEAREST = 48 + LEAST_MARGIN
"""How near the person may come to the column at which the window begins."""
STREAMS: dict[str, tuple[list[tuple[Floats, Floats]], list[bool]]] = {
    "somebody enters beside it": (
        [(PERSON, ROOM), *[(PERSON, entered(np.s_[100:, :16], 0.6))] * (WHOLE_FRAMES + 1)],
        [YES, *[NO] * WHOLE_FRAMES, YES],
    ),
    "somebody comes from the left": ([(PERSON, ROOM), (PERSON, entered(np.s_[100:, :8]))], [YES, NO]),
    "somebody comes from the right": ([(PERSON, ROOM), (PERSON, entered(np.s_[100:, -8:]))], [YES, NO]),
    "somebody comes from below": ([(PERSON, ROOM), (PERSON, entered(np.s_[-3:, :30]))], [YES, NO]),
    "somebody comes from below at the right": ([(PERSON, ROOM), (PERSON, entered(np.s_[-3:, -30:]))], [YES, NO]),
    "all columns now and then": (
        [(PERSON, ROOM)] * (WHOLE_EVERY + WHOLE_FRAMES + 1), [*[YES] * WHOLE_EVERY, *[NO] * WHOLE_FRAMES, YES],
    ),
    "motion in it and a slow change of light": (
        [(PERSON, moving(frame)) for frame in range(WHOLE_EVERY)], [YES] * WHOLE_EVERY,
    ),
    "a person who walks": ([(shown(LEFT + shift, RIGHT + shift), ROOM) for shift in range(0, 100, 2)], [YES] * 50),
    "a camera in the hand": ([(PERSON, ROOM), *((PERSON, shaken(frame)) for frame in range(30))], [YES]),
    "a person near its border": ([(PERSON, ROOM), *[(shown(NEAREST, RIGHT), ROOM)] * 2], [YES] * 3),
    "a person beside it": ([(beside(1.0), ROOM)] * 2, [YES, NO]),
    "a ghost beside it": ([(beside(0.15), ROOM)] * 2, [YES, NO]),
    "nobody": ([(np.zeros_like(PERSON), ROOM), (PERSON, ROOM)], [YES, NO]),
}  # fmt: skip
"""Alpha and small frames of a settled stream, and whether each, or the last ones, are seen in the window."""


@pytest.mark.parametrize("name", STREAMS)
def test_the_window_is_used_while_nothing_happens_beside_it(name: str) -> None:
    tracker = ColumnTracker(COLUMNS)
    frames, expected = STREAMS[name]
    assert [look(tracker, PERSON) for _ in range(SETTLE_FRAMES)] == [None] * SETTLE_FRAMES
    windows = [look(tracker, alpha, small) for alpha, small in frames]
    assert [window is not None for window in windows][-len(expected) :] == expected
    assert (
        len({window for window in windows if window is not None}) == 1
        or name == "a person who walks"
    )


def test_a_window_whose_border_somebody_reaches_is_too_narrow_and_used_less_each_time() -> None:
    tracker = ColumnTracker(COLUMNS)
    waited = []
    touch = TOUCH
    for column in (touch - 1, -touch) * 3:
        alpha = np.zeros((len(PERSON), WINDOW), np.float32)
        frames = 0
        while look(tracker, PERSON) is None:
            frames += 1
        waited.append(frames)
        alpha[100, touch:-touch] = 1
        assert not tracker.is_too_narrow(alpha)
        alpha[100, column] = 1
        assert tracker.is_too_narrow(alpha)
    assert waited[:3] == [SETTLE_FRAMES, 2 * SETTLE_FRAMES, 4 * SETTLE_FRAMES]
    assert waited[-1] == MOST_SETTLE_FRAMES


def test_a_narrower_window_is_wanted_after_two_surveys_that_it_suffices_for_and_not_from_a_gesture_on() -> (
    None
):
    tracker = ColumnTracker(COLUMNS)
    wanted = []
    sways = (shown(LEFT, RIGHT - 4), shown(LEFT + 4, RIGHT))
    gesture = (shown(LEFT - 40, RIGHT + 40), PERSON)
    for alphas in (sways, sways, sways, gesture, sways, sways):
        for frame in range(SURVEY_FRAMES):
            look(tracker, alphas[frame % 2])
        wanted.append(tracker.wanted)
    assert wanted == [WINDOW, 160, 160, WINDOW, WINDOW, 160]
    tracker.use(160)
    assert [look(tracker, PERSON) for _ in range(SETTLE_FRAMES + 1)] == [
        *[None] * SETTLE_FRAMES,
        80,
    ]


def test_the_matte_of_a_dark_frame_is_nearer_to_that_of_a_lit_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    errors = []
    foregrounds = []
    for gain in (network_gain, always(1.0)):
        monkeypatch.setattr(openvino_backend, "network_gain", gain)
        with closing(bundled_backend(GEOMETRY)) as lit, closing(bundled_backend(GEOMETRY)) as dark:
            for frame in FRAMES[:6]:
                expected, found = (
                    backend.step(
                        StepRequest(image, BACKDROP, EdgeSettings(), "off", want_foreground=True)
                    )
                    for backend, image in ((lit, frame), (dark, frame // np.uint8(4)))
                )
        errors.append(difference(found.alpha, expected.alpha))
        opaque = (found.alpha == 255) & (expected.alpha == 255)
        assert found.foreground is not None
        foregrounds.append(np.abs(found.foreground[opaque].astype(int) - frame[opaque] // 4).mean())
    assert errors[0] < 0.9 * errors[1]
    assert foregrounds[0] < 0.1, "the person keeps the colours of the frame"


@pytest.mark.skipif(sys.platform != "linux", reason="counts threads in /proc")
def test_another_engine_uses_the_threads_of_those_that_were_closed() -> None:
    """A program has built hundreds of engines after a day of changes."""
    counts = []
    for number in range(5):
        width = 160 + 32 * number
        height = 96
        engine = build_engine(EngineSettings(model=bundled().name, device="cpu"), width, height)
        frame = np.zeros((height, width, 3), np.uint8)
        engine.step(StepRequest(frame, frame, EdgeSettings()))
        engine.close()
        counts.append(len(list(Path("/proc/self/task").iterdir())))
    later = counts[2:]

    assert max(later) < max(counts[:2]) + len(later), (
        f"less than one thread more for each engine: {counts}"
    )


WATCHED = """
import socket, sys, threading
tried = []
socket.socket.connect = lambda *arguments: tried.append(arguments)
socket.getaddrinfo = lambda *arguments, **named: tried.append(arguments) or []
import app.matting.choice.hardware, app.matting.openvino.conversion, app.matting.openvino.openvino_backend
app.matting.choice.hardware.cpu_has_bfloat16()
from app.matting.openvino.conversion import ov
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
