"""Badges, figures and notes over the preview. No output contains them."""

from __future__ import annotations

from PyQt6.QtCore import QEvent, QMargins, QObject, QSize, Qt
from PyQt6.QtGui import QColor, QPainter, QPaintEvent, QPixmap
from PyQt6.QtWidgets import QLabel, QWidget

from app.core.settings import OutputSettings, Settings
from app.gui.i18n.messages import standby_text
from app.gui.preview.rendering import ViewMode
from app.gui.preview.view import Preview
from app.gui.state.bridge import Bridge
from app.gui.state.store import SettingsStore
from app.gui.widgets.controls import button
from app.gui.widgets.page import FoldingRow
from app.gui.widgets.qt import AfterLayout, broken, column, keep_focus, longest_word, row, timer
from app.gui.widgets.theme import ALARM
from app.runtime.backdrops import CARD
from app.runtime.status import Phase, PipelineStatus

PADDING = QMargins(10, 4, 10, 4)
MAX_QUOTE = 40
"""Characters of the stand-by text that a badge quotes."""


class Pill(QLabel):
    """Text on a dark or red rounded rectangle, which may wrap; hidden while there is no text."""

    def __init__(self, name: str, colour: QColor) -> None:
        super().__init__()
        self.setObjectName(name)
        self._colour = colour
        self._drawn = QPixmap()
        self._drawn_for: tuple[object, ...] = ()
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.hide()

    def sizeHint(self) -> QSize:
        """The size on one line."""
        return self.fontMetrics().size(0, self.text()).grownBy(PADDING)

    def minimumSizeHint(self) -> QSize:
        """The size of the longest word."""
        return QSize(longest_word(self.text(), self.fontMetrics()), self.fontMetrics().height()).grownBy(PADDING)

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        text = self._lines(width)
        return self.fontMetrics().size(0, text).grownBy(PADDING).height()

    def _lines(self, width: int) -> str:
        return broken(self.text(), self.fontMetrics(), width - PADDING.left() - PADDING.right())

    def show_text(self, text: str) -> None:
        """Show a text; an empty one hides the pill."""
        if text != self.text():
            self.setText(text)
        self.setVisible(bool(text))

    def paintEvent(self, event: QPaintEvent | None) -> None:
        # Drawn once: it lies over the preview and is painted again with every frame.
        ratio = self.devicePixelRatioF()
        drawn_for = self.size(), ratio, self.font(), self.text()
        if drawn_for != self._drawn_for:
            self._drawn, self._drawn_for = QPixmap(self.size() * ratio), drawn_for
            self._drawn.setDevicePixelRatio(ratio)
            self._drawn.fill(Qt.GlobalColor.transparent)
            self._draw(QPainter(self._drawn))
        QPainter(self).drawPixmap(0, 0, self._drawn)

    def _draw(self, painter: QPainter) -> None:
        painter.setFont(self.font())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._colour)
        painter.drawRoundedRect(self.rect(), 8, 8)
        painter.setPen(Qt.GlobalColor.white)
        area = self.rect().marginsRemoved(PADDING)
        painter.drawText(area, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, self._lines(self.width()))
        painter.end()


