"""Notices above the preview: states, problems with what helps, events, and the focus around them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import cast

import pytest
from PyQt6.QtWidgets import QAbstractButton, QLabel, QPushButton, QToolButton, QWidget
from pytestqt.qtbot import QtBot

from app.config import settings_file
from app.core import paths
from app.core.errors import PlateError, SinkOpenError, Stage, WeightsMissingError, t
from app.core.settings import CaptureSettings, EngineSettings, MattingSettings, Settings
from app.core.types import SourceInfo
from app.gui import notices
from app.gui.application import Session, WindowOptions
from app.gui.doctor import DoctorDialog
from app.gui.notices import Notice, NoticeArea, NoticeFrame, ProgramNotices, Rank, Remedy, remedy_of
from app.gui.panels.models import Models
from app.gui.panels.plate import PlateDialog
from app.gui.state import Tasks
from app.gui.widgets.qt import column
from app.runtime.status import Phase, PipelineStatus, Problem
from mattecam.testing import FakeEngine, Faults
from tests.fakes.world import Desk, FakeWorld
from tests.gui.conftest import NEEDS_PLATE, QUIET, Downloads, StartWindow
from tests.gui.widgets import box, button, find, made_store

AUTO_CAMERA = QUIET.replace(output=QUIET.output.replace(virtual_camera="auto"))


@pytest.fixture
def area(qtbot: QtBot) -> Iterator[NoticeArea]:
    """A notice area in a window."""
    window, made = QWidget(), NoticeArea()
    qtbot.addWidget(window)
    window.resize(640, 600)
    column(window, made, None, margins=50)  # away from the pointer
    window.show()
    yield made
    window.close()


def models_of(settings: Settings) -> Models:
    """Return models of which nothing is known, with a store of settings."""
    return Models(made_store(settings), cast("Tasks", None))


def shown(area: NoticeArea) -> list[str]:
    """Return the keys of the notices on the screen, from top to bottom."""
    frames = [frame for frame in area.findChildren(NoticeFrame) if frame.isVisible()]
    return [frame.objectName() for frame in sorted(frames, key=lambda frame: frame.y())]


def test_the_most_important_notice_is_shown_and_the_others_below_it_on_request(area: NoticeArea, qtbot: QtBot) -> None:
    pressed: list[str] = []
    for key in "abc":
        area.show_notice(Notice(key, f"It is {key}. " * 40, ((key, partial(pressed.append, key)),)))
    area.show_notice(Notice("d", "It is bad.", rank=Rank.ERROR))
    area.show_notice(Notice("e", "It is over.", rank=Rank.EVENT))
    assert shown(area) == ["d"]
    counter = find(area, QToolButton, "noticeCounter")
    assert counter.text() == "4 more"
    counter.click()
    qtbot.waitUntil(lambda: shown(area) == ["d", "e", "c", "b", "a"])
    text = find(find(area, NoticeFrame, "a"), QLabel)
    qtbot.waitUntil(lambda: text.height() >= text.heightForWidth(text.width()) > 40)
    for key in "dc":
        find(area, QToolButton, f"{key}Dismiss").click()
    button_of_a = find(area, QPushButton, "aAction0")
    button_of_a.click()
    assert pressed == ["a"] and shown(area) == ["e", "b"]
    counter.click()
    assert shown(area) == ["e"]


def test_nothing_is_pressed_that_has_just_come_under_the_pointer(
    area: NoticeArea, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    area.show_notice(Notice("a", "It is so.", (("Do a", list),)))
    monkeypatch.setattr(area, "underMouse", lambda: True)
    area.show_notice(Notice("b", "It is bad.", (("Do b", list),), Rank.OUTAGE))
    first = find(area, QPushButton, "bAction0")
    assert not first.isEnabled()
    qtbot.waitUntil(first.isEnabled)
    first.click()
    assert shown(area) == ["a"] and not find(area, QPushButton, "aAction0").isEnabled()


def test_a_missing_virtual_camera_leads_to_its_setup(start_window: StartWindow, qtbot: QtBot, world: FakeWorld) -> None:
    world.faults.put("open_virtual_camera", SinkOpenError("There is none."))
    session = start_window(AUTO_CAMERA)
    qtbot.waitUntil(lambda: "cannot see Mattecam" in session.window.notices.text_of("virtualCameraNotice"))
    button(session, "virtualCameraNoticeAction0").click()
    find(session.window, DoctorDialog).close()
    qtbot.waitUntil(lambda: session.window.findChild(DoctorDialog) is None)
    session.window.program_notices.remedy_chosen.emit(Remedy.VIRTUAL_CAMERA)
    find(session.window, DoctorDialog).close()


def test_a_camera_that_is_slow_at_its_size_says_so(area: NoticeArea) -> None:
    text = "The camera reaches 1280 × 720 only at 10 fps. Choose a smaller size or another format."
    for kind, fps, wanted, said in (
        ("camera", 30.0, 30.0, ""), ("camera", 10.0, 30.0, text), ("camera", 5.0, 5.0, ""), ("file", 5.0, 30.0, ""),
    ):  # fmt: skip
        shown = ProgramNotices(area, models_of(QUIET.replace(capture=CaptureSettings(fps=wanted))))
        shown.show_status(PipelineStatus(source=SourceInfo(kind, "Cam", "", 1280, 720, fps, "YUYV")))
        assert area.text_of("slowCameraNotice") == said


def test_a_camera_that_comes_takes_the_place_of_the_demonstration(start_window: StartWindow, qtbot: QtBot) -> None:
    desk, settings = Desk(), QUIET.replace(capture=CaptureSettings(source="auto"))
    desk.pause_s = 1 / 40
    session = start_window(settings, options=WindowOptions(parts=desk.parts()))
    shown, state = session.window.notices, session.window.badges.state
    qtbot.waitUntil(lambda: "only you see this demonstration" in shown.text_of("demoNotice"))
    qtbot.waitUntil(lambda: state.text() == "No camera: others see the stand-by card")
    assert not session.bridge.status.problems, "said twice"
    qtbot.waitUntil(lambda: session.window.preview.image is not None)  # the demonstration is seen
    desk.camera = True
    qtbot.waitUntil(lambda: session.bridge.status.source is not None and session.bridge.status.source.kind == "camera")
    qtbot.waitUntil(lambda: not shown.text_of("demoNotice") and not state.text())


def test_a_missing_model_falls_back_and_offers_its_download(
    start_window: StartWindow, qtbot: QtBot, world: FakeWorld, downloads: Downloads
) -> None:
    built: list[str] = []

    class PartlyInstalled(FakeEngine):
        def __init__(self, settings: EngineSettings, width: int, height: int, faults: Faults) -> None:
            if settings.model == "rvm-mobilenetv3" and not downloads.ended:
                raise WeightsMissingError(f"Get it with `python3 run.py weights download {settings.model}`.")
            built.append(settings.model)
            super().__init__(settings, width, height, faults)

    world.engine = PartlyInstalled
    downloads.may_end.set()
    session = start_window(QUIET.replace(matting=MattingSettings(model="rvm-mobilenetv3")))
    shown = session.window.notices
    qtbot.waitUntil(lambda: "is not installed" in shown.text_of("missingModelNotice"))
    qtbot.waitUntil(lambda: session.bridge.status.frames_out > 0)
    session.bridge.poll()
    assert "run.py" not in shown.error
    action = button(session, "missingModelNoticeAction0")
    assert action.text() == "Download (15 MB)"
    action.click()
    qtbot.waitUntil(lambda: not shown.text_of("missingModelNotice"))
    qtbot.waitUntil(lambda: built[-1] == "rvm-mobilenetv3")
    assert session.store.saved.matting.model == "rvm-mobilenetv3"


@pytest.fixture
def bar(area: NoticeArea) -> ProgramNotices:
    return ProgramNotices(area, models_of(QUIET))


def failing(*problems: tuple[Stage, str, float]) -> PipelineStatus:
    return PipelineStatus(problems=tuple(Problem(*problem) for problem in problems))


LOST = (Stage.CAPTURE, "The camera went away.", 1.0)


def pressable(area: NoticeArea, part: str) -> QAbstractButton:
    return find(area, QAbstractButton, f"{shown(area)[0]}{part}")


def test_a_dismissed_problem_makes_room_at_once_and_stays_away(area: NoticeArea, bar: ProgramNotices) -> None:
    """The failure of an action is shown first."""
    broken, paste = "The settings file is broken.", "There is no image to paste."
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
    asked: list[Remedy] = []
    bar.remedy_chosen.connect(asked.append)
    bar.show_status(failing((Stage.CAPTURE, "Another trouble.", 2.0)))
    pressable(area, "Action0").click()
    assert asked == [Remedy.CAMERA]
    assert area.error == "Another trouble.", "also after its button was pressed"


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


MATTING_FAILED = t("Matting failed; choose another model or executor. The log has the details.")
NO_RESPONSE = t("The model does not respond on {device}; start the program again, or with another device.", device="x")
GONE = t("There is no camera {name}; connect it or choose another one⟦ (the command `devices` lists them)⟧.", name="x")
NO_FILE = t("There is no video file {file}; check the name.", file="x.mp4")
CODEC = t("The encoder {wanted} does not work on this computer; the recording uses {used}.", wanted="a", used="b")
DAMAGED = t("The image {file} is damaged; save it again or choose another one.", file=Path("beach.png"))
NOT_STARTED = t("The recording {file} cannot be started: {reason}.", file=Path("a.mkv"), reason="x")
NO_GPU = t("There is no usable NVIDIA GPU on this computer; choose the device cpu or auto.")


@pytest.mark.parametrize(
    ("stage", "text", "remedy"),
    [
        (Stage.MATTING, NEEDS_PLATE, Remedy.PLATE),
        (Stage.MATTING, MATTING_FAILED, Remedy.MODEL),
        (Stage.MATTING, NO_RESPONSE, None),
        (Stage.CAPTURE, GONE, Remedy.CAMERA),
        (Stage.CAPTURE, NO_FILE, Remedy.SOURCE),
        (Stage.BACKGROUND, NO_FILE, Remedy.BLUR),
        (Stage.RECORDING, CODEC, None),
        (Stage.VIRTUAL_CAMERA, "There is no such camera.", Remedy.VIRTUAL_CAMERA),
        (Stage.PIPEWIRE, "PipeWire has stopped.", Remedy.VIRTUAL_CAMERA),
        (Stage.OUTPUT, "unknown", Remedy.RETRY),
    ],
)
def test_a_problem_has_the_remedy_that_its_message_advises(stage: Stage, text: str, remedy: Remedy | None) -> None:
    assert remedy_of(Problem(stage, text, 0.0)) is remedy


def test_the_button_of_a_problem_shows_the_controls_that_its_message_names(controls: Session, qtbot: QtBot) -> None:
    for stage, text, caption, name in (
        (Stage.MATTING, NO_GPU, "Show the settings", "matting.device"),
        (Stage.MATTING, MATTING_FAILED, "Choose another model", "modelCombo"),
        (Stage.CAPTURE, GONE, "Choose another camera", "cameraCombo"),
    ):
        controls.window.program_notices.show_status(failing((stage, text, 1.0)))
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
    world.faults.put("build_engine", PlateError(NEEDS_PLATE))
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


def test_the_error_of_a_file_leaves_by_itself_and_others_stay(
    area: NoticeArea, bar: ProgramNotices, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A red message about a broken picture stayed until another background was chosen."""
    monkeypatch.setattr(notices, "EVENT_MS", 200)
    broken, gone = Problem(Stage.BACKGROUND, DAMAGED, 0.0), Problem(Stage.RECORDING, NOT_STARTED, 1.0)
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
