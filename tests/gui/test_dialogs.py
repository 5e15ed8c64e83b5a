"""Assistant, doctor, preferences, shortcuts, log, help and questions."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest
from PyQt6.QtCore import QProcess, Qt, QUrl
from PyQt6.QtGui import QAction, QDesktopServices, QGuiApplication, QShortcut, QTextDocumentFragment
from PyQt6.QtWidgets import QCheckBox, QComboBox, QLabel, QMessageBox, QPushButton, QScrollArea, QTextBrowser
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
from app.gui.panels import models
from app.gui.state import Tasks
from app.gui.widgets.controls import label, on_button
from app.gui.widgets.qt import tip_of
from app.matting.choice import choice
from app.runtime.status import PipelineStatus
from mattecam.testing import PERSON, shows_room
from tests.gui.conftest import FINDINGS, ON_DEVICE, STANDARD, StartWindow
from tests.gui.widgets import box, button, existing, find, open_last_step, pick


def test_assistant_has_three_steps_which_can_be_skipped(start_window: StartWindow, qtbot: QtBot) -> None:
    session = start_window(window=WindowSettings())
    assistant, cameras = find(session.window, Assistant), box(session, "assistantCamera")
    assert not assistant.isModal()
    qtbot.waitUntil(lambda: cameras.findText("Front camera") > 0)
    pick(cameras, cameras.findText("Front camera"))
    assert session.pipeline.settings.capture.source == "camera:usb-1"
    forward = button(session, "assistantNext")
    forward.click()
    assert assistant.focusWidget() is forward, "the list of languages is on another page"
    tiles = find(assistant, TileView, "assistantBackgrounds")
    tiles.clicked.emit(session.window.strip.model.index(2))
    assert session.store.current.background.kind == "colour"
    forward.click()
    assert assistant.step == 2 and assistant.focusWidget() is forward
    assert not button(session, "assistantSkip").isVisible(), "nothing is left to be skipped"
    for leave in ("assistantNext", "assistantSkip"):
        before = session.store.current.window.first_run_done
        button(session, leave).click()
        assert (before, session.store.current.window.first_run_done) == (False, True)
        qtbot.waitUntil(lambda: session.window.findChild(Assistant) is None)
        session.store.edit("window", first_run_done=False)
        session.window.open_assistant()


def test_the_assistant_shows_what_others_see(session: Session, qtbot: QtBot) -> None:
    """Its small preview showed the room behind the background that was just chosen, with the window's other views."""
    session.store.edit("background", kind="colour", colour="#000000")
    session.window.open_assistant()
    small = next(each for each in find(session.window, Assistant).findChildren(SmallPreview) if each.isVisible())
    qtbot.waitUntil(lambda: session.bridge.status.frames_out > 2)
    for mode in ViewMode:
        session.window.action_bar.set_mode(mode)
        for _ in range(3):
            with qtbot.waitSignal(session.bridge.frame_ready):
                pass
            shown = from_qimage(small.grab().toImage())
            assert np.any(np.all(shown == np.array(PERSON), axis=2)) and not shows_room(shown)


@pytest.mark.parametrize("share", [0.4, 0.6])
def test_the_assistant_recommends_fine_quality_where_it_is_light(
    session: Session, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, share: float
) -> None:
    monkeypatch.setattr(models, "MEASURED_MS", 10)
    measured = threading.Event()
    monkeypatch.setattr(
        choice, "fine_quality", lambda settings: replace(STANDARD, share=share if measured.is_set() else None)
    )
    known = session.window.models
    known.reload()
    qtbot.waitUntil(lambda: known.fine is not None and known.fine.share is None)
    session.window.open_assistant()
    known.changed.emit()  # as by a new engine, before the page is seen
    assistant = open_last_step(session)
    about, fine = find(assistant, QLabel, "qualityAbout"), find(assistant, QPushButton, "qualityFine")
    qtbot.waitUntil(lambda: "not measured yet" in about.text())
    measured.set()
    qtbot.waitUntil(lambda: "uses about" in about.text())
    assert ("Recommended" in about.text()) is fine.isChecked() is (share < 0.5)
    assert find(assistant, QPushButton, "fineDownloadButton").isVisible() is fine.isChecked()
    assert session.store.saved.matting.model == "auto", "nothing is downloaded unasked"
    assert assistant.findChild(QComboBox, "modelCombo") is None, "no page of model names"
    assistant.accept()


