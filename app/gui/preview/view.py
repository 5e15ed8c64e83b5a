"""The large picture."""

from __future__ import annotations

from PyQt6.QtCore import QPointF, QRectF, QSize, Qt, pyqtSignal
from PyQt6.QtGui import (
    QColor,
    QFocusEvent,
    QHideEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPalette,
    QPen,
    QPolygonF,
    QResizeEvent,
    QShowEvent,
)
from PyQt6.QtWidgets import QSizePolicy, QWidget

from app.gui.preview.rendering import ViewMode, ViewRequest
from app.gui.widgets.controls import describe

DIVIDER_STEP = 0.02


class Preview(QWidget):
    """Shows the newest image at the screen's own pixels; the divider of the comparison can be dragged."""

    wanted = pyqtSignal(object)
    """The ViewRequest for what is to be shown from now on; None while the preview is hidden."""
    image_shown = pyqtSignal(object)
    """The QImage now shown."""

    def __init__(self) -> None:
        super().__init__()
        describe(self, self.tr("Preview"), self.tr("What the others see"), "preview")
        self.setToolTip("")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(240, 135)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self._image: QImage | None = None
        self._message = self.tr("Starting…")
        self._mode = ViewMode.COMPOSITE
        self._mirror = True
        self._divider = 0.5
        self._draggable = False
        self._overlay: QWidget | None = None
        self._ring = False
        """Whether to show the focus: it came by the keyboard."""

    def set_overlay(self, overlay: QWidget) -> None:
        """Lay a widget over the picture; it follows the picture's place."""
        overlay.setParent(self)
        self._overlay = overlay
        self._place_overlay()

    @property
    def image(self) -> QImage | None:
        """What is shown, in screen pixels; None before the first picture."""
        return self._image

    @property
    def mode(self) -> ViewMode:
        """What is shown of the picture."""
        return self._mode

    def set_mode(self, mode: ViewMode) -> None:
        """Show something else of the picture."""
        self._mode = mode
        self._show_cursor()
        self._ask()

    def set_draggable(self, draggable: bool) -> None:
        """Show by the pointer whether the picture can be moved."""
        self._draggable = draggable
        self._show_cursor()

    def _show_cursor(self) -> None:
        plain = Qt.CursorShape.OpenHandCursor if self._draggable else Qt.CursorShape.ArrowCursor
        self.setCursor(Qt.CursorShape.SplitHCursor if self._mode is ViewMode.COMPARE else plain)

    def set_mirror(self, mirror: bool) -> None:
        """Show the picture as in a mirror, or as the others see it."""
        self._mirror = mirror
        self._ask()

    def set_message(self, message: str) -> None:
        """The words shown before the first picture."""
        if message != self._message:
            self._message = message
            self.update()

    def show_image(self, image: QImage) -> None:
        """Show an image rendered for the last request."""
        image.setDevicePixelRatio(self.devicePixelRatioF())
        resized = self._image is None or image.size() != self._image.size()
        self._image = image
        if resized:
            self._place_overlay()
        self.update()
        self.image_shown.emit(image)

    def sizeHint(self) -> QSize:
        return QSize(960, 540)

    def picture_rect(self) -> QRectF:
        """Where the picture lies in the widget."""
        if self._image is None:
            return QRectF(self.rect())
        size = self._image.deviceIndependentSize()
        # A picture of an older request, while the window is being resized, is scaled to the room of today.
        scale = min(self.width() / size.width(), self.height() / size.height())
        if abs(scale - 1) * max(size.width(), size.height()) < 2:
            scale = 1.0
        width, height = size.width() * scale, size.height() * scale
        ratio = self.devicePixelRatioF()
        left, top = (self.width() - width) / 2, (self.height() - height) / 2
        # On whole pixels of the screen, so that nothing is blurred.
        return QRectF(round(left * ratio) / ratio, round(top * ratio) / ratio, width, height)

    def paintEvent(self, event: QPaintEvent | None) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), self.palette().color(QPalette.ColorRole.Shadow))
        if self._image is None:
            painter.setPen(self.palette().color(QPalette.ColorRole.PlaceholderText))
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(self.rect().adjusted(24, 24, -24, -24), flags, self._message)
        else:
            rect = self.picture_rect()
            if rect.size() == self._image.deviceIndependentSize():
                painter.drawImage(rect.topLeft(), self._image)
            else:
                painter.drawImage(rect, self._image)
            if self._mode is ViewMode.COMPARE:
                self._paint_divider(painter, rect)
        if self._ring:
            painter.setPen(QPen(self.palette().color(QPalette.ColorRole.Accent), 2))
            painter.drawRect(self.rect().adjusted(1, 1, -1, -1))

    def _paint_divider(self, painter: QPainter, rect: QRectF) -> None:
        x = rect.left() + rect.width() * self._divider
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(255, 255, 255, 220), 2))
        painter.drawLine(QPointF(x, rect.top()), QPointF(x, rect.bottom()))
        painter.setBrush(QColor(20, 22, 26, 190))
        middle = QPointF(x, rect.center().y())
        painter.drawEllipse(middle, 15, 15)
        for side in (-1, 1):
            tip = QPointF(middle.x() + side * 9, middle.y())
            painter.drawPolyline(QPolygonF([tip + QPointF(-side * 4, -4), tip, tip + QPointF(-side * 4, 4)]))

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        self._drag(event)

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:
        self._drag(event)

    def _drag(self, event: QMouseEvent | None) -> None:
        if event is None or self._mode is not ViewMode.COMPARE or not event.buttons() & Qt.MouseButton.LeftButton:
            return
        rect = self.picture_rect()
        self._set_divider((event.position().x() - rect.left()) / max(1.0, rect.width()))

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        steps = {Qt.Key.Key_Left: -DIVIDER_STEP, Qt.Key.Key_Right: DIVIDER_STEP}
        if event is not None and self._mode is ViewMode.COMPARE and event.key() in steps:
            self._set_divider(self._divider + steps[Qt.Key(event.key())])
        else:
            super().keyPressEvent(event)

    def _set_divider(self, divider: float) -> None:
        self._divider = min(1.0, max(0.0, divider))
        self._ask()
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
        self._place_overlay()
        self._ask()

    def showEvent(self, event: QShowEvent | None) -> None:
        super().showEvent(event)
        self._ask()

    def hideEvent(self, event: QHideEvent | None) -> None:
        super().hideEvent(event)
        self.wanted.emit(None)

    def _place_overlay(self) -> None:
        if self._overlay is not None:
            self._overlay.setGeometry(self.picture_rect().toAlignedRect())

    def _ask(self) -> None:
        if self.isVisible():
            ratio = self.devicePixelRatioF()
            width, height = round(self.width() * ratio), round(self.height() * ratio)
            self.wanted.emit(ViewRequest(width, height, self._mode, self._mirror, self._divider))
