"""Errors above the preview: which of several is shown, and for how long."""

from __future__ import annotations

import re
import time

import pytest
from PyQt6.QtWidgets import QAbstractButton, QPushButton, QToolButton
from pytestqt.qtbot import QtBot

from app.config import settings_file
from app.core.errors import PlateError
from app.core.files import paths
from app.core.files.paths import ROOT
from app.core.stage import Stage
from app.core.text import Text, t
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
from tools.make_translations import templates


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
        (
            Stage.MATTING,
            t(
                "The model {model} needs a picture of the empty room; take one⟦ in the window, with `python3 run.py "
                "ctl plate take`, or with `python3 run.py plate` while Mattecam does not run⟧.",
                model="bgm",
            ),
            Remedy.PLATE,
        ),
        (Stage.MATTING, t("Matting failed; choose another model or executor. The log has the details."), Remedy.MODEL),
        (
            Stage.MATTING,
            t("The model does not respond on {device}; start the program again, or with another device.", device="cpu"),
            None,
        ),
        (
            Stage.CAPTURE,
            t(
                "There is no camera {name}; connect it or choose another one⟦ (the command `devices` lists them)⟧.",
                name="x",
            ),
            Remedy.CAMERA,
        ),
        (Stage.CAPTURE, t("There is no video file {file}; check the name.", file="x.mp4"), Remedy.SOURCE),
        (Stage.BACKGROUND, t("There is no video file {file}; check the name.", file="x.mp4"), Remedy.BLUR),
        (
            Stage.RECORDING,
            t("The encoder {wanted} does not work on this computer; the recording uses {used}.", wanted="a", used="b"),
            None,
        ),
        (Stage.VIRTUAL_CAMERA, "There is no such camera.", Remedy.VIRTUAL_CAMERA),
        (Stage.PIPEWIRE, "PipeWire has stopped.", Remedy.VIRTUAL_CAMERA),
        (Stage.OUTPUT, "unknown", Remedy.RETRY),
    ],
)
def test_a_problem_has_the_remedy_that_its_message_advises(stage: Stage, text: str, remedy: Remedy | None) -> None:
    assert remedy_of(Problem(stage, text, 0.0)) is remedy


def templates_of_matting() -> list[str]:
    """Return what errors of models say."""
    folder = ROOT / "app" / "matting"
    return sorted({text for path in folder.rglob("*.py") for text in templates(path) if re.search(r"\{model\}", text)})


@pytest.mark.parametrize("template", templates_of_matting())
def test_another_model_is_offered_only_where_the_message_advises_it(template: str) -> None:
    text = Text(template, dict.fromkeys(re.findall(r"\{(\w+)\}", template), "x"))
    advised = any(words in text for words in ("another model", "model it belongs to"))
    shown = remedy_of(Problem(Stage.MATTING, text, 0.0))
    assert (shown is Remedy.MODEL) == advised


@pytest.mark.parametrize(
    ("stage", "text", "caption", "name"),
    [
        (
            Stage.MATTING,
            t("There is no usable NVIDIA GPU on this computer; choose the device cpu or auto."),
            "Show the settings",
            "matting.device",
        ),
        (
            Stage.MATTING,
            t("Matting failed; choose another model or executor. The log has the details."),
            "Choose another model",
            "modelCombo",
        ),
        (
            Stage.CAPTURE,
            t(
                "There is no camera {name}; connect it or choose another one⟦ (the command `devices` lists them)⟧.",
                name="x",
            ),
            "Choose another camera",
            "cameraCombo",
        ),
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
    shown = box(controls, name)
    qtbot.waitUntil(shown.isVisible)
    shown.hidePopup()


def test_a_missing_plate_leads_to_its_capture_and_what_failed_is_tried_again(
    start_window: StartWindow, qtbot: QtBot, world: FakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    retried: list[bool] = []
    world.faults.put(
        "build_engine",
        PlateError(
            t(
                "The model {model} needs a picture of the empty room; take one⟦ in the window, with `python3 run.py "
                "ctl plate take`, or with `python3 run.py plate` while Mattecam does not run⟧.",
                model="bgmv2",
            )
        ),
    )
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
