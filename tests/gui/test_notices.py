"""Notices above the preview: missing devices and models, and keyboard focus around them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest
from PyQt6.QtCore import QEvent, Qt
from PyQt6.QtWidgets import QApplication, QFrame, QLabel, QPushButton, QToolButton, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from app.core.errors import SinkOpenError, WeightsMissingError
from app.core.settings import CaptureSettings, EngineSettings, MattingSettings
from app.core.types import SourceInfo
from app.gui.dialogs.doctor_dialog import FindingsDialog
from app.gui.shell.application import WindowOptions
from app.gui.shell.notices import ProgramNotices
from app.gui.shell.remedies import Remedy
from app.gui.widgets import notices
from app.gui.widgets.controls import ElidedLabel
from app.gui.widgets.controls import button as make_button
from app.gui.widgets.notices import READABLE_PX, Notice, NoticeArea, Rank
from app.runtime.status import PipelineStatus
from app.testing.parts import FakeEngine, Faults
from tests.fakes.world import Desk, FakeWorld
from tests.gui.conftest import QUIET, Downloads, StartWindow
from tests.gui.widgets import button, existing, find, made_store

AUTO_CAMERA = QUIET.replace(output=QUIET.output.replace(virtual_camera="auto"))


@pytest.fixture
def area(qtbot: QtBot) -> Iterator[NoticeArea]:
    """A notice area below a button, in a window."""
    window = QWidget()
    window.resize(640, 200)
    qtbot.addWidget(window)
    column = QVBoxLayout(window)
    outside = make_button("outside")
    outside.setObjectName("outside")
    made = NoticeArea()
    column.addWidget(outside)
    column.addWidget(made)
    window.show()
    window.activateWindow()
    outside.setFocus()
    qtbot.waitUntil(outside.hasFocus)
    yield made
    window.close()


def visible(area: NoticeArea) -> list[str]:
    return [key for key in "abcde" if (frame := area.findChild(QFrame, key)) is not None and frame.isVisible()]


def test_one_line_shows_the_most_important_notice(area: NoticeArea) -> None:
    for key in "abc":
        area.show_notice(Notice(key, f"It is {key}."))
    assert visible(area) == ["c"]
    height = area.height()
    area.show_notice(Notice("d", "It is bad. " * 60, rank=Rank.ERROR))
    area.show_notice(Notice("e", "It is over.", rank=Rank.EVENT))
    assert visible(area) == ["d"]
    assert area.sizeHint().height() <= height + 8, "one line"
    for key in "dec":
        find(area, QToolButton, f"{key}Dismiss").click()
    assert visible(area) == ["b"]


def test_a_counter_lists_the_others_in_full_with_their_buttons(area: NoticeArea, qtbot: QtBot) -> None:
    pressed: list[str] = []
    for key in "ab":
        area.show_notice(Notice(key, f"It is {key}. " * 40, ((key, partial(pressed.append, key)),)))
    counter = find(area, QToolButton, "noticeCounter")
    assert counter.text() == "1 more"
    counter.click()
    listed = find(area, QFrame, "noticeList")
    label = next(found for found in listed.findChildren(QLabel) if "It is a." in found.text())
    qtbot.waitUntil(lambda: label.height() >= label.heightForWidth(label.width()) > 40)
    action = find(listed, QPushButton, "aInListAction0")
    assert label.geometry().right() < action.x(), "without a heading, no empty line above the text"
    qtbot.mouseClick(action, Qt.MouseButton.LeftButton)
    assert pressed == ["a"]
    qtbot.waitUntil(lambda: area.findChild(QFrame, "noticeList") is None)
    assert visible(area) == ["b"]
    assert counter.text() == "…", "the sentence does not fit"


def test_the_list_leaves_a_sentence_the_width_of_the_window(area: NoticeArea, qtbot: QtBot) -> None:
    existing(area.parentWidget()).resize(480, 200)
    word = 'card_label="Mattecam"'
    actions = (("Set up…", list), ("Show the server settings", list))
    area.show_notice(Notice("a", f"Run {word}. " * 20, actions, heading="Virtual camera"))
    find(area, QToolButton, "noticeCounter").click()
    listed = find(area, QFrame, "noticeList")
    (text,) = (found for found in listed.findChildren(QLabel) if word in found.text())
    qtbot.waitUntil(lambda: text.height() >= text.heightForWidth(text.width()) > 40)
    assert text.fontMetrics().horizontalAdvance(word) <= text.width() > area.width() * 0.8


def test_a_wide_button_gives_way_to_the_sentence(area: NoticeArea, qtbot: QtBot) -> None:
    existing(area.parentWidget()).resize(440, 200)
    actions = (("Einstellungen des Servers zeigen", list),)
    area.show_notice(Notice("a", "The server does not answer. " * 4, actions, Rank.OUTAGE, heading="Matting"))
    text = find(area, ElidedLabel, "noticeText")
    qtbot.waitUntil(lambda: text.width() >= READABLE_PX)
    assert find(area, QPushButton, "aAction0").isHidden()
    assert find(area, QToolButton, "noticeCounter").isVisible(), "it lists the button"
    existing(area.parentWidget()).resize(1000, 200)
    qtbot.waitUntil(find(area, QPushButton, "aAction0").isVisible)


def test_no_button_changes_under_the_pointer(area: NoticeArea, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(area, "underMouse", lambda: True)
    bad = Notice("b", "It is bad.", (("Do b", list),), Rank.OUTAGE)
    area.show_states([Notice("a", "It is so.", (("Do a", list),))])
    qtbot.waitUntil(find(area, QPushButton, "aAction0").isVisible)
    area.show_notice(bad)
    assert area.shown == "a"
    area.show_states([])
    button_of_a = find(area, QPushButton, "aAction0")
    assert button_of_a.isVisible()
    assert not button_of_a.isEnabled(), "it has ended"
    monkeypatch.setattr(area, "underMouse", lambda: False)
    QApplication.sendEvent(area, QEvent(QEvent.Type.Leave))
    assert area.shown == "b"
    assert find(area, QPushButton, "bAction0").isEnabled()


@pytest.mark.parametrize("leaves", [False, True])
def test_what_appears_under_the_pointer_waits_for_a_moment_or_the_pointer_before_it_can_be_pressed(
    area: NoticeArea, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, leaves: bool
) -> None:
    monkeypatch.setattr(notices, "GUARD_MS", 10**6 if leaves else 50)
    monkeypatch.setattr(area, "underMouse", lambda: True)
    area.show_notice(Notice("a", "It is bad.", (("Do a", list),), Rank.OUTAGE))
    area.show_notice(Notice("b", "It is so.", (("Do b", list),)))
    find(area, QPushButton, "aAction0").click()
    second = find(area, QPushButton, "bAction0")
    assert not second.isEnabled()
    if leaves:
        QApplication.sendEvent(area, QEvent(QEvent.Type.Leave))
    qtbot.waitUntil(second.isEnabled)


def test_a_dismissed_state_stays_hidden_until_it_has_ended(area: NoticeArea) -> None:
    notice = Notice("k", "It is so.")
    area.show_states([notice])
    find(area, QToolButton, "kDismiss").click()
    area.show_states([notice])
    assert not area.texts and area.isHidden()
    area.show_states([])
    area.show_states([notice])
    assert area.texts == ("It is so.",)


def test_a_notice_about_an_event_expires(area: NoticeArea, qtbot: QtBot) -> None:
    area.show_notice(Notice("k", "Done.", duration_ms=30))
    assert area.texts == ("Done.",)
    qtbot.waitUntil(lambda: not area.texts)


def test_the_focus_returns_to_where_it_was(area: NoticeArea, qtbot: QtBot) -> None:
    pressed: list[bool] = []
    area.show_notice(Notice("k", "Press.", (("Now", lambda: pressed.append(True)),)))
    action = find(area, QWidget, "kAction0")
    action.setFocus()
    qtbot.keyClick(action, Qt.Key.Key_Space)
    assert pressed
    assert existing(QApplication.focusWidget()).objectName() == "outside"


def test_a_missing_virtual_camera_is_shown_with_its_setup(
    start_window: StartWindow, qtbot: QtBot, world: FakeWorld
) -> None:
    world.faults.put("open_virtual_camera", SinkOpenError("There is none."))
    session = start_window(AUTO_CAMERA)
    qtbot.waitUntil(lambda: "cannot see Mattecam" in session.window.notices.text_of("virtualCameraNotice"))
    button(session, "virtualCameraNoticeAction0").click()
    find(session.window, FindingsDialog).close()
    qtbot.waitUntil(lambda: session.window.findChild(FindingsDialog) is None)
    session.window.program_notices.remedy_chosen.emit(Remedy.VIRTUAL_CAMERA)
    find(session.window, FindingsDialog).close()


def test_a_demonstration_in_place_of_a_camera_says_so_unless_it_was_chosen(area: NoticeArea) -> None:
    store = made_store(QUIET.replace(capture=CaptureSettings(source="auto")))
    shown = ProgramNotices(area, store, lambda: None, area)
    demo = PipelineStatus(source=SourceInfo("demo", "demo", "", 640, 360, 30.0, ""))
    shown.show_status(demo)
    assert "only you see this demonstration" in area.text_of("demoNotice")
    store.edit("capture", source="demo")
    shown.show_status(demo)
    assert not area.text_of("demoNotice")


@pytest.mark.parametrize(
    ("kind", "fps", "wanted", "said"),
    [
        ("camera", 10.0, 30.0, True),
        ("camera", 30.0, 30.0, False),
        ("camera", 5.0, 5.0, False),
        ("file", 5.0, 30.0, False),
    ],
)
def test_a_camera_that_is_slow_at_its_size_says_so(
    kind: str, fps: float, wanted: float, said: bool, area: NoticeArea
) -> None:
    shown = ProgramNotices(area, made_store(QUIET.replace(capture=CaptureSettings(fps=wanted))), lambda: None, area)
    shown.show_status(PipelineStatus(source=SourceInfo(kind, "Cam", "", 1280, 720, fps, "YUYV")))
    text = "The camera reaches 1280 × 720 only at 10 fps. Choose a smaller size or another format."
    assert area.text_of("slowCameraNotice") == (text if said else "")


def test_a_camera_that_comes_takes_the_place_of_the_demonstration(start_window: StartWindow, qtbot: QtBot) -> None:
    desk, settings = Desk(), QUIET.replace(capture=CaptureSettings(source="auto"))
    desk.pause_s = 1 / 40
    session = start_window(settings, options=WindowOptions(parts=desk.parts()))
    shown, overlay = session.window.notices, session.window.overlay
    qtbot.waitUntil(lambda: "only you see this demonstration" in shown.text_of("demoNotice"))
    qtbot.waitUntil(lambda: overlay.state.text() == "No camera: others see the stand-by card")
    assert not session.bridge.status.problems, "said twice"
    assert session.window.preview.image is not None, "the demonstration is seen"
    desk.camera = True
    qtbot.waitUntil(lambda: session.bridge.status.source is not None and session.bridge.status.source.kind == "camera")
    qtbot.waitUntil(lambda: not shown.text_of("demoNotice") and not overlay.state.text())


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
