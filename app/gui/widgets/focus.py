"""Keyboard focus that stays where it was when a widget disappears."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from PyQt6.QtCore import QObject, Qt
from PyQt6.QtWidgets import QApplication, QWidget
from PyQt6.sip import isdeleted


class FocusHistory(QObject):
    """Remembers the last widgets that had the focus."""

    LENGTH = 20

    def __init__(self, app: QApplication) -> None:
        super().__init__(app)
        self._widgets: list[QWidget] = []
        app.focusChanged.connect(self._on_change)

    def last_outside(self, hidden: QWidget) -> QWidget | None:
        """The newest usable widget of the same window that is not inside `hidden`."""
        for widget in reversed(self._widgets):
            if isdeleted(widget) or widget is hidden or hidden.isAncestorOf(widget):
                continue
            if widget.isVisible() and widget.isEnabled() and widget.window() is hidden.window():
                return widget
        return None

    def _on_change(self, _old: QWidget | None, new: QWidget | None) -> None:
        if new is not None:
            self._widgets = [widget for widget in self._widgets if not isdeleted(widget) and widget is not new]
            self._widgets = [*self._widgets[1 - self.LENGTH :], new]


def focus_history() -> FocusHistory | None:
    """The history of the running application, created on the first call; None without an application."""
    app = QApplication.instance()
    if not isinstance(app, QApplication):
        return None
    found = app.findChild(FocusHistory)
    return found if found is not None else FocusHistory(app)


@contextmanager
def keep_focus(disappearing: QWidget) -> Iterator[None]:
    """While `disappearing` is hidden or disabled inside the block, return its focus to the widget that had it before.

    Qt would pass the focus to the next widget in the tab order, which the user did not choose.
    """
    focused = QApplication.focusWidget()
    inside = focused is not None and (focused is disappearing or disappearing.isAncestorOf(focused))
    history = focus_history()
    target = history.last_outside(disappearing) if inside and history is not None else None
    yield
    if target is not None:
        target.setFocus(Qt.FocusReason.OtherFocusReason)
