"""Start, saving and end of the window."""

from __future__ import annotations

import os
import signal
import threading

import numpy as np
import pytest
from PyQt6.QtCore import QLocale, QSize, QTimer
from PyQt6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.compositing.standby import StandbyCard
from app.config import settings_file
from app.core.settings import BackgroundSettings
from app.core.text import t
from app.core.types import PictureKind
from app.gui.shell.application import Session, WindowOptions, run_window
from app.gui.shell.lifecycle import SingleInstance
from app.runtime.status import Phase, PipelineStatus
from app.testing.parts import FakeEngine
from tests.fakes.world import FakeWorld
from tests.gui.conftest import QUIET, StartWindow
from tests.gui.widgets import button, existing, translate


def test_window_stops_after_the_given_frames(qtbot: QtBot, world: FakeWorld, machine: object) -> None:
    last: list[PipelineStatus] = []
    assert run_window(QUIET, WindowOptions(frames=5, parts=world.parts(), on_finished=last.append)) == 0
    assert last[0].frames_out == 5, "frames that were ready before the end was noticed went out too"


def test_the_seconds_of_a_run_count_from_its_first_frame(qtbot: QtBot, world: FakeWorld, machine: object) -> None:
    """They counted from the start of the window, so that a run on a slow machine ended before its first frame."""
    ready, last = threading.Event(), list[PipelineStatus]()

    def wait() -> None:
        assert ready.wait(60)

    world.faults.put("build_engine", wait)
    QTimer.singleShot(600, ready.set)  # long after the seconds
    options = WindowOptions(seconds=0.1, parts=world.parts(), on_finished=last.append, persist=False)
    assert run_window(QUIET, options) == 0
    assert last[0].phase is Phase.STOPPED and last[0].frames_out > 0
    assert FakeEngine.live == 0
    assert not settings_file.default_path().exists(), "nothing is written without persistence"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no signals of this kind")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_signals_end_the_window_cleanly(qtbot: QtBot, world: FakeWorld, machine: object, name: str) -> None:
    number = getattr(signal, name)
    inherited = signal.signal(number, signal.SIG_DFL)  # under nohup SIGHUP is ignored, and does not end the window
    try:
        QTimer.singleShot(100, lambda: os.kill(os.getpid(), number))
        assert run_window(QUIET, WindowOptions(frames=10**9, parts=world.parts())) == 130
        assert signal.getsignal(number) is signal.SIG_DFL
    finally:
        signal.signal(number, inherited)
    assert FakeEngine.live == 0


def test_settings_are_saved_shortly_after_a_change_and_at_the_end(session: Session, qtbot: QtBot) -> None:
    path = settings_file.default_path()
    for strength in range(70, 90):
        session.store.edit("background", blur_strength=strength)
    assert not path.exists(), "changes in quick succession are one write"
    qtbot.waitUntil(path.exists)
    assert settings_file.load(path)[0].background.blur_strength == 89
    assert settings_file.load(path)[0].output == session.pipeline.settings.output
    session.store.edit("window", mirror_preview=False)
    assert session.close() == 0
    assert not settings_file.load(path)[0].window.mirror_preview


def test_a_second_start_raises_the_first(
    session: Session, qtbot: QtBot, world: FakeWorld, caplog: pytest.LogCaptureFixture
) -> None:
    first = SingleInstance()
    assert first.claim()
    try:
        with qtbot.waitSignal(first.raised):
            assert run_window(QUIET, WindowOptions(parts=world.parts())) == 0
        assert "already running" in caplog.text
    finally:
        first.release()
    second = SingleInstance()
    assert second.claim(), "released by the first instance"
    second.release()


def test_a_warning_of_the_start_is_shown_and_translated(
    start_window: StartWindow, world: FakeWorld, qapp: QApplication
) -> None:
    settings_file.default_path().parent.mkdir(parents=True, exist_ok=True)
    settings_file.default_path().write_text("{")
    _, warning = settings_file.load(settings_file.default_path())
    assert warning is not None
    missing = t(
        "The saved model {model} is not installed; {bundled} is used instead⟦ (`python3 run.py weights download "
        "{model}` installs it)⟧.",
        model="u2net",
        bundled="mattecam",
    )
    both = t("{first} {second}", first=warning, second=missing)
    with translate(qapp, QLocale("de")):
        text = start_window(options=WindowOptions(parts=world.parts(), warning=both)).window.notices.error
    assert "ist nicht verwendbar" in text
    assert "Das gespeicherte Modell „Gegenstände“ ist nicht installiert" in text


