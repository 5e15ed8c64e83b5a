"""The bar below the preview, and the status line at the bottom."""

from __future__ import annotations

from functools import partial

from PyQt6.QtCore import QEvent, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QAction, QActionGroup, QPainter, QPaintEvent
from PyQt6.QtWidgets import QLabel, QSizePolicy, QToolBar, QToolButton, QWidget

from app.gui.bridge import ViewMode
from app.gui.state import SettingsStore
from app.gui.translation import decimal, describe_model, tr, translated
from app.gui.widgets.controls import describe
from app.gui.widgets.qt import add_action, existing, scaled
from app.gui.widgets.theme import ICON_PX, icon
from app.runtime.status import Building, Phase, PipelineStatus

ICONS = "pause", "freeze", "record", "snapshot"


class ActionBar(QToolBar):
    """Pause, freeze, record, snapshot and the view modes, as actions for the menus too.

    A menu at its end holds what does not fit.
    """

    # The ViewMode to show.
    mode_chosen = pyqtSignal(object)
    record_requested = pyqtSignal(bool)

    def __init__(self, store: SettingsStore) -> None:
        super().__init__()
        self._store = store
        self._elapsed = ""
        side = scaled(ICON_PX, self)
        self.setIconSize(QSize(side, side))
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.pause = self._add(
            "pause",
            "P",
            tr("Pause"),
            tr("Show the stand-by card instead of you, or you again (P). H always hides you."),
        )
        self.freeze = self._add("freeze", "F", tr("Freeze"), tr("Keep sending the last frame (F)"))
        self.record = self._add("record", "R", tr("Record"), tr("Record the output as a video (R)"))
        self.snapshot = self._add(
            "snapshot",
            "S",
            tr("Snapshot"),
            tr("Save the current output frame (S)"),
        )
        self.snapshot.setCheckable(False)
        self.of_output = (self.pause, self.freeze, self.record, self.snapshot)
        space = QWidget()
        space.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.addWidget(space)
        self.modes = QActionGroup(self)
        self._add_modes()
        self.set_mode(ViewMode.COMPOSITE)
        self.modes.triggered.connect(lambda action: self.mode_chosen.emit(action.data()))
        self.pause.triggered.connect(partial(store.set, "paused"))
        self.freeze.triggered.connect(partial(store.set, "frozen"))
        self.record.triggered.connect(self.record_requested)
        store.changed.connect(self.refresh)
        self.refresh()

    def _add_modes(self) -> None:
        modes = (
            (ViewMode.COMPOSITE, tr("Result"), tr("What other programs see")),
            (ViewMode.ORIGINAL, tr("Original"), tr("The camera image; visible only here")),
            (ViewMode.MATTE, tr("Matte"), tr("White: person, black: background")),
            (ViewMode.FOREGROUND, tr("Person"), tr("The person without the background")),
        )
        for number, (mode, name, description) in enumerate(modes, start=1):
            action = self._add(mode.value, f"Alt+{number}", name, description)
            action.setData(mode)
            self.modes.addAction(action)

    def _add(self, name: str, key: str, text: str, description: str) -> QAction:
        action = add_action(self, text, key)
        action.setCheckable(True)
        if name in ICONS:
            action.setIcon(icon(name))
            action.setIconVisibleInMenu(False)
        action.setToolTip(description)
        control = existing(self.widgetForAction(action))
        control.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        describe(control, text, description, f"{name}Button")
        return action

    def event(self, event: QEvent | None) -> bool:
        """Measure the buttons before the tool bar lays them out."""
        if event is not None and event.type() == QEvent.Type.LayoutRequest:
            self._keep_buttons_whole()
        return super().event(event)

    def _keep_buttons_whole(self) -> None:
        """Let no button be narrower than its text.

        Qt's layout takes up to 8 pixels from the last button that fits beside the menu at the end.
        """
        for action in self.actions():
            control = self.widgetForAction(action)
            if isinstance(control, QToolButton):
                width = control.sizeHint().width()
                if control.minimumWidth() != width:
                    control.setMinimumWidth(width)

    def set_mode(self, mode: ViewMode) -> None:
        """Choose a view mode."""
        for action in self.modes.actions():
            if action.data() is mode:
                action.trigger()

    def show_recording(self, elapsed: str) -> None:
        """Show the elapsed time on the record button; empty while nothing is recorded."""
        if elapsed != self._elapsed:
            self._elapsed = elapsed
            self.refresh()

    def refresh(self) -> None:
        """Show the settings, also for a button whose action failed."""
        settings = self._store.current
        pause = tr("Resume") if settings.paused else tr("Pause")
        freeze = tr("Unfreeze") if settings.frozen else tr("Freeze")
        record = self._elapsed or tr("Record")
        self._show(self.pause, pause, is_on=settings.paused)
        self._show(self.freeze, freeze, is_on=settings.frozen)
        self._show(self.record, record, is_on=settings.output.record is not None)
        self.pause.setIcon(icon("play" if settings.paused else "pause"))

    def _show(self, action: QAction, caption: str, *, is_on: bool) -> None:
        action.setChecked(is_on)
        action.setIconText(caption)
        existing(self.widgetForAction(action)).setAccessibleName(caption)


