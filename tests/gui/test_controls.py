"""The side panel and the preferences: each control is reached, named, and changes its setting; nothing is cut off."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
import PyQt6.QtWidgets as qt  # noqa: N813
import pytest
from PyQt6.QtCore import QEvent, QPoint, QRect, QSize, Qt
from PyQt6.QtGui import QAction, QColor, QImage, QPalette, QScreen
from pytestqt.qtbot import QtBot

from app.config.setting import SETTINGS
from app.core.settings import Theme, WindowSettings
from app.gui.application import Session
from app.gui.assistant import Assistant
from app.gui.bars import ActionBar
from app.gui.bridge import ViewMode
from app.gui.doctor import DoctorDialog
from app.gui.main_window import MainWindow
from app.gui.notices import Notice
from app.gui.panels.form import Form
from app.gui.widgets import theme
from app.gui.widgets.page import FoldingRow
from app.gui.widgets.qt import FRAME
from app.matting.interface import EngineInfo
from app.runtime.status import Phase, PipelineStatus
from mattecam.testing import FakeEngine
from tests.fakes.world import FakeWorld
from tests.gui import widgets as ui
from tests.gui.conftest import MODELS, Downloads, StartWindow, activate
from tests.sources import open_source
from tools.make_translations import LANGUAGES
from tools.window_shots import ALL, DOCUMENTS

SIMPLE = {
    "blurSlider", "cameraCombo", "capture.flip", "capture.rotate", "light.brightness", "light.match",
    "light.portrait", "framing.pan_x", "framing.pan_y", "framing.zoom", "people.framing", "people.only_me",
    "virtualCameraToggle",
}  # fmt: skip


def test_simple_is_the_default_and_all_settings_are_remembered(controls: Session) -> None:
    window = controls.window
    named = (qt.QSlider, qt.QComboBox, qt.QLineEdit, qt.QCheckBox)
    shown = [
        each
        for kind in named
        for part in (window.panel, window.strip)
        for each in part.findChildren(kind)
    ]
    assert {each.objectName() for each in shown if each.isVisible()} == SIMPLE
    assert ui.button(controls, "simpleSettings").isChecked()
    ui.button(controls, "allSettings").click()
    assert all(group.isVisible() and not group.toggle.isChecked() for group in window.panel.groups)
    assert ui.find(window, qt.QComboBox, "capture.fps").isVisible(), "beside the rest of the camera"
    assert controls.store.current.window.all_settings and not WindowSettings().all_settings


def test_an_opened_group_stays_whole_until_the_user_scrolls(
    controls: Session, qtbot: QtBot
) -> None:
    """It was scrolled to before its texts had wrapped."""
    page = controls.window.panel.page
    controls.window.resize(1270, 743)
    controls.store.edit("window", all_settings=True)
    viewport = ui.existing(page.viewport())
    content = ui.existing(page.widget())
    bar = ui.existing(page.verticalScrollBar())
    *others, group = controls.window.panel.groups
    group.toggle.setChecked(True)
    for grows in (True, False):
        late = qt.QWidget()
        height = content.height()
        late.setFixedHeight(120)
        ui.existing(others[0].layout()).addWidget(late)
        qtbot.waitUntil(lambda height=height: content.height() >= height + 120)  # type: ignore[misc]
        if grows:
            qtbot.waitUntil(
                lambda: (
                    0 <= group.mapTo(viewport, QPoint()).y() <= viewport.height() - group.height()
                )
            )
            bar.triggerAction(qt.QAbstractSlider.SliderAction.SliderSingleStepSub)
            before = bar.value()
    assert bar.value() == before


def test_the_wheel_changes_no_control_and_every_scrolled_page_has_a_name(
    session: Session, qtbot: QtBot
) -> None:
    """Screen readers said nothing where the focus was on the page of the side panel, the checks or the keys."""
    kinds = (qt.QAbstractSlider, qt.QAbstractSpinBox, qt.QComboBox)
    window = session.window
    for show in (
        window.open_assistant, window.open_plate_dialog, window.open_preferences, window.open_doctor,
        window.open_log, window.open_help,
    ):  # fmt: skip
        show()
    qtbot.waitUntil(ui.button(session, "doctorProve").isEnabled)  # with the findings
    controls = [
        each
        for kind in kinds
        for each in window.findChildren(kind)
        if not isinstance(each, qt.QScrollBar)
    ]
    names = {control.objectName() for control in controls}
    assert names >= {"framing.zoom", "blurSlider", "modelCombo", "window.theme"}
    for control in controls:
        if isinstance(control, qt.QAbstractSlider) and control.isEnabled():
            control.setValue((control.minimum() + control.maximum()) // 2)
    settings = session.store.current
    for control in controls:
        for notches in (-3, 3, 3):
            ui.turn_wheel(control, notches)
            control.setFocus()
        assert session.store.current == settings, control.objectName()
    focused_by_wheel = [
        each.objectName() or type(each).__name__
        for each in window.findChildren(qt.QWidget)
        if each.focusPolicy() == Qt.FocusPolicy.WheelFocus
    ]
    assert focused_by_wheel == [], "who scrolls over these leaves what the keys acted on"
    pages = window.findChildren(qt.QScrollArea)
    assert len(pages) == 8
    for page in pages:
        assert page.accessibleName() or not page.focusPolicy() & Qt.FocusPolicy.TabFocus, (
            page.parent()
        )
    for dialog in window.findChildren(qt.QDialog):
        dialog.close()


CONTROLS = (qt.QAbstractButton, qt.QComboBox, qt.QAbstractSlider, qt.QLineEdit, qt.QListView)


def test_every_control_has_names_and_is_reached_with_the_tab_key(session: Session) -> None:
    of_qt: list[qt.QWidget] = [*session.window.findChildren(qt.QScrollBar)]
    of_qt += [
        part
        for box in session.window.findChildren(qt.QComboBox)
        for part in box.findChildren(qt.QWidget)
    ]
    found = [
        each for kind in CONTROLS for each in session.window.findChildren(kind) if each not in of_qt
    ]
    controls = [each for each in found if not each.objectName().startswith("qt_")]
    assert 40 < len({control.objectName() for control in controls}) == len(controls), (
        "each name is that of one control"
    )
    for control in controls:
        name = f"{type(control).__name__} {control.objectName() or control.accessibleName()}"
        assert control.accessibleName() and control.accessibleDescription(), (
            f"{name}: for screen readers"
        )
        assert control.focusPolicy() & Qt.FocusPolicy.TabFocus, name


@pytest.mark.parametrize(
    ("start", "key"), [("simpleSettings", Qt.Key.Key_Tab), ("preview", Qt.Key.Key_Backtab)]
)
def test_no_key_leads_to_a_control_out_of_sight(
    controls: Session, qtbot: QtBot, start: str, key: Qt.Key
) -> None:
    """Qt scrolls a page only while the focus moves within it."""
    activate(controls, qtbot)
    controls.store.edit("window", all_settings=True)
    page = controls.window.panel.page
    outside = ui.find(controls.window, qt.QWidget, start)
    bar = ui.existing(page.verticalScrollBar())
    qtbot.waitUntil(lambda: bar.maximum() > 100)
    outside.setFocus()
    bar.setValue(bar.maximum() if key is Qt.Key.Key_Tab else 0)
    qtbot.keyClick(outside, key)
    focused = ui.existing(qt.QApplication.focusWidget())
    assert page.isAncestorOf(focused) and not focused.visibleRegion().isEmpty(), (
        focused.objectName()
    )


LEFT_OUT = {"capture.pixel_format", "sizeCombo", "capture.fps", "cameraCombo"}
"""Controls that reopen the source; other tests cover them."""


def test_close_while_every_control_is_used(
    start_window: StartWindow, qtbot: QtBot, world: FakeWorld, downloads: Downloads, tmp_path: Path
) -> None:
    session = start_window(parts=replace(world.parts(), open_source=open_source))
    session.store.edit("window", recordings_dir=tmp_path)
    window = session.window
    ui.ready(session, qtbot)
    for tile in window.strip.model.tiles:
        window.strip.choose(tile)
    preferences = window.open_preferences()
    for group in window.panel.groups:
        window.panel.reveal(group.findChildren(qt.QWidget)[-1])
    for page in (window.panel.page, preferences.advanced):
        for slider in page.findChildren(qt.QSlider):
            for value in (slider.minimum(), slider.maximum(), slider.minimum() + 20):
                slider.setValue(value)
        for box in page.findChildren(qt.QComboBox):
            for row in () if box.objectName() in LEFT_OUT else range(box.count()):
                ui.pick(box, row)
        for switch in page.findChildren(qt.QCheckBox):
            switch.click()
            switch.click()
    ui.find(preferences, qt.QPushButton, "edgeReset").click()
    preferences.close()
    for mode in ViewMode:
        window.action_bar.set_mode(mode)
    for action in (each for each in window.findChildren(QAction) if each.isCheckable()):
        action.trigger()
        action.trigger()
    frames = session.bridge.status.frames_out
    session.store.set("paused", False)
    session.store.set("frozen", False)
    ui.until(qtbot, ui.has_sent, session, frames + 2)
    qtbot.waitUntil(lambda: len(window.models.reports) > 0)
    window.models.choose(MODELS[0].spec.name)
    window.models.download()
    window.action_bar.record.trigger()
    window.strip.library.reload()
    window.open_log()
    qtbot.waitUntil(
        lambda: session.bridge.status.recording is not None and downloads.began.is_set()
    )
    assert (session.close(), session.bridge.status.phase, FakeEngine.live) == (0, Phase.STOPPED, 0)


OTHERS = {
    "blurSlider": "background.blur_strength",
    "pauseButton": "paused",
    "freezeButton": "frozen",
}
"""Controls that are no rows of a form, and the settings that they change."""
PARTLY = {"virtualCameraToggle", "output.virtual_camera", "downsampleAuto"}
"""Two controls of one setting: neither shows all of its values."""
Control = TypeVar("Control", bound=qt.QWidget)


@pytest.fixture
def rows(controls: Session) -> Session:
    """The controls of the window, and the preferences."""
    controls.window.open_preferences()
    controls.store.edit("framing", zoom=1.5)  # so that it can be moved
    return controls


def of_settings(
    rows: Session, kind: type[Control]
) -> Iterator[tuple[Control, Callable[[], object]]]:
    """Yield the enabled controls of a kind that change one setting, and what reads it. Shows the page of each."""
    pages = ui.find(rows.window, qt.QStackedWidget, "preferencesPages")
    for control in rows.window.findChildren(kind):
        setting = SETTINGS.get(control.property("setting") or OTHERS.get(control.objectName(), ""))
        if setting is None:
            continue
        if pages.isAncestorOf(control):
            pages.setCurrentIndex(int(not ui.existing(pages.widget(0)).isAncestorOf(control)))
        else:
            ui.bring_up(rows, control)
        if control.isEnabled() and control.isVisible():
            yield control, lambda setting=setting: setting.value_in(rows.store.current)  # type: ignore[misc]


def test_every_row_changes_its_setting(rows: Session, qtbot: QtBot) -> None:
    counts = [0, 0, 0]
    for slider, read in of_settings(rows, qt.QSlider):
        before = read()
        qtbot.keyClick(
            slider, Qt.Key.Key_Home if slider.value() == slider.maximum() else Qt.Key.Key_End
        )
        assert read() != before, slider.objectName()
        counts[0] += 1
    for box, read in of_settings(rows, qt.QComboBox):
        for key in (Qt.Key.Key_End, Qt.Key.Key_Home):
            box.setFocus()
            qtbot.keyClick(box, key)
            assert read() == box.currentData() or box.objectName() in PARTLY, box.objectName()
        counts[1] += box.count() > 1
    for switch, read in of_settings(rows, qt.QCheckBox):
        before = read()
        qtbot.mouseClick(switch, Qt.MouseButton.LeftButton, pos=QPoint(12, switch.height() // 2))
        assert read() != before, switch.objectName()
        qtbot.keyClick(switch, Qt.Key.Key_Space)
        assert bool(read()) == bool(before), switch.objectName()
        counts[2] += 1
    assert min(counts) > 9


def test_dragging_the_detail_slider_disables_automatic(rows: Session) -> None:
    """While it is automatic, the slider shows the ratio in use."""
    auto = ui.find(rows.window, qt.QCheckBox, "downsampleAuto")
    slider = ui.find(rows.window, qt.QSlider, "downsampleSlider")
    assert auto.isChecked()
    engine = EngineInfo("mattecam", "openvino", "int8", "cpu", 0.5, (32, 24))
    rows.bridge.status_changed.emit(PipelineStatus(engine=engine))
    texts = (
        ui.find(rows.window, qt.QLabel, name).text() for name in ("downsampleSize", "precisionUsed")
    )
    assert (slider.value(), *texts) == (50, "Input of the network: 32 × 24 px", "In use: int8")
    slider.setValue(30)
    assert (
        rows.store.current.matting.downsample_ratio == pytest.approx(0.3) and not auto.isChecked()
    )
    auto.click()
    assert rows.store.current.matting.downsample_ratio is None


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        pytest.param("capture.fps", 5.0, "5 fps", id="a rate"),
        pytest.param("background.zoom", 1.5, "1.50 ×", id="a factor"),
        pytest.param("framing.pan_x", 0.2, "+20 %", id="a shift"),
        pytest.param("edges.contrast", 0.35, "35 %", id="a share"),
        pytest.param("light.match", 35.0, "35 %", id="of a hundred"),
        pytest.param("edges.grow_px", -4, "-4 px", id="pixels"),
    ],
)
def test_the_unit_of_a_setting_decides_how_its_value_is_written(
    name: str, value: float, text: str, qtbot: QtBot
) -> None:
    """A rate of 5 was shown as 0.05 ×, since its lower limit is that of a factor."""
    store = ui.made_store()
    form = Form(store)
    qtbot.addWidget(form)

    slider = form.add_slider(name)
    store.set(name, value)
    shown = slider.value.text()
    slider.slider.setValue(slider.slider.minimum())

    assert shown == text
    assert SETTINGS[name].value_in(store.current) == (SETTINGS[name].range or (0, 0))[0]


def test_stand_by_text_is_applied_while_typing(controls: Session, qtbot: QtBot) -> None:
    text = ui.find(controls.window, qt.QLineEdit, "output.standby_text")
    ui.bring_up(controls, text)
    text.setFocus()
    qtbot.keyClicks(text, "back at 3")
    now = controls.store.current
    assert (now.output.standby_text, now.background.kind) == ("back at 3", "blur"), (
        "digits are no shortcuts here"
    )


def test_virtual_camera_device_is_restored_when_switched_on_again(
    controls: Session, qtbot: QtBot
) -> None:
    controls.store.edit("output", virtual_camera="/dev/video10")
    for device in ("off", "/dev/video10"):
        ui.button(controls, "virtualCameraToggle").click()
        assert controls.store.current.output.virtual_camera == device


def test_edge_presets_follow_the_sliders(rows: Session) -> None:
    crisp = ui.button(rows, "edge_crisp")
    normal = ui.button(rows, "edge_normal")
    assert normal.isChecked()
    rows.store.edit("matting.edges", temporal_smoothing=0.4)
    crisp.click()
    edges = rows.store.current.matting.edges
    assert (edges.contrast, edges.temporal_smoothing) == (0.4, 0.4), (
        "a preset changes the shape of the edge alone"
    )
    assert (crisp.isChecked(), normal.isChecked()) == (True, False)
    rows.store.edit("matting.edges", grow_px=5)
    assert not crisp.isChecked(), "no preset has these values"
    normal.click()
    assert rows.store.current.matting.edges.grow_px == 0
    rows.store.edit("matting.edges", feather_px=12)
    ui.button(rows, "edgeReset").click()
    feather = ui.find(rows.window, qt.QSlider, "edges.feather_px")
    assert rows.store.current.matting.edges.feather_px == feather.value() == 0


def test_badges_and_buttons_say_when_others_see_no_live_picture(
    session: Session, qtbot: QtBot
) -> None:
    """The output was frozen, and the button that ends it said "Freeze"."""
    ui.until(qtbot, ui.in_phase, session, Phase.RUNNING)
    session.bridge.poll()
    with qtbot.assertNotEmitted(
        session.window.action_bar.pause.changed
    ):  # the tray would send its menu again
        session.bridge.poll()
    for setting, said, name, *captions in (
        ("frozen", "Frozen: others see the last frame", "freezeButton", "Freeze", "Unfreeze"),
        ("paused", "Paused: others see the stand-by card", "pauseButton", "Pause", "Resume"),
    ):
        made = ui.button(session, name)
        for on, caption in enumerate(captions):
            session.store.set(setting, bool(on))
            assert (made.text(), made.accessibleName()) == (caption, caption)
        qtbot.waitUntil(lambda said=said: session.window.badges.state.text() == said)  # type: ignore[misc]


def test_a_slider_goes_where_it_is_pressed_and_shows_what_was_set_meanwhile(
    controls: Session, qtbot: QtBot
) -> None:
    """Presses beside the thin track did nothing, those on it moved the handle by a tenth."""
    slider = ui.find(controls.window, qt.QSlider, "blurSlider")
    left = Qt.MouseButton.LeftButton
    width = slider.maximum() - slider.minimum()
    for y in (1, slider.height() // 2, slider.height() - 2):
        for share in (0.25, 0.75, 0):
            qtbot.mouseClick(slider, left, pos=QPoint(round(share * slider.width()), y))
            assert slider.value() == pytest.approx(
                slider.minimum() + share * width, abs=0.05 * width
            ), (share, y)
            assert controls.store.current.background.blur_strength == slider.value()
    qtbot.mousePress(slider, left, pos=QPoint(slider.width() // 2, 2))
    qtbot.mouseMove(slider, QPoint(3 * slider.width() // 4, 2))
    dragged = slider.value()
    assert (
        dragged == pytest.approx(slider.minimum() + 0.75 * width, abs=0.05 * width)
        and slider.isSliderDown()
    )
    controls.store.edit("background", blur_strength=90)  # as `ctl` does
    assert slider.value() == dragged
    qtbot.mouseRelease(slider, left, pos=QPoint(3 * slider.width() // 4, 2))
    assert slider.value() == controls.store.current.background.blur_strength == 90
    qtbot.mouseClick(slider, Qt.MouseButton.RightButton, pos=QPoint(5, 2))
    assert slider.value() == 90


def test_no_button_of_the_bar_is_narrower_than_its_text(qtbot: QtBot) -> None:
    """With other letters Qt took up to 8 pixels from the last button beside the menu at the end."""
    with ui.letters(2.0):
        bar = ActionBar(ui.made_store())
        qtbot.addWidget(bar)
        bar.show()
        cut_off = []

        for width in range(300, 900, 2):
            bar.resize(width, bar.sizeHint().height())
            qt.QApplication.processEvents()
            cut_off += [(width, text) for text in ui.cut_off(bar)]

    assert cut_off == []


SIZES = ((1024, 700), (1366, 768), (1600, 1000))
LEAST_PREVIEW = 0.45
"""Of the window's width."""
LEAST_PREVIEW_HEIGHT = 135
FAIR = Notice(
    "one",
    "A sentence about something that has happened",
    (("Undo", list), ("Open the folder", list)),
)


