"""The window of columns holds everything that is shown, and is left in the frame in which something moves beside it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.types import Floats
from app.matting.openvino.openvino_backend import (
    LEAST_MARGIN,
    MARGIN,
    MOST_SETTLE_FRAMES,
    SETTLE_FRAMES,
    STEP,
    SURVEY_FRAMES,
    TOUCH,
    WHOLE_EVERY,
    WHOLE_FRAMES,
    ColumnTracker,
    window_widths,
)

WIDTH, HEIGHT = 320, 180
WINDOW = 224
ROOM: Floats = np.full((3, HEIGHT, WIDTH), 0.4, np.float32)
LEFT, RIGHT = 110, 210
"""Where the person is."""


def shown(left: int, right: int, value: float = 1.0) -> Floats:
    """Return alpha of somebody in these columns."""
    alpha = np.zeros((HEIGHT, WIDTH), np.float32)
    alpha[60:, left:right] = value
    return alpha


def look(tracker: ColumnTracker, alpha: Floats, small: Floats = ROOM) -> int | None:
    """Show a frame; return the window in which it is seen."""
    first = tracker.choose(small)
    tracker.follow(alpha)
    return first


def settled() -> ColumnTracker:
    tracker = ColumnTracker(WIDTH)
    for _ in range(SETTLE_FRAMES):
        assert look(tracker, shown(LEFT, RIGHT)) is None
    return tracker


@pytest.mark.parametrize(
    ("columns", "windows"),
    [(320, [224, 192, 160, 128]), (480, [320, 288, 256, 224, 192]), (138, [96]), (137, [])],
)
def test_windows_fit_what_networks_remember(columns: int, windows: list[int]) -> None:
    assert window_widths(columns) == windows


@given(left=st.integers(0, WIDTH - 1), columns=st.integers(1, WIDTH), width=st.sampled_from([320, 326, 333]))
def test_a_window_lies_in_the_frame_with_a_margin_on_either_side(left: int, columns: int, width: int) -> None:
    tracker, alpha = ColumnTracker(width), np.zeros((9, width), np.float32)
    alpha[:, left : left + columns] = 1
    right = min(left + columns, width)
    small = np.zeros((3, 9, width), np.float32)
    windows = [look(tracker, alpha, small) for _ in range(SETTLE_FRAMES + 1)]
    first = windows[-1]
    assert windows[:-1] == [None] * SETTLE_FRAMES
    if first is None:
        assert right - left > WINDOW - 2 * (MARGIN + STEP) or right > width - width % STEP - MARGIN
    else:
        assert first % STEP == 0
        assert 0 <= first <= width - WINDOW
        assert first == 0 or first + MARGIN <= left
        assert first + WINDOW == width or right <= first + WINDOW - MARGIN


def test_the_window_moves_with_the_person() -> None:
    tracker = settled()
    windows = [look(tracker, shown(LEFT + shift, RIGHT + shift)) for shift in range(0, 100, 2)]
    assert windows[0] == 48
    assert windows[-1] == WIDTH - WINDOW
    assert None not in windows


def test_motion_beside_the_window_shows_all_columns_from_the_same_frame_on() -> None:
    tracker = settled()
    first = look(tracker, shown(LEFT, RIGHT))
    assert first is not None
    entered = ROOM.copy()
    entered[:, 100:, :16] = 0.6
    windows = [look(tracker, shown(LEFT, RIGHT), entered) for _ in range(WHOLE_FRAMES + 1)]
    assert windows == [None] * WHOLE_FRAMES + [first]


def test_motion_in_the_window_and_a_slow_change_of_light_keep_it() -> None:
    tracker = settled()
    for frame in range(WHOLE_EVERY):
        small = ROOM * np.float32(1 + 0.004 * frame)
        small[:, 60:, LEFT + frame % 9 : RIGHT] = 0.9
        assert look(tracker, shown(LEFT, RIGHT), small) is not None


def test_a_textured_room_before_a_camera_in_the_hand_keeps_the_window() -> None:
    columns = np.arange(WIDTH + 8)
    texture = (0.5 + 0.4 * np.sin(columns / 9)).astype(np.float32)
    tracker = settled()
    for frame in range(30):
        shift = round(2 + 2 * np.sin(frame / 3))
        small = np.broadcast_to(texture[shift : shift + WIDTH], ROOM.shape)
        window = look(tracker, shown(LEFT, RIGHT), np.ascontiguousarray(small))
    assert window is not None


def test_all_columns_are_looked_at_now_and_then() -> None:
    tracker = settled()
    windows = [look(tracker, shown(LEFT, RIGHT)) is None for _ in range(WHOLE_EVERY + WHOLE_FRAMES + 1)]
    assert windows == [False] * WHOLE_EVERY + [True] * WHOLE_FRAMES + [False]


@pytest.mark.parametrize("value", [1.0, 0.15], ids=["person", "ghost"])
def test_whatever_is_shown_beside_the_window_ends_it(value: float) -> None:
    tracker = settled()
    alpha = np.maximum(shown(LEFT, RIGHT), shown(10, 20, value) + shown(300, 310, value))
    look(tracker, alpha)
    assert look(tracker, alpha) is None


def test_nobody_ends_the_window() -> None:
    tracker = settled()
    look(tracker, np.zeros((HEIGHT, WIDTH), np.float32))
    assert look(tracker, shown(LEFT, RIGHT)) is None


@pytest.mark.parametrize(("column", "narrow"), [(TOUCH - 1, True), (WINDOW - TOUCH, True), (TOUCH, False)])
def test_somebody_who_reaches_the_border_of_the_window_is_seen_whole(column: int, narrow: bool) -> None:
    tracker = settled()
    assert tracker.choose(ROOM) is not None
    alpha = np.zeros((HEIGHT, WINDOW), np.float32)
    alpha[100, column] = 1
    assert tracker.is_too_narrow(alpha) == narrow


def test_a_window_that_proves_too_narrow_again_and_again_is_used_less() -> None:
    tracker = ColumnTracker(WIDTH)
    waited = []
    for _ in range(6):
        frames = 0
        while look(tracker, shown(LEFT, RIGHT)) is None:
            frames += 1
        waited.append(frames)
        assert tracker.choose(ROOM) is not None
        assert tracker.is_too_narrow(np.ones((HEIGHT, WINDOW), np.float32))
    assert waited[:3] == [SETTLE_FRAMES, 2 * SETTLE_FRAMES, 4 * SETTLE_FRAMES]
    assert waited[-1] == MOST_SETTLE_FRAMES


def test_a_window_within_its_least_margin_stays() -> None:
    tracker = settled()
    first = look(tracker, shown(LEFT, RIGHT))
    assert first is not None
    assert look(tracker, shown(first + LEAST_MARGIN, RIGHT)) == first
    assert look(tracker, shown(first + LEAST_MARGIN, RIGHT)) == first


def survey(tracker: ColumnTracker, *alphas: Floats) -> int:
    """Show these in turn for a survey; return how many columns are wanted then."""
    for frame in range(SURVEY_FRAMES):
        look(tracker, alphas[frame % len(alphas)])
    return tracker.wanted


def test_a_narrower_window_is_wanted_after_two_surveys_that_it_suffices_for() -> None:
    tracker = ColumnTracker(WIDTH)
    sways = shown(LEFT, RIGHT - 4), shown(LEFT + 4, RIGHT)
    assert [survey(tracker, *sways) for _ in range(3)] == [WINDOW, 128, 128]
    tracker.use(tracker.wanted)
    for _ in range(SETTLE_FRAMES):
        assert look(tracker, shown(LEFT, RIGHT)) is None
    assert look(tracker, shown(LEFT, RIGHT)) == 96


def test_a_gesture_keeps_the_wide_window_and_brings_it_back_at_once() -> None:
    person, gesture = shown(LEFT, RIGHT), shown(LEFT - 40, RIGHT + 40)
    tracker = ColumnTracker(WIDTH)
    assert survey(tracker, person) == survey(tracker, gesture, person) == survey(tracker, person) == WINDOW
    assert survey(tracker, person) == 128
    assert survey(tracker, gesture, person) == WINDOW
