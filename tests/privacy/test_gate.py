"""Everything that leaves passes one gate; composites and mattes that cannot be right do not."""

from __future__ import annotations

import ast
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from app.capture.demo import DemoSource
from app.core.errors import ModelError
from app.core.settings import EdgeSettings, EngineSettings
from app.core.types import Backdrop, BgrImage, BlurredBackground, Frame, Matte, Picture, PictureKind
from app.matting import build_engine
from app.matting.interface import StepRequest
from app.privacy.gate import Gate, may_leave, may_show
from app.privacy.plausibility import IMAGE_ROW_STEP, MAX_ROUNDING, SATURATED, MatteCheck
from app.runtime.backdrops import StandbyPictures
from app.runtime.context import Timing
from app.runtime.self_test import self_test
from app.runtime.status import StatusBoard
from app.settings import Settings, SettingsOwner
from mattecam.testing import room_picture, shows_room
from tests.architecture.source import attributes, calls, naming
from tests.fakes.world import BASE, NONE, FakeWorld, Hold, apply, composites, ignore, running
from tests.waiting import eventually

MAY_RELEASE = {
    "app.privacy.gate": "the gate itself",
    "app.doctor.proof": "colour bars, nothing of the camera",
}
MAY_WRITE_PICTURES = {
    "app.media.image_file": "the function itself",
    "app.output.base": "a snapshot, released by the gate",
    "app.offline.files": "converting a file that the user names",
    "app.matting.plate.picture": "the plate, which the user asks for by name",
    "app.gui.backgrounds.library": "an image that the user pastes as a background",
}


@pytest.mark.parametrize("paused", [False, True])
@pytest.mark.parametrize("kind", ["none", "blur", "colour"])
@pytest.mark.parametrize("shows", PictureKind)
def test_what_may_leave(shows: PictureKind, kind: str, paused: bool) -> None:
    settings = Settings.model_validate({"background": {"kind": kind}, "paused": paused})
    allowed = {PictureKind.STANDBY}
    if not paused:
        allowed |= {PictureKind.COMPOSITE} | ({PictureKind.UNMATTED} if kind == "none" else set())
    picture = Picture(room_picture(), shows)
    assert may_leave(picture, settings) == (shows in allowed)
    demonstration = replace(picture, frame=Frame(picture.image, 0, 0.0, synthetic=True))
    for source, is_chosen in (("auto", False), ("camera:0", False), ("demo", True)):
        chosen = settings.replaced_at(["capture"], source=source)
        assert may_show(demonstration, chosen) == (shows in allowed)
        assert may_leave(demonstration, chosen) == (shows in allowed and is_chosen)


def test_what_may_not_leave_or_not_any_more_becomes_a_card_of_its_size() -> None:
    owner = SettingsOwner(NONE)
    gate = Gate(owner, StandbyPictures(StatusBoard()).card)
    picture = Picture(room_picture(80, 60), PictureKind.UNMATTED)
    frozen = BASE.replace(frozen=True)
    still = replace(picture, kind=PictureKind.COMPOSITE, hides=frozen.hides)
    assert gate.release(picture) is picture
    owner.current = frozen
    assert gate.release(still) is still
    for settings, hidden in (
        (BASE, picture),
        (frozen.replace(people=Settings().people.replace(only_me=True)), still),
    ):
        owner.current = settings
        card = gate.release(hidden)
        assert (
            card.kind is PictureKind.STANDBY
            and card.size == (80, 60)
            and not shows_room(card.image)
        )
    owner.current = NONE
    gate.block()
    assert gate.release(picture).kind is PictureKind.STANDBY, "blocked for good"


@pytest.mark.parametrize(
    "change", [{"paused": True}, {"background": BASE.background}], ids=["pause", "leave none"]
)
def test_a_sink_that_opens_slowly_gets_nothing_forbidden_since(
    change: dict[str, object], world: FakeWorld
) -> None:
    slow = Hold()
    world.faults.put("open_virtual_camera", slow)
    with running(world, NONE) as pipeline:
        assert slow.entered.wait(60)
        apply(pipeline, NONE.replace(**change))
        slow.go_on.set()
        eventually(world.has_sent, 10)
    assert not any(shows_room(picture.image) for picture in world.pictures())


def test_the_last_composite_is_repeated_for_the_stale_time_at_most(world: FakeWorld) -> None:
    """Also where steps take so long that four of them exceed it."""
    with running(world, BASE, Timing(stale_s=0.2)) as pipeline:
        world.faults.put("step", lambda: ignore(world.faults.release.wait(0.6)))
        composites(pipeline, 2)
        eventually(world.shows, PictureKind.COMPOSITE)
        world.faults.put(
            "step", lambda: world.faults.hang(120.0)
        )  # longer than is waited for the card
        eventually(world.shows, PictureKind.STANDBY)
        world.faults.heal()
        composites(pipeline)
    assert Timing().stale_s == 2.0, "the documented bound"


