"""People with poor sight set large letters: everything can still be reached and read, in windows of usual sizes."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from PyQt6.QtCore import QEvent, QLocale, QPoint, QRect, QSize, Qt
from PyQt6.QtGui import QFont, QFontMetrics, QImage
from PyQt6.QtWidgets import QApplication, QComboBox, QLabel, QPushButton, QSplitter, QWidget
from pytestqt.qtbot import QtBot

from app.gui.assistant import Assistant
from app.gui.backgrounds.tiles import name_lines, tile_size
from app.gui.bars import StatusLine
from app.gui.main_window import MainWindow
from app.gui.notices import Notice, NoticeArea
from app.gui.panels.form import Caption
from app.gui.preview.rendering import from_qimage
from app.gui.preview.view import Pill
from app.gui.widgets import theme
from app.gui.widgets.page import FoldingRow
from app.runtime.status import Lowered, Phase, PipelineStatus
from tests.gui.conftest import QUIET, StartWindow, activate
from tests.gui.widgets import Seen, cut_off, enter, existing, far_captions, find, letters, translate

SIZES = ((1024, 700), (1366, 768), (1600, 1000))
LEAST_PREVIEW = 0.45
"""Of the window's width."""
LEAST_PREVIEW_HEIGHT = 135
FAIR = Notice("one", "A sentence about something that has happened", (("Undo", list), ("Open the folder", list)))


@pytest.mark.parametrize(
    ("language", "size"),
    [("en", 1.0), ("de", 1.0), ("de", 1.3), ("de", 1.6), ("de", 2.0), ("es", 2.0)],  # the longest words
)
def test_every_control_is_reached_and_read_with_large_letters(
    start_window: StartWindow, qapp: QApplication, qtbot: QtBot, language: str, size: float
) -> None:
    """The right ends of the side panel were cut off, without a scroll bar."""
    with letters(qapp, size), translate(qapp, QLocale(language)):
        session = start_window(window=QUIET.window.replace(theme="dark" if size < 1.5 else "light"), shown=False)
        window = session.window
        window.show()
        window.notices.show_notice(FAIR)
        session.store.edit("background", kind="none")
        for width, height in ((800, 600), *SIZES) if size == 1 else SIZES:
            for all_settings in (False, True):
                session.store.edit("window", all_settings=all_settings)
                for group in window.panel.groups:
                    group.toggle.setChecked(all_settings)
                window.resize(width, height)
                qtbot.waitUntil(partial(check_window, window, width, height))


def check_window(window: MainWindow, width: int, height: int) -> None:
    """Fail while something of the window is cut off, or it does not have this size."""
    assert (window.width(), window.height()) == (width, height)
    assert window.minimumSizeHint().width() <= width and window.minimumSizeHint().height() <= height
    assert cut_off(window) == []
    assert far_captions(window) == []
    assert beyond(window.panel) == []
    assert window.preview.width() >= LEAST_PREVIEW * width
    assert window.preview.height() >= LEAST_PREVIEW_HEIGHT


def beyond(panel: QWidget) -> list[str]:
    """Return the visible widgets in a panel that are partly to the left or right of it."""
    inside = (each for each in panel.findChildren(QWidget) if each.isVisible() and each.window() is panel.window())
    places = {each: each.mapTo(panel, QPoint(0, 0)).x() for each in inside}
    return [
        f"{type(each).__name__} {each.objectName()}"
        for each, left in places.items()
        if left < 0 or left + each.width() > panel.width()
    ]


@pytest.mark.usefixtures("each_language")
def test_badges_and_notes_are_whole_beside_a_small_picture(
    start_window: StartWindow, qapp: QApplication, qtbot: QtBot
) -> None:
    """The warning about the real background ended in an ellipsis after two words."""
    with letters(qapp, 2.0):
        session = start_window(shown=False)
        window, image = session.window, QImage(64, 48, QImage.Format.Format_RGB32)
        image.fill(0)
        window.show()
        window.resize(1024, 700)
        session.store.edit("window", mirror_preview=True)
        window.notices.show_notice(FAIR)
        window.preview.show_image(image)
        session.bridge.status_changed.emit(PipelineStatus(phase=Phase.RUNNING, unmatted=True, readers=2))
        badge, live = window.badges.unmatted, window.badges.live
        switch = find(window.preview, QPushButton, "othersSeeButton")
        enter(window.preview)

        def check() -> None:
            for shown in (badge, live, switch):
                assert shown.isVisible()
                corner = shown.mapTo(window.preview, QPoint(0, 0))
                assert window.preview.rect().contains(shown.rect().translated(corner))
            for pill in (badge, live):
                assert pill.width() >= pill.minimumSizeHint().width()
                assert pill.height() >= pill.heightForWidth(pill.width())
            assert switch.width() >= switch.minimumSizeHint().width()

        qtbot.waitUntil(check)


