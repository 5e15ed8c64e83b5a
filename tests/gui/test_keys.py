"""Keys of the window with keyboard layouts other than Latin ones."""

from __future__ import annotations

import sys

import pytest
from PyQt6.QtCore import QEvent, Qt
from PyQt6.QtGui import QKeyEvent
from PyQt6.QtWidgets import QApplication, QLineEdit, QListView, QWidget
from pytestqt.qtbot import QtBot

from app.gui.application import Session
from app.gui.widgets.physical_keys import OFFSETS
from tests.gui import widgets as ui
from tests.gui.conftest import activate

PLACES = {"1": 2, "2": 3, "9": 10, "0": 11, "P": 25, "O": 24, "S": 31, "F": 33, "H": 35, "M": 50}
"""Of keys on a US keyboard: the numbers of Linux."""
NONE = Qt.KeyboardModifier.NoModifier


def press(
    window: QWidget,
    place: str,
    typed: str,
    modifiers: Qt.KeyboardModifier = NONE,
    *,
    is_held: bool = False,
) -> bool:
    """Press the key at a place, with what its layout types there; return whether it was taken before the controls."""
    code = PLACES[place] + OFFSETS[sys.platform]
    event = QKeyEvent(
        QEvent.Type.KeyPress, ord(typed.upper()), modifiers, code, 0, 0, typed, is_held
    )
    event.ignore()
    return QApplication.sendEvent(ui.existing(window.windowHandle()), event) and event.isAccepted()


@pytest.mark.parametrize(
    "typed", [*"рηה", "ا", "प", "ㅗ"], ids=["ru", "gr", "il", "ara", "in", "kr"]
)
def test_hide_me_now_works_with_a_layout_without_latin_letters(
    controls: Session, qtbot: QtBot, typed: str
) -> None:
    """With a Russian, Greek, Hebrew or Arabic layout alone no letter of the window did anything."""
    activate(controls, qtbot)

    press(controls.window, "H", typed)

    assert controls.store.current.paused


def test_a_dialog_in_front_leaves_hide_me_now_alone(controls: Session, qtbot: QtBot) -> None:
    dialog = controls.window.open_preferences()
    dialog.activateWindow()
    qtbot.waitUntil(lambda: QApplication.activeWindow() is dialog)

    press(dialog, "M", "ь")
    press(dialog, "H", "р")

    assert controls.store.current.paused
    assert controls.store.current.window.mirror_preview, "M belongs to the window behind it"
    dialog.close()


@pytest.mark.parametrize("typed", ["&", "+", "é", "۱"], ids=["fr", "cz", "be", "fa"])
def test_the_upper_row_chooses_backgrounds_where_it_types_no_digits(
    controls: Session, qtbot: QtBot, typed: str
) -> None:
    """On French, Belgian and Czech keyboards the digits needed Shift."""
    controls.store.edit("background", kind="colour")
    activate(controls, qtbot)

    press(controls.window, "1", typed)

    assert ui.tiles(controls)[0].chosen_by(ui.chosen(controls))


def test_a_combination_works_by_its_place_too(controls: Session, qtbot: QtBot) -> None:
    activate(controls, qtbot)

    press(controls.window, "0", "à", Qt.KeyboardModifier.ControlModifier)

    ui.answer(controls, qtbot, "Keep it hidden")


def test_a_latin_letter_stands_for_itself(controls: Session, qtbot: QtBot) -> None:
    """On a Dvorak keyboard the key at the place of H types D."""
    activate(controls, qtbot)

    press(controls.window, "H", "d")
    press(controls.window, "M", "é")

    assert not controls.store.current.paused
    assert controls.store.current.window.mirror_preview


def test_a_text_takes_its_letters(controls: Session, qtbot: QtBot) -> None:
    text = ui.find(controls.window, QLineEdit, "output.standby_text")
    ui.bring_up(controls, text)
    activate(controls, qtbot)
    text.setFocus()

    for place, typed in (("H", "р"), ("P", "з"), ("1", "&")):
        press(controls.window, place, typed)

    assert text.text() == "рз&"
    assert not controls.store.current.paused


def test_a_list_does_not_search_for_the_letter_of_a_shortcut(
    controls: Session, qtbot: QtBot
) -> None:
    activate(controls, qtbot)
    ui.find(controls.window, QListView, "backgroundList").setFocus()

    press(controls.window, "P", "з")

    assert controls.store.current.paused


def test_a_key_that_is_held_acts_once_by_its_place_too(controls: Session, qtbot: QtBot) -> None:
    activate(controls, qtbot)

    press(controls.window, "P", "з")
    press(controls.window, "P", "з", is_held=True)

    assert controls.store.current.paused


def test_a_key_with_shift_means_what_it_types(controls: Session, qtbot: QtBot) -> None:
    controls.store.edit("background", kind="colour")
    activate(controls, qtbot)

    press(controls.window, "9", "(", Qt.KeyboardModifier.ShiftModifier)

    assert ui.chosen(controls).kind == "colour"
