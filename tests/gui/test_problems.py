"""Errors above the preview: which of several is shown, and for how long."""

from __future__ import annotations

import time

import pytest
from PyQt6.QtWidgets import QAbstractButton, QComboBox, QLineEdit, QPushButton, QToolButton
from pytestqt.qtbot import QtBot

from app.config import settings_file
from app.core.errors import PlateError
from app.core.files import paths
from app.core.messages.capture import CameraText
from app.core.messages.matting import ModelText, PlateText
from app.core.messages.media import VideoText
from app.core.messages.output import RecordingText
from app.core.messages.system import ProgramText
from app.core.stage import Stage
from app.core.text import Text
from app.gui.dialogs.plate_dialog import PlateDialog
from app.gui.shell import notices
from app.gui.shell.application import Session
from app.gui.shell.notices import ProgramNotices
from app.gui.shell.remedies import Remedy, remedy_of
from app.gui.widgets.notices import Notice, NoticeArea
from app.runtime.status import PipelineStatus, Problem
from tests.fakes.world import FakeWorld
from tests.gui.conftest import QUIET, StartWindow
from tests.gui.widgets import box, find, made_store


@pytest.fixture
def area(qtbot: QtBot) -> NoticeArea:
    made = NoticeArea()
    qtbot.addWidget(made)
    return made


@pytest.fixture
def bar(area: NoticeArea) -> ProgramNotices:
    return ProgramNotices(area, made_store(QUIET), lambda: None, area)


def failing(*problems: tuple[Stage, str, float]) -> PipelineStatus:
    return PipelineStatus(problems=tuple(Problem(*problem) for problem in problems))


LOST = (Stage.CAPTURE, "The camera went away.", 1.0)


def pressable(area: NoticeArea, part: str, kind: type[QAbstractButton] = QPushButton) -> QAbstractButton:
    return find(area, kind, f"{area.shown}{part}")


def test_a_problem_of_the_camera_comes_before_others(area: NoticeArea, bar: ProgramNotices) -> None:
    bar.show_status(failing((Stage.MICROPHONE, "There is no microphone.", 3.0), LOST))
    area.show_notice(Notice("demo", "This is a demonstration."))
    assert area.texts == (LOST[1], "There is no microphone.", "This is a demonstration.")
    assert pressable(area, "Action0").text() == "Choose another camera"


def test_the_failure_of_an_action_is_shown_first_and_what_lasts_comes_back(
    area: NoticeArea, bar: ProgramNotices, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notices, "EVENT_MS", 50)
    broken, paste = "The settings file is broken.", "There is no image to paste."
    bar.show_error(broken)
    bar.show_error(broken, lasting=True)  # it is one error, which stays from the repetition on
    bar.show_status(failing(LOST))
    bar.show_error(paste)
    assert area.texts == (paste, LOST[1], broken)
    qtbot.waitUntil(lambda: area.texts == (LOST[1], broken))
    bar.show_status(PipelineStatus())
    assert area.error == broken


def test_a_recording_that_stops_comes_before_the_failed_action_before_it(area: NoticeArea, bar: ProgramNotices) -> None:
    bar.show_error("The image cannot be written.")
    bar.show_status(failing((Stage.RECORDING, "The recording has stopped.", time.monotonic())))
    bar.show_error("There is no image to paste.")
    assert area.texts == ("There is no image to paste.", "The recording has stopped.", "The image cannot be written.")


def test_a_dismissed_problem_makes_room_at_once_and_stays_away(area: NoticeArea, bar: ProgramNotices) -> None:
    bar.show_error("There is no image to paste.")
    bar.show_status(failing(LOST))
    pressable(area, "Dismiss", QToolButton).click()
    assert area.error == LOST[1], "at once, not with the next status"
    pressable(area, "Dismiss", QToolButton).click()
    bar.show_status(failing(LOST))
    assert area.isHidden()
    asked: list[Remedy] = []
    bar.remedy_chosen.connect(asked.append)
    bar.show_status(failing((Stage.CAPTURE, "Another trouble.", 2.0)))
    pressable(area, "Action0").click()
    assert asked == [Remedy.CAMERA]
    assert area.texts == ("Another trouble.",), "also after its button was pressed"


