"""The bridge between the threads of the pipeline and the GUI thread."""

from __future__ import annotations

import threading

from pytestqt.qtbot import QtBot

from app.core.settings import Settings
from app.core.stage import Stage
from app.gui.preview.rendering import ViewMode, ViewRequest
from app.gui.shell.application import Session
from app.gui.state.bridge import Bridge
from app.runtime.pipeline import Pipeline
from tests.fakes.world import FakeWorld
from tests.gui.conftest import QUIET
from tests.gui.widgets import existing
from tests.waiting import eventually


def test_at_most_one_frame_signal_is_pending(qtbot: QtBot, world: FakeWorld) -> None:
    bridge = Bridge(Pipeline(QUIET, parts=world.parts()))
    signals: list[int] = []
    bridge.frame_ready.connect(lambda: signals.append(1))
    bridge.request_view(ViewRequest(32, 24))
    bridge.start()
    try:
        # The event loop is blocked, as during a long paint.
        eventually(lambda: bridge.status.frames_out > 10)
        qtbot.waitUntil(lambda: bool(signals))
        frames = bridge.status.frames_out
        qtbot.waitUntil(lambda: bridge.status.frames_out > frames + 10)
        assert len(signals) == 1, "no second signal before the image is taken"
        image, _shows_room = existing(bridge.take_image())
        assert (image.width(), image.height()) == (32, 24)
        qtbot.waitUntil(lambda: len(signals) == 2)
    finally:
        assert bridge.stop()


def test_nothing_is_rendered_without_a_request(qtbot: QtBot, world: FakeWorld) -> None:
    pipeline = Pipeline(QUIET, parts=world.parts())
    bridge = Bridge(pipeline)
    bridge.request_view(None)
    bridge.start()
    try:
        eventually(lambda: bridge.status.frames_out > 10)
        assert bridge.take_image() is None
        assert (pipeline.demand.watched, pipeline.demand.want_foreground) == (False, False)
        assert bridge.picture is not None, "snapshots do not need a view"
        bridge.request_view(ViewRequest(32, 24, ViewMode.FOREGROUND))
        assert (pipeline.demand.watched, pipeline.demand.want_foreground) == (True, True)
        qtbot.waitUntil(lambda: bridge.take_image() is not None)
    finally:
        assert bridge.stop()


def test_new_view_is_rendered_without_a_new_frame(session: Session, qtbot: QtBot) -> None:
    # The stand-by card has no matte.
    qtbot.waitUntil(lambda: session.bridge.picture is not None and session.bridge.picture.alpha is not None)
    qtbot.waitUntil(lambda: session.window.preview.image is not None)
    session.store.set_frozen(True)
    qtbot.wait(300)
    before = existing(session.window.preview.image)
    session.window.action_bar.set_mode(ViewMode.MATTE)
    qtbot.waitUntil(lambda: session.window.preview.image != before)


def test_stop_before_start(qtbot: QtBot, world: FakeWorld) -> None:
    bridge = Bridge(Pipeline(Settings(), parts=world.parts()))
    assert bridge.stop()
    assert threading.active_count() >= 1


def test_the_window_has_its_own_threads_watched(session: Session, qtbot: QtBot) -> None:
    dead = threading.Event()
    session.pipeline.watch("remote", Stage.SETTINGS, dead.is_set)
    qtbot.wait(150)
    assert not session.bridge.status.problems
    dead.set()
    qtbot.waitUntil(lambda: any("remote thread" in problem.message for problem in session.bridge.status.problems))
