"""Finds texts of the window that do not fit."""

from __future__ import annotations

from PyQt6.QtCore import QPoint, QRect, Qt
from PyQt6.QtWidgets import QAbstractButton, QComboBox, QLabel, QLineEdit, QScrollArea, QWidget

from app.gui.preview.overlay import Pill
from app.gui.widgets.controls import ElidedLabel
from app.gui.widgets.qt import existing

CAPTION_GAP = 16
"""Most pixels between a caption and what it names."""


def cut_off(window: QWidget) -> list[str]:
    """Return the texts that do not fit into their widgets, low fields, and pages wider than what shows them."""
    found = [
        f"page of {existing(area.parentWidget()).objectName()}"
        for area in window.findChildren(QScrollArea)
        if area.isVisible() and existing(area.widget()).width() > existing(area.viewport()).width()
    ]
    for label in window.findChildren(QLabel):
        if not label.isVisible() or not label.text() or isinstance(label, ElidedLabel | Pill):
            continue
        if label.wordWrap():
            room = label.rect().adjusted(0, 0, 0, 10_000)
            words = label.fontMetrics().boundingRect(room, int(Qt.TextFlag.TextWordWrap), label.text())
            fits = label.height() + 1 >= words.height()
        else:
            fits = label.width() + 1 >= label.fontMetrics().horizontalAdvance(label.text())
        if not fits:
            found.append(label.text())
    found += [
        f"{type(field).__name__} {field.objectName()}"
        for field in (*window.findChildren(QComboBox), *window.findChildren(QLineEdit))
        if field.isVisible() and field.height() < field.sizeHint().height()
    ]
    for button in window.findChildren(QAbstractButton):
        least = button.heightForWidth(button.width()) if button.hasHeightForWidth() else 0
        fits = button.width() + 1 >= button.minimumSizeHint().width() and button.height() >= least
        if button.isVisible() and button.text() and not fits:
            found.append(button.text())
    return found


def far_captions(window: QWidget) -> list[str]:
    """Return the visible captions that are neither beside nor above the control that they name."""
    found = []
    for label in window.findChildren(QLabel):
        named = label.buddy()
        if named is None or not label.isVisible() or not named.isVisible():
            continue
        of_label, of_named = (QRect(each.mapTo(window, QPoint()), each.size()) for each in (label, named))
        near = of_label.adjusted(0, 0, CAPTION_GAP, CAPTION_GAP).intersects(of_named)
        if not near or type(named) is QWidget:  # several controls
            found.append(label.text())
    return found


def hidden_entries(opened: QComboBox) -> list[str]:
    """Return the entries of an open list that are cut: too wide for it, or beyond its end without a scroll bar."""
    view, model = existing(opened.view()), existing(opened.model())
    viewport, bar = existing(view.viewport()), view.verticalScrollBar()
    scrolls = bar is not None and bar.isVisible()
    found = []
    for row in range(opened.count()):
        index = model.index(row, opened.modelColumn())
        rect = view.visualRect(index)
        if (not scrolls and rect.bottom() >= viewport.height()) or rect.width() < view.sizeHintForIndex(index).width():
            found.append(opened.itemText(row))
    return found