def test_a_settings_error_ends_when_they_are_saved(session: Session, qtbot: QtBot) -> None:
    blocked = settings_file.default_path()
    blocked.mkdir(parents=True)
    session.store.edit("background", kind="colour", colour="#123456")
    area = session.window.notices
    qtbot.waitUntil(lambda: "settings.json cannot be written" in area.error)
    assert any(problem.stage is Stage.SETTINGS for problem in session.bridge.status.problems)
    blocked.rmdir()
    pressable(session.window.notices, "Action0").click()
    qtbot.waitUntil(lambda: not area.error)
    assert settings_file.load(paths.config_dir() / "settings.json")[0].background.colour == "#123456"


@pytest.mark.parametrize(
    ("stage", "text", "remedy"),
    [
        (Stage.MATTING, PlateText.NEEDED(model="bgm"), Remedy.PLATE),
        (Stage.MATTING, ModelText.UNEXPECTED(), Remedy.MODEL),
        (Stage.MATTING, ProgramText.MODEL_HANGS(device="cpu"), None),
        (Stage.CAPTURE, CameraText.UNKNOWN(name="x"), Remedy.CAMERA),
        (Stage.CAPTURE, VideoText.ABSENT(file="x.mp4"), Remedy.SOURCE),
        (Stage.BACKGROUND, VideoText.ABSENT(file="x.mp4"), Remedy.BLUR),
        (Stage.RECORDING, RecordingText.OTHER_ENCODER(wanted="a", used="b"), None),
        (Stage.VIRTUAL_CAMERA, "There is no such camera.", Remedy.VIRTUAL_CAMERA),
        (Stage.PIPEWIRE, "PipeWire has stopped.", Remedy.VIRTUAL_CAMERA),
        (Stage.OUTPUT, "unknown", Remedy.RETRY),
    ],
)
def test_a_problem_has_the_remedy_that_its_message_advises(stage: Stage, text: str, remedy: Remedy | None) -> None:
    assert remedy_of(Problem(stage, text, 0.0)) is remedy


@pytest.mark.parametrize("message", ModelText)
def test_another_model_is_offered_only_where_the_message_advises_it(message: ModelText) -> None:
    text = Text(message, dict.fromkeys(("model", "device", "executor", "file", "reason", "width", "height", "ratio",
                                        "count", "frame_width", "frame_height", "step", "choice"), "x"))  # fmt: skip
    advised = any(words in text for words in ("another model", "model it belongs to", "file or choose another"))
    shown = remedy_of(Problem(Stage.MATTING, text, 0.0))
    assert (shown is Remedy.MODEL) == advised


@pytest.mark.parametrize(
    ("stage", "text", "caption", "name"),
    [
        (Stage.MATTING, ModelText.NO_NVIDIA_GPU(), "Show the settings", "deviceCombo"),
        (Stage.MATTING, ModelText.UNEXPECTED(), "Choose another model", "modelCombo"),
        (Stage.CAPTURE, CameraText.UNKNOWN(name="x"), "Choose another camera", "cameraCombo"),
    ],
)
def test_the_button_of_a_problem_shows_the_controls_that_its_message_names(
    controls: Session, qtbot: QtBot, stage: Stage, text: str, caption: str, name: str
) -> None:
    window = controls.window
    window.program_notices.show_status(failing((stage, text, 1.0)))
    action = pressable(controls.window.notices, "Action0")
    assert action.text() == caption
    action.click()
    shown = box(controls, name) if name.endswith("Combo") else find(window, QLineEdit, name)
    qtbot.waitUntil(shown.isVisible)
    if isinstance(shown, QComboBox):
        shown.hidePopup()


def test_a_missing_plate_leads_to_its_capture_and_what_failed_is_tried_again(
    start_window: StartWindow, qtbot: QtBot, world: FakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    retried: list[bool] = []
    world.faults.put("build_engine", PlateError(PlateText.NEEDED(model="bgmv2")))
    session = start_window()
    qtbot.waitUntil(lambda: "needs a picture of the empty room" in session.window.notices.error)
    monkeypatch.setattr(session.pipeline, "retry", lambda: retried.append(True))
    action = pressable(session.window.notices, "Action0")
    assert action.text() == "Take a picture of the empty room…"
    action.click()
    assert retried
    dialog = find(session.window, PlateDialog)
    assert dialog.isVisible()
    dialog.close()
    world.faults.heal()
