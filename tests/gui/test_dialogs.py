"""Dialogs: assistant, doctor, preferences, log and help."""

from __future__ import annotations

import sys
import threading
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import psutil
import PyQt6.QtWidgets as qt  # noqa: N813
import pytest
from PyQt6.QtCore import QProcess, QSize, Qt
from PyQt6.QtGui import QAction, QGuiApplication, QShortcut, QTextDocumentFragment
from pytestqt.qtbot import QtBot

from app.config import autostart
from app.core import paths
from app.core.settings import WindowSettings
from app.core.types import SourceInfo
from app.doctor.finding import CommandLine, Finding
from app.gui.application import Session
from app.gui.assistant import Assistant, SmallPreview
from app.gui.backgrounds.tiles import TileView
from app.gui.bridge import ViewMode, from_qimage
from app.gui.dialogs import TextDialog
from app.gui.doctor import DoctorDialog, Findings
from app.gui.panels import quality
from app.gui.questions import nearest_folder
from app.gui.state import Tasks
from app.gui.widgets.controls import label, on_button
from app.gui.widgets.qt import tip_of
from app.matting.choice import choice
from app.runtime.status import PipelineStatus
from mattecam.testing import PERSON, shows_room
from tests.gui.conftest import (
    FINDINGS,
    ON_DEVICE,
    STANDARD,
    StartWindow,
)
from tests.gui.widgets import (
    box,
    button,
    existing,
    find,
    has_dialog,
    has_sent,
    has_text,
    open_last_step,
    output,
    pick,
    texts,
    until,
    until_is,
    until_not,
)
from tests.stand_ins import always

# The system refuses to look it up, as it does in a closed folder.
TOO_LONG = "x" * 300


def test_assistant_has_three_steps_which_can_be_skipped(
    start_window: StartWindow, qtbot: QtBot
) -> None:
    session = start_window(window=WindowSettings())
    assistant = find(session.window, Assistant)
    cameras = box(session, "assistantCamera")
    assert not assistant.isModal()
    qtbot.waitUntil(lambda: cameras.findText("Front camera") > 0)
    pick(cameras, cameras.findText("Front camera"))
    assert session.pipeline.settings.capture.source == "camera:usb-1"
    forward = button(session, "assistantNext")
    forward.click()
    assert assistant.focusWidget() is forward, "the list of languages is on another page"
    find(assistant, TileView, "assistantBackgrounds").clicked.emit(
        session.window.strip.model.index(2)
    )
    assert session.store.current.background.kind == "colour"
    forward.click()
    assert assistant.step == 2 and assistant.focusWidget() is forward
    assert not button(session, "assistantSkip").isVisible(), "nothing is left to be skipped"
    for leave in ("assistantNext", "assistantSkip"):
        before = session.store.current.window.first_run_done
        button(session, leave).click()
        assert (before, session.store.current.window.first_run_done) == (False, True)
        until_not(qtbot, has_dialog, session, Assistant)
        session.store.edit("window", first_run_done=False)
        session.window.open_assistant()


def test_the_assistant_shows_what_others_see(session: Session, qtbot: QtBot) -> None:
    """Its small preview showed the room behind the background that was just chosen, with the window's other views."""
    session.store.edit("background", kind="colour", colour="#000000")
    session.window.open_assistant()
    small = find(session.window, SmallPreview)
    until(qtbot, has_sent, session, 2)
    for mode in ViewMode:
        session.window.action_bar.set_mode(mode)
        for _ in range(3):
            with qtbot.waitSignal(session.bridge.frame_ready):
                pass
            shown = from_qimage(small.grab().toImage())
            assert np.any(np.all(shown == np.array(PERSON), axis=2)) and not shows_room(shown)


@pytest.mark.parametrize("share", [0.3, 0.4])
def test_the_assistant_recommends_fine_quality_where_it_is_light(
    session: Session, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, share: float
) -> None:
    monkeypatch.setattr(quality, "MEASURED_MS", 10)
    monkeypatch.setattr(choice, "fine_quality", always(replace(STANDARD, share=None)))
    known = session.window.models
    known.reload()

    def is_not_measured() -> bool:
        return known.fine is not None and known.fine.share is None

    until(qtbot, is_not_measured)
    session.window.open_assistant()
    known.changed.emit()  # as by a new engine, before the page is seen
    assistant = open_last_step(session)
    about = find(assistant, qt.QLabel, "qualityAbout")
    fine = find(assistant, qt.QPushButton, "qualityFine")
    until(qtbot, has_text, about, "not measured yet")
    monkeypatch.setattr(choice, "fine_quality", always(replace(STANDARD, share=share)))
    until(qtbot, has_text, about, "uses about")
    assert ("Recommended" in about.text()) is fine.isChecked() is (share < 1 / 3)
    assert find(assistant, qt.QPushButton, "fineDownloadButton").isVisible() is fine.isChecked()
    assert session.store.saved.matting.model == "auto", "nothing is downloaded unasked"
    assert assistant.findChild(qt.QComboBox, "modelCombo") is None, "no page of model names"
    assistant.accept()


