"""The bar of buttons below the preview, and the status line at the bottom."""

from __future__ import annotations

from enum import Enum
from functools import partial

from PyQt6.QtCore import QSignalBlocker, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QPaintEvent
from PyQt6.QtWidgets import (
    QMenu,
    QPushButton,
    QSizePolicy,
    QStyle,
    QStyleOptionButton,
    QStylePainter,
    QWidget,
)

from app.gui.bridge import ViewMode
from app.gui.state import SettingsStore
from app.gui.translation import decimal, describe_model, tr, translated
from app.gui.widgets.controls import Segments, button, combo, describe
from app.gui.widgets.qt import AfterLayout, row, tip_of
from app.gui.widgets.theme import icon
from app.runtime.status import Lowered, Phase, PipelineStatus


class _Layout(Enum):
    """How much the bar shows, from the widest to the narrowest layout."""

    FULL = "segments and buttons with text"
    ICONS = "segments, and buttons without text"
    NARROW = "a list of modes, and buttons without text"


class ActionBar(QWidget):
    """View modes, freeze, snapshot, record and pause."""

    mode_chosen = pyqtSignal(object)
    """The ViewMode to show."""
    record_requested = pyqtSignal(bool)

    def __init__(self, store: SettingsStore) -> None:
        super().__init__()
        self._store = store
        self.modes = {
            ViewMode.COMPOSITE: (tr("Result"), tr("What other programs see")),
            ViewMode.ORIGINAL: (tr("Original"), tr("The camera image; visible only here")),
            ViewMode.MATTE: (tr("Matte"), tr("White: person, black: background")),
            ViewMode.FOREGROUND: (tr("Person"), tr("The person without the background")),
            ViewMode.COMPARE: (tr("Compare"), tr("Original and result side by side")),
        }
        """(name, description) of each."""
        self._segments = Segments([(*texts, f"view_{mode.value}") for mode, texts in self.modes.items()], wide=False)
        self._segments.show_chosen(0)
        self._segments.chosen.connect(lambda number: self.mode_chosen.emit(list(self.modes)[number]))
        self._mode_box = combo(tr("View"), tr("What the preview shows"), "viewCombo")
        self._mode_box.setMinimumContentsLength(8)
        self._mode_box.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._mode_box.addItems([name for name, _tip in self.modes.values()])
        self._mode_box.activated.connect(self._segments.click)
        self._segments.chosen.connect(self._mode_box.setCurrentIndex)
        self._mode_box.hide()
        self.freeze = button(tr("Freeze"), tr("Keep sending the last frame (F)"), "freezeButton",
                             icon_name="freeze", checkable=True)  # fmt: skip
        self.snapshot = button(tr("Snapshot"), tr("Save the current output frame (S)"), "snapshotButton",
                               icon_name="snapshot")  # fmt: skip
        self.record = button(tr("Record"), tr("Record the output as a video (R)"), "recordButton",
                             icon_name="record", checkable=True)  # fmt: skip
        self.pause = button(
            tr("Pause"), tr("Show the stand-by card instead of you, or you again (P). H always hides you."),
            "pauseButton", icon_name="pause", checkable=True,
        )  # fmt: skip
        self._buttons = (self.freeze, self.snapshot, self.record, self.pause)
        self._row = row(self, self._segments, self._mode_box, None, *self._buttons, spacing=8)
        self._recording = ""
        self._recording_failed = False
        self._layout = _Layout.FULL
        AfterLayout(self, self._fit)
        self.freeze.toggled.connect(partial(store.set, "frozen"))
        self.pause.toggled.connect(partial(store.set, "paused"))
        self.record.toggled.connect(self.record_requested)
        store.changed.connect(self.refresh)
        self.refresh()

    def set_mode(self, mode: ViewMode) -> None:
        """Choose a view mode."""
        self._segments.click(list(self.modes).index(mode))

    def refresh(self) -> None:
        """Show the settings, also for a button whose action failed."""
        settings = self._store.current
        for box, on in (
            (self.freeze, settings.frozen),
            (self.pause, settings.paused),
            (self.record, settings.output.record is not None and not self._recording_failed),
        ):
            with QSignalBlocker(box):
                box.setChecked(on)
        self.pause.setIcon(icon("play" if settings.paused else "pause"))
        for button_, text in zip(self._buttons, self._texts(), strict=True):
            if button_ is not self.record:
                button_.setAccessibleName(text)
            shows_time = button_ is self.record and bool(self._recording)
            button_.setText(text if self._layout is _Layout.FULL or shows_time else "")

    def _texts(self) -> tuple[str, str, str, str]:
        """Return what stands on each button where there is room."""
        pause = tr("Resume") if self._store.current.paused else tr("Pause")
        freeze = tr("Unfreeze") if self._store.current.frozen else tr("Freeze")
        return freeze, tr("Snapshot"), self._recording or tr("Record"), pause

    def show_recording(self, elapsed: str, *, failed: bool) -> None:
        """Show the elapsed time on the record button; empty while nothing is recorded.

        failed: the recording ended by itself; the button starts a new one.
        """
        if (elapsed, failed) != (self._recording, self._recording_failed):
            self._recording, self._recording_failed = elapsed, failed
            self.refresh()

    def minimumSizeHint(self) -> QSize:
        """The size in the narrowest layout: a list of view modes, and icons without text."""
        return QSize(self._width_of(_Layout.NARROW), super().minimumSizeHint().height())

    def _fit(self) -> None:
        """Choose the fullest layout for which there is room."""
        fitting = next((layout for layout in _Layout if self._width_of(layout) <= self.width()), _Layout.NARROW)
        if fitting is not self._layout:
            self._layout = fitting
            self._segments.setVisible(fitting is not _Layout.NARROW)
            self._mode_box.setVisible(fitting is _Layout.NARROW)
            self.refresh()

    def _width_of(self, layout: _Layout) -> int:
        """Width that the bar needs in a layout."""
        modes = self._mode_box if layout is _Layout.NARROW else self._segments
        icons = sum(made.sizeHint().width() - _text_width(made, made.text()) for made in self._buttons)
        texts = self._texts() if layout is _Layout.FULL else (self._recording,)
        return (
            modes.minimumSizeHint().width()
            + icons
            + sum(_text_width(self, text) for text in texts)
            + self._row.spacing() * (len(self._buttons) + 1)
        )