def _callers(function: str) -> set[str]:
    """Return the modules that call a function by its name."""
    return {
        name
        for name in naming(function)
        if any(isinstance(call.func, ast.Name) and call.func.id == function for call in calls(name))
    }


def test_only_the_gate_makes_outgoing_pictures() -> None:
    """Sinks take `Outgoing` alone, which the type checker holds; so here the constructor's callers are enough."""
    assert _callers("Outgoing") == set(MAY_RELEASE)


def test_only_these_modules_write_picture_files() -> None:
    writing = {name for name in _callers("write_picture") if name.startswith("app.")}
    assert writing <= set(MAY_WRITE_PICTURES)
    snapping = _callers("write_snapshot")
    assert snapping == {"app.gui.bridge", "app.cli.headless", "app.control.controller"}
    for name in snapping:
        released = {"release", "still"} & set(
            attributes(name)
        )  # `still` releases the newest picture
        assert released, f"{name} writes what the gate has not released"
    for encoder in ("imwrite", "imencode"):
        assert {name for name in naming(encoder) if encoder in attributes(name)} <= set(
            MAY_WRITE_PICTURES
        )


FRAME = np.random.default_rng(1).integers(0, 256, (96, 128, 3), np.uint8)
"""Has detail everywhere."""
BLURRED = np.full_like(FRAME, FRAME.mean(axis=(0, 1)).astype(np.uint8))
BLACK = np.zeros_like(FRAME)


def matte(composite: BgrImage, alpha: int = 0) -> Matte:
    return Matte(composite, np.full(FRAME.shape[:2], alpha, np.uint8))


def refuses(shown: Matte, backdrop: Backdrop = BLACK, frame: BgrImage = FRAME) -> bool:
    check = MatteCheck()
    try:
        for index in range(8):  # other rows are compared in each frame
            check.check(shown, Frame(frame, index, 0.0), backdrop)
    except ModelError:
        return True
    return False


@pytest.mark.parametrize(
    "composite",
    [FRAME, np.zeros((8, 8, 3), np.uint8), BLACK.astype(np.float32)],
    ids=["frame", "size", "type"],
)
def test_what_is_no_composite_of_the_frame_is_refused(composite: BgrImage) -> None:
    assert refuses(matte(composite, 255))


@pytest.mark.parametrize("alpha", [0, 1, 2, 100, 254])
def test_room_that_alpha_does_not_cover_is_refused(alpha: int) -> None:
    """Alpha 1 with the composite equal to the frame passed a check of the pixels where alpha is 0."""
    white = np.full_like(FRAME, 255)
    assert refuses(matte(white.copy(), alpha), frame=white) == (alpha < 255 - MAX_ROUNDING)


def test_room_between_the_points_of_a_grid_is_refused() -> None:
    for row, column in ((3, 5), (95, 127), (1, 0), (0, 1)):
        composite = BLACK.copy()
        composite[row, column] = 200
        assert refuses(matte(composite))
    grid = FRAME.copy()
    grid[::8, ::8] = 0
    assert refuses(matte(grid))


@pytest.mark.parametrize("frames", range(IMAGE_ROW_STEP))
def test_as_many_rows_of_the_room_as_the_step_are_refused_at_once(frames: int) -> None:
    check = MatteCheck()
    leaking = BLACK.copy()
    leaking[41 : 41 + IMAGE_ROW_STEP, 60] = 200
    for index in range(frames):
        check.check(matte(BLACK.copy()), Frame(FRAME, index, 0.0), BLACK)
    with pytest.raises(ModelError):
        check.check(matte(leaking), Frame(FRAME, frames, 0.0), BLACK)


@pytest.mark.parametrize("part", ["all of it", "one tile", "all but a grid"])
def test_a_copy_of_the_frame_as_blurred_room_is_refused(part: str) -> None:
    composite = FRAME.copy()
    if part == "one tile":
        composite[32:] = BLURRED[32:]
        composite[:, 32:] = BLURRED[:, 32:]
    elif part == "all but a grid":
        composite[::8, ::8] = 0

    assert refuses(matte(composite), BlurredBackground(50))


def test_what_blur_cannot_change_is_permitted() -> None:
    assert not refuses(matte(BLACK.copy()), BlurredBackground(0), BLACK), "a covered camera"
    assert not refuses(matte(BLURRED), BlurredBackground(0))
    assert not refuses(matte(FRAME.copy(), 255), BlurredBackground(0)), (
        "all person: the alpha watch's case"
    )