def test_the_assistant_says_what_others_see_how_and_what_is_missing(
    session: Session, qtbot: QtBot
) -> None:
    """It said "Mattecam is ready." and no more, on half of the page."""
    assistant = open_last_step(session)
    controls = session.window.panel.virtual_camera
    call = find(assistant, qt.QLabel, "assistantCall")
    demo = find(assistant, qt.QLabel, "assistantDemo")
    lowest = find(assistant, qt.QLabel, "qualityAbout")
    for device, pipewire, said, unsaid in (
        ("/dev/video10", None, "In Zoom, Meet or Teams, choose the camera “Mattecam”", "missing"),
        ("OBS Virtual Camera", None, "choose the camera “OBS Virtual Camera”", "missing"),
        (None, "Mattecam", "in a browser, choose the camera “Mattecam”", "In Zoom"),
        (None, None, "cannot see Mattecam yet.", "choose"),
    ):
        controls.show_virtual_cameras(
            (("/dev/video10", "Mattecam"),)
        )  # the window may have looked meanwhile
        session.bridge.status_changed.emit(
            PipelineStatus(outputs={"virtual_camera": device, "pipewire": pipewire})
        )
        assert said in call.text() and unsaid not in call.text()
        assert not any("/dev/" in text for text in texts(controls)), (
            "programs list its name, not its file"
        )

    def has_checked() -> bool:
        return find(assistant, qt.QLabel, "findingsSummary").text() != "Checking…"

    until(qtbot, lowest.text)
    until(qtbot, has_checked)
    commands = [
        each for each in assistant.findChildren(qt.QLabel) if each.property("role") == "command"
    ]
    assert commands, "how to get it"
    content = existing(assistant.findChildren(qt.QScrollArea, "assistantPage")[-1].widget())
    assert lowest.mapTo(content, lowest.rect().bottomLeft()).y() > 0.8 * content.height(), (
        "the page is full"
    )
    for source, kind, said in (
        ("auto", "demo", "No camera was found. Connect a camera: it is used at once."),
        ("demo", "demo", "You see a demonstration, not your camera."), ("demo", "camera", ""),
    ):  # fmt: skip
        session.store.edit("capture", source=source)
        session.bridge.status_changed.emit(
            PipelineStatus(source=SourceInfo(kind, "Name", "", 640, 360, 30.0, ""))
        )
        assert (demo.text(), demo.isHidden()) == (said, not said)


def test_the_next_start_has_the_size_of_the_window_and_the_language_that_was_chosen(
    start_window: StartWindow,
) -> None:
    session = start_window(window=WindowSettings())
    assistant = find(session.window, Assistant)
    preferences = session.window.open_preferences()
    for dialog, language in ((assistant, "es"), (preferences, "de")):
        listed = find(dialog, qt.QComboBox, "window.language")
        pick(listed, listed.findData(language))
        assert "Another language is used from the next start on." in texts(dialog)
    assert button(session, "assistantNext").text() == "Next"
    room = existing(session.window.screen()).availableSize() - QSize(
        40, 40
    )  # Qt keeps restored windows inside
    session.window.resize(QSize(1000, 640).boundedTo(room))
    wanted = session.window.size()
    session.close()
    again = start_window(window=session.store.saved.window)
    assert (again.window.open_preferences().windowTitle(), again.window.size()) == (
        "Einstellungen",
        wanted,
    )


@pytest.mark.parametrize(("script", "said"), [
    ("pass", "No problems found."),
    ("import sys; print('Request dismissed', file=sys.stderr); sys.exit(126)",
     "Nothing was changed: the password was not entered."),
])  # fmt: skip
def test_one_click_sets_up_the_virtual_camera(
    tasks: Tasks, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, script: str, said: str
) -> None:
    monkeypatch.setattr("app.doctor.fix.desktop_command", always([sys.executable, "-c", script]))
    view = Findings(tasks)
    qtbot.addWidget(view)
    view.show()
    view.check()
    set_up = find(view, qt.QPushButton, "virtualCameraSetUp")
    qtbot.waitUntil(set_up.isVisible)
    summary = find(view, qt.QLabel, "findingsSummary")
    only_the_camera = always(FINDINGS[:1])
    view.repaired.connect(
        partial(monkeypatch.setattr, "app.gui.doctor.run_checks", only_the_camera)
    )
    with qtbot.waitSignal(view.shown):
        set_up.click()
        assert not set_up.isEnabled()
    assert summary.text() == said