def _text_width(widget: QWidget, text: str) -> int:
    return widget.fontMetrics().horizontalAdvance(text)


class StatusLine(QPushButton):
    """Shows the summary of the status; a click lists the details. The text is laid out only where it changes.

    Its end is elided where it does not fit; the tool tip shows all of it.
    """

    def __init__(self) -> None:
        super().__init__()
        describe(self, tr("Status"), tr("Click for camera, model, speed and delay"), "statusLabel")
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.details: tuple[str, ...] = ()
        """What a click lists."""
        self._menu = QMenu(self)
        self._menu.aboutToShow.connect(self._list_details)
        self.setMenu(self._menu)

    def show_status(self, status: PipelineStatus, *, frozen: bool) -> None:
        """Show a status. frozen: the user has frozen the output."""
        self.details = describe_details(status, frozen=frozen)
        text = summarize(status, frozen=frozen)
        if text != self.text():
            self.setText(text)
            self.setAccessibleName(text)
            self.setToolTip(tip_of(f"{text}\n{self.accessibleDescription()}"))

    def paintEvent(self, event: QPaintEvent | None) -> None:
        painter, option = QStylePainter(self), QStyleOptionButton()
        self.initStyleOption(option)
        option.text = self.fontMetrics().elidedText(option.text, Qt.TextElideMode.ElideRight, self.width())
        painter.drawControl(QStyle.ControlElement.CE_PushButton, option)

    def _list_details(self) -> None:
        self._menu.clear()
        for line in self.details:
            self._menu.addAction(line.replace("&", "&&"))


def summarize(status: PipelineStatus, *, frozen: bool = False) -> str:
    """Return who sees the user, and what is being prepared or was lowered."""
    parts = [_describe_viewers(status, frozen)]
    if status.busy:
        preparing = {"the model": tr("preparing the model…"), "the background": tr("preparing the background…")}
        parts.append(preparing.get(status.busy, translated(status.busy)))
    elif status.lowered is not None:
        parts.append(_describe_lowered(status.lowered))
    return "   ·   ".join(parts)


def _describe_viewers(status: PipelineStatus, frozen: bool) -> str:
    if status.phase is Phase.PAUSED:
        return tr("Others see you: no, paused")
    has_camera = bool(status.virtual_camera or status.pipewire)
    unseen = status.phase is not Phase.RUNNING or status.hides_person
    if unseen or status.readers == 0 or (status.readers is None and not has_camera):
        return tr("Others see you: no")
    if frozen:
        return tr("Others see you: frozen")
    if status.readers is None:
        return tr("Others can see you")
    if status.pipewire is not None:  # all of its readers count as one
        least = tr("Others see you: yes, at least {0} programs")
        return least.format(status.readers) if status.readers > 1 else tr("Others see you: yes")
    if status.readers == 1:
        return tr("Others see you: yes, 1 program")
    return tr("Others see you: yes, {0} programs").format(status.readers)


def describe_details(status: PipelineStatus, *, frozen: bool = False) -> tuple[str, ...]:
    """Return phase, source, frame rates, latency, model, device and virtual camera.

    frozen: the user has frozen the output.
    """
    phases = {
        Phase.STARTING: tr("Starting"),
        Phase.RUNNING: tr("Running"),
        Phase.PAUSED: tr("Paused"),
        Phase.WAITING: tr("Waiting"),
        Phase.NO_CAMERA: tr("No camera"),
        Phase.RESTING: tr("Camera off: no program uses it"),
        Phase.STOPPED: tr("Stopped"),
    }
    shows_frames = status.phase is Phase.RUNNING
    parts = [tr("Frozen") if frozen and shows_frames else phases[status.phase]]
    if status.source is not None:
        demo = status.source.kind == "demo"
        name = tr("Demonstration") if demo else status.source.name
        parts.append(f"{name} {status.size[0]} × {status.size[1]}")
        rates = decimal(status.fps_in, 1), decimal(status.fps_out, 1)
        parts.append(tr("{0} fps in, {1} out").format(*rates))
    if status.latency_ms.end_to_end.median:
        parts.append(tr("{0} ms").format(f"{status.latency_ms.end_to_end.median:.0f}"))
    if status.engine is not None:
        engine = status.engine
        parts.append(describe_model(engine.model))
        parts.append(f"{engine.device} ({engine.executor}, {engine.precision})")
    parts.append(status.virtual_camera or status.pipewire or tr("no virtual camera"))
    return tuple(parts)


def _describe_lowered(lowered: Lowered) -> str:
    parts = []
    if lowered.ratio is not None:
        parts.append(tr("detail {0} %").format(round(lowered.ratio * 100)))
    if lowered.lighter_model:
        parts.append(tr("lighter model"))
    if not parts:
        return tr("This computer is busy")
    return tr("This computer is busy – {0}").format(", ".join(parts))