@pytest.mark.parametrize(
    ("language", "size", "theme"),
    [
        ("en", 1.0, "dark"),
        ("de", 1.0, "light"),
        ("de", 1.6, "dark"),
        ("es", 2.0, "light"),
    ],  # the longest words
)
def test_everything_is_read(
    start_window: StartWindow, qtbot: QtBot, language: str, size: float, theme: Theme
) -> None:
    """The right ends of the side panel were cut off, without a scroll bar."""
    with ui.letters(size):
        session = start_window(
            window=WindowSettings(first_run_done=True, theme=theme, language=language)
        )
        window = session.window
        qtbot.waitUntil(lambda: session.bridge.status.engine is not None)
        window.notices.show_notice(FAIR)
        session.store.edit("background", kind="none")
        for width, height in ((800, 600), *SIZES) if size == 1 else SIZES:
            for all_settings in (False, True):
                session.store.edit("window", all_settings=all_settings)
                for group in window.panel.groups:
                    group.toggle.setChecked(all_settings)
                window.resize(width, height)
                qtbot.waitUntil(partial(check_window, window, width, height))
        session.store.edit("matting", model="rvm-mobilenetv3")
        session.store.edit("background", kind="image", path=Path("gone.png"))
        ui.until_is(qtbot, [], ui.cut_off, window)
        for dialog in every_dialog(window):
            if isinstance(dialog, DoctorDialog):
                qtbot.waitUntil(dialog.prove_button.isEnabled)
            ui.until_is(qtbot, [], ui.cut_off, dialog)


