"""The window starts, saves what the user changed, hides, goes to the tray and ends, whatever is going on."""

from __future__ import annotations

import ast
import hashlib
import json
import os
import re
import signal
import socket
import sys
import threading
from operator import attrgetter
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest
from PyQt6.QtCore import QTimer
from PyQt6.QtWidgets import QApplication, QLabel, QSystemTrayIcon
from pytestqt.qtbot import QtBot

from app.backgrounds.standby import draw_card
from app.config import settings_file
from app.control.commands import Command
from app.control.transport import ask
from app.core import paths
from app.core.settings import BackgroundSettings, WindowSettings
from app.core.types import PictureKind
from app.gui.application import Session, WindowOptions, make_application, run_window
from app.gui.assistant import Assistant
from app.gui.main_window import MainWindow
from app.gui.panels.plate import PlateDialog
from app.gui.state import THREADS
from app.runtime.status import Phase, PipelineStatus
from app.settings import Settings
from mattecam.testing import FakeEngine
from tests.fakes.world import FakeWorld, Hold
from tests.gui.conftest import GERMAN, MODELS, ON_DEVICE, QUIET, Downloads, StartWindow
from tests.gui.widgets import (
    bring_up,
    button,
    find,
    full,
    has_dialog,
    has_error,
    has_notice,
    has_scenes,
    has_sent,
    in_phase,
    made_store,
    own,
    ready,
    settle,
    until,
    until_not,
)
from tests.output.test_interrupted import crashed_recording
from tests.paths import ROOT
from tests.stand_ins import always
from tests.waiting import beside, eventually


def test_window_stops_after_the_given_frames(
    qtbot: QtBot, world: FakeWorld, machine: object
) -> None:
    last: list[PipelineStatus] = []
    assert (
        run_window(QUIET, WindowOptions(frames=5, parts=world.parts(), on_finished=last.append))
        == 0
    )
    assert last[0].frames_out == 5, "frames that were ready before the end was noticed went out too"


def test_the_seconds_of_a_run_count_from_its_first_frame(
    qtbot: QtBot, world: FakeWorld, machine: object
) -> None:
    """They counted from the start of the window, so that a run on a slow machine ended before its first frame."""
    building = Hold()
    last = list[PipelineStatus]()
    world.faults.put("build_engine", building)
    QTimer.singleShot(
        0, lambda: QTimer.singleShot(600, building.go_on.set)
    )  # of the running window: after the seconds
    options = WindowOptions(
        seconds=0.1, parts=world.parts(), on_finished=last.append, persist=False
    )

    assert run_window(QUIET, options) == 0
    assert last[0].phase is Phase.STOPPED and last[0].frames_out > 0 and FakeEngine.live == 0
    assert not settings_file.default_path().exists(), "nothing is written without persistence"


@pytest.mark.error_logs
@pytest.mark.skipif(os.name == "nt", reason="Windows has no signals of this kind")
@pytest.mark.parametrize(
    ("name", "code"), [("SIGINT", 130), ("SIGTERM", 130), ("SIGHUP", 130), ("SIGTERM", 1)]
)
def test_signals_end_the_window_cleanly_and_hide_no_loss(
    qtbot: QtBot,
    world: FakeWorld,
    machine: object,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    code: int,
) -> None:
    """The exit code of a signal tells nobody to look at the log. One that came while the window started was lost."""
    if code == 1:
        monkeypatch.setattr(settings_file, "save", full)
    number = getattr(signal, name)
    last = list[PipelineStatus]()
    inherited = signal.signal(
        number, signal.SIG_DFL
    )  # under nohup SIGHUP is ignored, and does not end the window
    try:
        start = Mock(side_effect=lambda: os.kill(os.getpid(), number))
        QTimer.singleShot(100, start) if name == "SIGTERM" else monkeypatch.setattr(
            MainWindow, "start", start
        )
        assert (
            run_window(
                QUIET, WindowOptions(frames=400, parts=world.parts(), on_finished=last.append)
            )
            == code
        )
        assert last[0].frames_out < 400 and signal.getsignal(number) is signal.SIG_DFL
    finally:
        signal.signal(number, inherited)
    assert FakeEngine.live == 0


def test_a_second_start_shows_the_window_of_the_first(
    session: Session, qtbot: QtBot, world: FakeWorld, caplog: pytest.LogCaptureFixture
) -> None:
    session.window.hide()

    code = run_window(QUIET, WindowOptions(parts=world.parts()))

    assert code == 0
    assert "already running; its window was brought to the front" in caplog.text
    qtbot.waitUntil(session.window.isVisible)


