"""Moving and scaling the person with the panel, the mouse and the keys."""
# mypy: disallow-untyped-calls=False
# (pytest-qt gives the events no types)

from __future__ import annotations

import pytest
from PyQt6.QtCore import QPoint, QPointF, Qt
from PyQt6.QtGui import QWheelEvent
from PyQt6.QtWidgets import QApplication, QCheckBox, QComboBox, QPushButton
from pytestqt.qtbot import QtBot

from app.core.framing import WHOLE
from app.core.placement import IN_PLACE, in_corner
from app.core.settings import PlacementSettings
from app.gui.shell.application import Session
from tests.gui.conftest import activate
from tests.gui.preview import at, pull, ready, slider
from tests.gui.widgets import bring_up, drag

CTRL = Qt.KeyboardModifier.ControlModifier


def placement(session: Session) -> PlacementSettings:
    return session.pipeline.settings.placement


def take_the_person(session: Session) -> None:
    found = session.window.findChild(QCheckBox, "mousePersonCheck")
    assert found is not None
    found.setChecked(True)


def turn_wheel(session: Session, notches: int, where: QPoint, modifiers: Qt.KeyboardModifier) -> None:
    preview = session.window.preview
    event = QWheelEvent(
        QPointF(where), QPointF(preview.mapToGlobal(where)), QPoint(), QPoint(0, 120 * notches),
        Qt.MouseButton.NoButton, modifiers, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(preview, event)


@pytest.mark.parametrize("mirror", [True, False])
def test_dragging_moves_the_person_with_the_mouse(session: Session, qtbot: QtBot, mirror: bool) -> None:
    session.preferences.change(mirror_preview=mirror)
    ready(session, qtbot)
    take_the_person(session)
    assert session.window.preview.cursor().shape() is Qt.CursorShape.OpenHandCursor
    pull(session, qtbot, at(session, 0.5, 0.5), at(session, 0.7, 0.3))
    assert placement(session).x == pytest.approx(-0.2 if mirror else 0.2, abs=0.02)
    assert placement(session).y == pytest.approx(-0.2, abs=0.02)
    assert session.pipeline.settings.framing == WHOLE


@pytest.mark.parametrize("mirror", [True, False])
def test_over_an_image_the_person_is_where_others_see_it(session: Session, qtbot: QtBot, mirror: bool) -> None:
    """The preview mirrors the person alone: left over the background is left for others."""
    session.preferences.change(mirror_preview=mirror)
    session.store.edit("background", kind="colour")
    ready(session, qtbot)
    take_the_person(session)
    pull(session, qtbot, at(session, 0.5, 0.5), at(session, 0.7, 0.5))
    assert placement(session).x == pytest.approx(0.2, abs=0.02)
    qtbot.keyClick(session.window.preview, Qt.Key.Key_Right)
    assert placement(session).x == pytest.approx(0.25, abs=0.02)
    qtbot.waitUntil(lambda: slider(session, "placeXSlider").value() > 0)


def test_the_wheel_scales_the_person_and_with_ctrl_always(session: Session, qtbot: QtBot) -> None:
    ready(session, qtbot)
    turn_wheel(session, -5, at(session, 0.5, 1.0), CTRL)
    assert placement(session).scale == pytest.approx(1.1**-5)
    assert placement(session).y > 0, "the lower edge stays where the pointer is"
    assert session.pipeline.settings.framing == WHOLE
    take_the_person(session)
    turn_wheel(session, 5, at(session, 0.5, 1.0), Qt.KeyboardModifier.NoModifier)
    assert placement(session).scale == pytest.approx(1)


def test_keys_move_and_scale_the_person(session: Session, qtbot: QtBot) -> None:
    ready(session, qtbot)
    take_the_person(session)
    preview = session.window.preview
    qtbot.keyClick(preview, Qt.Key.Key_Down)
    assert placement(session).y == pytest.approx(0.05)
    qtbot.keyClick(preview, Qt.Key.Key_Right)
    assert placement(session).x == pytest.approx(-0.05), "right in the mirrored preview"
    qtbot.keyClick(preview, Qt.Key.Key_Minus)
    assert placement(session).scale == pytest.approx(1 / 1.1)


def test_the_panel_places_scales_and_resets(session: Session, qtbot: QtBot) -> None:
    session.preferences.change(mirror_preview=False)
    box = session.window.findChild(QComboBox, "cornerCombo")
    assert box is not None
    bring_up(session, box)
    assert box.currentText() == "In place"
    box.setCurrentIndex(box.findData("bottom-right"))
    box.activated.emit(box.currentIndex())
    assert placement(session) == in_corner("bottom-right")
    session.preferences.change(mirror_preview=True)
    qtbot.waitUntil(lambda: box.currentData() == "bottom-left")
    drag(qtbot, slider(session, "scaleSlider"), 0.5)
    assert 1.3 < placement(session).scale < 1.8
    qtbot.waitUntil(lambda: box.currentText() == "Free")
    drag(qtbot, slider(session, "placeXSlider"), 1.0)
    assert placement(session).x == pytest.approx(-1), "right in the mirrored preview"
    drag(qtbot, slider(session, "placeYSlider"), 0.0)
    assert placement(session).y == pytest.approx(-1)
    reset = session.window.findChild(QPushButton, "placementReset")
    assert reset is not None
    qtbot.mouseClick(reset, Qt.MouseButton.LeftButton)
    assert placement(session) == IN_PLACE


def test_links_keep_the_focus_when_there_is_nothing_left_to_do(session: Session, qtbot: QtBot) -> None:
    """Qt handed the focus of "Reset position" to the next control when the link was disabled."""
    activate(session, qtbot)
    session.store.edit("placement", scale=0.5)
    session.store.edit("framing", zoom=2.0)
    session.store.edit("background", zoom=2.0)
    for name in ("placementReset", "framingReset", "backgroundReset"):
        link = session.window.findChild(QPushButton, name)
        assert link is not None
        bring_up(session, link)
        qtbot.keyClick(link, Qt.Key.Key_Space)
        assert link.hasFocus(), name
        session.window.preview.setFocus()
        assert not link.isEnabled(), name


def test_scenes_keep_the_placement(session: Session, qtbot: QtBot) -> None:
    presenting = in_corner("top-right")
    session.store.edit("placement", **dict(presenting))
    session.window.scenes.save("Slides")
    qtbot.waitUntil(lambda: session.window.scenes.names == ("Slides",))
    session.store.edit("placement", **dict(IN_PLACE))
    session.window.scenes.apply("Slides")
    qtbot.waitUntil(lambda: placement(session) == presenting)
