"""Says over the preview that the strict level hides somebody until they move, and shows them with one click."""

from __future__ import annotations

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QColor
from PyQt6.QtWidgets import QWidget

from app.gui.preview.overlay import Pill
from app.gui.state.bridge import Bridge
from app.gui.state.store import SettingsStore
from app.gui.widgets.controls import button
from app.gui.widgets.layout import column
from app.gui.widgets.signals import follow
from app.runtime.status import Phase, PipelineStatus


class MoveHint(QWidget):
    """One sentence, and a button that chooses the balanced level. No output contains it."""

    def __init__(self, store: SettingsStore, bridge: Bridge) -> None:
        super().__init__()
        self._store = store
        self._hides = False
        self._text = Pill("moveHint", QColor(10, 12, 15, 165))
        self._text.show_text(self.tr("Move a little to appear"))
        show = button(self.tr("Show me anyway"), self.tr("Also show people who do not move"), "showAnywayButton",
                      lambda: store.set("edges.strict", "balanced"))  # fmt: skip
        below = column(self, self._text, show, spacing=6)
        for each in (self._text, show):
            below.setAlignment(each, Qt.AlignmentFlag.AlignHCenter)
        bridge.status_changed.connect(self._follow)
        follow(store.changed, self, lambda _settings: self._show())
        self._show()

    def _follow(self, status: PipelineStatus) -> None:
        self._hides = status.awaits_movement and status.phase is Phase.RUNNING
        self._show()

    def _show(self) -> None:
        settings = self._store.current
        strict = settings.matting.edges.strict == "strict"
        self.setVisible(self._hides and strict and not settings.paused and not settings.frozen)