def test_a_second_start_goes_on_beside_a_run_that_ends_by_itself(
    start_window: StartWindow, world: FakeWorld, caplog: pytest.LogCaptureFixture
) -> None:
    start_window(frames=10**6)

    code = run_window(QUIET, WindowOptions(frames=3, parts=world.parts(), persist=False))

    assert code == 0
    assert "already running" not in caplog.text
    assert "Another Mattecam of this user is running" in caplog.text


@pytest.mark.skipif(sys.platform == "win32", reason="the temporary folder is that of the user")
def test_another_user_keeps_no_window_from_starting(
    tmp_path: Path, world: FakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lock and socket had names in the shared temporary folder that follow from the folder of the settings."""
    shared = tmp_path / "tmp"
    shared.mkdir()
    monkeypatch.setenv("TMPDIR", str(shared))
    digest = hashlib.sha256(str(paths.config_dir().resolve()).encode()).hexdigest()[:16]
    (shared / f"mattecam-{digest}.lock").mkdir()
    with socket.socket(socket.AF_UNIX) as foreign:
        foreign.bind(str(shared / f"mattecam-{digest}"))
        foreign.listen()
        last: list[PipelineStatus] = []
        options = WindowOptions(parts=world.parts(), on_finished=last.append, persist=False)
        QTimer.singleShot(300, QApplication.quit)

        run_window(QUIET, options)

    assert last, "it has run"


def test_card_and_warning_of_the_start_have_the_windows_language(
    start_window: StartWindow, qtbot: QtBot
) -> None:
    settings_file.default_path().parent.mkdir(parents=True, exist_ok=True)
    settings_file.default_path().write_text("{")
    _, warning = settings_file.load(settings_file.default_path())
    session = start_window(QUIET.replace(paused=True), GERMAN, warning=warning)
    assert "ist nicht verwendbar" in session.window.notices.error
    card = draw_card("Einen Moment, bitte", None, 64, 48)  # in the size of the source

    def shows_card() -> bool:
        newest = session.bridge.picture
        return newest is not None and np.array_equal(newest.image, card)

    until(qtbot, shows_card)


UNMATTED = ON_DEVICE.replace(background=BackgroundSettings(kind="none"))


@pytest.mark.parametrize(("pressed", "kind"), [(0, "blur"), (1, "none")])
def test_a_saved_background_none_pauses_and_asks(
    start_window: StartWindow, qtbot: QtBot, world: FakeWorld, pressed: int, kind: str
) -> None:
    session = start_window(UNMATTED)
    until(qtbot, in_phase, session, Phase.PAUSED)
    notices = session.window.notices
    assert "Paused: the saved background is “None”" in notices.text_of("unmattedStartNotice")
    until(qtbot, world.pictures)
    assert not any(picture.kind is PictureKind.UNMATTED for picture in world.pictures())
    button(session, f"unmattedStartNoticeAction{pressed}").click()
    now = session.pipeline.settings
    assert (now.background.kind, now.paused, notices.texts) == (kind, False, ())

    def is_as_answered() -> bool:
        badge = session.window.badges.unmatted.isVisible()
        return session.bridge.status.unmatted is badge is not pressed

    until(qtbot, is_as_answered)
    session.store.set("paused", True)
    assert not notices.text_of("unmattedStartNotice"), (
        "what is settled does not come back with a pause of the user"
    )


def unread_settings(content: str = "{") -> tuple[Path, Settings, str | None]:
    """Return the settings file of the window, which cannot be used, and what a start makes of it."""
    path = settings_file.default_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    settings, warning = settings_file.load(path)
    return path, ON_DEVICE.replace(unconfirmed=settings.unconfirmed), warning


def test_a_start_without_the_saved_settings_is_paused_until_the_user_resumes(
    start_window: StartWindow, qtbot: QtBot, world: FakeWorld
) -> None:
    """It went live without the zones that the file held, and wrote defaults over them."""
    path, settings, warning = unread_settings('{"people": {"zones": [')
    session = start_window(settings, warning=warning)
    notices = session.window.notices

    until(qtbot, in_phase, session, Phase.PAUSED)
    until(qtbot, world.pictures)
    assert {picture.kind for picture in world.pictures()} == {PictureKind.STANDBY}
    said = "saved settings could not be read"
    until(qtbot, has_notice, session, "unconfirmedStartNotice", said)
    assert str(path) in " ".join(notices.texts) and path.read_text() == '{"people": {"zones": ['

    button(session, "unconfirmedStartNoticeAction0").click()

    until(qtbot, world.has_shown, PictureKind.COMPOSITE)
    assert not notices.text_of("unconfirmedStartNotice")
    until(qtbot, has_error, session, "settings.json.bad")
    assert path.with_name("settings.json.bad").read_text() == '{"people": {"zones": ['
    session.close()
    assert settings_file.load(path)[1] is None, "the user has resumed: the next start is as usual"


def test_a_window_that_was_closed_before_the_user_resumed_starts_paused_again(
    start_window: StartWindow,
) -> None:
    path, settings, warning = unread_settings()
    start_window(settings, warning=warning).close()

    again, warning = settings_file.load(path)

    assert again.unconfirmed and warning is not None
    assert path.with_name("settings.json.bad").read_text() == "{"
    assert start_window(again).pipeline.settings.paused


@pytest.mark.parametrize(
    "content", ["{", '{"version": 99, "zones": "all"}', '{"people": {"zones": 3}}', "\x00"],
    ids=["a slip", "a newer version", "an impossible value", "no text"],
)  # fmt: skip
def test_settings_that_break_under_a_running_window_are_kept(
    session: Session, qtbot: QtBot, content: str
) -> None:
    """What the user had written into the file was gone with the next change in the window."""
    path = settings_file.default_path()
    session.store.edit("background", blur_strength=91)
    qtbot.waitUntil(path.exists)
    path.write_text(content)

    session.store.edit("background", blur_strength=92)

    until(qtbot, has_error, session, "settings.json.bad")
    assert path.with_name("settings.json.bad").read_text() == content
    assert settings_file.read(path).background.blur_strength == 92


def test_settings_that_are_edited_under_a_running_window_are_merged(
    session: Session, qtbot: QtBot
) -> None:
    path = settings_file.default_path()
    session.store.edit("background", blur_strength=91)
    qtbot.waitUntil(path.exists)
    edited = json.loads(path.read_text())
    edited["output"]["standby_text"] = "Back at noon"
    path.write_text(json.dumps(edited))

    session.store.edit("background", blur_strength=92)
    assert session.close() == 0

    kept = settings_file.read(path)
    assert (kept.output.standby_text, kept.background.blur_strength) == ("Back at noon", 92)


def test_a_scenes_file_that_cannot_be_used_is_said_and_kept(session: Session, qtbot: QtBot) -> None:
    path = settings_file.default_path().with_name("scenes.json")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text('{"version": 7}')

    session.window.scenes.reload()
    until(qtbot, has_error, session, "scenes.json cannot be used")
    session.window.scenes.save("Work")

    until(qtbot, has_scenes, session, "Work")
    assert path.with_name("scenes.json.bad").read_text() == '{"version": 7}'
    assert "scenes.json.bad" in session.window.notices.error


def test_the_recording_that_a_crash_left_is_named_at_the_next_start(
    start_window: StartWindow, qtbot: QtBot, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    crashed_recording(tmp_path / "talk.recording.mkv")
    session = start_window()
    until(qtbot, has_error, session, str(tmp_path / "talk.recording.mkv"))

    assert "talk.recording.mkv" in caplog.text, "for who started it in a terminal"


def test_none_that_was_asked_for_is_used_at_once(start_window: StartWindow, qtbot: QtBot) -> None:
    session = start_window(UNMATTED, unmatted_confirmed=True)
    until(qtbot, session.window.badges.unmatted.isVisible)

    assert not session.window.notices.texts


def test_the_window_hides_while_an_engine_is_built(
    start_window: StartWindow, world: FakeWorld
) -> None:
    building = Hold()
    world.faults.put("build_engine", building)
    session = start_window()
    session.window.open_log()
    assert building.entered.wait(60)
    session.window.quit_requested.emit()
    assert not any(widget.isVisible() for widget in QApplication.topLevelWidgets())
    timer = threading.Timer(0.5, building.go_on.set)
    timer.start()
    assert session.close() == 0
    assert building.go_on.is_set(), "close joined every thread"
    timer.join()
    assert FakeEngine.live == 0


@pytest.mark.parametrize("has_tray", [True, False])
def test_what_starts_minimised_is_opened_and_ends_without_a_tray_to_stay_in(
    start_window: StartWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, has_tray: bool
) -> None:
    monkeypatch.setattr(QSystemTrayIcon, "isSystemTrayAvailable", always(has_tray))
    stays = WindowSettings(first_run_done=True, close_to_tray=not has_tray)
    session = start_window(window=stays, start_minimised=True)
    assert (session.window.isVisible(), session.window.isMinimized()) == (
        not has_tray,
        not has_tray,
    )
    (session.lifecycle.menu.actions()[0].trigger if has_tray else session.lifecycle.show_in_front)()
    assert session.window.isVisible() and not session.window.isMinimized()
    with qtbot.waitSignal(session.lifecycle.ended):
        session.window.close()


def test_a_tray_that_starts_later_than_the_program_has_its_icon(
    start_window: StartWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Closing the window hid it without an icon, while the camera went on."""
    monkeypatch.setattr(QSystemTrayIcon, "isSystemTrayAvailable", always(False))
    session = start_window(window=WindowSettings(first_run_done=True, close_to_tray=True))
    monkeypatch.setattr(QSystemTrayIcon, "isSystemTrayAvailable", always(True))

    session.window.close()

    assert not session.window.isVisible()
    assert find(session.lifecycle, QSystemTrayIcon).isVisible()


def test_in_the_tray_output_goes_on(
    start_window: StartWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dialogs stayed on the screen, with a preview that stood still. The menu opens, pauses and quits."""
    monkeypatch.setattr(QSystemTrayIcon, "isSystemTrayAvailable", always(True))
    session = start_window(window=WindowSettings(first_run_done=True, close_to_tray=True))
    opens, pauses, quits = session.lifecycle.menu.actions()
    for _ in range(2):
        session.window.open_assistant()
        session.window.open_preferences()
        session.window.close()
        assert not any(widget.isVisible() for widget in QApplication.topLevelWidgets())
        frames = session.bridge.status.frames_out
        until(qtbot, has_sent, session, frames)
        opens.trigger()
    assert session.window.isVisible()
    until_not(qtbot, has_dialog, session, Assistant)
    session.window.open_assistant()
    assert find(session.window, Assistant).isVisible()
    for paused in (True, False):
        pauses.trigger()
        assert session.pipeline.settings.paused is pauses.isChecked() is paused
    with qtbot.waitSignal(session.lifecycle.ended):
        quits.trigger()


def test_the_end_waits_for_no_download_and_leaves_no_exposure_locked(
    session: Session, qtbot: QtBot, downloads: Downloads
) -> None:
    """The program ran on without its window, and a camera kept the exposure of the picture of the empty room."""
    ready(session, qtbot)
    bring_up(session, session.window.panel.quality_choice)
    qtbot.waitUntil(lambda: find(session.window, QLabel, "qualityAbout").text() != "")
    button(session, "qualityFine").click()
    button(session, "fineDownloadButton").click()
    qtbot.waitUntil(downloads.began.is_set)
    session.window.open_plate_dialog()
    find(session.window, PlateDialog).begin()
    held = session.pipeline.demand.takes_plate
    session.window.quit_requested.emit()

    assert session.close() == 0
    assert not settings_file.load(settings_file.default_path())[0].capture.lock_exposure
    assert held and not session.pipeline.demand.takes_plate and not downloads.ended


def test_a_dialog_that_is_closed_leaves_the_camera_to_ctl(session: Session, qtbot: QtBot) -> None:
    demand = session.pipeline.demand
    demand.begin_plate("ctl plate")
    session.window.open_plate_dialog()

    find(session.window, PlateDialog).close()

    assert demand.takes_plate
    demand.end_plate("ctl plate")


@pytest.mark.error_logs
@pytest.mark.parametrize(
    ("part", "name"),
    [
        ("_server", "stop"),
        ("bridge", "stop"),
        ("lifecycle", "hide_all"),
        ("_translation", "remove"),
    ],
)
def test_what_fails_at_the_end_keeps_nothing_else_from_ending(
    world: FakeWorld,
    machine: object,
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
    part: str,
    name: str,
) -> None:
    """A control socket that could not be removed cost the last changes, and left a recording unfinished."""
    session = Session(make_application(), QUIET, WindowOptions(parts=world.parts()))
    session.start()
    session.store.edit("background", blur_strength=93)
    end = getattr(getattr(session, part), name)

    def end_and_fail(*arguments: object) -> None:
        end(*arguments)
        raise PermissionError("refused")

    monkeypatch.setattr(getattr(session, part), name, end_and_fail)

    code = session.close()

    assert code == 1
    assert settings_file.load(settings_file.default_path())[0].background.blur_strength == 93
    assert session.pipeline.status().phase is Phase.STOPPED
    assert FakeEngine.live == 0


@pytest.mark.error_logs
def test_a_window_that_fails_while_it_starts_ends_what_runs(
    world: FakeWorld, machine: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MainWindow, "start", Mock(side_effect=ZeroDivisionError("a defect")))

    with pytest.raises(ZeroDivisionError):
        run_window(QUIET, WindowOptions(parts=world.parts(), persist=False))

    assert FakeEngine.live == 0


@pytest.mark.parametrize(("reader", "old", "new", "part"), [
    ("app.gui.backgrounds.library.own_backgrounds", (), ((Path("a.png"), "a"),), "strip.library"),
    ("models.weights.describe", (), MODELS, "models"),
    ("app.gui.panels.plate.plate_view", (np.zeros((9, 16, 3), np.uint8), None), (None, None), "panel.quality.plate"),
])  # fmt: skip
def test_what_was_read_before_a_change_is_not_shown_after_it(
    controls: Session,
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
    reader: str,
    old: object,
    new: object,
    part: str,
) -> None:
    """Threads end in any order: a background that was just added was missing."""
    window = controls.window
    late = Hold()
    shown = list[object]()
    settle(window.tasks, qtbot)
    for found, begin in ((old, late), (new, bool)):
        monkeypatch.setattr(reader, lambda *_, found=found, begin=begin: (begin(), found)[1])
        attrgetter(f"{part}.reload")(window)()
        assert late.entered.wait(60)
    for free in (THREADS - 1, THREADS):
        settle(window.tasks, qtbot, free)
        shown.append(
            (
                len(own(controls)),
                window.models.reports,
                window.panel.quality.plate.thumbnail.isHidden(),
            )
        )
        late.go_on.set()
    assert shown[0] == shown[1]


def test_no_closure_hears_of_what_outlives_the_window_or_of_a_deletion() -> None:
    """Dialogs go while the store stays; Qt ends the connections of methods alone."""
    lasting = re.compile(
        r"(store|preferences|bridge)\.(status_)?changed\.connect$|^changed\.connect$"
    )
    for path in (ROOT / "app" / "gui").rglob("*.py"):
        for node in (
            each
            for each in ast.walk(ast.parse(path.read_text("utf-8")))
            if isinstance(each, ast.Call)
        ):
            if lasting.search(ast.unparse(node.func)):
                assert all(isinstance(each, ast.Attribute) for each in node.args), (
                    f"{path}:{node.lineno}"
                )
            if ast.unparse(node.func).endswith("destroyed.connect"):
                assert not any(isinstance(each, ast.Lambda) for each in node.args), (
                    f"{path}:{node.lineno}"
                )


def test_changed_is_emitted_once_per_change_on_the_gui_thread(qtbot: QtBot) -> None:
    store = made_store()
    emitted: list[tuple[str, int]] = []
    store.changed.connect(lambda new: emitted.append((new.background.kind, threading.get_ident())))
    own = threading.get_ident()
    store.edit("background", kind="blur")
    store.edit("background", kind="none")
    beside(store.edit, "background", kind="colour").result()
    assert (store.current.background.kind, emitted) == ("colour", [("none", own)]), (
        "in effect without the GUI thread"
    )
    qtbot.waitUntil(lambda: emitted[1:] == [("colour", own)])


def test_a_pause_does_not_wait_for_the_gui_thread(
    start_window: StartWindow, qtbot: QtBot, world: FakeWorld
) -> None:
    session = start_window(ON_DEVICE)
    until(qtbot, in_phase, session, Phase.RUNNING)
    until(qtbot, world.pictures)
    beside(ask, Command("pause")).result(60)  # while the GUI thread is blocked
    sent = len(world.pictures())
    assert session.pipeline.settings.paused, "in effect when it was answered"
    eventually(world.has_sent, sent + 2)  # the output continues meanwhile
    sent_after = world.pictures()[
        sent + 1 :
    ]  # one picture may have been on its way into the device
    assert {picture.kind for picture in sent_after} == {PictureKind.STANDBY}
    session.store.edit("background", blur_strength=72.0)  # based on what the window showed last
    qtbot.waitUntil(button(session, "pauseButton").isChecked)
    assert (
        session.pipeline.settings.paused,
        session.pipeline.settings.background.blur_strength,
    ) == (True, 72.0)
