"""The status line: who sees the user, and what is being prepared or lowered; the rest on click."""

from __future__ import annotations

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QPaintEvent
from PyQt6.QtWidgets import QMenu, QPushButton, QSizePolicy, QStyle, QStyleOptionButton, QStylePainter

from app.gui.i18n.messages import decimal, describe_model, tr, translated
from app.gui.widgets.controls import describe
from app.gui.widgets.qt import tip_of
from app.runtime.status import Lowered, Phase, PipelineStatus


class StatusLine(QPushButton):
    """Shows the summary of the status; a click lists the details. The text is laid out only where it changes.

    Its end is elided where it does not fit; the tool tip shows all of it.
    """

    def __init__(self) -> None:
        super().__init__()
        describe(self, self.tr("Status"), self.tr("Click for camera, model, speed and delay"), "statusLabel")
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
        parts.append(_describe_busy(status.busy))
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


def _describe_busy(busy: str) -> str:
    return {
        "the model": tr("preparing the model…"),
        "the background": tr("preparing the background…"),
    }.get(busy, translated(busy))