class StatusLine(QLabel):
    """The summary of the status, elided where it does not fit.

    The tool tip has all of it, and the details.
    """

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("statusLabel")
        self.setTextFormat(Qt.TextFormat.PlainText)

    def minimumSizeHint(self) -> QSize:
        return QSize(60, super().minimumSizeHint().height())

    def paintEvent(self, event: QPaintEvent | None) -> None:
        painter = QPainter(self)
        text = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, self.width())
        painter.setPen(self.palette().color(self.foregroundRole()))
        flags = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
        painter.drawText(self.rect(), flags, text)

    def show_status(self, status: PipelineStatus, *, frozen: bool) -> None:
        """Show a status. frozen: the user has frozen the output."""
        text = summarize(status, frozen=frozen)
        if text != self.text():
            self.setText(text)
        details = "\n".join((text, *describe_details(status)))
        if details != self.accessibleDescription():
            describe(self, text, details)


def summarize(status: PipelineStatus, *, frozen: bool = False) -> str:
    """Return who sees the user, and what is being prepared or was lowered."""
    parts = [_describe_viewers(status, frozen)]
    if status.first_preparation is not None:
        parts.append(translated(status.first_preparation))
    elif status.building is Building.MODEL:
        parts.append(tr("preparing the model…"))
    elif status.building is Building.BACKGROUND:
        parts.append(tr("preparing the background…"))
    elif status.lowered is not None:
        parts.append(tr("This computer is busy: the quality is lower"))
    return "   ·   ".join(parts)


def _describe_viewers(status: PipelineStatus, frozen: bool) -> str:
    if status.phase is Phase.PAUSED:
        return tr("Others see you: no, paused")
    is_shown = status.phase is Phase.RUNNING and not status.hides_person
    may_be_read = status.readers != 0
    if status.readers is None:
        # Their number is unknown: with a camera, somebody may look.
        may_be_read = bool(status.virtual_camera or status.pipewire)
    if not is_shown or not may_be_read:
        return tr("Others see you: no")
    if frozen:
        return tr("Others see you: frozen")
    if status.readers is None:
        return tr("Others can see you")
    return tr("Others see you: yes")


def describe_details(status: PipelineStatus) -> tuple[str, ...]:
    """Return source, frame rates, latency, model, device and virtual camera."""
    parts = []
    if status.source is not None:
        is_demo = status.source.kind == "demo"
        name = tr("Demonstration") if is_demo else status.source.name
        width, height = status.size
        parts.append(f"{name} {width} × {height}")
        fps_in = decimal(status.fps_in, 1)
        fps_out = decimal(status.fps_out, 1)
        parts.append(tr("{0} fps in, {1} out").format(fps_in, fps_out))
    if status.latency_ms.end_to_end.median:
        parts.append(tr("{0} ms").format(f"{status.latency_ms.end_to_end.median:.0f}"))
    if status.engine is not None:
        engine = status.engine
        parts.append(describe_model(engine.model))
        parts.append(f"{engine.device} ({engine.executor}, {engine.precision})")
    parts.append(status.virtual_camera or status.pipewire or tr("no virtual camera"))
    return tuple(parts)
