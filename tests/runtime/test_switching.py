"""A running pipeline: what reaches outputs, preview and listeners, changes of settings, backgrounds and files."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import cv2
import numpy as np
import pytest

from app.backgrounds import Background, open_background
from app.core.declaration import Model
from app.core.errors import BackgroundError, Stage
from app.core.settings import BackgroundSettings
from app.core.types import AlphaImage, BgrImage, BlurredBackground, Frame, Picture
from app.media.video_input import VideoInput
from app.runtime.backdrops import PLAIN_GREY, Backdrops
from app.runtime.context import PipelineContext
from app.runtime.pipeline import Pipeline
from app.settings import Settings, SettingsOwner, rebase
from mattecam.testing import FakeEngine
from tests.backgrounds.files import colour_number, flat, write, write_video
from tests.fakes.states import has_problems, knows_newest_settings
from tests.fakes.world import BASE, NONE, FakeWorld, apply, composites, live, running, shown
from tests.stand_ins import always, replacing, replacing_at
from tests.waiting import beside, eventually, eventually_is, no_longer


def test_no_settings_are_made_for_a_frame(
    monkeypatch: pytest.MonkeyPatch,
    world: FakeWorld,
) -> None:
    """To validate them takes too long for each frame; capture did it, and matting until the background was open."""
    made: list[str] = []
    replace = Model.replace

    def noted(self: Model, **changes: Any) -> Model:
        made.append(f"{threading.current_thread().name}: {changes}")
        return replace(self, **changes)

    with live(world) as pipeline:
        for settings in (BASE, BASE.replaced_at(["background"], colour="#010203")):
            apply(pipeline, settings)
            eventually_is(settings is not BASE, has_problems, pipeline)
            with monkeypatch.context() as patched:
                patched.setattr(Model, "replace", noted)
                composites(pipeline, 10)
            assert not made
            world.faults.put("open_background", BackgroundError("The picture is missing."))


def test_mirror_flips_the_output_alone(world: FakeWorld) -> None:
    previews: list[Picture] = []

    def pairs() -> list[tuple[Picture, Picture]]:
        """Previews, and what was sent of the same frame."""
        previews.append(shown(pipeline))
        return [
            (one, other)
            for one in previews
            for other in world.pictures()
            if other.frame is one.frame
        ]

    with live(world, BASE.replace(output=BASE.output.replace(mirror=True))) as pipeline:
        eventually(pairs)
        preview, sent = pairs()[0]
    assert preview.alpha is not None and sent.alpha is not None
    assert np.array_equal(sent.image[:, ::-1], preview.image) and np.array_equal(
        sent.alpha[:, ::-1], preview.alpha
    )


def test_no_change_of_several_threads_is_lost_and_an_equal_value_is_none() -> None:
    owner = SettingsOwner(BASE)
    notified = list[bool]()
    owner.listen(partial(notified.append, True))

    def rise(settings: Settings) -> Settings:
        return settings.replaced_at(["capture"], width=settings.capture.width + 1)

    def rise_often() -> None:
        for _ in range(50):
            owner.change(rise)

    for rises in [beside(rise_often) for _ in range(4)]:
        rises.result(60)
    assert owner.change(replacing(paused=False)) is owner.current
    assert (
        owner.current.capture.width
        == BASE.capture.width + 200
        == BASE.capture.width + len(notified)
    )


def test_a_stale_snapshot_cannot_undo_a_privacy_command() -> None:
    """The window edits what it saw before `pause` and before "none" was left."""
    owner = SettingsOwner(NONE)
    edited = NONE.replaced_at(["matting"], downsample_ratio=0.3).replaced_at(
        ["background"],
        blur_strength=10,
    )
    wanted = BASE.replace(paused=True, background=BackgroundSettings(kind="blur"))
    owner.change(always(wanted))

    def rebased(settings: Settings) -> Settings:
        return rebase(settings, NONE, edited)

    merged = owner.change(rebased)
    assert merged == wanted.replaced_at(["matting"], downsample_ratio=0.3).replaced_at(
        ["background"], blur_strength=10
    )


def test_a_new_engine_is_told_who_is_in_the_picture_but_nobody_after_another_frame(
    world: FakeWorld,
) -> None:
    known: list[bool] = []

    class Engine(FakeEngine):
        def reset(self, seen: AlphaImage | None = None) -> None:
            known.append(seen is not None and bool(seen.any()))

    def knows_the_person() -> bool:
        return known[-1]

    def known_since(reset: int) -> list[bool]:
        return known[reset:]

    world.engine = Engine
    with live(world) as pipeline:
        assert known[-1] is False, "the first engine of a stream knows nobody"
        pipeline.change(replacing_at(["matting"], downsample_ratio=0.25))
        eventually(knows_the_person)
        composites(pipeline)
        for change in (
            {"paused": True},
            {"frozen": True},
            {"background": BackgroundSettings(kind="none")},
        ):
            resets = len(known)
            apply(pipeline, BASE.replace(**change))
            eventually(knows_newest_settings, pipeline)
            apply(pipeline, BASE)
            composites(pipeline)
            assert known[resets:] == [False], change
        resets = len(known)
        apply(pipeline, BASE.replaced_at(["capture"], flip=True))  # another stream
        eventually_is([False], known_since, resets)


def has_two_problems(pipeline: Pipeline) -> bool:
    return len(pipeline.status().problems) == 2


def test_a_retry_reads_the_files_again_that_were_missing_or_changed(
    tmp_path: Path,
    world: FakeWorld,
) -> None:
    """It tried cameras and engines alone, so that *Try again* did nothing for a card."""
    files = [tmp_path / f"{name}.png" for name in ("background", "card")]
    opened = list[bool]()
    settings = BASE.replace(
        background=BackgroundSettings(kind="image", path=files[0]),
        output=BASE.output.replace(standby_image=files[1]),
    )

    def shows(grey: int) -> bool:
        return tuple(world.newest().image[0, 0]) == (grey,) * 3

    with running(world, settings) as pipeline:
        eventually(has_two_problems, pipeline)
        for file, grey in zip(files, (200, 50), strict=True):
            write(file, flat((grey,) * 3))
        pipeline.retry()
        no_longer(has_problems, pipeline)
        eventually(shows, 200)
        world.faults.put("open_background", partial(opened.append, True))
        pipeline.retry()
        composites(pipeline, 10)
        assert not opened, "a video would begin anew"
        write(files[0], flat((80, 80, 80)))
        pipeline.retry()
        eventually(shows, 80)
        apply(pipeline, settings.replace(paused=True))
        eventually(shows, 50)


BLACK, WHITE = (
    BackgroundSettings(kind="colour", colour=colour) for colour in ("#000000", "#ffffff")
)
FRAME = Frame(np.zeros((90, 160, 3), np.uint8), 0, 0.0)


class Opened:
    """Backdrops with a real builder, and what was opened."""

    def __init__(self) -> None:
        self.requests: list[BackgroundSettings] = []
        # What holds the opening of a file.
        self.gates: dict[Path | None, threading.Event] = {}
        context = PipelineContext(
            SettingsOwner(BASE),
            replace(FakeWorld().parts(), open_background=self._open),
        )
        self.board = context.board
        self.backdrops = Backdrops(context)
        self.backdrops.builder.start()

    def _open(self, settings: BackgroundSettings) -> Background:
        self.requests.append(settings)
        if settings.path in self.gates:
            assert self.gates[settings.path].wait(60)
        return open_background(settings)

    def last_request(self) -> BackgroundSettings:
        return self.requests[-1]

    def has_outcome(self) -> bool:
        return self.backdrops.builder.outcome is not None

    def shown(self, settings: BackgroundSettings) -> BgrImage:
        self.backdrops.update(settings)
        image = self.backdrops.backdrop(FRAME, settings, 0.0)[0]
        assert isinstance(image, np.ndarray)
        return image

    def shows(self, settings: BackgroundSettings, holds: Callable[[BgrImage], bool]) -> bool:
        return holds(self.shown(settings))

    def use(self, settings: BackgroundSettings, holds: Callable[[BgrImage], bool]) -> None:
        eventually(self.shows, settings, holds)


@pytest.fixture
def opened() -> Iterator[Opened]:
    made = Opened()
    yield made
    made.backdrops.close()
    assert made.backdrops.builder.stop(60)


def is_white(image: BgrImage) -> bool:
    return bool((image == 255).all())


def is_black(image: BgrImage) -> bool:
    return not image.any()


def is_grey(image: BgrImage) -> bool:
    return bool((image == 90).all())


def is_mid_grey(image: BgrImage) -> bool:
    """Whether the middle of the image is about half as bright as white."""
    return bool(100 < image[45, 80, 0] < 155)


def is_first_colour(image: BgrImage) -> bool:
    return colour_number(image) == 0


def test_a_new_view_opens_nothing_and_is_shown_at_once(opened: Opened, tmp_path: Path) -> None:
    ramp = np.tile(np.linspace(0, 255, 640, dtype=np.uint8)[None, :, None], (90, 1, 3))
    middle = BackgroundSettings(kind="image", path=write(tmp_path / "wide.png", ramp))
    opened.use(middle, is_mid_grey)
    for pan, low, high in ((-1, 0, 60), (1, 195, 255)):
        assert low <= opened.shown(middle.replace(pan_x=pan))[45, 80, 0] <= high
    assert opened.shown(middle.replace(fit="fit"))[45, 0, 0] < 10
    assert len(opened.requests) == 1
    opened.use(WHITE, is_white)
    assert len(opened.requests) == 2


@pytest.mark.parametrize(
    "rewind", [Mock(return_value=False), Mock(side_effect=cv2.error("no memory"))]
)
def test_a_video_that_stops_is_reported_until_it_is_left_and_keeps_its_last_frame(
    rewind: Mock, opened: Opened, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stood still, and nobody was told."""
    # Its drive is gone, or something that nobody foresaw.
    monkeypatch.setattr(
        VideoInput,
        "rewind",
        rewind,
    )
    video = BackgroundSettings(kind="video", path=write_video(tmp_path / "film.mp4", frames=2))

    def shows_a_frame_and_says_why() -> bool:
        return bool(opened.shown(video).any() and opened.board.read().problems)

    opened.use(video, is_first_colour)
    eventually(shows_a_frame_and_says_why)
    (problem,) = opened.board.read().problems
    assert problem.stage is Stage.BACKGROUND and "film.mp4 can no longer be read" in problem.message
    assert not (opened.shown(video) == PLAIN_GREY).all()
    opened.backdrops.update(video.replace(kind="none"))
    assert not opened.board.read().problems