def test_the_last_page_says_how_to_get_into_a_call_or_what_is_missing(session: Session, qtbot: QtBot) -> None:
    """It said "Mattecam is ready." and no more, on half of the page."""
    assistant, controls = open_last_step(session), session.window.panel.virtual_camera
    call, lowest = find(assistant, QLabel, "assistantCall"), find(assistant, QLabel, "qualityAbout")
    for device, pipewire, said, unsaid in (
        ("/dev/video10", None, "In Zoom, Meet or Teams, choose the camera “Mattecam”", "missing"),
        ("OBS Virtual Camera", None, "choose the camera “OBS Virtual Camera”", "missing"),
        (None, "Mattecam", "in a browser, choose the camera “Mattecam”", "In Zoom"),
        (None, None, "cannot see Mattecam yet.", "choose"),
    ):
        controls.show_virtual_cameras((("/dev/video10", "Mattecam"),))  # the window may have looked meanwhile
        session.bridge.status_changed.emit(PipelineStatus(outputs={"virtual_camera": device, "pipewire": pipewire}))
        assert said in call.text() and unsaid not in call.text()
        panel = [each.text() for each in controls.findChildren(QLabel)]
        assert not any("/dev/" in text for text in panel), "programs list its name, not its file"
    qtbot.waitUntil(lambda: lowest.text() != "" and find(assistant, QLabel, "findingsSummary").text() != "Checking…")
    commands = [each for each in assistant.findChildren(QLabel) if each.property("role") == "command"]
    assert commands, "how to get it"
    content = existing(assistant.findChildren(QScrollArea, "assistantPage")[-1].widget())
    assert lowest.mapTo(content, lowest.rect().bottomLeft()).y() > 0.8 * content.height(), "the page is full"


def test_the_assistant_says_that_the_picture_is_a_demonstration(session: Session) -> None:
    session.window.open_assistant()
    demo = find(session.window, QLabel, "assistantDemo")
    for source, kind, said in (
        ("auto", "demo", "No camera was found. Connect a camera: it is used at once."),
        ("demo", "demo", "You see a demonstration, not your camera."),
        ("demo", "camera", ""),
    ):
        session.store.edit("capture", source=source)
        session.bridge.status_changed.emit(PipelineStatus(source=SourceInfo(kind, "Name", "", 640, 360, 30.0, "")))
        assert (demo.text(), demo.isVisible()) == (said, bool(said))


def test_the_assistant_and_the_preferences_choose_the_language_of_the_next_start(start_window: StartWindow) -> None:
    session = start_window(window=WindowSettings())
    assistant, preferences = find(session.window, Assistant), session.window.open_preferences()
    for dialog, language in ((assistant, "es"), (preferences, "de")):
        listed = find(dialog, QComboBox, "window.language")
        pick(listed, listed.findData(language))
        assert "Another language is used from the next start on." in [
            each.text() for each in dialog.findChildren(QLabel)
        ]
    assert button(session, "assistantNext").text() == "Next"
    session.close()
    again = start_window(window=session.store.saved.window)
    assert again.window.open_preferences().windowTitle() == "Einstellungen"


@pytest.mark.parametrize(("script", "said"), [
    ("exit 0", "No problems found."),
    ("echo Request dismissed >&2; exit 126", "Nothing was changed: the password was not entered."),
])  # fmt: skip
def test_one_click_sets_up_the_virtual_camera(
    tasks: Tasks, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, script: str, said: str
) -> None:
    monkeypatch.setattr("app.doctor.fix.desktop_command", lambda system: ["sh", "-c", script])
    view = Findings(tasks)
    qtbot.addWidget(view)
    view.show()
    view.check()
    set_up = find(view, QPushButton, "virtualCameraSetUp")
    qtbot.waitUntil(set_up.isVisible)
    summary = find(view, QLabel, "findingsSummary")
    view.repaired.connect(lambda: monkeypatch.setattr("app.gui.doctor.run_checks", lambda **_only: FINDINGS[:1]))
    with qtbot.waitSignal(view.shown):
        set_up.click()
        assert not set_up.isEnabled()
    assert summary.text() == said


