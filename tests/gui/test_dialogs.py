"""Dialogs: assistant, doctor, preferences, log and help; and the notices above the preview."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import cast
from unittest.mock import Mock

import numpy as np
import psutil
import PyQt6.QtWidgets as qt  # noqa: N813
import pytest
from PyQt6.QtCore import QProcess, QSize, Qt
from PyQt6.QtGui import QAction, QGuiApplication, QShortcut, QTextDocumentFragment
from pytestqt.qtbot import QtBot

from app.config import autostart
from app.core import paths
from app.core.errors import (
    CameraAbsentError,
    ModelChoiceError,
    ModelError,
    PlateError,
    Remedy,
    SinkOpenError,
    Stage,
    WeightsMissingError,
    t,
)
from app.core.process import LINUX
from app.core.settings import CaptureSettings, EngineSettings, MattingSettings, WindowSettings
from app.core.types import SourceInfo
from app.doctor.finding import CommandLine, Finding
from app.gui import notices
from app.gui.application import Session
from app.gui.assistant import Assistant, SmallPreview
from app.gui.backgrounds.tiles import TileView
from app.gui.bridge import ViewMode, from_qimage
from app.gui.dialogs import TextDialog
from app.gui.doctor import DoctorDialog, Findings
from app.gui.notices import Importance, Notice, NoticeArea, NoticeFrame, ProgramNotices, remedy_of
from app.gui.panels import quality
from app.gui.panels.models import Models
from app.gui.panels.plate import PlateDialog
from app.gui.state import Tasks
from app.gui.widgets.controls import label, on_button
from app.gui.widgets.qt import column, tip_of
from app.matting.choice import choice
from app.runtime.status import Phase, PipelineStatus, Problem, StatusBoard
from mattecam.testing import PERSON, FakeEngine, Faults, shows_room
from tests.fakes.world import Desk, FakeWorld
from tests.gui.conftest import (
    FINDINGS,
    NEEDS_PLATE,
    ON_DEVICE,
    QUIET,
    STANDARD,
    Downloads,
    StartWindow,
)
from tests.gui.widgets import (
    box,
    button,
    existing,
    find,
    has_sent,
    has_text,
    made_store,
    open_last_step,
    pick,
    texts,
    until,
    until_is,
    until_not,
)
from tests.stand_ins import always


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
        qtbot.waitUntil(lambda: session.window.findChild(Assistant) is None)
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
    monkeypatch.setattr(choice, "fine_quality", lambda settings: replace(STANDARD, share=None))
    known = session.window.models
    known.reload()
    qtbot.waitUntil(lambda: known.fine is not None and known.fine.share is None)
    session.window.open_assistant()
    known.changed.emit()  # as by a new engine, before the page is seen
    assistant = open_last_step(session)
    about = find(assistant, qt.QLabel, "qualityAbout")
    fine = find(assistant, qt.QPushButton, "qualityFine")
    until(qtbot, has_text, about, "not measured yet")
    monkeypatch.setattr(choice, "fine_quality", lambda settings: replace(STANDARD, share=share))
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
    qtbot.waitUntil(
        lambda: (
            lowest.text() != ""
            and find(assistant, qt.QLabel, "findingsSummary").text() != "Checking…"
        )
    )
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


@pytest.mark.posix("a POSIX shell")
@pytest.mark.parametrize(("script", "said"), [
    ("exit 0", "No problems found."),
    ("echo Request dismissed >&2; exit 126", "Nothing was changed: the password was not entered."),
])  # fmt: skip
def test_one_click_sets_up_the_virtual_camera(
    tasks: Tasks, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, script: str, said: str
) -> None:
    monkeypatch.setattr("app.doctor.fix.desktop_command", always(["sh", "-c", script]))
    view = Findings(tasks)
    qtbot.addWidget(view)
    view.show()
    view.check()
    set_up = find(view, qt.QPushButton, "virtualCameraSetUp")
    qtbot.waitUntil(set_up.isVisible)
    summary = find(view, qt.QLabel, "findingsSummary")
    view.repaired.connect(
        lambda: monkeypatch.setattr("app.gui.doctor.run_checks", lambda **_only: FINDINGS[:1])
    )
    with qtbot.waitSignal(view.shown):
        set_up.click()
        assert not set_up.isEnabled()
    assert summary.text() == said


def test_closing_ends_the_password_dialog(
    session: Session, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.doctor.fix.desktop_command", always(["sleep", "60"]))
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
    monkeypatch.setattr("app.gui.doctor.run_checks", lambda **_: FINDINGS[:1])
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
    qtbot.waitUntil(lambda: session.bridge.status.virtual_camera is not None)
    dialog = opened_doctor(session, qtbot)
    qtbot.mouseClick(dialog.prove_button, Qt.MouseButton.LeftButton)
    assert not dialog.prove_button.isEnabled()
    qtbot.waitUntil(lambda: len(held) > 1)
    (gate.set if end == "by itself" else getattr(dialog, end))()
    qtbot.waitUntil(lambda: session.bridge.status.virtual_camera is not None)
    gate.set()
    assert session.store.saved.output.virtual_camera == "/dev/video10"
    qtbot.waitUntil(lambda: end != "by itself" or dialog.prove_button.isEnabled())
    assert held == [(False, "/dev/virtual_camera"), (True, None)], (
        "no picture is sent unasked, or twice"
    )


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
    qtbot.waitUntil(lambda: bar.value() > bar.maximum() - shown.height() > 0)
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
    qtbot.waitUntil(
        lambda: across.maximum() > 0 and down.value() > down.maximum() - shown.height() > 0
    )
    assert across.value() == across.minimum()


@pytest.fixture
def area(qtbot: QtBot) -> Iterator[NoticeArea]:
    """A notice area in a window."""
    window = qt.QWidget()
    made = NoticeArea()
    qtbot.addWidget(window)
    window.resize(640, 600)
    column(window, made, None, margins=50)  # away from the pointer
    window.show()
    yield made
    window.close()


def shown(area: NoticeArea) -> list[str]:
    """Return the keys of the notices on the screen, from top to bottom."""
    frames = [frame for frame in area.findChildren(NoticeFrame) if frame.isVisible()]
    return [frame.objectName() for frame in sorted(frames, key=lambda frame: frame.y())]


def test_the_most_important_notice_is_shown_and_the_others_below_it_on_request(
    area: NoticeArea, qtbot: QtBot
) -> None:
    pressed: list[str] = []
    for key, importance in zip(
        "abcde", (*3 * [Importance.STATE], Importance.ERROR, Importance.EVENT), strict=True
    ):
        area.show_notice(
            Notice(key, f"It is {key}. " * 40, ((key, partial(pressed.append, key)),), importance)
        )
    assert shown(area) == ["d"]
    counter = find(area, qt.QToolButton, "noticeCounter")
    assert counter.text() == "4 more"
    counter.click()
    until_is(qtbot, ["d", "e", "c", "b", "a"], shown, area)
    text = find(find(area, NoticeFrame, "a"), qt.QLabel)
    qtbot.waitUntil(lambda: text.height() >= text.heightForWidth(text.width()) > 40)
    for key in "dc":
        find(area, qt.QToolButton, f"{key}Dismiss").click()
    find(area, qt.QPushButton, "aAction0").click()
    assert pressed == ["a"] and shown(area) == ["e", "b"]
    counter.click()
    assert shown(area) == ["e"]


def test_what_has_just_moved_is_not_pressed(
    area: NoticeArea, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    area.show_notice(Notice("a", "It is so.", (("Do a", list),)))
    monkeypatch.setattr(area, "underMouse", always(True))
    area.show_notice(Notice("b", "It is bad.", (("Do b", list),), Importance.OUTAGE))
    first = find(area, qt.QPushButton, "bAction0")
    assert not first.isEnabled()
    qtbot.waitUntil(first.isEnabled)
    first.click()
    assert shown(area) == ["a"] and not find(area, qt.QPushButton, "aAction0").isEnabled()


def test_a_camera_that_is_slow_at_its_size_says_so(area: NoticeArea) -> None:
    text = "The camera reaches 1280 × 720 only at 10 fps. Choose a smaller size or another format."
    for kind, fps, wanted, said in (
        ("camera", 30.0, 30.0, ""), ("camera", 10.0, 30.0, text), ("camera", 5.0, 5.0, ""), ("file", 5.0, 30.0, ""),
    ):  # fmt: skip
        source = SourceInfo(kind, "Cam", "", 1280, 720, fps, "YUYV")
        store = made_store()
        store.edit("capture", fps=wanted)
        ProgramNotices(area, Models(store, cast("Tasks", None))).show_status(
            PipelineStatus(source=source)
        )
        assert area.text_of("slowCameraNotice") == said


def test_a_camera_that_comes_takes_the_place_of_the_demonstration(
    start_window: StartWindow, qtbot: QtBot
) -> None:
    desk = Desk()
    settings = QUIET.replace(capture=CaptureSettings(source="auto"))
    desk.pause_s = 1 / 40
    session = start_window(settings, parts=desk.parts())
    shown = session.window.notices
    state = session.window.badges.state
    qtbot.waitUntil(lambda: "only you see this demonstration" in shown.text_of("demoNotice"))
    until_is(qtbot, "No camera: others see the stand-by card", state.text)
    assert not session.bridge.status.problems, "said twice"
    qtbot.waitUntil(lambda: session.window.preview.image is not None)  # the demonstration is seen
    desk.camera = True
    qtbot.waitUntil(
        lambda: (
            session.bridge.status.source is not None
            and session.bridge.status.source.kind == "camera"
        )
    )
    qtbot.waitUntil(lambda: not shown.text_of("demoNotice") and not state.text())


def test_a_missing_model_falls_back_and_offers_its_download(
    start_window: StartWindow, qtbot: QtBot, world: FakeWorld, downloads: Downloads
) -> None:
    built: list[str] = []

    class PartlyInstalled(FakeEngine):
        def __init__(
            self, settings: EngineSettings, width: int, height: int, faults: Faults
        ) -> None:
            if settings.model == "rvm-mobilenetv3" and not downloads.ended:
                raise WeightsMissingError(
                    f"Get it with `python3 run.py weights download {settings.model}`."
                )
            built.append(settings.model)
            super().__init__(settings, width, height, faults)

    world.engine = PartlyInstalled
    downloads.may_end.set()
    session = start_window(QUIET.replace(matting=MattingSettings(model="rvm-mobilenetv3")))
    shown = session.window.notices
    qtbot.waitUntil(lambda: "is not installed" in shown.text_of("missingModelNotice"))
    until(qtbot, has_sent, session, 0)
    session.bridge.poll()
    assert "run.py" not in shown.error
    action = button(session, "missingModelNoticeAction0")
    assert action.text() == "Download (15 MB)"
    action.click()
    qtbot.waitUntil(
        lambda: not shown.text_of("missingModelNotice") and built[-1] == "rvm-mobilenetv3"
    )
    assert session.store.saved.matting.model == "rvm-mobilenetv3"


@pytest.fixture
def bar(area: NoticeArea) -> ProgramNotices:
    """Notices of a program of whose models nothing is known."""
    return ProgramNotices(area, Models(made_store(QUIET), cast("Tasks", None)))


def failing(*problems: tuple[Stage, str, float]) -> PipelineStatus:
    return PipelineStatus(problems=tuple(Problem(*problem) for problem in problems))


LOST = (Stage.CAPTURE, "The camera went away.", 1.0)


def pressable(area: NoticeArea, part: str) -> qt.QAbstractButton:
    return find(area, qt.QAbstractButton, f"{shown(area)[0]}{part}")


@pytest.mark.skipif(not LINUX, reason="elsewhere auto takes the cameras of other programs")
@pytest.mark.parametrize(
    ("cameras", "is_said"),
    [
        pytest.param((), True, id="none"),
        pytest.param((("/dev/video0", "Intel MIPI Camera"),), True, id="one of another program"),
        pytest.param(
            (("/dev/video0", "Intel MIPI Camera"), ("/dev/video10", "Mattecam")),
            False,
            id="our own",
        ),
    ],
)
def test_a_camera_of_another_program_does_not_show_the_picture_to_programs(
    area: NoticeArea, cameras: tuple[tuple[str, str], ...], is_said: bool
) -> None:
    sends = made_store(QUIET.replaced_at(["output"], virtual_camera="auto"))
    bar = ProgramNotices(area, Models(sends, cast("Tasks", None)))

    bar.show_virtual_cameras(cameras)
    bar.show_status(PipelineStatus(phase=Phase.RUNNING))

    assert ("Zoom and Meet cannot see Mattecam yet." in area.texts) is is_said


def test_a_dismissed_problem_makes_room_and_stays_away(
    area: NoticeArea, bar: ProgramNotices, qtbot: QtBot
) -> None:
    """The failure of an action is shown first."""
    broken = "The settings file is broken."
    paste = "There is no image to paste."
    bar.show_error(broken)
    bar.show_error(broken, lasting=True)  # it is one error, which stays from the repetition on
    bar.show_status(failing(LOST))
    bar.show_error(paste)
    assert area.texts == (paste, LOST[1], broken)
    for first in (LOST[1], broken):
        pressable(area, "Dismiss").click()
        assert area.error == first, "at once, not with the next status"
    bar.show_status(failing(LOST))
    assert area.error == broken
    bar.show_status(failing((Stage.CAPTURE, "Another trouble.", 2.0)))
    with qtbot.waitSignal(bar.remedy_chosen) as asked:
        pressable(area, "Action0").click()
    assert asked.args == [Remedy.CAMERA]
    assert area.error == "Another trouble.", "also after its button was pressed"


MATTING_FAILED = t("Matting failed; choose another model or executor. The log has the details.")
GONE = t(
    "There is no camera {name}; connect it or choose another one⟦ (the command `devices` lists them)⟧.",
    name="x",
)
NO_GPU = t("There is no usable NVIDIA GPU on this computer; choose the device cpu or auto.")


@pytest.mark.parametrize(
    ("stage", "remedy", "offered"),
    [
        pytest.param(Stage.MATTING, Remedy.PLATE, Remedy.PLATE, id="what the error says"),
        pytest.param(Stage.MATTING, Remedy.NOTHING, Remedy.NOTHING, id="nothing helps"),
        pytest.param(Stage.MATTING, None, Remedy.MODEL, id="matting"),
        pytest.param(Stage.CAPTURE, None, Remedy.CAMERA, id="a camera"),
        pytest.param(Stage.BACKGROUND, None, Remedy.BLUR, id="a background"),
        pytest.param(Stage.RECORDING, None, Remedy.RECORDINGS_FOLDER, id="a recording"),
        pytest.param(Stage.VIRTUAL_CAMERA, None, Remedy.VIRTUAL_CAMERA, id="a virtual camera"),
        pytest.param(Stage.PIPEWIRE, None, Remedy.VIRTUAL_CAMERA, id="the camera of PipeWire"),
        pytest.param(Stage.OUTPUT, None, Remedy.RETRY, id="any other stage"),
    ],
)
def test_a_problem_has_the_remedy_of_its_error_or_that_of_its_stage(
    stage: Stage, remedy: Remedy | None, offered: Remedy
) -> None:
    """Words of its sentence decided, so that a corrected sentence offered something else."""
    problem = Problem(
        stage, t("The empty room of another model in {file}.", file="x"), 0.0, remedy=remedy
    )

    assert remedy_of(problem) is offered


def test_the_button_of_a_problem_shows_the_controls_that_its_message_names(
    controls: Session, qtbot: QtBot
) -> None:
    for stage, error, caption, name in (
        (Stage.MATTING, ModelChoiceError(NO_GPU), "Show the settings", "matting.device"),
        (Stage.MATTING, ModelError(MATTING_FAILED), "Choose another model", "modelCombo"),
        (Stage.CAPTURE, CameraAbsentError(GONE), "Choose another camera", "cameraCombo"),
    ):
        board = StatusBoard()
        board.report(stage, error)
        controls.window.program_notices.show_status(board.read())
        action = pressable(controls.window.notices, "Action0")
        assert action.text() == caption
        action.click()
        shown = box(controls, name)
        qtbot.waitUntil(shown.isVisible)
        shown.hidePopup()


@pytest.mark.parametrize(("stage", "error", "text", "opened"), [
    ("open_virtual_camera", SinkOpenError("There is none."), "Zoom and Meet cannot see Mattecam", DoctorDialog),
    ("build_engine", PlateError(NEEDS_PLATE), "needs a picture of the empty room", PlateDialog),
])  # fmt: skip
def test_what_is_missing_leads_to_its_setup_and_is_tried_again(
    start_window: StartWindow, qtbot: QtBot, world: FakeWorld, monkeypatch: pytest.MonkeyPatch,
    stage: str, error: Exception, text: str, opened: type[qt.QDialog],
) -> None:  # fmt: skip
    world.faults.put(stage, error)
    session = start_window(QUIET.replaced_at(["output"], virtual_camera="auto"))
    qtbot.waitUntil(lambda: text in "".join(session.window.notices.texts[:1]))
    monkeypatch.setattr(session.pipeline, "retry", retry := Mock())
    pressable(session.window.notices, "Action0").click()
    qtbot.waitUntil(lambda: retry.call_count == 1)
    find(session.window, opened).close()
    world.faults.heal()


def test_the_error_of_a_file_leaves_by_itself_and_others_stay(
    area: NoticeArea, bar: ProgramNotices, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A red message about a broken picture stayed until another background was chosen."""
    monkeypatch.setattr(notices, "EVENT_MS", 200)
    damaged = t(
        "The image {file} is damaged; save it again or choose another one.", file=Path("beach.png")
    )
    not_started = t(
        "The recording {file} cannot be started: {reason}.", file=Path("a.mkv"), reason="x"
    )
    broken = Problem(Stage.BACKGROUND, damaged, 0.0)
    gone = Problem(Stage.RECORDING, not_started, 1.0)
    status = PipelineStatus(phase=Phase.RUNNING, problems=(broken, gone))
    for _again in range(2):
        bar.show_status(status)
        assert [text[:9] for text in area.texts] == ["The recor", "The image"]
        qtbot.waitUntil(lambda: [text[:9] for text in area.texts] == ["The recor"])
        bar.show_status(status)
        assert len(area.texts) == 1, "it does not come back while it lasts"
        bar.show_status(PipelineStatus(phase=Phase.RUNNING))  # but when it happens again
    bar.show_status(PipelineStatus(Phase.WAITING, problems=(broken,)))
    bar.show_error("It goes.")
    qtbot.waitUntil(lambda: len(area.texts) == 1)
    assert "beach.png" in area.error, "others do not see what they should"
