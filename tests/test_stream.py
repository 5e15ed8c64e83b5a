"""One stream of frames: what it resets, crops, repeats, checks and remembers, for live, films and Python alike."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import pytest

from app.core.errors import ModelError
from app.core.types import (
    WHOLE_VIEW,
    AlphaImage,
    Backdrop,
    BgrImage,
    BlurredBackground,
    Frame,
    Matte,
    MatteEdit,
    Picture,
    View,
)
from app.effects import table
from app.effects.base import Effect, FrameContext, SeenFrame
from app.matting.interface import EngineInfo, MattingEngine, StepRequest
from app.matting.strict.rules import WAIT_FRAMES
from app.settings import Settings
from app.stream import Stream
from mattecam.testing import HEIGHT, WIDTH, FakeEngine, Faults, room_picture

OFF = Settings().replaced_at(["strict"], level="off")
STRICT = Settings()
BLUE = np.full((HEIGHT, WIDTH, 3), (255, 0, 0), np.uint8)


class Engine(FakeEngine):
    """Notes what it is asked for."""

    made: ClassVar[list[Engine]] = []

    def __init__(self, *, strict_mode: bool = True) -> None:
        self.made.append(self)
        self.faults = Faults()
        super().__init__(Settings().matting.engine, WIDTH, HEIGHT, self.faults)
        self.info: EngineInfo = replace(self.info, strict_mode=strict_mode)
        self.requests: list[StepRequest] = []
        self.resets: list[AlphaImage | None] = []
        self.cuts = 0
        # In place of the alpha of the person's colour.
        self.alpha: int | None = None

    def matte(self, step: StepRequest) -> Matte:
        self.requests.append(step)
        if self.alpha is None:
            return super().matte(step)
        alpha = np.full(step.frame.shape[:2], self.alpha, np.uint8)
        return Matte(step.frame.copy(), alpha)

    def reset(self, seen: AlphaImage | None = None) -> None:
        self.resets.append(seen)


@pytest.fixture(autouse=True)
def _closed_engines() -> Iterator[None]:
    yield
    while Engine.made:
        Engine.made.pop().close()


@pytest.fixture
def engine() -> Engine:
    return Engine()


def frame_of(number: int = 0, *, generation: int = 0, image: BgrImage | None = None) -> Frame:
    if image is None:
        image = room_picture()
    return Frame(image, number, number / 30, generation=generation)


def stepped(
    stream: Stream, frame: Frame, settings: Settings = OFF, behind: Backdrop = BLUE
) -> Picture:
    picture = stream.step(frame, settings, behind)
    assert picture is not None
    return picture


def test_frames_of_one_source_and_engine_follow_each_other(engine: Engine) -> None:
    stream = Stream()
    for number in range(3):
        stream.use(engine)
        stepped(stream, frame_of(number))

    assert engine.resets == [None], "before the first frame alone"


def test_another_engine_knows_the_people_of_the_last_picture(engine: Engine) -> None:
    stream = Stream()
    stream.use(engine)
    last = stepped(stream, frame_of(0))
    other = Engine()
    stream.use(other)

    stepped(stream, frame_of(1))

    (seen,) = other.resets
    assert seen is last.alpha


def test_another_source_begins_anew(engine: Engine) -> None:
    stream = Stream()
    stream.use(engine)
    stepped(stream, frame_of(0, generation=1))

    stepped(stream, frame_of(0, generation=2))

    assert engine.resets == [None, None]


def test_after_a_restart_the_next_frame_begins_anew(engine: Engine) -> None:
    stream = Stream()
    stream.use(engine)
    stepped(stream, frame_of(0))
    stream.restart()

    stepped(stream, frame_of(1))

    assert engine.resets == [None, None]


def test_the_frame_after_a_failed_step_begins_anew(engine: Engine) -> None:
    """An engine that failed has lost its state."""
    stream = Stream()
    stream.use(engine)
    stepped(stream, frame_of(0))
    engine.faults.put("step", ModelError("broken"))
    with pytest.raises(ModelError, match="broken"):
        stream.step(frame_of(1), OFF, BLUE)
    engine.faults.heal()

    stepped(stream, frame_of(2))

    assert engine.resets == [None, None]


class Resets(Effect[Any]):
    """Notes when it is reset."""

    count = 0

    def is_on(self, frame: FrameContext) -> bool:
        return False

    def reset(self) -> None:
        Resets.count += 1


def test_effects_forget_another_source_but_not_another_engine(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table, "EFFECTS", (Resets,))
    monkeypatch.setattr(Resets, "count", 0)
    stream = Stream()
    stream.use(engine)
    stepped(stream, frame_of(0, generation=1))
    at_first = Resets.count

    stream.use(Engine())
    stepped(stream, frame_of(1, generation=1))
    after_the_engine = Resets.count
    stepped(stream, frame_of(0, generation=2))

    assert (at_first, after_the_engine, Resets.count) == (1, 1, 2)


def test_a_zoom_crops_the_frame_and_enlarges_the_blur(engine: Engine) -> None:
    stream = Stream()
    stream.use(engine)
    zoomed = OFF.replaced_at(["framing"], zoom=2)
    frame = frame_of()

    picture = stepped(stream, frame, zoomed, BlurredBackground(50))

    (request,) = engine.requests
    assert isinstance(request.backdrop, BlurredBackground) and request.backdrop.zoom == 2
    assert request.frame.shape == frame.image.shape
    assert not np.array_equal(request.frame, frame.image)
    assert picture.frame is not None and picture.frame.whole is frame.image


def test_a_frame_that_is_cropped_already_is_taken_as_it_is(engine: Engine) -> None:
    stream = Stream()
    stream.use(engine)
    crop = replace(frame_of(), whole=BLUE)

    stepped(stream, crop, OFF.replaced_at(["framing"], zoom=2))

    assert engine.requests[0].frame is crop.image


def test_without_a_zoom_frame_and_backdrop_are_those_that_were_given(engine: Engine) -> None:
    stream = Stream()
    stream.use(engine)
    frame = frame_of()

    stepped(stream, frame)

    assert engine.requests[0].frame is frame.image
    assert engine.requests[0].backdrop is BLUE


def steps(stream: Stream, engine: Engine, frame: Frame, settings: Settings) -> int:
    """Return how often the engine sees a frame."""
    before = len(engine.requests)
    stepped(stream, frame, settings)
    return len(engine.requests) - before


def test_films_show_people_from_the_first_frame_of_a_scene_on(engine: Engine) -> None:
    """Strict mode hides everybody in the first frames of a scene: a film would begin without them."""
    stream = Stream(settles_first=True)
    stream.use(engine)

    first = steps(stream, engine, frame_of(0), STRICT)
    second = steps(stream, engine, frame_of(1), STRICT)
    engine.cuts = 1
    after_a_cut = steps(stream, engine, frame_of(2), STRICT)

    assert (first, second, after_a_cut) == (1 + WAIT_FRAMES, 1, 1 + WAIT_FRAMES)


def test_another_size_is_another_scene(engine: Engine) -> None:
    stream = Stream(settles_first=True)
    stream.use(engine)
    stepped(stream, frame_of(0), STRICT)
    larger = frame_of(1, image=room_picture(2 * WIDTH, HEIGHT))

    stream.step(larger, STRICT, np.zeros_like(larger.image))

    assert len(engine.requests) == 2 * (1 + WAIT_FRAMES)


@pytest.mark.parametrize(
    ("settles_first", "settings", "strict_mode"),
    [
        pytest.param(False, STRICT, True, id="live"),
        pytest.param(True, OFF, True, id="strict mode is off"),
        pytest.param(True, STRICT, False, id="a network that strict mode does not filter"),
    ],
)
def test_elsewhere_each_frame_is_seen_once(
    settles_first: bool, settings: Settings, strict_mode: bool
) -> None:
    engine = Engine(strict_mode=strict_mode)
    stream = Stream(settles_first=settles_first)
    stream.use(engine)

    assert steps(stream, engine, frame_of(0), settings) == 1


def test_the_engine_is_asked_as_the_settings_say(engine: Engine) -> None:
    stream = Stream()
    stream.use(engine)
    settings = STRICT.replaced_at(["matting", "edges"], grow_px=2)

    stream.step(frame_of(), settings, BLUE, want_foreground=True)

    (request,) = engine.requests
    assert request.edges is settings.matting.edges
    assert request.strict == "balanced"
    assert request.edit is None
    assert request.want_foreground


def test_a_picture_says_what_its_settings_hide(engine: Engine) -> None:
    """The gate compares it with the settings in force."""
    stream = Stream()
    stream.use(engine)
    first = stepped(stream, frame_of(0), OFF)

    second = stepped(stream, frame_of(1), STRICT)
    third = stepped(stream, frame_of(2), STRICT)

    assert first.hides == OFF.hides
    assert second.hides == third.hides == STRICT.hides
    assert first.hides != second.hides


def test_a_composite_that_shows_the_room_is_refused(engine: Engine) -> None:
    stream = Stream()
    stream.use(engine)
    engine.alpha = 0

    with pytest.raises(ModelError, match="shows the real background"):
        stream.step(frame_of(), OFF, BLUE)


class SelfTests:
    """A self-test that counts its calls."""

    def __init__(self) -> None:
        self.sizes: list[tuple[int, int]] = []

    def __call__(self, engine: MattingEngine, width: int, height: int) -> None:
        self.sizes.append((width, height))


def test_an_alpha_that_fills_the_frame_must_last_and_pass_the_self_test(engine: Engine) -> None:
    self_test = SelfTests()
    patient = Stream(self_test, hold_s=1000)
    patient.use(engine)
    engine.alpha = 255
    hasty = Stream(self_test, hold_s=0)
    hasty.use(engine)

    held_back = patient.step(frame_of(0), OFF, BLUE)
    shown = hasty.step(frame_of(0), OFF, BLUE)

    assert held_back is None
    assert shown is not None
    assert self_test.sizes == [(WIDTH, HEIGHT)]


def test_films_and_python_show_it_at_once(engine: Engine) -> None:
    stream = Stream()
    stream.use(engine)
    engine.alpha = 255

    assert stream.step(frame_of(0), OFF, BLUE) is not None


def test_what_is_held_back_is_no_last_picture(engine: Engine) -> None:
    """Another engine would show at once whom nobody has seen yet."""
    stream = Stream(SelfTests(), hold_s=1000)
    stream.use(engine)
    stepped(stream, frame_of(0))
    engine.alpha = 255
    assert stream.step(frame_of(1), OFF, BLUE) is None
    assert stream.matte is not None and (stream.matte.alpha == 255).all()
    other = Engine()
    stream.use(other)

    stream.step(frame_of(2), OFF, BLUE)

    assert other.resets == [None]


NOBODY = np.zeros((HEIGHT, WIDTH), np.float32)
EVERYBODY = np.ones((HEIGHT, WIDTH), np.float32)
CLOSE = View(0.25, 0.25, 0.5)


class Shows(Effect[Any]):
    """Does what the test says."""

    change = MatteEdit()

    def is_on(self, frame: FrameContext) -> bool:
        return True

    def edit(self, frame: FrameContext, seen: SeenFrame) -> MatteEdit:
        return self.change


@pytest.fixture
def shows(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setattr(table, "EFFECTS", (Shows,))
    return monkeypatch


def test_before_the_first_picture_the_whole_frame_counts_as_shown() -> None:
    stream = Stream()

    assert stream.view == WHOLE_VIEW
    assert not stream.hides_everybody
    assert stream.matte is None


def test_the_status_tells_the_view_and_whether_nobody_is_shown(
    engine: Engine, shows: pytest.MonkeyPatch
) -> None:
    stream = Stream()
    stream.use(engine)

    shows.setattr(Shows, "change", MatteEdit(view=CLOSE))
    close = stepped(stream, frame_of(0))
    view = stream.view
    shows.setattr(Shows, "change", MatteEdit(NOBODY))
    stepped(stream, frame_of(1))
    hides_everybody = stream.hides_everybody
    shows.setattr(Shows, "change", MatteEdit(EVERYBODY))
    stepped(stream, frame_of(2))

    assert view == CLOSE
    assert close.frame is not None and close.frame.whole is not None
    assert hides_everybody
    assert not stream.hides_everybody
    assert stream.view == WHOLE_VIEW


def test_another_engine_gets_the_matte_of_the_whole_frame(
    engine: Engine, shows: pytest.MonkeyPatch
) -> None:
    """The picture shows a part of it, enlarged."""
    stream = Stream()
    stream.use(engine)
    whole = stepped(stream, frame_of(0)).alpha
    shows.setattr(Shows, "change", MatteEdit(view=CLOSE))
    close = stepped(stream, frame_of(1)).alpha
    other = Engine()
    stream.use(other)

    stepped(stream, frame_of(2))

    (seen,) = other.resets
    assert seen is not None and whole is not None
    np.testing.assert_array_equal(seen, whole)
    assert close is not None and not np.array_equal(seen, close)


def test_an_effect_knows_time_and_source_of_the_frame(
    engine: Engine, shows: pytest.MonkeyPatch
) -> None:
    seen: list[FrameContext] = []

    def note(_effect: Shows, frame: FrameContext, _last: object, *, was_on: bool) -> None:
        seen.append(frame)

    shows.setattr(Shows, "begin_frame", note)
    stream = Stream()
    stream.use(engine)

    stepped(stream, frame_of(3))

    (context,) = seen
    assert (context.time_s, context.size, context.camera) == (0.1, (WIDTH, HEIGHT), "")
    assert context.settings is OFF
    assert context.backdrop is BLUE
