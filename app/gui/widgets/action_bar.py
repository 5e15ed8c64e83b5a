"""The buttons below the preview: what it shows on the left, what goes out on the right."""

from __future__ import annotations

from PyQt6.QtCore import QSignalBlocker, QSize, pyqtSignal
from PyQt6.QtGui import QResizeEvent
from PyQt6.QtWidgets import QButtonGroup, QHBoxLayout, QPushButton, QWidget

from app.core.settings import Settings
from app.gui.preview.rendering import ViewMode
from app.gui.state.store import SettingsStore
from app.gui.widgets.controls import button, describe


class ActionBar(QWidget):
    """View modes, freeze, snapshot, record and pause."""

    mode_chosen = pyqtSignal(object)
    """The ViewMode the user wants to see."""
    record_wanted = pyqtSignal(bool)

    def __init__(self, store: SettingsStore) -> None:
        super().__init__()
        self._store = store
        self._modes = QButtonGroup(self)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self._make_modes())
        row.addStretch(1)
        self.freeze = button(self.tr("Freeze"), "freeze", checkable=True)
        describe(self.freeze, self.tr("Freeze"), self.tr("Hold the picture (F)"), "freezeButton")
        self.snapshot = button(self.tr("Snapshot"), "snapshot")
        describe(self.snapshot, self.tr("Snapshot"), self.tr("Keep this picture as a file (S)"), "snapshotButton")
        self.record = button(self.tr("Record"), "record", checkable=True)
        describe(self.record, self.tr("Record"), self.tr("Record what goes out as a video (R)"), "recordButton")
        self.pause = button(self.tr("Pause"), "pause", checkable=True)
        describe(self.pause, self.tr("Pause"), self.tr("Show the stand-by card instead of you (P)"), "pauseButton")
        self._buttons = (self.freeze, self.snapshot, self.record, self.pause)
        for widget in self._buttons:
            row.addWidget(widget)
        self._recording = ""
        self._compact = False
        self.freeze.toggled.connect(store.set_frozen)
        self.pause.toggled.connect(store.set_paused)
        self.record.toggled.connect(self.record_wanted)
        store.changed.connect(self._show)
        self._show(store.current)

    def set_mode(self, mode: ViewMode) -> None:
        """Press the button of a mode."""
        pressed = self._modes.button(list(ViewMode).index(mode))
        if pressed is not None:
            pressed.click()

    def refresh(self) -> None:
        """Show the settings again: a button that was pressed in vain comes up."""
        self._show(self._store.current)

    def mode_name(self, mode: ViewMode) -> str:
        """What the mode is called for people."""
        return self._words()[mode][0]

    def show_recording(self, words: str) -> None:
        """The time on the record button; empty while nothing is recorded."""
        if words != self._recording:
            self._recording = words
            self._write()

    def minimumSizeHint(self) -> QSize:
        """Room for the icons alone."""
        return QSize(super().minimumSizeHint().width() - self._words_width(), super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        super().resizeEvent(event)
        compact = self.width() < super().minimumSizeHint().width() + (self._full_words_width() - self._words_width())
        if compact is not self._compact:
            self._compact = compact
            self._write()

    def _words_width(self) -> int:
        """What the words on the buttons take now."""
        return sum(button.fontMetrics().horizontalAdvance(button.text()) for button in self._buttons)

    def _full_words_width(self) -> int:
        return sum(self.fontMetrics().horizontalAdvance(words) for words in self._button_words())

    def _button_words(self) -> tuple[str, str, str, str]:
        pause = self.tr("Go on") if self._store.current.paused else self.tr("Pause")
        return self.tr("Freeze"), self.tr("Snapshot"), self._recording or self.tr("Record"), pause

    def _write(self) -> None:
        for button_, words in zip(self._buttons, self._button_words(), strict=True):
            time = button_ is self.record and bool(self._recording)
            button_.setText("" if self._compact and not time else words)

    def _make_modes(self) -> QWidget:
        whole = QWidget()
        row = QHBoxLayout(whole)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        words = self._words()
        for number, mode in enumerate(ViewMode):
            text, tip = words[mode]
            made: QPushButton = button(text, checkable=True)
            describe(made, text, tip, f"view_{mode.value}")
            last = len(words) - 1
            made.setProperty("segment", "first" if number == 0 else "last" if number == last else "true")
            made.setChecked(mode is ViewMode.COMPOSITE)
            made.clicked.connect(lambda _on, mode=mode: self.mode_chosen.emit(mode))
            self._modes.addButton(made, number)
            row.addWidget(made)
        return whole

    def _words(self) -> dict[ViewMode, tuple[str, str]]:
        return {
            ViewMode.COMPOSITE: (self.tr("Result"), self.tr("What the others see")),
            ViewMode.ORIGINAL: (self.tr("Original"), self.tr("What the camera sees; only you see this")),
            ViewMode.MATTE: (self.tr("Matte"), self.tr("White is you, black is the background")),
            ViewMode.FOREGROUND: (self.tr("Person"), self.tr("You alone, cut out")),
            ViewMode.COMPARE: (self.tr("Compare"), self.tr("Original and result side by side")),
        }

    def _show(self, settings: Settings) -> None:
        for box, on in (
            (self.freeze, settings.frozen),
            (self.pause, settings.paused),
            (self.record, settings.output.record is not None),
        ):
            with QSignalBlocker(box):
                box.setChecked(on)
        self._write()