def test_a_text_of_a_badge_takes_more_lines_where_it_is_narrow(qtbot: QtBot) -> None:
    pill = Pill("pill")
    qtbot.addWidget(pill)
    pill.show_text("Frozen: others see the last frame")
    whole = pill.sizeHint()
    assert pill.heightForWidth(whole.width()) == whole.height()
    assert pill.heightForWidth(whole.width() // 2) > whole.height()
    assert pill.minimumSizeHint().width() < whole.width() // 2


def test_a_row_becomes_a_column_where_it_is_too_narrow(qtbot: QtBot) -> None:
    holder, one, other = QWidget(), QPushButton("Always hide this"), QPushButton("Always show this")
    qtbot.addWidget(holder)
    folding = FoldingRow(one, other)
    holder.setLayout(folding)
    side_by_side = folding.sizeHint().width()
    holder.show()
    holder.resize(side_by_side, 200)
    qtbot.waitUntil(lambda: one.y() == other.y() and one.x() < other.x())
    holder.resize(side_by_side - 1, 200)
    qtbot.waitUntil(lambda: one.y() + one.height() <= other.y() and one.x() == other.x())
    holder.resize(side_by_side, 200)
    qtbot.waitUntil(lambda: one.y() == other.y())


def test_a_row_is_measured_without_another_layout(qtbot: QtBot) -> None:
    """With and without a scroll bar, the side panel turned its rows for ever; one whose text wraps had no height."""
    holder, title, seen = QWidget(), Caption("A title that wraps"), Seen(QEvent.Type.LayoutRequest)
    qtbot.addWidget(holder)
    folding = FoldingRow(title, QPushButton("Always hide this"))
    holder.setLayout(folding)
    side_by_side = folding.sizeHint().width()
    holder.resize(side_by_side, 200)
    holder.show()
    qtbot.wait(50)
    holder.installEventFilter(seen)
    heights = [folding.heightForWidth(width) for width in (side_by_side - 1, side_by_side, side_by_side - 1)]
    QApplication.sendPostedEvents()
    assert heights[0] == heights[2] > heights[1] >= title.sizeHint().height()
    assert seen.events == []


def test_a_moved_panel_keeps_its_width(start_window: StartWindow, qtbot: QtBot) -> None:
    window = start_window(shown=False).window
    window.resize(1366, 768)
    window.show()
    splitter, panel = find(window, QSplitter), window.panel
    qtbot.waitUntil(lambda: panel.width() == panel.sizeHint().width())
    handle = existing(splitter.handle(1))
    start = handle.rect().center()
    qtbot.mousePress(handle, Qt.MouseButton.LeftButton, pos=start)
    qtbot.mouseMove(handle, start - QPoint(100, 0))
    qtbot.mouseRelease(handle, Qt.MouseButton.LeftButton, pos=start - QPoint(100, 0))
    moved = panel.width()
    assert moved > panel.sizeHint().width() + 50
    window.resize(1466, 768)
    QApplication.processEvents()
    assert panel.width() == moved


def test_a_notice_is_fitted_without_showing_what_is_left_out(qtbot: QtBot) -> None:
    """The line changed its height meanwhile, which fitted it again: with large letters the window hung."""
    holder, area = QWidget(), NoticeArea()
    qtbot.addWidget(holder)
    area.setParent(holder)
    area.resize(1000, 60)
    holder.show()
    area.show_notice(FAIR)
    action = find(area, QPushButton, "oneAction0")
    assert action.isVisible()
    area.resize(300, 60)
    qtbot.waitUntil(action.isHidden)
    seen = Seen(QEvent.Type.ShowToParent, QEvent.Type.HideToParent)
    action.installEventFilter(seen)
    area.resize(290, 60)
    QApplication.processEvents()
    assert action.isHidden() and seen.events == []


@pytest.mark.parametrize("key", [Qt.Key.Key_Tab, Qt.Key.Key_Backtab])
def test_the_focus_is_scrolled_to(start_window: StartWindow, qapp: QApplication, qtbot: QtBot, key: Qt.Key) -> None:
    with letters(qapp, 2.0), translate(qapp, QLocale("de")):
        session = start_window(shown=False)
        window, page = session.window, session.window.panel.page
        session.store.edit("window", all_settings=True)
        for group in window.panel.groups:
            group.toggle.setChecked(True)
        window.show()
        window.resize(1024, 700)
        qtbot.waitUntil(partial(check_window, window, 1024, 700))
        activate(session, qtbot)
        viewport, visited = existing(page.viewport()), []
        ends = window.panel.camera.list, find(window, QWidget, "output.standby_image")
        first, last = ends if key == Qt.Key.Key_Tab else reversed(ends)
        first.setFocus(Qt.FocusReason.TabFocusReason)
        while (focused := existing(QApplication.focusWidget())) is not last:
            qtbot.keyClick(focused, key)
            reached = existing(QApplication.focusWidget())
            assert page.isAncestorOf(reached) and reached not in visited
            visited.append(reached)
            place = reached.rect().translated(reached.mapTo(viewport, QPoint(0, 0)))
            assert viewport.rect().contains(place), reached.objectName()
        assert len(visited) > 30


def test_a_long_status_ends_in_an_ellipsis_and_is_whole_in_the_tool_tip(qapp: QApplication, qtbot: QtBot) -> None:
    theme.apply(qapp, dark=True)
    line, expected = StatusLine(), StatusLine()
    line.show_status(PipelineStatus(phase=Phase.RUNNING, lowered=Lowered(25.0, 0.5, True, 15.0)), frozen=False)
    size = line.sizeHint() - QSize(40, 0)
    for each in (line, expected):
        qtbot.addWidget(each)
        each.show()
        each.resize(size)
    expected.setText(line.fontMetrics().elidedText(line.text(), Qt.TextElideMode.ElideRight, size.width()))
    assert line.text() in line.toolTip() and expected.text().endswith("…")
    qtbot.waitUntil(lambda: line.grab().toImage() == expected.grab().toImage())


def test_a_name_of_a_tile_takes_two_lines_of_large_letters(qapp: QApplication) -> None:
    font = QFont(qapp.font())
    assert name_lines("Soft studio", QFontMetrics(font)) == "Soft studio"
    assert name_lines("Soft\nstudio", QFontMetrics(font)) == "Soft studio"
    usual = tile_size(QFontMetrics(font))
    font.setPointSizeF(2.2 * font.pointSizeF())
    metrics = QFontMetrics(font)
    assert tile_size(metrics).height() >= usual.height() + metrics.lineSpacing()
    assert name_lines("Gentlest studio", metrics) == "Gentlest\nstudio"
    lines = name_lines("Gentlest studio of the whole town", metrics).split("\n")
    assert len(lines) == 2 and "…" in lines[1]
    assert all(metrics.horizontalAdvance(line) <= usual.width() for line in lines)


def test_letters_reach_titles_fields_and_badges(start_window: StartWindow, qapp: QApplication, qtbot: QtBot) -> None:
    """They stayed as they were."""

    def heights() -> list[float]:
        """Of a title, a field, and the number on the green tile."""
        session = start_window()
        qtbot.waitUntil(lambda: session.window.strip.model.row_of(9) is not None)
        session.window.windows.open_assistant()
        titles = find(session.window, Assistant).findChildren(QLabel)
        title = next(each for each in titles if each.property("role") == "title")
        view, model = session.window.strip.view, session.window.strip.model
        tile = view.visualRect(model.index(existing(model.row_of(2))))
        badge = QRect(tile.topRight() + QPoint(-52, 8), QSize(44, 44))
        pixels = from_qimage(existing(view.viewport()).grab(badge).toImage()).min(axis=2)
        number = np.flatnonzero((pixels > 200).any(axis=1))
        field = find(session.window, QComboBox, "cameraCombo")
        seen = [title.sizeHint().height(), field.height(), float(np.ptp(number))]
        session.close()
        return seen

    usual = heights()
    with letters(qapp, 2.0):
        for large, before in zip(heights(), usual, strict=True):
            assert large > 1.4 * before