@pytest.mark.parametrize("executor", [pytest.param("eager", marks=pytest.mark.torch), "openvino"])
def test_real_composites_are_permitted(executor: str) -> None:
    settings = EngineSettings(
        model="mattecam", executor=executor, device="cpu", precision="float32"
    )
    backdrops: list[Backdrop] = [
        np.resize(FRAME, (180, 320, 3)),
        *map(BlurredBackground, (0.0, 50.0, 100.0)),
    ]
    with (
        closing(build_engine(settings, 320, 180)) as engine,
        closing(DemoSource(320, 180, 30.0, realtime=False)) as source,
    ):
        for edges in (
            EdgeSettings(),
            EdgeSettings(grow_px=4, feather_px=9, despill=1.0, contrast=0.5),
        ):
            check = MatteCheck()
            engine.reset()
            for backdrop in backdrops * 2:
                frame = source.read()
                assert frame is not None
                check.check(engine.step(StepRequest(frame.image, backdrop, edges)), frame, backdrop)
        self_test(engine, 320, 180)


SEQUENCE = (1, 1)
"""(source generation, engine number)"""


def never() -> None:
    raise AssertionError("there was nothing to test")


def shown(shares: list[float], test: Callable[[], object]) -> list[bool]:
    """Return of which mattes with these mean alphas, 30 a second, are shown."""
    watch = MatteCheck(0.5)
    return [
        watch.accepts_alpha(share, n / 30, SEQUENCE, lambda: ignore(test()))
        for n, share in enumerate(shares)
    ]


CLOSER = [0.3 + 0.7 * n / 60 for n in range(61)] + [1.0] * 60 + [0.96, 0.97, 1.0] * 20
MOVES = list(np.clip(0.4 + np.cumsum(np.random.default_rng(3).normal(0, 0.05, 3000)), 0, 0.95))


@pytest.mark.parametrize(
    ("shares", "expected", "tests"),
    [
        pytest.param(
            CLOSER, [True] * 181, 1, id="a person comes closer until the face fills the frame"
        ),
        pytest.param(MOVES, [True] * 3000, 0, id="ordinary movement"),
        pytest.param(
            [0.0, 0.55, 0.0, 0.59], [True] * 4, 0, id="someone enters at a low frame rate"
        ),
        pytest.param(
            [0.0] * 3 + [0.8] * 20,
            [True] * 3 + [False] * 15 + [True] * 5,
            1,
            id="a sudden rise that lasts",
        ),
        pytest.param(
            [0.0, 1.0] * 200, [True, False] * 200, 0, id="a flicker between nothing and all"
        ),
        pytest.param(
            [1.0] * 20, [False] * 15 + [True] * 5, 1, id="a first frame that is all person"
        ),
        pytest.param(  # the self-test resets the engine, and strict mode hides people until they move
            [0.0] + [0.8] * 16 + [0.0] * 5 + [0.8] * 5,
            [True] + [False] * 15 + [True] * 11,
            1,
            id="a person who reappears after a self-test",
        ),
    ],
)
def test_a_suspicious_alpha_has_to_last_and_is_tested(
    shares: list[float], expected: list[bool], tests: int
) -> None:
    tested: list[int] = []
    assert shown(shares, partial(tested.append, 1)) == expected
    assert len(tested) == tests


@pytest.mark.parametrize("shares", [[1.0] * 20, [0.9, SATURATED]])
def test_a_suspicious_alpha_of_an_engine_that_fails_its_test_is_refused(
    shares: list[float],
) -> None:
    def fails() -> None:
        raise ModelError("The model fails its self-test; choose another.")

    with pytest.raises(ModelError):
        shown(shares, fails)


def test_another_source_starts_anew_but_a_rise_with_the_first_frame_of_another_engine_has_to_last() -> (
    None
):
    """The watch began anew with every engine, so that the first matte of a broken one was shown."""
    watch = MatteCheck(0.5)
    tests = list[int]()
    assert watch.accepts_alpha(0.0, 0.0, (1, 1), never)
    assert watch.accepts_alpha(0.9, 0.03, (2, 1), never), "another source"
    watch = MatteCheck(0.5)
    assert watch.accepts_alpha(0.2, 0.0, (1, 1), never)
    assert not watch.accepts_alpha(0.9, 0.1, (1, 2), never)
    assert not watch.accepts_alpha(0.9, 0.5, (1, 3), never), "every engine has to prove itself"
    assert not watch.accepts_alpha(0.9, 0.9, (1, 3), never)
    assert watch.accepts_alpha(0.9, 1.1, (1, 3), partial(tests.append, 1))
    assert tests == [1] and watch.accepts_alpha(0.2, 1.2, (1, 3), never)
    assert not watch.accepts_alpha(0.9, 1.3, (1, 4), never), "that test was of another engine"
