"""The preview widget."""

from __future__ import annotations

from PyQt6.QtCore import QEvent, QPointF, QRect, QRectF, QSize, Qt, pyqtSignal
from PyQt6.QtGui import (
    QColor,
    QFocusEvent,
    QHideEvent,
    QImage,
    QPainter,
    QPaintEvent,
    QPalette,
    QPen,
    QPolygonF,
    QResizeEvent,
    QShowEvent,
)
from PyQt6.QtWidgets import QSizePolicy, QStyle, QWidget

from app.gui.preview.rendering import ViewMode, ViewRequest
from app.gui.state.store import SettingsStore
from app.gui.widgets.controls import describe

NOTE_MARGIN = 12
NOTE_GAP = 8


class Preview(QWidget):
    """Draws the newest image without scaling."""

    view_requested = pyqtSignal(object)
    """The ViewRequest to render from now on; None while the preview is hidden."""

    def __init__(self, store: SettingsStore) -> None:
        super().__init__()
        self._store = store
        store.changed.connect(self._request_view)
        describe(self, self.tr("Preview"), self.tr("What other programs see"), "preview")
        self.setToolTip("")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumWidth(240)
        self.setMinimumHeight(90)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.image: QImage | None = None
        """The image to paint, in physical pixels; None before the first one."""
        self.mode = ViewMode.COMPOSITE
        self.divider = 0.5
        """Where the comparison is divided, as a fraction of the image's width."""
        self._draggable = self._painted = False
        self._picture_rect = QRectF()
        self._overlays: list[QWidget] = []
        self._notes: list[tuple[QWidget, Qt.AlignmentFlag]] = []

        self._request: ViewRequest | None = None
        self._ring = False
        """Draw the focus ring: the focus came from the keyboard."""

    def add_overlay(self, overlay: QWidget) -> None:
        """Lay a widget over the image and the overlays added before; it follows the image's position."""
        overlay.setParent(self)
        self._overlays.append(overlay)
        for note, _place in self._notes:
            note.raise_()
        self._place_overlays()

    def add_note(self, note: QWidget, place: Qt.AlignmentFlag) -> None:
        """Lay a widget of its own size into a lower corner of the image; left out where it does not fit there."""
        note.setParent(self)
        self._notes.append((note, place))
        self._place_overlays()

    def set_mode(self, mode: ViewMode) -> None:
        """Change the view mode."""
        self.mode = mode
        self._show_cursor()
        self._request_view()

    def set_draggable(self, draggable: bool) -> None:
        """Show by the mouse cursor whether the image can be dragged."""
        self._draggable = draggable
        self._show_cursor()

    def set_painted(self, painted: bool) -> None:
        """Show by the mouse cursor whether dragging paints."""
        self._painted = painted
        self._show_cursor()

    def _show_cursor(self) -> None:
        if self._painted:
            self.setCursor(Qt.CursorShape.CrossCursor)
            return
        plain = Qt.CursorShape.OpenHandCursor if self._draggable else Qt.CursorShape.ArrowCursor
        self.setCursor(Qt.CursorShape.SplitHCursor if self.mode is ViewMode.COMPARE else plain)

    def show_image(self, image: QImage) -> None:
        """Show an image that was rendered for the last request."""
        image.setDevicePixelRatio(self.devicePixelRatioF())
        resized = self.image is None or image.deviceIndependentSize() != self.image.deviceIndependentSize()
        self.image = image
        if resized:
            self._place_overlays()
            self.update()
        else:
            self.update(self.picture_rect().toAlignedRect())

    def sizeHint(self) -> QSize:
        return QSize(960, 540)

    def picture_rect(self) -> QRectF:
        """Position of the image in the widget, as it was when its size or the widget's changed last."""
        return self._picture_rect

    def _fitted_rect(self) -> QRectF:
        if self.image is None:
            return QRectF(self.rect())
        size = self.image.deviceIndependentSize()
        # While the window is being resized, an image of an older request is scaled to the current size.
        scale = min(self.width() / size.width(), self.height() / size.height())
        if abs(scale - 1) * max(size.width(), size.height()) < 2:
            scale = 1.0
        width, height = size.width() * scale, size.height() * scale
        ratio = self.devicePixelRatioF()
        left, top = (self.width() - width) / 2, (self.height() - height) / 2
        # Align to physical pixels to avoid blurring.
        return QRectF(round(left * ratio) / ratio, round(top * ratio) / ratio, width, height)

    def fraction_of(self, position: QPointF) -> tuple[float, float]:
        """Return a position in the widget as fractions of the image."""
        rect = self.picture_rect()
        x, y = position.x() - rect.left(), position.y() - rect.top()
        return x / max(1.0, rect.width()), y / max(1.0, rect.height())

    def mirrored(self, x: float) -> float:
        """Convert a horizontal position in the preview to one in the output or back, in fractions of the width."""
        return 1 - x if self._store.current.window.mirror_preview else x

    def paintEvent(self, event: QPaintEvent | None) -> None:
        painter = QPainter(self)
        image, rect = self.image, self.picture_rect()
        if image is None or event is None or not rect.contains(QRectF(event.rect())):  # the picture is opaque
            painter.fillRect(self.rect(), self.palette().color(QPalette.ColorRole.Shadow))
        if image is None:
            painter.setPen(self.palette().color(QPalette.ColorRole.PlaceholderText))
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(self.rect().adjusted(24, 24, -24, -24), flags, self.tr("Starting…"))
        else:
            if rect.size() == image.deviceIndependentSize():
                painter.drawImage(rect.topLeft(), image)
            else:
                painter.drawImage(rect, image)
            if self.mode is ViewMode.COMPARE:
                self._paint_divider(painter, rect)
        if self._ring:
            painter.setPen(QPen(self.palette().color(QPalette.ColorRole.Accent), 2))
            painter.drawRect(self.rect().adjusted(1, 1, -1, -1))

    def _paint_divider(self, painter: QPainter, rect: QRectF) -> None:
        x = rect.left() + rect.width() * self.divider
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(255, 255, 255, 220), 2))
        painter.drawLine(QPointF(x, rect.top()), QPointF(x, rect.bottom()))
        painter.setBrush(QColor(20, 22, 26, 190))
        middle = QPointF(x, rect.center().y())
        painter.drawEllipse(middle, 15, 15)
        for side in (-1, 1):
            tip = QPointF(middle.x() + side * 9, middle.y())
            painter.drawPolyline(QPolygonF([tip + QPointF(-side * 4, -4), tip, tip + QPointF(-side * 4, 4)]))

    def set_divider(self, divider: float) -> None:
        """Move the divider to a fraction of the image's width."""
        self.divider = min(1.0, max(0.0, divider))
        self._request_view()
        self.update()

    def focusInEvent(self, event: QFocusEvent | None) -> None:
        reasons = (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason)
        self._ring = event is not None and event.reason() in reasons
        super().focusInEvent(event)

    def focusOutEvent(self, event: QFocusEvent | None) -> None:
        self._ring = False
        super().focusOutEvent(event)

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        super().resizeEvent(event)
        self._place_overlays()
        self._request_view()

    def showEvent(self, event: QShowEvent | None) -> None:
        super().showEvent(event)
        self._request_view()

    def hideEvent(self, event: QHideEvent | None) -> None:
        super().hideEvent(event)
        self._request = None
        self.view_requested.emit(None)

    def _place_overlays(self) -> None:
        self._picture_rect = self._fitted_rect()
        picture = self._picture_rect.toAlignedRect()
        for overlay in self._overlays:
            overlay.setGeometry(self._wide_enough(picture, overlay.sizeHint().width()))
        notes = (note.minimumSizeHint().width() for note, _place in self._notes if not note.isHidden())
        rect = self._wide_enough(picture, max(notes, default=0) + 2 * NOTE_MARGIN)
        inside = rect.adjusted(NOTE_MARGIN, NOTE_MARGIN, -NOTE_MARGIN, -NOTE_MARGIN)
        free = inside.width()
        for note, place in self._notes:
            size = note.sizeHint().boundedTo(inside.size())
            size = size if size.width() <= free else QSize(0, 0)
            free -= size.width() + NOTE_GAP
            note.setGeometry(QStyle.alignedRect(Qt.LayoutDirection.LeftToRight, place, size, inside))

    def _wide_enough(self, picture: QRect, least: int) -> QRect:
        """Return the place of the picture, on both sides wider if it is narrower than badges or notes."""
        missing = min(least, self.width()) - picture.width()
        return picture.adjusted(-(missing // 2), 0, missing - missing // 2, 0) if missing > 0 else picture

    def event(self, event: QEvent | None) -> bool:
        if event is not None and event.type() == QEvent.Type.LayoutRequest:  # a note has another size
            self._place_overlays()
        elif event is not None and event.type() == QEvent.Type.DevicePixelRatioChange:  # on another screen
            self._place_overlays()
            self._request_view()
        return super().event(event)

    def _request_view(self) -> None:
        if self.isVisible():
            ratio = self.devicePixelRatioF()
            width, height = round(self.width() * ratio), round(self.height() * ratio)
            settings = self._store.current
            request = ViewRequest(width, height, self.mode, settings.window.mirror_preview, self.divider)
            if request != self._request:
                self._request = request
                self.view_requested.emit(request)