def test_a_long_name_of_a_file_does_not_widen_the_panel(
    controls: Session, qtbot: QtBot, tmp_path: Path
) -> None:
    """The right ends of all controls were cut off, without a scroll bar."""
    panel = controls.window.panel
    long = tmp_path / f"{'a_long_name_' * 8}.png"
    controls.store.edit("window", all_settings=True, recordings_dir=tmp_path / long.stem)
    for group in panel.groups:
        group.toggle.setChecked(True)
    controls.store.edit("matting", model="mattecam-plate")
    qt.QApplication.processEvents()  # lays the groups out
    usual = panel.minimumSizeHint().width()
    for setting in ("output.standby_image", "matting.plate"):
        controls.store.set(setting, long)
    qtbot.waitUntil(lambda: bool(panel.quality.plate.age.text()))
    controls.window.resize(controls.window.minimumSizeHint())
    panel.setFixedWidth(usual)
    viewport = ui.existing(panel.page.viewport())
    content = ui.existing(panel.page.widget())
    qtbot.waitUntil(lambda: content.width() > 0 and panel.width() == usual)
    assert content.minimumSizeHint().width() <= viewport.width()


def check_window(window: MainWindow, width: int, height: int) -> None:
    assert (
        window.size() == QSize(width, height) == window.minimumSizeHint().expandedTo(window.size())
    )
    assert ui.cut_off(window) == []
    assert window.preview.width() >= LEAST_PREVIEW * width
    assert window.preview.height() >= LEAST_PREVIEW_HEIGHT