def test_what_was_left_is_never_shown(opened: Opened, tmp_path: Path) -> None:
    left, wanted = (
        BackgroundSettings(kind="image", path=write(tmp_path / f"{grey}.png", flat((grey,) * 3)))
        for grey in (255, 90)
    )
    opened.use(BLACK, is_black)
    opened.gates = {each.path: threading.Event() for each in (left, wanted)}
    opened.backdrops.update(left)
    eventually_is(left, opened.last_request)
    opened.backdrops.update(wanted)

    opened.gates[left.path].set()

    eventually_is(wanted, opened.last_request)
    assert not opened.shown(wanted).any()
    opened.gates[wanted.path].set()
    opened.use(wanted, is_grey)


def test_a_colour_and_a_blur_are_in_use_from_the_next_frame_on(opened: Opened) -> None:
    """They were opened on a thread, as files are, so that plain grey or the last colour was shown meanwhile."""
    for blue in range(5):
        image = opened.shown(BLACK.replace(colour=f"#0000{blue:02x}"))
        assert image[0, 0].tolist() == [blue, 0, 0]

    room = BackgroundSettings(kind="blur", blur_strength=30)
    opened.backdrops.update(room)
    backdrop, _ = opened.backdrops.backdrop(FRAME, room, 0.0)

    assert backdrop == BlurredBackground(30)
    assert opened.backdrops.decided and not opened.backdrops.pending


def test_a_colour_is_shown_although_a_file_is_still_being_opened(
    opened: Opened,
    tmp_path: Path,
) -> None:
    file = BackgroundSettings(kind="image", path=write(tmp_path / "wall.png", flat((90, 90, 90))))
    opened.gates = {file.path: threading.Event()}
    opened.backdrops.update(file)
    eventually_is([file], list, opened.requests)

    assert (opened.shown(WHITE) == 255).all()

    assert not opened.backdrops.pending
    opened.gates[file.path].set()
    eventually(opened.has_outcome)
    assert (opened.shown(WHITE) == 255).all()
