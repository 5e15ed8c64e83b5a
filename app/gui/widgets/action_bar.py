"""Buttons below the preview: view modes on the left, output controls on the right."""

from __future__ import annotations

from PyQt6.QtCore import QSignalBlocker, QSize, pyqtSignal
from PyQt6.QtGui import QResizeEvent
from PyQt6.QtWidgets import QButtonGroup, QHBoxLayout, QPushButton, QWidget

from app.core.settings import Settings
from app.gui.preview.rendering import ViewMode
from app.gui.state.store import SettingsStore
from app.gui.widgets.controls import button, describe, segment
from app.gui.widgets.icons import icon


class ActionBar(QWidget):
    """View modes, freeze, snapshot, record and pause."""

    mode_chosen = pyqtSignal(object)
    """The ViewMode to show."""
    record_requested = pyqtSignal(bool)

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
        describe(self.freeze, self.tr("Freeze"), self.tr("Keep sending the last frame (F)"), "freezeButton")
        self.snapshot = button(self.tr("Snapshot"), "snapshot")
        describe(self.snapshot, self.tr("Snapshot"), self.tr("Save the current output frame (S)"), "snapshotButton")
        self.record = button(self.tr("Record"), "record", checkable=True)
        describe(self.record, self.tr("Record"), self.tr("Record the output as a video (R)"), "recordButton")
        self.pause = button(self.tr("Pause"), "pause", checkable=True)
        describe(self.pause, self.tr("Pause"), self.tr("Show the stand-by card instead of you (P)"), "pauseButton")
        self._buttons = (self.freeze, self.snapshot, self.record, self.pause)
        for widget in self._buttons:
            row.addWidget(widget)
        self._recording = ""
        self._compact = False
        self.freeze.toggled.connect(store.set_frozen)
        self.pause.toggled.connect(store.set_paused)
        self.record.toggled.connect(self.record_requested)
        store.changed.connect(self._show)
        self._show(store.current)

    def set_mode(self, mode: ViewMode) -> None:
        """Choose a view mode."""
        pressed = self._modes.button(list(ViewMode).index(mode))
        if pressed is not None:
            pressed.click()

    def refresh(self) -> None:
        """Show the settings again, for a button whose action failed."""
        self._show(self._store.current)

    def mode_name(self, mode: ViewMode) -> str:
        """The translated name of a mode."""
        return self._mode_texts()[mode][0]

    def show_recording(self, elapsed: str) -> None:
        """Show the elapsed time on the record button; empty while nothing is recorded."""
        if elapsed != self._recording:
            self._recording = elapsed
            self._set_texts()

    def minimumSizeHint(self) -> QSize:
        """The width of the icons without text."""
        return QSize(super().minimumSizeHint().width() - self._text_width(), super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        super().resizeEvent(event)
        compact = self.width() < super().minimumSizeHint().width() + (self._full_text_width() - self._text_width())
        if compact is not self._compact:
            self._compact = compact
            self._set_texts()

    def _text_width(self) -> int:
        """Width of the texts that the buttons show now."""
        return sum(button.fontMetrics().horizontalAdvance(button.text()) for button in self._buttons)

    def _full_text_width(self) -> int:
        return sum(self.fontMetrics().horizontalAdvance(text) for text in self._button_texts())

    def _button_texts(self) -> tuple[str, str, str, str]:
        pause = self.tr("Resume") if self._store.current.paused else self.tr("Pause")
        return self.tr("Freeze"), self.tr("Snapshot"), self._recording or self.tr("Record"), pause

    def _set_texts(self) -> None:
        for button_, text in zip(self._buttons, self._button_texts(), strict=True):
            shows_time = button_ is self.record and bool(self._recording)
            button_.setText("" if self._compact and not shows_time else text)

    def _make_modes(self) -> QWidget:
        whole = QWidget()
        row = QHBoxLayout(whole)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        texts = self._mode_texts()
        for number, mode in enumerate(ViewMode):
            text, tip = texts[mode]
            made: QPushButton = segment(button(text, checkable=True), number, len(texts))
            describe(made, text, tip, f"view_{mode.value}")
            made.setChecked(mode is ViewMode.COMPOSITE)
            made.clicked.connect(lambda _on, mode=mode: self.mode_chosen.emit(mode))
            self._modes.addButton(made, number)
            row.addWidget(made)
        return whole

    def _mode_texts(self) -> dict[ViewMode, tuple[str, str]]:
        return {
            ViewMode.COMPOSITE: (self.tr("Result"), self.tr("What other programs see")),
            ViewMode.ORIGINAL: (self.tr("Original"), self.tr("The camera image; visible only here")),
            ViewMode.MATTE: (self.tr("Matte"), self.tr("White: person, black: background")),
            ViewMode.FOREGROUND: (self.tr("Person"), self.tr("The person without the background")),
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
        self.pause.setIcon(icon("play" if settings.paused else "pause"))
        self._set_texts()