def test_the_card_speaks_the_language_of_the_window(
    start_window: StartWindow, qtbot: QtBot, qapp: QApplication
) -> None:
    with translate(qapp, QLocale("de")):
        session = start_window(QUIET.replace(paused=True))
        expected = StandbyCard("Einen Moment, bitte")

        def is_german() -> bool:
            picture = session.bridge.picture
            return picture is not None and np.array_equal(
                picture.image, expected.image(picture.image.shape[1], picture.image.shape[0])
            )

        qtbot.waitUntil(is_german)


def test_window_size_is_restored(start_window: StartWindow, qtbot: QtBot) -> None:
    session = start_window()
    room = existing(session.window.screen()).availableSize() - QSize(40, 40)  # Qt keeps restored windows inside
    session.window.resize(QSize(1000, 640).boundedTo(room))
    wanted = session.window.size()
    session.close()
    again = start_window(window=session.store.current.window)
    assert again.window.size() == wanted


UNMATTED = QUIET.replace(
    background=BackgroundSettings(kind="none"), output=QUIET.output.replace(virtual_camera="/dev/video10")
)


def test_a_saved_background_none_starts_paused_and_asks(
    start_window: StartWindow, qtbot: QtBot, world: FakeWorld
) -> None:
    session = start_window(UNMATTED)
    qtbot.waitUntil(lambda: session.bridge.status.phase is Phase.PAUSED)
    notices = session.window.notices
    assert "Paused: the saved background is “None”" in notices.text_of("unmattedStartNotice")
    qtbot.waitUntil(lambda: bool(world.pictures()))
    assert not any(picture.kind is PictureKind.UNMATTED for picture in world.pictures())
    button(session, "unmattedStartNoticeAction1").click()
    qtbot.waitUntil(lambda: session.window.overlay.unmatted.isVisible())
    assert not notices.texts
    assert not session.store.saved.paused


def test_the_question_about_the_background_none_offers_the_blur(start_window: StartWindow, qtbot: QtBot) -> None:
    session = start_window(UNMATTED)
    button(session, "unmattedStartNoticeAction0").click()
    assert session.pipeline.settings.background.kind == "blur"
    assert not session.pipeline.settings.paused
    assert not session.window.notices.texts


def test_the_question_about_the_background_none_that_is_settled_does_not_come_back(start_window: StartWindow) -> None:
    """It came back with a pause of the user."""
    session = start_window(UNMATTED)
    button(session, "unmattedStartNoticeAction1").click()
    session.store.set("paused", True)
    assert not session.window.notices.text_of("unmattedStartNotice")


def test_the_background_none_chosen_by_name_for_this_run_is_used_at_once(
    start_window: StartWindow, qtbot: QtBot, world: FakeWorld
) -> None:
    session = start_window(UNMATTED, options=WindowOptions(parts=world.parts(), unmatted_confirmed=True))
    qtbot.waitUntil(lambda: session.window.overlay.unmatted.isVisible())
    assert not session.window.notices.texts


def test_window_hides_at_once_while_an_engine_is_being_built(
    start_window: StartWindow, qtbot: QtBot, world: FakeWorld
) -> None:
    making, made = threading.Event(), threading.Event()

    def slow() -> None:
        making.set()
        made.wait(100)

    world.faults.put("build_engine", slow)
    session = start_window()
    session.window.windows.open_log()
    assert making.wait(60)
    session.window.quit_requested.emit()
    assert not made.is_set() and not any(widget.isVisible() for widget in QApplication.topLevelWidgets())
    timer = threading.Timer(0.5, made.set)
    timer.start()
    assert session.close() == 0
    assert made.is_set(), "close joined every thread"
    timer.join()
    assert FakeEngine.live == 0
