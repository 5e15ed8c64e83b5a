"""The preview, with badges, figures and notes over it, which no output contains."""

from __future__ import annotations

from collections.abc import Callable

from PyQt6.QtCore import QEvent, QMargins, QObject, QPointF, QRect, QRectF, QSize, Qt, pyqtSignal
from PyQt6.QtGui import (
    QHideEvent,
    QImage,
    QPainter,
    QPaintEvent,
    QPalette,
    QPen,
    QResizeEvent,
    QShowEvent,
)
from PyQt6.QtWidgets import QGridLayout, QLabel, QSizePolicy, QWidget

from app.gui.bridge import Bridge, ViewMode, ViewRequest
from app.gui.state import SettingsStore
from app.gui.translation import tr
from app.gui.widgets.controls import button, describe
from app.gui.widgets.page import FoldingRow
from app.runtime.status import Phase, PipelineStatus
from app.settings import Settings

# Between the edge of the picture and what lies over it.
MARGIN = 12


class Preview(QWidget):
    """Draws the newest image without scaling."""

    # The ViewRequest to render from now on; None while the preview is hidden.
    view_requested = pyqtSignal(object)

    def __init__(self, store: SettingsStore) -> None:
        super().__init__()
        self._store = store
        store.changed.connect(self._follow)
        describe(self, tr("Preview"), tr("What other programs see"), "preview")
        self.setToolTip("")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumWidth(240)
        self.setMinimumHeight(90)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        # The image to paint, in physical pixels; None before the first one.
        self.image: QImage | None = None
        self.mode = ViewMode.COMPOSITE
        # Paints the marks of a brush over the picture, which has this place; None
        # while there is none.
        self.paint_marks: Callable[[QPainter, QRectF], object] | None = None
        # Position of the image in the widget, as it was when its size or the widget's
        # changed last.
        self.picture = QRectF()
        # Lays badges and notes over the picture, and wider where the picture is
        # narrower than they are.
        self.over = QGridLayout(self)
        self._request: ViewRequest | None = None

    def set_mode(self, mode: ViewMode) -> None:
        """Change the view mode."""
        self.mode = mode
        self._follow()

    def set_marks(self, paint: Callable[[QPainter, QRectF], object] | None) -> None:
        """Set `paint_marks`; meanwhile the mouse cursor shows that dragging paints."""
        self.paint_marks = paint
        self._follow()
        self.update()

    def _follow(self) -> None:
        """Request the view, and show by the mouse cursor what dragging does."""
        shapes = Qt.CursorShape
        if self.paint_marks is not None:
            self.setCursor(shapes.CrossCursor)
            # `ctl` and scenes change zones too, whose marks are on the picture.
            self.update()
        elif self._store.current.framing.zoom > 1:
            self.setCursor(shapes.OpenHandCursor)
        else:
            self.setCursor(shapes.ArrowCursor)
        self._request_view()

    def show_image(self, image: QImage) -> None:
        """Show an image that was rendered for the last request."""
        image.setDevicePixelRatio(self.devicePixelRatioF())
        before = self.image
        self.image = image
        if before is None or before.deviceIndependentSize() != image.deviceIndependentSize():
            self._place_picture()
            self.update()
        else:
            self.update(self.picture.toAlignedRect())

    def sizeHint(self) -> QSize:
        return QSize(960, 540)

    def hasHeightForWidth(self) -> bool:
        """What lies over the picture takes no room of the window."""
        return False

    def fraction_of(self, position: QPointF) -> tuple[float, float]:
        """Return a position in the widget as fractions of the image."""
        place = position - self.picture.topLeft()
        # The picture has no size before the widget is laid out.
        x = place.x() / max(1.0, self.picture.width())
        y = place.y() / max(1.0, self.picture.height())
        return x, y

    def mirrored(self, x: float) -> float:
        """Convert a position in the preview to one in the output or back.

        x: horizontal, in fractions of the width.
        """
        if self._store.current.window.mirror_preview:
            return 1 - x
        return x

    def paintEvent(self, event: QPaintEvent | None) -> None:
        painter = QPainter(self)
        image = self.image
        rect = self.picture
        # The picture is opaque: behind it, nothing has to be filled.
        is_within_picture = event is not None and rect.contains(QRectF(event.rect()))
        if image is None or not is_within_picture:
            painter.fillRect(self.rect(), self.palette().color(QPalette.ColorRole.Shadow))
        if image is None:
            painter.setPen(self.palette().color(QPalette.ColorRole.PlaceholderText))
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(self.rect().adjusted(24, 24, -24, -24), flags, tr("Starting…"))
        else:
            if rect.size() == image.deviceIndependentSize():
                painter.drawImage(rect.topLeft(), image)
            else:
                painter.drawImage(rect, image)
            if self.paint_marks is not None:
                self.paint_marks(painter, rect)
                painter.setClipping(False)
        if self.hasFocus() and self.property("ring"):
            painter.setPen(QPen(self.palette().color(QPalette.ColorRole.Accent), 2))
            painter.drawRect(self.rect().adjusted(1, 1, -1, -1))

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        super().resizeEvent(event)
        self._place_picture()
        self._request_view()

    def showEvent(self, event: QShowEvent | None) -> None:
        super().showEvent(event)
        self._request_view()

    def hideEvent(self, event: QHideEvent | None) -> None:
        super().hideEvent(event)
        self._request = None
        self.view_requested.emit(None)

    def _place_picture(self) -> None:
        self.picture = QRectF(self.rect())
        if self.image is not None:
            size = self.image.deviceIndependentSize()
            # While the window is being resized, an image of an older request is scaled to
            # the current size.
            scale = min(self.width() / size.width(), self.height() / size.height())
            if abs(scale - 1) * max(size.width(), size.height()) >= 2:
                size *= scale
            ratio = self.devicePixelRatioF()
            left = (self.width() - size.width()) / 2
            top = (self.height() - size.height()) / 2
            # Align to physical pixels to avoid blurring.
            self.picture = QRectF(QPointF(round(left * ratio), round(top * ratio)) / ratio, size)
        self._place_notes(self.picture.toAlignedRect())

    def _place_notes(self, picture: QRect) -> None:
        """Lay what is over the picture within it, or wider where it needs more room."""
        margins = self.over.contentsMargins()
        needed = self.over.sizeHint().width() - margins.left() - margins.right() + 2 * MARGIN
        across = MARGIN + min(picture.left(), max(0, self.width() - needed) // 2)
        above = MARGIN + picture.top()
        self.over.setContentsMargins(across, above, across, above)

    def event(self, event: QEvent | None) -> bool:
        kind = None if event is None else event.type()
        if kind == QEvent.Type.LayoutRequest:
            # A note has another size.
            self._place_picture()
        elif kind == QEvent.Type.DevicePixelRatioChange:
            # The window is on another screen.
            self._place_picture()
            self._request_view()
        elif kind in (QEvent.Type.WindowActivate, QEvent.Type.WindowDeactivate):
            self._request_view()
        return super().event(event)

    def _request_view(self) -> None:
        if not self.isVisible():
            return
        ratio = self.devicePixelRatioF()
        request = ViewRequest(
            round(self.width() * ratio),
            round(self.height() * ratio),
            self.mode,
            self._store.current.window.mirror_preview,
            in_active_window=self.isActiveWindow(),
        )
        if request != self._request:
            self._request = request
            self.view_requested.emit(request)


# As in the style sheet.
PADDING = QMargins(10, 4, 10, 4)


class Pill(QLabel):
    """Text on a dark or red rounded rectangle, which may wrap; hidden while there is no text."""

    def __init__(self, name: str, role: str = "badge") -> None:
        super().__init__()
        self.setObjectName(name)
        self.setProperty("role", role)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setWordWrap(True)
        self.setIndent(0)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def sizeHint(self) -> QSize:
        """The size on one line."""
        return self.fontMetrics().size(0, self.text()).grownBy(PADDING)

    def show_text(self, text: str) -> None:
        """Show a text; an empty one hides the pill."""
        if text != self.text():
            self.setText(text)
        self.setVisible(bool(text))


class Badges(FoldingRow):
    """What is said at the upper left of the preview."""

    def __init__(self) -> None:
        self.unmatted = Pill("unmattedBadge", "alert")
        self.recording = Pill("recordingBadge", "alert")
        self.live = Pill("liveBadge", "alert")
        self.state = Pill("stateBadge")
        self.readable = Pill("readableBadge")
        self.brush = Pill("brushBadge")
        badges = self.unmatted, self.live, self.recording, self.state, self.readable, self.brush
        super().__init__(*badges)
        for badge in badges:
            self.setAlignment(badge, Qt.AlignmentFlag.AlignLeft)
        self.addStretch(1)

    def show_status(self, status: PipelineStatus, recording_time: str, settings: Settings) -> None:
        """Show the badges for the current status."""
        self.unmatted.show_text(tr("Your real background is visible") if status.unmatted else "")
        self.live.show_text(_live_text(status.readers))
        self.recording.show_text(recording_time)
        self.state.show_text(self._state(status, settings))
        readable = settings.text_is_readable and not settings.paused
        self.readable.show_text(tr("Text behind you can be read") if readable else "")

    def show_brush(self, in_use: bool) -> None:
        """Say while a brush is in use that the mouse paints."""
        self.brush.show_text(tr("The mouse paints. Esc ends.") if in_use else "")

    def _state(self, status: PipelineStatus, settings: Settings) -> str:
        if settings.paused:
            return tr("Paused: others see the stand-by card")
        if settings.frozen and status.phase is Phase.RUNNING:
            return tr("Frozen: others see the last frame")
        if status.hides_person and status.phase is Phase.RUNNING:
            return tr("Only me: click yourself")
        texts = {
            Phase.WAITING: tr("Waiting: others see the stand-by card"),
            Phase.NO_CAMERA: tr("No camera: others see the stand-by card"),
            Phase.RESTING: tr("Camera off: no program uses it"),
            Phase.STARTING: tr("Starting: others see the stand-by card"),
        }
        return texts.get(status.phase, "")


def _live_text(readers: int | None) -> str:
    """Return what says that programs read the camera; empty if none does, or if it is unknown."""
    if not readers:
        return ""
    if readers == 1:
        return tr("Live")
    return tr("Live in {0} programs").format(readers)


class ViewNote(QWidget):
    """One short sentence, and a button that changes whether the preview is a mirror.

    They lie over the user's body: those about the mirror are shown while the pointer is over the
    preview. The frame rate and latency at the lower left are hidden while these leave too little
    space for them.
    """

    def __init__(self, preview: Preview, store: SettingsStore, bridge: Bridge) -> None:
        super().__init__()
        self._preview = preview
        self._store = store
        self._status = PipelineStatus()
        self.figures = Pill("figures")
        self._note = Pill("viewNote")
        self._switch = button(
            "",
            tr("Switch between a mirror and the output as it leaves"),
            "othersSeeButton",
            lambda: store.set("window.mirror_preview", not store.current.window.mirror_preview),
            name=tr("Mirror the preview"),
        )
        self.setLayout(FoldingRow(self._note, self._switch, grows=self._note, spacing=6))
        bridge.status_changed.connect(self._follow)
        for changed in (store.changed, preview.view_requested):
            changed.connect(self._show)
        preview.installEventFilter(self)
        self._show()

    def eventFilter(self, _preview: QObject | None, event: QEvent | None) -> bool:
        if event is not None and event.type() in (QEvent.Type.Enter, QEvent.Type.Leave):
            self._show()
        return False

    def _follow(self, status: PipelineStatus) -> None:
        self._status = status
        self._show()

    def _show(self) -> None:
        """Follow the state; the note is hidden while the stand-by card is shown."""
        settings = self._store.current
        is_same = settings.window.mirror_preview == settings.output.mirror
        is_only_here = self._preview.mode is not ViewMode.COMPOSITE
        self._note.show_text(self._note_text(settings))
        self._switch.setText(tr("Mirror") if is_same else tr("Others see"))
        self._switch.setVisible(not is_only_here)
        runs = self._status.phase is Phase.RUNNING
        is_asked_for = is_only_here or self._preview.underMouse()
        self.setVisible(runs and not settings.paused and is_asked_for)
        # Last: the room for the figures depends on the note.
        self._show_figures(settings)

    def _note_text(self, settings: Settings) -> str:
        if self._preview.mode is not ViewMode.COMPOSITE:
            return tr("Only you see this")
        if settings.window.mirror_preview == settings.output.mirror:
            return tr("You see what others see")
        if settings.window.mirror_preview:
            return tr("You see a mirror, others do not")
        return tr("Others see a mirror, you do not")

    def _show_figures(self, settings: Settings) -> None:
        status = self._status
        latency_ms = status.latency_ms.end_to_end.median or status.latency_ms.step.median
        fps = f"{status.fps_out:.0f}"
        self.figures.setText(tr("{0} fps · {1} ms").format(fps, f"{latency_ms:.0f}"))
        taken = 2 * MARGIN
        if not self.isHidden():
            taken += self.sizeHint().width() + MARGIN
        fits = self.figures.sizeHint().width() <= self._preview.width() - taken
        runs = status.phase is Phase.RUNNING and not settings.frozen
        self.figures.setVisible(runs and settings.window.show_readout and fits)