class PreviewOverlay(QWidget):
    """Badges at the upper left of the preview; passes all mouse events through."""

    def __init__(self) -> None:
        super().__init__()
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        dark, red = QColor(10, 12, 15, 165), QColor(ALARM)
        self.unmatted = Pill("unmattedBadge", red)
        self.recording = Pill("recordingBadge", red)
        self.live = Pill("liveBadge", red)
        self.state = Pill("stateBadge", dark)
        self.readable = Pill("readableBadge", dark)
        self.brush = Pill("brushBadge", dark)
        self.figures = Pill("figures", dark)
        """Frame rate and delay, a note of its own."""
        self.figures.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._figures_visible = True
        self._badges = self.unmatted, self.live, self.recording, self.state, self.readable, self.brush
        above = FoldingRow(*self._badges)
        for badge in self._badges:
            above.setAlignment(badge, Qt.AlignmentFlag.AlignLeft)
        above.addStretch(1)
        column(self, above, None, margins=12)

    def set_figures_visible(self, visible: bool) -> None:
        """Show or hide the frame rate and delay."""
        self._figures_visible = visible
        self.figures.setVisible(visible and bool(self.figures.text()))

    def show_status(self, status: PipelineStatus, recording_time: str, settings: Settings) -> None:
        """Show the badges and figures for the current status."""
        self.unmatted.show_text(self._visible(status))
        self.live.show_text(self._live(status.readers or 0))
        self.recording.show_text(recording_time)
        self.state.show_text(self._state(status, settings))
        self.readable.show_text(self._readable(settings))
        self._show_badges()
        running = status.phase is Phase.RUNNING and not settings.frozen
        latency = status.latency_ms.end_to_end.median or status.latency_ms.step.median
        figures = self.tr("{0} fps · {1} ms").format(f"{status.fps_out:.0f}", f"{latency:.0f}") if running else ""
        self.figures.show_text(figures if self._figures_visible else "")

    def show_brush(self, in_use: bool) -> None:
        """Say while a brush is in use that the mouse paints."""
        self.brush.show_text(self.tr("The mouse paints. Esc ends.") if in_use else "")
        self._show_badges()

    def _show_badges(self) -> None:
        """Hide the whole while it is empty: every frame of the preview paints it too."""
        self.setVisible(any(badge.text() for badge in self._badges))

    def _visible(self, status: PipelineStatus) -> str:
        return self.tr("Your real background is visible") if status.unmatted else ""

    def _readable(self, settings: Settings) -> str:
        """Say that the blur is too weak to hide text; it is never so weak unless strict mode is off."""
        return self.tr("Text behind you can be read") if settings.text_is_readable and not settings.paused else ""

    def _live(self, readers: int) -> str:
        if readers > 1:
            return self.tr("Live in {0} programs").format(readers)
        return self.tr("Live") if readers else ""

    def _state(self, status: PipelineStatus, settings: Settings) -> str:
        if settings.paused:
            return self.tr("Paused: others see {0}").format(self._card(status, settings.output))
        if settings.frozen and status.phase is Phase.RUNNING:
            return self.tr("Frozen: others see the last frame")
        if settings.frozen and status.phase is Phase.WAITING:
            return self.tr("Frozen: others see the stand-by card")
        if status.hides_person and status.phase is Phase.RUNNING:
            return self.tr("Only me: click yourself")
        return {
            Phase.WAITING: self.tr("Waiting: others see the stand-by card"),
            Phase.NO_CAMERA: self.tr("No camera: others see the stand-by card"),
            Phase.RESTING: self.tr("Camera off: no program uses it"),
            Phase.STARTING: self.tr("Starting: others see the stand-by card"),
        }.get(status.phase, "")

    def _card(self, status: PipelineStatus, output: OutputSettings) -> str:
        """What the stand-by card shows."""
        image = output.standby_image is not None and not any(problem.part == CARD for problem in status.problems)
        text = output.standby_text.strip() or ("" if image else standby_text())
        if not text:
            return self.tr("your stand-by image")
        return self.tr("“{0}”").format(text if len(text) <= MAX_QUOTE else f"{text[:MAX_QUOTE].rstrip()}…")


SPACING = 6
NOTE_MS = 5000
"""How long the note about the mirror stays after the pointer has moved over the preview, or the note has changed."""


class ViewNote(QWidget):
    """One short sentence, and a button that changes whether the preview is a mirror.

    They lie over the user's body: about the mirror they leave after a while, and return with the pointer.
    """

    def __init__(self, preview: Preview, store: SettingsStore, bridge: Bridge) -> None:
        super().__init__()
        self._preview, self._store = preview, store
        self._runs = False
        self._timer = timer(self, NOTE_MS, self._leave, once=True)
        self._note = Pill("viewNote", QColor(10, 12, 15, 165))
        self._switch = button(
            "", self.tr("Switch between a mirror and the output as it leaves"), "othersSeeButton",
            lambda: store.set("window.mirror_preview", not store.current.window.mirror_preview),
        )  # fmt: skip
        AfterLayout(self, self._fit)
        row(self, None, self._note, self._switch, spacing=SPACING)
        bridge.status_changed.connect(self._follow)
        for changed in (store.changed, preview.view_requested):
            changed.connect(self._show)
        preview.setMouseTracking(True)
        preview.installEventFilter(self)
        self._show()

    def eventFilter(self, _preview: QObject | None, event: QEvent | None) -> bool:
        if event is not None and event.type() in (QEvent.Type.Enter, QEvent.Type.MouseMove):
            self._return()
        return False

    def _return(self) -> None:
        """Show the note for some time from now on."""
        hidden = not self._timer.isActive()
        self._timer.start()
        if hidden:
            self._show()

    def _leave(self) -> None:
        if self.underMouse():
            self._timer.start()
        else:
            with keep_focus(self):
                self._show()

    def sizeHint(self) -> QSize:
        """The size with the sentence, whether it is shown or not."""
        note, switch = self._note.sizeHint(), self._switch.sizeHint()
        if self._switch.isHidden():
            return note
        return QSize(note.width() + SPACING + switch.width(), max(note.height(), switch.height()))

    def minimumSizeHint(self) -> QSize:
        """The size without the sentence."""
        return (self._note if self._switch.isHidden() else self._switch).sizeHint()

    def _fit(self) -> None:
        """Leave out the sentence where there is no room for it; it is the button's tool tip too."""
        self._note.setVisible(self.width() >= self.sizeHint().width())

    def _follow(self, status: PipelineStatus) -> None:
        before, self._runs = self._runs, status.phase is Phase.RUNNING
        if self._runs and not before:
            self._timer.start()
        self._show()

    def _show(self) -> None:
        """Follow the state; the note is hidden while the stand-by card is shown."""
        settings, mirror = self._store.current, self._store.current.window.mirror_preview
        same = mirror == settings.output.mirror
        alone = self._preview.mode is not ViewMode.COMPOSITE
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
            self.updateGeometry()
            self._fit()
            self._timer.start()
        self.setVisible(self._runs and not settings.paused and (alone or self._timer.isActive()))
