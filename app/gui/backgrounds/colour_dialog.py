"""Asks for the user's own colour."""

from __future__ import annotations

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QColor, QHideEvent
from PyQt6.QtWidgets import QColorDialog, QWidget

from app.gui.state.store import SettingsStore
from app.gui.widgets.qt import was_hidden


class ColourDialog(QColorDialog):
    """The colour is in use while it is picked; unless it is confirmed, it is out of use when the dialog goes."""

    def __init__(self, store: SettingsStore, colour: str, parent: QWidget) -> None:
        """colour: the one to begin with."""
        super().__init__(QColor(colour), parent)
        self._store, self._before, self._own = store, store.current.background, store.current.window.own_colour
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.currentColorChanged.connect(self._use)

    def hideEvent(self, event: QHideEvent | None) -> None:
        """Take back what is not confirmed, also where the window goes with the dialog; never show the room for that."""
        super().hideEvent(event)
        if not was_hidden(event) or self.selectedColor().isValid():
            return
        self._store.set("window.own_colour", self._own)
        now = self._store.current.background
        if (now.kind, now.colour) != ("colour", self.currentColor().name()):  # another one was chosen meanwhile
            return
        if self._before.kind == "none":
            self._store.edit("background", colour=self._own)
        else:
            self._store.edit("background", **dict(self._before))

    def _use(self, colour: QColor) -> None:
        self._store.set("window.own_colour", colour.name())
        self._store.edit("background", kind="colour", colour=colour.name())
