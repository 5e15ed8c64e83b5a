"""Keys by their place on the keyboard, for layouts without Latin letters, or without plain digits.

Qt compares a shortcut with what a key types. A Russian layout alone types no Latin letter, and the
upper row of a French one types no digit. What no shortcut took is therefore looked up once more, by
what it types on a US keyboard.
"""

from __future__ import annotations

import sys
import unicodedata

from PyQt6.QtCore import QEvent, QKeyCombination, QObject, Qt
from PyQt6.QtGui import QAction, QGuiApplication, QKeyEvent, QKeySequence, QShortcut, QWindow
from PyQt6.QtWidgets import QApplication, QWidget

from app.gui.widgets.qt import application

# Rows of a US keyboard, by the number of their first key in Linux and in the PC's
# first set of scan codes.
ROWS = {2: "1234567890", 16: "QWERTYUIOP", 30: "ASDFGHJKL", 44: "ZXCVBNM"}
# What systems add to these numbers: X11, and xkb of Wayland, add 8 to those of Linux.
# macOS tells none.
OFFSETS = {"linux": 8, "win32": 0}
# Values of `Qt.Key` from here on are no characters.
FIRST_SPECIAL_KEY = 0x01000000


def _us_keys() -> dict[int, Qt.Key]:
    """Return the key of a US keyboard by its number in `ROWS`."""
    keys = {}
    for first, row in ROWS.items():
        for number, typed in enumerate(row, first):
            keys[number] = Qt.Key(ord(typed))
    return keys


US_KEYS = _us_keys()


def us_key(event: QKeyEvent) -> Qt.Key | None:
    """Return the letter or digit that a key has on a US keyboard.

    None where the layout has a Latin letter, or a digit, on this key.
    """
    offset = OFFSETS.get(sys.platform)
    if offset is None:
        return None
    key = US_KEYS.get(event.nativeScanCode() - offset)
    if key is None:
        return None
    is_digit = key <= Qt.Key.Key_9
    if not is_digit:
        return key if _is_foreign_letter(event.key()) else None
    # With Shift, a key of the upper row types something else on purpose.
    has_shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
    types_digit = Qt.Key.Key_0 <= event.key() <= Qt.Key.Key_9
    if has_shift or types_digit:
        return None
    return key


def _is_foreign_letter(key: int) -> bool:
    """Return whether a key types a letter, or a vowel sign, of another script than Latin."""
    if not 0 < key < FIRST_SPECIAL_KEY:
        return False
    typed = chr(key)
    # L are letters; M are marks, as the vowel signs of Indic scripts are.
    is_letter = unicodedata.category(typed)[0] in "LM"
    is_latin = unicodedata.name(typed, "").startswith("LATIN")
    return is_letter and not is_latin


class PhysicalKeys(QObject):
    """Lets the shortcuts of a window also follow the place of a key.

    In the dialogs of the window it does so for the shortcuts of the whole program. It sees the keys
    that no shortcut took, before the control with the focus: a list would search for the letter.
    """

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        application().focusWindowChanged.connect(self._watch)
        self._watch(QGuiApplication.focusWindow())

    def _watch(self, focused: QWindow | None) -> None:
        # An event filter of the program would see every event, and call Python for each.
        if focused is not None:
            focused.installEventFilter(self)

    def eventFilter(self, _window: QObject | None, event: QEvent | None) -> bool:
        """Take a key whose place is that of a shortcut."""
        if not isinstance(event, QKeyEvent) or event.type() is not QEvent.Type.KeyPress:
            return False
        key = us_key(event)
        if key is None or self._is_typed(key, event.modifiers()):
            return False
        shortcut = self._shortcut_of(QKeySequence(QKeyCombination(event.modifiers(), key)))
        if shortcut is None:
            return False
        # A key that is held must not pause and resume.
        if not event.isAutoRepeat():
            _press(shortcut)
        return True

    def _is_typed(self, key: Qt.Key, modifiers: Qt.KeyboardModifier) -> bool:
        """Return whether the control with the focus takes such a key as text."""
        focused = QApplication.focusWidget()
        if focused is None:
            return False
        # Qt asks the same before it looks for a shortcut.
        question = QKeyEvent(QEvent.Type.ShortcutOverride, key, modifiers, chr(key).lower())
        question.ignore()
        QApplication.sendEvent(focused, question)
        return question.isAccepted()

    def _shortcut_of(self, keys: QKeySequence) -> QAction | QShortcut | None:
        """Return the enabled shortcut of these keys that works where the focus is."""
        has_popup = QApplication.activePopupWidget() is not None
        is_in_front = QApplication.activeWindow() is self._window and not has_popup
        for action in self._window.findChildren(QAction):
            if action.shortcut() == keys and action.isEnabled():
                context = action.shortcutContext()
                works_everywhere = context is Qt.ShortcutContext.ApplicationShortcut
                return action if is_in_front or works_everywhere else None
        if not is_in_front:
            return None
        for shortcut in self._window.findChildren(QShortcut):
            is_of_window = shortcut.context() is Qt.ShortcutContext.WindowShortcut
            if shortcut.key() == keys and shortcut.isEnabled() and is_of_window:
                return shortcut
        return None


def _press(shortcut: QAction | QShortcut) -> None:
    if isinstance(shortcut, QAction):
        shortcut.trigger()
    else:
        shortcut.activated.emit()