def test_closing_ends_the_question_for_a_password(
    session: Session, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.doctor.fix.desktop_command", lambda system: ["sleep", "60"])
    session.window.open_doctor("virtual camera")
    dialog = find(session.window, DoctorDialog)
    set_up = find(dialog, QPushButton, "virtualCameraSetUp")
    qtbot.waitUntil(set_up.isVisible)
    set_up.click()
    process = find(dialog, QProcess)
    assert process.waitForStarted()
    pid = process.processId()
    find(dialog, QPushButton, "virtualCameraDialogClose").click()
    qtbot.waitUntil(lambda: not psutil.pid_exists(pid))


def opened_doctor(session: Session, qtbot: QtBot) -> DoctorDialog:
    """Open the checks, and wait for the first findings."""
    session.window.open_doctor()
    dialog = find(session.window, DoctorDialog, "doctorDialog")
    qtbot.waitUntil(dialog.prove_button.isEnabled)
    return dialog


def test_the_doctor_lists_commands_to_copy(session: Session, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    session.window.open_doctor("virtual camera")
    limited = find(session.window, DoctorDialog)
    dialog = opened_doctor(session, qtbot)
    assert opened_doctor(session, qtbot) is dialog is not limited
    summary = find(dialog, QLabel, "findingsSummary")
    assert summary.text() == "Problems: 1   ·   Warnings: 1"
    assert {finding.detail for finding in FINDINGS} <= {found.text() for found in dialog.findChildren(QLabel)}
    clipboard, copied = existing(QGuiApplication.clipboard()), []
    for copy in (found for found in dialog.findChildren(QPushButton) if found.text() == "Copy"):
        copy.click()
        copied.append(clipboard.text())
    assert copied == [str(step) for step in FINDINGS[1].steps if isinstance(step, CommandLine)], "only commands"
    monkeypatch.setattr("app.gui.doctor.run_checks", lambda **_: FINDINGS[:1])
    find(dialog, QPushButton, "checkAgain").click()
    qtbot.waitUntil(lambda: summary.text() == "No problems found.")


def test_the_proof_gets_the_camera(start_window: StartWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    session = start_window(ON_DEVICE)
    qtbot.waitUntil(lambda: session.bridge.status.virtual_camera is not None)
    held: list[tuple[bool, object]] = []

    def check(*, proof: bool, only: str) -> tuple[Finding, ...]:
        held.append((proof, session.bridge.status.virtual_camera))
        return FINDINGS[:1]

    monkeypatch.setattr("app.gui.doctor.run_checks", check)
    dialog = opened_doctor(session, qtbot)
    qtbot.mouseClick(dialog.prove_button, Qt.MouseButton.LeftButton)
    assert not dialog.prove_button.isEnabled()
    qtbot.waitUntil(dialog.prove_button.isEnabled)
    qtbot.waitUntil(lambda: session.bridge.status.virtual_camera is not None)
    assert session.store.saved.output.virtual_camera == "/dev/video10"
    assert [proof for proof, _ in held] == [False, True], "no picture is sent unasked, or twice"
    assert held[1] == (True, None)
    dialog.close()


@pytest.mark.parametrize("end", [DoctorDialog.close, DoctorDialog.hide])
def test_closing_the_doctor_early_restores_the_virtual_camera(
    start_window: StartWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, end: Callable[[DoctorDialog], object]
) -> None:
    """The end of the program hides it."""
    gate = threading.Event()
    session = start_window(ON_DEVICE)
    monkeypatch.setattr("app.gui.doctor.run_checks", lambda *, proof, only: FINDINGS[: not proof or gate.wait(60)])
    qtbot.waitUntil(lambda: session.bridge.status.virtual_camera is not None)
    dialog = opened_doctor(session, qtbot)
    dialog.prove_button.click()
    qtbot.waitUntil(lambda: session.bridge.status.virtual_camera is None)
    end(dialog)
    qtbot.waitUntil(lambda: session.bridge.status.virtual_camera is not None)
    gate.set()


def test_the_preferences_switch_autostart(controls: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    dialog = controls.window.open_preferences()
    box = find(dialog, QCheckBox, "autostartCheck")
    assert not box.isChecked()
    box.click()
    assert autostart.enabled() and box.isChecked()
    box.click()
    assert not autostart.enabled() and not box.isChecked()
    (tmp_path / "autostart").rmdir()
    (tmp_path / "autostart").write_text("a file in place of the folder")
    box.click()
    assert not box.isChecked()
    assert any("cannot be changed" in each.text() for each in dialog.findChildren(QLabel) if each.isVisible())
    dialog.close()


def test_a_key_that_is_held_acts_once(session: Session) -> None:
    """Who held P a little too long paused and resumed many times a second."""
    actions, shortcuts = session.window.findChildren(QAction), session.window.findChildren(QShortcut)
    keys = {each.shortcut().toString() for each in actions if each.autoRepeat()}
    keys |= {each.key().toString() for each in shortcuts if each.autoRepeat()}
    assert len(shortcuts) > 10 and keys - {""} == set()


def test_a_name_that_looks_like_html_is_shown_as_it_is(session: Session, qtbot: QtBot) -> None:
    """The question showed a bold name without its marks."""
    session.window.scenes.ask_before_removal("<b>WWWWWWW</b>")
    box, hint = find(session.window, QMessageBox, "deletionQuestion"), label("<i>WWWWWWW</i>")
    qtbot.addWidget(hint)
    for shown in (find(box, QLabel, "qt_msgbox_label"), hint):
        assert shown.sizeHint().width() >= shown.fontMetrics().horizontalAdvance(shown.text())
    assert QTextDocumentFragment.fromHtml(tip_of("R&D <b>")).toPlainText() == "R&D <b>"
    assert on_button("R&D") == "R&&D"
    box.close()


def test_the_log_is_shown_at_its_end_and_diagnostics_are_copied(session: Session, qtbot: QtBot) -> None:
    file = paths.data_dir() / "logs" / "mattecam.log"
    file.parent.mkdir(parents=True)
    file.write_text("".join(f"line <{number}>\n" for number in range(3000)))
    session.window.open_log()
    shown = find(find(session.window, TextDialog), QTextBrowser)
    bar = existing(shown.verticalScrollBar())
    assert shown.toPlainText().endswith("line <2998>\nline <2999>")
    with file.open("a") as log:
        log.write("line <3000>")
    session.window.open_log()
    assert shown.toPlainText().endswith("line <2999>\nline <3000>")
    qtbot.waitUntil(lambda: bar.value() > bar.maximum() - shown.height() > 0)
    next(each for each in session.window.findChildren(QAction) if each.text() == "Copy diagnostics").trigger()
    assert "copied" in session.window.notices.text_of("diagnosticsNotice")
    text = existing(QGuiApplication.clipboard()).text()
    assert text.startswith("Mattecam ") and '"blur_strength": 85.0' in text and "frames_out" in text
    assert "line <3000>" in text
    assert str(Path.home()) + "/" not in text


def test_help_links_to_documents_of_this_copy(session: Session, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[QUrl] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", opened.append)
    for _ in range(2):
        session.window.open_help()
    (page,) = session.window.findChildren(QTextBrowser)
    links = [QUrl(address) for address in re.findall(r'href="([^"]*)"', page.toHtml())]
    assert len(links) == 5 and all(Path(link.toLocalFile()).exists() for link in links)
    page.setFocus()
    for key in (Qt.Key.Key_Tab, Qt.Key.Key_Tab, Qt.Key.Key_Return):
        qtbot.keyClick(page, key)
    assert [Path(link.toLocalFile()) for link in opened] == [paths.documents_dir() / "apps.md"]
