"""The error bar: which of several problems it shows, and for how long."""

from __future__ import annotations

import time

import pytest
from PyQt6.QtWidgets import QLabel, QPushButton, QToolButton
from pytestqt.qtbot import QtBot

from app.config import paths, settings_file
from app.core.errors import PlateError, RemoteError
from app.core.messages.capture import CameraText
from app.core.messages.matting import ModelText, PlateText
from app.core.messages.media import VideoText
from app.core.messages.output import RecordingText
from app.core.messages.remote import RemoteText
from app.core.settings import MattingSettings
from app.core.text import Text
from app.gui.dialogs.plate_dialog import PlateDialog
from app.gui.shell.application import Session
from app.gui.widgets import error_bar
from app.gui.widgets.error_bar import ErrorBar
from app.gui.widgets.remedies import Remedy, remedy_of
from app.runtime.status import PipelineStatus, Problem, Stage
from tests.fakes.world import FakeWorld
from tests.gui.conftest import QUIET, StartWindow
from tests.gui.widgets import button, fail


@pytest.fixture
def bar(qtbot: QtBot) -> ErrorBar:
    made = ErrorBar()
    qtbot.addWidget(made)
    return made


def failing(message: str, at_s: float, stage: Stage = Stage.CAPTURE) -> PipelineStatus:
    return PipelineStatus(problems=(Problem(stage, message, at_s),))


def shown_texts(bar: ErrorBar) -> list[str]:
    return [label.text() for label in bar.findChildren(QLabel) if not label.isHidden() and label.text()]


def test_a_newer_error_of_the_pipeline_is_shown_before_a_message_of_the_window(bar: ErrorBar) -> None:
    bar.show_message("There is no image to paste.", lasting=True)
    bar.show_status(failing("The camera went away.", time.time() + 1))
    assert bar.text == "The camera went away."
    assert "and 1 more" in shown_texts(bar)
    action = bar.findChild(QPushButton, "errorAction")
    assert action is not None and action.text() == "Choose another camera"
    bar.show_status(PipelineStatus())
    assert bar.text == "There is no image to paste.", "what lasts comes back"


def test_a_newer_message_of_the_window_is_shown_before_an_error_of_the_pipeline(bar: ErrorBar) -> None:
    older = failing("The camera went away.", time.time() - 1)
    bar.show_status(older)
    bar.show_message("There is no image to paste.")
    bar.show_status(older)
    assert bar.text == "There is no image to paste."
    dismiss = bar.findChild(QToolButton, "errorDismiss")
    assert dismiss is not None
    dismiss.click()
    assert bar.text == "The camera went away.", "at once, not with the next status"
    dismiss.click()
    assert bar.isHidden()


def test_the_error_of_an_action_goes_by_itself(bar: ErrorBar, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(error_bar, "EVENT_MS", 50)
    bar.show_message("The settings file is broken.", lasting=True)
    bar.show_message("There is no image to paste.")
    assert bar.text == "There is no image to paste."
    qtbot.waitUntil(lambda: bar.text == "The settings file is broken.")


def test_a_repeated_error_stays_from_the_repetition_on(
    bar: ErrorBar, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(error_bar, "EVENT_MS", 50)
    bar.show_message("There is no image to paste.")
    bar.show_message("There is no image to paste.", lasting=True)
    qtbot.wait(200)
    assert bar.text == "There is no image to paste."
    assert not any("more" in text for text in shown_texts(bar)), "it is one error"


def test_a_settings_error_ends_when_they_are_saved(session: Session, qtbot: QtBot) -> None:
    blocked = settings_file.default_path()
    blocked.mkdir(parents=True)
    session.store.edit("background", kind="colour", colour="#123456")
    bar = session.window.error_bar
    qtbot.waitUntil(lambda: "settings.json cannot be written" in bar.text)
    assert any(problem.stage is Stage.SETTINGS for problem in session.bridge.status.problems)
    blocked.rmdir()
    button(session, "errorAction").click()
    qtbot.waitUntil(lambda: not bar.isVisible())
    assert settings_file.load(paths.config_dir() / "settings.json")[0].background.colour == "#123456"


@pytest.mark.parametrize(
    ("stage", "text", "remedy"),
    [
        (Stage.MATTING, RemoteText.NO_FRAMES(server="https://x"), Remedy.SERVER),
        (Stage.MATTING, PlateText.NEEDED(model="bgm"), Remedy.PLATE),
        (Stage.MATTING, ModelText.UNEXPECTED(), Remedy.MODEL),
        (Stage.CAPTURE, CameraText.UNKNOWN(name="x"), Remedy.CAMERA),
        (Stage.CAPTURE, VideoText.ABSENT(file="x.mp4"), Remedy.SOURCE),
        (Stage.BACKGROUND, VideoText.ABSENT(file="x.mp4"), Remedy.BLUR),
        (Stage.RECORDING, RecordingText.OTHER_ENCODER(wanted="a", used="b"), None),
        (Stage.OUTPUT, "unknown", Remedy.RETRY),
    ],
)
def test_a_problem_has_the_remedy_that_its_message_advises(stage: Stage, text: str, remedy: Remedy | None) -> None:
    assert remedy_of(Problem(stage, text, 0.0)) is remedy


@pytest.mark.parametrize("message", ModelText)
def test_another_model_is_offered_only_where_the_message_advises_it(message: ModelText) -> None:
    text = Text(message, dict.fromkeys(("model", "device", "executor", "file", "reason", "width", "height", "ratio",
                                        "count", "frame_width", "frame_height", "step"), "x"))  # fmt: skip
    advised = any(words in text for words in ("another model", "model it belongs to", "file or choose another"))
    shown = remedy_of(Problem(Stage.MATTING, text, 0.0))
    assert (shown is Remedy.MODEL) == advised


def test_a_problem_of_the_server_leads_to_its_settings(
    start_window: StartWindow, qtbot: QtBot, world: FakeWorld
) -> None:
    world.faults.put("build_engine", fail(RemoteError(RemoteText.FULL(server="https://x"))))
    remote = MattingSettings(location="remote", server="https://x")
    session = start_window(QUIET.replace(matting=remote))
    qtbot.waitUntil(lambda: "has no free stream" in session.window.error_bar.text)
    action = button(session, "errorAction")
    assert action.text() == "Show the server settings"
    panel = session.window.panel
    assert not panel.server.isVisible()
    action.click()
    qtbot.waitUntil(panel.server.isVisible)
    assert session.preferences.current.all_settings
    world.faults.heal()


def test_a_missing_plate_leads_to_its_capture(start_window: StartWindow, qtbot: QtBot, world: FakeWorld) -> None:
    world.faults.put("build_engine", fail(PlateError(PlateText.NEEDED(model="bgmv2"))))
    session = start_window()
    qtbot.waitUntil(lambda: "needs a picture of the empty room" in session.window.error_bar.text)
    action = button(session, "errorAction")
    assert action.text() == "Take a picture of the empty room…"
    action.click()
    dialog = session.window.findChild(PlateDialog)
    assert dialog is not None and dialog.isVisible()
    dialog.close()
    world.faults.heal()


def test_the_settings_that_a_message_names_are_shown(start_window: StartWindow, qtbot: QtBot, world: FakeWorld) -> None:
    world.faults.put("build_engine", fail(PlateError(ModelText.NO_NVIDIA_GPU())))
    session = start_window()
    qtbot.waitUntil(lambda: "no usable NVIDIA GPU" in session.window.error_bar.text)
    button(session, "errorAction").click()
    qtbot.waitUntil(session.window.panel.expert.isVisible)
    world.faults.heal()