def every_dialog(window: MainWindow) -> Iterator[qt.QDialog]:
    """Open each dialog, yield it and close it."""
    for opened in (
        window.open_assistant, window.open_doctor, window.open_preferences, window.open_about,
        window.open_plate_dialog, window.scenes.ask_for_name, window.open_log, window.open_help,
    ):  # fmt: skip
        opened()
        (dialog,) = (each for each in window.findChildren(qt.QDialog) if each.isVisible())
        yield dialog
        dialog.close()
        qt.QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


SCREENS = QSize(1366, 768), QSize(1024, 700), QSize(800, 500), QSize(683, 384), QSize(512, 350)
"""Of 1366x768 and 1024x700 pixels, also at scale 2, and of 1600x1000 pixels at scale 2."""
LOWEST = 500
"""Height of a screen on which every dialog fits."""


@pytest.mark.parametrize("language", ["de", "es"])
@pytest.mark.parametrize("size", SCREENS, ids=lambda size: f"{size.width()}x{size.height()}")
def test_the_first_start_fits_the_screen_with_its_frame(
    start_window: StartWindow,
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
    language: str,
    size: QSize,
) -> None:
    """The window was as high as the screen without its title bar, and buttons of dialogs were below the edge."""
    monkeypatch.setattr(QScreen, "availableGeometry", lambda _screen: QRect(QPoint(), size))
    room = size - FRAME
    session = start_window(window=WindowSettings(language=language))
    window = session.window
    assistant = ui.find(session.window, Assistant)
    for each in (window, assistant):
        assert each.size().boundedTo(room) == each.size(), each.objectName()
    for _step in range(2):
        for control in ("assistantBack", "assistantNext"):
            made = ui.find(assistant, qt.QPushButton, control)
            assert assistant.rect().contains(made.geometry()), control
        ui.find(assistant, qt.QPushButton, "assistantNext").click()
        page = next(
            each
            for each in assistant.findChildren(qt.QScrollArea, "assistantPage")
            if each.isVisible()
        )
        assert ui.existing(page.verticalScrollBar()).value() == 0, "the title is seen first"
    assistant.accept()
    for key in ("one", "two"):
        window.notices.show_notice(
            Notice(key, f"{key}: a sentence about something", (("Undo", list),))
        )
    qt.QApplication.processEvents()
    qtbot.waitUntil(ui.find(window.notices, qt.QWidget, "two").isVisible)
    qtbot.waitUntil(lambda: window.minimumSizeHint().boundedTo(room) == window.minimumSizeHint())
    assert window.size().boundedTo(room) == window.size()
    for shown in (window.preview, window.action_bar, window.strip, window.status_line):
        assert shown.isVisible() and not shown.visibleRegion().isEmpty()
    if size.width() < 600:
        assert not window.panel.isVisible(), "there is room for one of both"
        session.store.set("window.show_panel", False)
        session.store.set("window.show_panel", True)
        qtbot.waitUntil(lambda: window.panel.isVisible() and not window.preview.isVisible())
        session.store.set("window.show_panel", False)
        qtbot.waitUntil(lambda: window.preview.isVisible() and not window.panel.isVisible())
    else:
        assert window.panel.isVisible()
        for dialog in every_dialog(window):
            for following in dialog.findChildren(qt.QPushButton, "assistantNext") * 3:  # every step
                following.click()
            if size.height() >= LOWEST:
                assert dialog.size().boundedTo(room) == dialog.size(), dialog.objectName()


