"""Says in the corner of the preview how it differs from what others see, and shows that with one click."""

from __future__ import annotations

from PyQt6.QtCore import QSize
from PyQt6.QtGui import QColor, QResizeEvent
from PyQt6.QtWidgets import QWidget

from app.gui.preview.overlay import Pill
from app.gui.preview.rendering import ViewMode
from app.gui.preview.view import Preview
from app.gui.state.bridge import Bridge
from app.gui.state.preferences_store import PreferencesStore
from app.gui.state.store import SettingsStore
from app.gui.widgets.controls import button
from app.gui.widgets.layout import row
from app.gui.widgets.signals import follow
from app.runtime.status import Phase, PipelineStatus

SPACING = 6


class ViewNote(QWidget):
    """One short sentence, and a button that changes whether the preview is a mirror."""

    def __init__(self, preview: Preview, store: SettingsStore, preferences: PreferencesStore, bridge: Bridge) -> None:
        super().__init__()
        self._preview, self._store, self._preferences = preview, store, preferences
        self._runs = False
        self._note = Pill("viewNote", QColor(10, 12, 15, 165))
        self._switch = button(
            "", self.tr("Switch between a mirror and the output as it leaves"), "othersSeeButton",
            lambda: preferences.change(mirror_preview=not preferences.current.mirror_preview),
        )  # fmt: skip
        row(self, None, self._note, self._switch, spacing=SPACING)
        bridge.status_changed.connect(self._follow)
        for changed in (store.changed, preferences.changed, preview.view_requested):
            follow(changed, self, lambda _new: self._show())
        self._show()

    def sizeHint(self) -> QSize:
        """The size with the sentence, whether it is shown or not."""
        note, switch = self._note.sizeHint(), self._switch.sizeHint()
        if self._switch.isHidden():
            return note
        return QSize(note.width() + SPACING + switch.width(), max(note.height(), switch.height()))

    def minimumSizeHint(self) -> QSize:
        return QSize(0, 0)

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """Leave out the sentence where there is no room for it; it is the button's tool tip too."""
        self._note.setVisible(self.width() >= self.sizeHint().width())
        self.updateGeometry()

    def _follow(self, status: PipelineStatus) -> None:
        self._runs = status.phase is Phase.RUNNING
        self._show()

    def _show(self) -> None:
        """Follow the state; the note is hidden while the stand-by card is shown."""
        settings, mirror = self._store.current, self._preferences.current.mirror_preview
        self._preview.set_output_mirror(settings.output.mirror)
        same = mirror == settings.output.mirror
        # While the screen is the background, the composite is shown in every mode.
        alone = self._preview.mode is not ViewMode.COMPOSITE and settings.background.kind != "screen"
        if alone:
            text = self.tr("Only you see this")
        elif same:
            text = self.tr("You see what others see")
        elif mirror:
            text = self.tr("You see a mirror, others do not")
        else:
            text = self.tr("Others see a mirror, you do not")
        caption = self.tr("Mirror") if same else self.tr("Others see")
        if self._switch.text() != caption:
            self._switch.setText(caption)
            self._switch.setAccessibleName(caption)
        if (text, alone) != (self._note.text(), self._switch.isHidden()):
            self._note.setText(text)
            self._switch.setToolTip(text)
            self._switch.setVisible(not alone)
            self._fit()
        self.setVisible(self._runs and not settings.paused)
