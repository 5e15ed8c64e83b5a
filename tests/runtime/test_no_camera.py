"""Without a camera the outputs show a card, until one comes; the demonstration is for the user alone."""

from __future__ import annotations

import numpy as np
import pytest

from app.compositing.standby import NO_CAMERA_TEXT, StandbyCard
from app.core.errors import SourceOpenError
from app.core.settings import BackgroundSettings, Settings
from app.core.types import Frame, Picture, PictureKind
from app.privacy.gate import may_leave, may_show
from app.runtime.pipeline import Pipeline
from app.runtime.status import Phase
from app.testing.parts import room_picture
from tests.fakes.world import BASE, IMPATIENT, Desk, composites, kinds, running, shown
from tests.waiting import eventually

AUTO = BASE.replace(capture=BASE.capture.replace(source="auto"))
DEMO = BASE.replace(capture=BASE.capture.replace(source="demo"))
NONE = AUTO.replace(background=BackgroundSettings(kind="none"))


def shows_no_camera(desk: Desk) -> bool:
    picture = desk.newest()
    card = StandbyCard(NO_CAMERA_TEXT).image(*picture.size)
    return picture.kind is PictureKind.STANDBY and np.array_equal(picture.image, card)


def goes_out(desk: Desk, pipeline: Pipeline) -> None:
    """The camera has come, and its composites leave."""
    eventually(lambda: desk.newest().kind is PictureKind.COMPOSITE)
    status = pipeline.status()
    assert (status.phase, status.problems) == (Phase.RUNNING, ())
    assert status.source is not None and status.source.kind == "camera"


@pytest.mark.parametrize("settings", [AUTO, NONE], ids=["matted", "background none"])
def test_where_the_preview_is_seen_it_shows_the_demonstration_and_others_see_a_card(settings: Settings) -> None:
    desk = Desk()
    with running(desk, settings, IMPATIENT) as pipeline:
        pipeline.demand.watched = True
        picture = shown(pipeline)
        assert picture.frame is not None and picture.frame.synthetic
        eventually(lambda: shows_no_camera(desk))
        status = pipeline.status()
        assert (status.phase, status.problems, status.unmatted) == (Phase.NO_CAMERA, (), False)
        assert pipeline.release(picture).kind is PictureKind.STANDBY, "a snapshot"
        desk.camera = True
        eventually(lambda: desk.newest().kind is not PictureKind.STANDBY)
        sent = {picture.frame.synthetic for picture in desk.pictures() if picture.frame is not None}
        assert sent == {False} and desk.demonstrations == 1


def test_a_run_that_nobody_sees_has_no_demonstration() -> None:
    desk = Desk()
    with running(desk, AUTO, IMPATIENT) as pipeline:
        eventually(lambda: shows_no_camera(desk))
        (problem,) = pipeline.status().problems
        assert problem.message == "No camera was found; connect one." and pipeline.status().phase is Phase.NO_CAMERA
        assert kinds(desk) == {PictureKind.STANDBY}
        desk.plug_in()
        goes_out(desk, pipeline)
        for _ in range(2):
            desk.unplug()
            eventually(lambda: shows_no_camera(desk))
            desk.plug_in()
            goes_out(desk, pipeline)
    assert not desk.demonstrations


def test_the_demonstration_ends_while_the_window_is_hidden() -> None:
    desk = Desk()
    with running(desk, AUTO, IMPATIENT) as pipeline:
        for number in (1, 2):
            pipeline.demand.watched = True
            eventually(lambda: pipeline.status().source is not None)
            pipeline.demand.watched = False
            eventually(lambda: pipeline.status().source is None)
            assert desk.demonstrations == number
    assert kinds(desk) == {PictureKind.STANDBY}


def test_the_demonstration_leaves_only_while_it_is_the_chosen_source() -> None:
    desk = Desk()
    with running(desk, DEMO, IMPATIENT) as pipeline:
        pipeline.demand.watched = True
        composites(pipeline)
        eventually(lambda: desk.newest().kind is PictureKind.COMPOSITE)
        (sink,) = desk.sinks
        pipeline.change(lambda _: AUTO)
        changed = len(sink.pictures) + 1  # one may be on its way
        eventually(lambda: shows_no_camera(desk))
        assert {picture.kind for picture in sink.pictures[changed:]} == {PictureKind.STANDBY}
        pipeline.change(lambda _: DEMO)
        eventually(lambda: desk.newest().kind is PictureKind.COMPOSITE)


def test_any_camera_replaces_a_film_also_before_it_comes() -> None:
    film = BASE.replace(capture=BASE.capture.replace(source="film.mp4"))
    desk = Desk()
    with running(desk, film, IMPATIENT) as pipeline:
        composites(pipeline)
        pipeline.change(lambda _: AUTO)
        eventually(lambda: shows_no_camera(desk))
        desk.plug_in()
        goes_out(desk, pipeline)


def test_a_camera_that_is_named_is_not_replaced_by_the_demonstration() -> None:
    desk = Desk()
    with running(desk, AUTO, IMPATIENT) as pipeline:
        pipeline.demand.watched = True
        eventually(lambda: pipeline.status().source is not None)
        pipeline.change(lambda _: BASE)
        eventually(lambda: pipeline.status().source is None)
        eventually(lambda: shows_no_camera(desk))
        assert [problem.message for problem in pipeline.status().problems] == ["No camera was found; connect one."]


def test_a_camera_in_use_elsewhere_is_not_called_missing() -> None:
    desk = Desk()
    with running(desk, AUTO, IMPATIENT) as pipeline:
        eventually(lambda: shows_no_camera(desk))
        desk.plug_in()
        desk.faults.put("open_source", SourceOpenError("It is in use."))
        eventually(lambda: pipeline.status().phase is Phase.WAITING)
        eventually(lambda: not shows_no_camera(desk))


def test_a_demonstration_that_does_not_open_leaves_the_card() -> None:
    desk = Desk()
    desk.faults.put("open_source", SourceOpenError("The photo is missing."))
    with running(desk, AUTO, IMPATIENT) as pipeline:
        pipeline.demand.watched = True
        eventually(lambda: shows_no_camera(desk))
        eventually(lambda: bool(pipeline.status().problems))


def test_the_gate_alone_decides_where_the_demonstration_goes() -> None:
    frame = Frame(room_picture(), 0, 0.0, synthetic=True)
    for kind in (PictureKind.COMPOSITE, PictureKind.UNMATTED):
        for source, leaves in (("auto", False), ("camera:0", False), ("demo", True), ("demo:empty", True)):
            settings = NONE.replace(capture=NONE.capture.replace(source=source))
            picture = Picture(frame.image, kind, frame=frame)
            assert may_leave(picture, settings) is leaves and may_show(picture, settings)
            assert not may_show(picture, settings.replace(paused=True))