def contrast(*pair: QColor) -> float:
    """The ratio that WCAG defines; 4.5 is its least for text."""
    parts = np.array([colour.getRgbF()[:3] for colour in pair])
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    darker, lighter = sorted(linear @ (0.2126, 0.7152, 0.0722))
    return float((lighter + 0.05) / (darker + 0.05))


@pytest.mark.parametrize("dark", [True, False], ids=["dark", "light"])
def test_every_text_has_enough_contrast(dark: bool) -> None:
    roles = QPalette.ColorRole
    colour = theme.palette_of(dark).color
    texts = (roles.Text, roles.PlaceholderText, roles.BrightText, roles.Accent)
    pairs = [
        (text, ground)
        for text in texts
        for ground in (roles.Window, roles.AlternateBase, roles.Base)
    ]
    pairs += [(roles.Text, roles.Button), (roles.HighlightedText, roles.Accent)]
    assert [pair for pair in pairs if contrast(*map(colour, pair)) < 4.5] == []
    assert contrast(QColor("white"), QColor(theme.ALARM)) >= 4.5


def test_a_new_theme_reaches_every_widget(controls: Session) -> None:
    window = controls.window

    def seen(chosen: Theme) -> tuple[int, list[QImage]]:
        controls.store.edit("window", theme=chosen)
        ground = window.grab().toImage().pixelColor(2, window.height() // 2).lightness()
        return ground, [
            part.grab().toImage() for part in (window.strip, window.panel, *window.panel.groups)
        ]

    dark, in_dark = seen("dark")
    light, in_light = seen("light")
    dark_again, again = seen("dark")
    assert light - dark > 100 and dark_again == dark
    for turned in (in_dark, again):
        assert not any(one == other for one, other in zip(in_light, turned, strict=True))


def test_each_state_that_a_screenshot_shows_can_be_shown(session: Session) -> None:
    """Screenshots of the assistant named a setting that was removed."""
    for shot in (*DOCUMENTS, *ALL):
        widget = shot.prepare(session)
        assert widget.isVisible(), shot.name
        if widget is not session.window:
            widget.close()


@pytest.mark.parametrize("language", ["en", *LANGUAGES])
def test_badges_and_notes_by_a_small_picture_are_whole(
    start_window: StartWindow, qtbot: QtBot, language: str
) -> None:
    """The warning about the real background ended in an ellipsis after two words."""
    with ui.letters(2.0):
        session = start_window(window=WindowSettings(language=language), shown=False)
        window = session.window
        window.show()
        window.resize(1024, 700)
        window.notices.show_notice(FAIR)
        window.preview.show_image(QImage(64, 48, QImage.Format.Format_RGB32))
        session.bridge.status_changed.emit(
            PipelineStatus(phase=Phase.RUNNING, unmatted=True, readers=2)
        )
        badge = window.badges.unmatted
        live = window.badges.live
        switch = ui.find(window.preview, qt.QPushButton, "othersSeeButton")
        ui.enter(window.preview)

        def check() -> None:
            for shown in (badge, live, switch):
                assert shown.isVisible()
                corner = shown.mapTo(window.preview, QPoint(0, 0))
                assert window.preview.rect().contains(shown.rect().translated(corner))
            assert ui.cut_off(window.preview) == []

        qtbot.waitUntil(check)
        qt.QApplication.sendEvent(window.preview, QEvent(QEvent.Type.Leave))
        assert (switch.isVisible(), ui.said(session, "figures")[:2]) == (False, "0 "), (
            "they gave way to the note"
        )


def test_a_row_is_measured_and_not_turned(qtbot: QtBot) -> None:
    """With and without a scroll bar, the side panel turned its rows for ever."""
    holder = qt.QWidget()
    row = FoldingRow(qt.QPushButton("Always hide this"), qt.QPushButton("Undo"))
    qtbot.addWidget(holder)
    holder.setLayout(row)
    width = row.sizeHint().width()
    assert row.heightForWidth(width - 1) > row.heightForWidth(width)
    row.heightForWidth(width - 1)
    assert row.direction() is qt.QBoxLayout.Direction.LeftToRight