def test_closing_ends_the_password_dialog(
    session: Session, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "app.doctor.fix.desktop_command",
        always([sys.executable, "-c", "import time; time.sleep(60)"]),
    )
    session.window.open_doctor("virtual camera")
    dialog = find(session.window, DoctorDialog)
    set_up = find(dialog, qt.QPushButton, "virtualCameraSetUp")
    process = find(dialog, QProcess)
    qtbot.waitUntil(set_up.isVisible)
    set_up.click()
    assert process.waitForStarted()
    pid = process.processId()
    find(dialog, qt.QPushButton, "virtualCameraDialogClose").click()
    until_not(qtbot, psutil.pid_exists, pid)


def opened_doctor(session: Session, qtbot: QtBot) -> DoctorDialog:
    """Open the checks, and wait for the first findings."""
    session.window.open_doctor()
    dialog = find(session.window, DoctorDialog, "doctorDialog")
    qtbot.waitUntil(dialog.prove_button.isEnabled)
    return dialog


def test_the_doctor_lists_commands_to_copy(
    session: Session, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    session.window.open_doctor("virtual camera")
    limited = find(session.window, DoctorDialog)
    dialog = opened_doctor(session, qtbot)
    assert opened_doctor(session, qtbot) is dialog is not limited
    summary = find(dialog, qt.QLabel, "findingsSummary")
    assert summary.text() == "Problems: 1   ·   Warnings: 1"
    assert {finding.detail for finding in FINDINGS} <= {*texts(dialog)}
    clipboard = existing(QGuiApplication.clipboard())
    copied = []
    for copy in (each for each in dialog.findChildren(qt.QPushButton) if each.text() == "Copy"):
        copy.click()
        copied.append(clipboard.text())
    assert copied == [str(step) for step in FINDINGS[1].steps if isinstance(step, CommandLine)], (
        "only commands"
    )
    monkeypatch.setattr("app.gui.doctor.run_checks", always(FINDINGS[:1]))
    find(dialog, qt.QPushButton, "checkAgain").click()
    until_is(qtbot, "No problems found.", summary.text)


@pytest.mark.parametrize("end", ["by itself", "close", "hide"])
def test_the_proof_gets_the_camera_until_it_ends(
    start_window: StartWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    """Closing the dialog early ends it; the end of the program hides the dialog."""
    session = start_window(ON_DEVICE)
    gate = threading.Event()
    held = list[tuple[bool, object]]()

    def check(*, proof: bool, only: str) -> tuple[Finding, ...]:
        held.append((proof, session.bridge.status.virtual_camera))
        assert not proof or gate.wait(60)
        return FINDINGS[:1]

    monkeypatch.setattr("app.gui.doctor.run_checks", check)
    until(qtbot, output, session)
    dialog = opened_doctor(session, qtbot)
    qtbot.mouseClick(dialog.prove_button, Qt.MouseButton.LeftButton)
    assert not dialog.prove_button.isEnabled()
    until_is(qtbot, 2, len, held)
    (gate.set if end == "by itself" else getattr(dialog, end))()
    until(qtbot, output, session)
    gate.set()
    assert session.store.saved.output.virtual_camera == "/dev/video10"
    if end == "by itself":
        until(qtbot, dialog.prove_button.isEnabled)
    assert held == [(False, "/dev/virtual_camera"), (True, None)], (
        "no picture is sent unasked, or twice"
    )


@pytest.mark.linux("app.config.autostart")
def test_the_preferences_open_where_the_autostart_folder_cannot_be_looked_up(
    controls: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error of the system, as of a folder that root has closed, kept them from opening."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / TOO_LONG))

    assert controls.window.open_preferences().isVisible()


def test_a_dialog_starts_above_a_folder_that_cannot_be_looked_up(tmp_path: Path) -> None:
    """The remedy for a folder that may not be used did nothing."""
    assert nearest_folder(tmp_path / TOO_LONG / "recordings") == tmp_path


def test_a_folder_whose_disk_does_not_answer_holds_up_no_dialog(
    controls: Session, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The window stood still, as did the remedy, with which another folder is chosen."""
    answer = threading.Event()
    threads: list[threading.Thread] = []

    def wait(path: Path) -> bool:
        threads.append(threading.current_thread())
        return answer.wait(30)

    monkeypatch.setattr("app.gui.questions.is_folder", wait)
    monkeypatch.setattr("app.core.user_file.GIVE_UP_S", 0.1)
    try:
        controls.window.panel.recordings.ask_for_folder()
        qtbot.waitUntil(lambda: bool(controls.window.findChildren(qt.QFileDialog)))
    finally:
        answer.set()

    dialog = find(controls.window, qt.QFileDialog)
    assert dialog.directory().path() == str(Path.home())
    assert threading.main_thread() not in threads


@pytest.mark.linux("app.config.autostart")
def test_the_preferences_switch_autostart(
    controls: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    dialog = controls.window.open_preferences()
    box = find(dialog, qt.QCheckBox, "autostartCheck")
    assert not box.isChecked()
    for on in (True, False):
        box.click()
        assert autostart.enabled() is box.isChecked() is on
    (tmp_path / "autostart").rmdir()
    (tmp_path / "autostart").write_text("a file in place of the folder")
    box.click()
    assert not box.isChecked()
    assert any(
        "cannot be changed" in each.text()
        for each in dialog.findChildren(qt.QLabel)
        if each.isVisible()
    )
    dialog.close()


def test_a_key_that_is_held_acts_once(session: Session) -> None:
    """Who held P a little too long paused and resumed many times a second."""
    actions = session.window.findChildren(QAction)
    shortcuts = session.window.findChildren(QShortcut)
    keys = {each.shortcut().toString() for each in actions if each.autoRepeat()}
    keys |= {each.key().toString() for each in shortcuts if each.autoRepeat()}

    assert len(shortcuts) > 10 and keys - {""} == set()


def test_a_name_that_looks_like_html_is_shown_as_it_is(session: Session, qtbot: QtBot) -> None:
    """The question showed a bold name without its marks."""
    session.window.scenes.ask_before_removal("<b>WWWWWWW</b>")
    box = find(session.window, qt.QMessageBox, "deletionQuestion")
    hint = label("<i>WWWWWWW</i>")
    qtbot.addWidget(hint)
    for shown in (find(box, qt.QLabel, "qt_msgbox_label"), hint):
        shown.setWordWrap(False)  # Qt breaks the lines of a question that is wide for the screen
        assert shown.sizeHint().width() >= shown.fontMetrics().horizontalAdvance(shown.text())
    assert QTextDocumentFragment.fromHtml(tip_of("R&D <b>")).toPlainText() == "R&D <b>"
    assert on_button("R&D") == "R&&D"
    box.close()


def test_the_log_is_shown_at_its_end_and_diagnostics_are_copied(
    session: Session, qtbot: QtBot
) -> None:
    file = paths.data_dir() / "logs" / "mattecam.log"
    file.parent.mkdir(parents=True)
    file.write_text("".join(f"line <{number}>\n" for number in range(3000)))
    session.window.open_log()
    shown = find(find(session.window, TextDialog), qt.QTextBrowser)
    bar = existing(shown.verticalScrollBar())
    assert shown.toPlainText().endswith("line <2998>\nline <2999>")
    with file.open("a") as log:
        log.write("line <3000>")
    session.window.open_log()
    assert shown.toPlainText().endswith("line <2999>\nline <3000>")

    def is_at_the_end() -> bool:
        return bar.value() > bar.maximum() - shown.height() > 0

    until(qtbot, is_at_the_end)
    next(
        each for each in session.window.findChildren(QAction) if each.text() == "Copy diagnostics"
    ).trigger()
    assert "copied" in session.window.notices.text_of("diagnosticsNotice")
    text = existing(QGuiApplication.clipboard()).text()
    assert text.startswith("Mattecam ") and f"{Path.home()}/" not in text
    assert all(part in text for part in ('"blur_strength": 85.0', "frames_out", "line <3000>"))


@pytest.mark.parametrize("opened_before", [False, True])
def test_the_log_is_shown_from_the_beginning_of_its_lines(
    session: Session, qtbot: QtBot, opened_before: bool
) -> None:
    """Where the last line was long, nothing was shown but the ends of lines."""
    file = paths.data_dir() / "logs" / "mattecam.log"
    file.parent.mkdir(parents=True)
    file.write_text("short\n" * 100 + 300 * "wide ")
    if opened_before:
        session.window.open_log()

    session.window.open_log()

    shown = find(find(session.window, TextDialog), qt.QTextBrowser)
    across = existing(shown.horizontalScrollBar())
    down = existing(shown.verticalScrollBar())

    def is_at_the_end() -> bool:
        return across.maximum() > 0 and down.value() > down.maximum() - shown.height() > 0

    until(qtbot, is_at_the_end)
    assert across.value() == across.minimum()
