"""Effects are asked only when what decides whether they are on changes, and begin each frame while they are."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from app.core.declaration import Model
from app.core.types import UNCHANGED, BlurredBackground, Floats, MatteEdit, Orientation
from app.effects import table
from app.effects.base import Effect, FrameContext, SeenFrame
from app.effects.table import Effects
from app.settings import Settings

OFF = Settings()
ON = OFF.replaced_at(["framing"], zoom=2)
ALONE = OFF.with_person(None)
ROWS = 90
COLUMNS = 160
FRAME = FrameContext(OFF, (COLUMNS, ROWS), 0.0, BlurredBackground(85), "one")


class CountingEffect(Effect[Model]):
    """Is on in a crop, and notes what is asked of it."""

    def __init__(self) -> None:
        self.asked = 0
        self.begun: list[FrameContext | None] = []
        self.fails = False

    def is_on(self, frame: FrameContext) -> bool:
        self.asked += 1
        if self.fails:
            raise ValueError
        return frame.settings.framing.zoom > 1

    def begin_frame(self, frame: FrameContext, last: FrameContext | None, *, was_on: bool) -> None:
        self.begun.append(last if was_on else None)

    def edit(self, frame: FrameContext, seen: SeenFrame) -> MatteEdit:
        return UNCHANGED


@pytest.fixture
def counting(monkeypatch: pytest.MonkeyPatch) -> CountingEffect:
    """Return the one effect of all objects that are made in the test."""
    effect = CountingEffect()
    monkeypatch.setattr(table, "EFFECTS", (lambda: effect,))
    return effect


def test_an_effect_that_is_off_costs_nothing_while_nothing_changes(
    counting: CountingEffect,
) -> None:
    """Six effects that were off were asked for every frame."""
    effects = Effects()

    for number in range(5):
        effects.begin_frame(replace(FRAME, time_s=number / 30))

    assert counting.asked == 1
    assert counting.begun == []


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"settings": OFF.replace(paused=True)}, id="settings"),
        pytest.param({"camera": "two"}, id="camera"),
        pytest.param({"orientation": Orientation(90)}, id="orientation"),
        pytest.param({"size": (90, 160)}, id="size"),
    ],
)
def test_an_effect_is_asked_again_when_what_decides_it_changes(
    changed: dict[str, Any], counting: CountingEffect
) -> None:
    effects = Effects()
    effects.begin_frame(FRAME)

    effects.begin_frame(replace(FRAME, **changed))

    assert counting.asked == 2


def test_an_effect_knows_the_frame_before_only_if_it_was_on_then(counting: CountingEffect) -> None:
    effects = Effects()
    frames = [replace(FRAME, settings=settings) for settings in (OFF, ON, ON, OFF, ON)]

    is_edited = [effects.begin_frame(frame) is not None for frame in frames]

    assert is_edited == [False, True, True, False, True]
    assert counting.begun == [None, frames[1], None]


def test_effects_are_asked_again_after_one_failed(counting: CountingEffect) -> None:
    """A zone would not hide anything if the next frame took the answer of the frame before."""
    effects = Effects()
    effects.begin_frame(FRAME)
    counting.fails = True
    with pytest.raises(ValueError):
        effects.begin_frame(replace(FRAME, settings=ON))
    counting.fails = False

    editor = effects.begin_frame(replace(FRAME, settings=ON))

    assert editor is effects
    assert counting.begun == [None]


def test_only_me_chooses_anew_when_it_is_switched_on_again() -> None:
    effects = Effects()
    image = np.full((3, ROWS, COLUMNS), 0.5, np.float32)
    left = np.zeros((ROWS, COLUMNS), np.float32)
    left[20:, 10:40] = 1
    right = np.zeros((ROWS, COLUMNS), np.float32)
    right[20:, 100:150] = 1

    def shown(alpha: Floats) -> Floats:
        effects.begin_frame(replace(FRAME, settings=ALONE))
        gain = effects.edit(image, alpha).gain
        assert gain is not None
        return np.asarray(gain * alpha)

    first = shown(left)
    effects.begin_frame(FRAME)
    then = shown(np.maximum(left, right))

    assert first[30:, 15:35].all()
    assert then[30:, 105:145].all(), "the larger one"
    assert not then[:, :45].any(), "not the one from before"


@pytest.mark.parametrize(
    ("changed", "shows"),
    [
        pytest.param({}, True, id="the same place"),
        pytest.param({"camera": "two"}, False, id="another camera"),
        pytest.param({"orientation": Orientation(180)}, False, id="turned"),
    ],
)
def test_nobody_is_shown_whom_a_click_in_the_picture_of_another_place_hits(
    changed: dict[str, Any], shows: bool
) -> None:
    """The effect was off until then: it showed whoever was at this place in the new picture."""
    effects = Effects()
    image = np.full((3, ROWS, COLUMNS), 0.5, np.float32)
    alpha = np.zeros((ROWS, COLUMNS), np.float32)
    alpha[20:, 10:50] = 1
    effects.begin_frame(FRAME)

    effects.begin_frame(replace(FRAME, settings=OFF.with_person((0.2, 0.6)), **changed))
    gain = effects.edit(image, alpha).gain

    assert gain is not None
    assert bool(gain.any()) == shows
    assert effects.hides_everybody != shows


PERSON = np.zeros((ROWS, COLUMNS), np.float32)
PERSON[30:, 10:30] = 1
PERSON[20:30, 15:25] = 1


class FramedStream:
    """Auto-framing on one stream, in which a person stands at the left."""

    def __init__(self) -> None:
        self._effects = Effects()
        self._image = np.full((3, ROWS, COLUMNS), 0.5, np.float32)
        self._on = OFF.replaced_at(["people"], framing="close")
        self._time_s = 0.0

    def view_after(self, seconds: float, *, width: int = COLUMNS) -> float:
        """Return the size of the view after this time."""
        size = 1.0
        for _ in range(max(1, round(30 * seconds))):
            self._time_s += 1 / 30
            self.begin(self._on, width)
            self._effects.edit(self._image, PERSON)
            size = self._effects.view.size
        return size

    def begin(self, settings: Settings, width: int = COLUMNS) -> None:
        frame = replace(FRAME, settings=settings, time_s=self._time_s, size=(width, ROWS))
        self._effects.begin_frame(frame)

    def go_back(self) -> None:
        self._time_s = 0.0


def test_auto_framing_closes_in_while_frames_follow_each_other() -> None:
    stream = FramedStream()

    sizes = [stream.view_after(1) for _ in range(4)]

    assert sizes[0] > sizes[1] > sizes[2] > sizes[3]
    assert sizes[3] < 0.6


def test_auto_framing_begins_anew_where_frames_do_not_follow() -> None:
    """A film that jumps back, another shape of the frame, and a pause of the effect."""
    jumps_back = FramedStream()
    jumps_back.view_after(4)
    jumps_back.go_back()
    turned = FramedStream()
    turned.view_after(4)
    switched = FramedStream()
    switched.view_after(4)
    switched.begin(OFF)

    sizes = [jumps_back.view_after(0), turned.view_after(0, width=ROWS), switched.view_after(0)]

    assert sizes == [1, 1, 1]


def test_a_zoom_by_hand_overrides_auto_framing() -> None:
    effects = Effects()
    framed = OFF.replaced_at(["people"], framing="calm")

    is_on = effects.begin_frame(replace(FRAME, settings=framed)) is not None
    zoomed = framed.replaced_at(["framing"], zoom=2)
    is_on_in_a_crop = effects.begin_frame(replace(FRAME, settings=zoomed)) is not None

    assert is_on
    assert not is_on_in_a_crop
