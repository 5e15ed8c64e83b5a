"""The notices above the preview."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import cast
from unittest.mock import Mock

import PyQt6.QtWidgets as qt  # noqa: N813
import pytest
from pytestqt.qtbot import QtBot

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
from app.core.settings import CaptureSettings, EngineSettings, MattingSettings
from app.core.types import SourceInfo
from app.gui import notices
from app.gui.application import Session
from app.gui.doctor import DoctorDialog
from app.gui.notices import Importance, Notice, NoticeArea, NoticeFrame, ProgramNotices, remedy_of
from app.gui.panels.models import Models
from app.gui.panels.plate import PlateDialog
from app.gui.state import Tasks
from app.gui.widgets.qt import column
from app.runtime.status import Phase, PipelineStatus, Problem, StatusBoard
from mattecam.testing import FakeEngine, Faults
from tests.fakes.world import Desk, FakeWorld
from tests.gui.conftest import (
    NEEDS_PLATE,
    QUIET,
    Downloads,
    StartWindow,
)
from tests.gui.widgets import (
    box,
    button,
    find,
    has_notice,
    has_sent,
    made_store,
    notice,
    shows_preview,
    until,
    until_is,
)
from tests.stand_ins import always


@pytest.fixture
def area(qtbot: QtBot) -> Iterator[NoticeArea]:
    """A notice area in a window."""
    window = qt.QWidget()
    made = NoticeArea()
    qtbot.addWidget(window)
    window.resize(640, 780)
    column(window, made, None, margins=50)  # away from the pointer
    window.show()
    yield made
    window.close()


def shown(area: NoticeArea) -> list[str]:
    """Return the keys of the notices on the screen, from top to bottom."""
    frames = [frame for frame in area.findChildren(NoticeFrame) if frame.isVisible()]
    return [frame.objectName() for frame in sorted(frames, key=NoticeFrame.y)]


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

    def is_whole() -> bool:
        return text.height() >= text.heightForWidth(text.width()) > 40

    until(qtbot, is_whole)
    for key in "dc":
        find(area, qt.QToolButton, f"{key}Dismiss").click()
    find(area, qt.QPushButton, "aAction0").click()
    assert pressed == ["a"] and shown(area) == ["e", "b"]
    counter.click()
    assert shown(area) == ["e"]


def test_of_two_notices_of_one_moment_the_last_one_is_shown(area: NoticeArea) -> None:
    """The clock of Windows counts steps of 16 ms: the first one stayed in front."""
    for key in ("one", "two"):
        area.show_notice(Notice(key, f"{key} has happened.", at_s=5.0))
    assert shown(area) == ["two"]

    area.show_notice(Notice("one", "one has happened again.", at_s=5.0))
    assert shown(area) == ["one"]


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
        ProgramNotices(area, Models(store, NO_TASKS), NO_TASKS).show_status(
            PipelineStatus(source=source)
        )
        assert area.text_of("slowCameraNotice") == said


def has_camera(session: Session) -> bool:
    """Whether the source in use is a camera."""
    source = session.bridge.status.source
    return source is not None and source.kind == "camera"


def has_texts(area: NoticeArea, count: int) -> bool:
    return len(area.texts) == count


def test_a_camera_that_comes_takes_the_place_of_the_demonstration(
    start_window: StartWindow, qtbot: QtBot
) -> None:
    desk = Desk()
    settings = QUIET.replace(capture=CaptureSettings(source="auto"))
    desk.pause_s = 1 / 40
    session = start_window(settings, parts=desk.parts())
    state = session.window.badges.state
    until(qtbot, has_notice, session, "demoNotice", "only you see this demonstration")
    until_is(qtbot, "No camera: others see the stand-by card", state.text)
    assert not session.bridge.status.problems, "said twice"
    until(qtbot, shows_preview, session)  # the demonstration is seen
    desk.camera = True
    until(qtbot, has_camera, session)
    until_is(qtbot, "", notice, session, "demoNotice")
    until_is(qtbot, "", state.text)


def test_a_missing_model_falls_back_and_offers_its_download(
    start_window: StartWindow, qtbot: QtBot, world: FakeWorld, downloads: Downloads
) -> None:
    built: list[str] = []

    def last_built() -> str:
        return built[-1]

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
    until(qtbot, has_notice, session, "missingModelNotice", "is not installed")
    until(qtbot, has_sent, session, 0)
    session.bridge.poll()
    assert "run.py" not in shown.error
    action = button(session, "missingModelNoticeAction0")
    assert action.text() == "Download (15 MB)"
    action.click()
    until_is(qtbot, "", notice, session, "missingModelNotice")
    until_is(qtbot, "rvm-mobilenetv3", last_built)
    assert session.store.saved.matting.model == "rvm-mobilenetv3"


# Of windows in which nothing is looked for.
NO_TASKS = cast("Tasks", None)


@pytest.fixture
def bar(area: NoticeArea) -> ProgramNotices:
    """Notices of a program of whose models nothing is known."""
    return ProgramNotices(area, Models(made_store(QUIET), NO_TASKS), NO_TASKS)


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
    bar = ProgramNotices(area, Models(sends, NO_TASKS), NO_TASKS)

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
    until(qtbot, has_texts, area, 1)
    assert "beach.png" in area.error, "others do not see what they should"
