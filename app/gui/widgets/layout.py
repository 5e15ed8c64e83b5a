"""Rows and columns of widgets."""

from __future__ import annotations

from typing import TypeVar

from PyQt6.QtWidgets import QBoxLayout, QHBoxLayout, QLayout, QVBoxLayout, QWidget

Item = QWidget | QLayout | None
"""What stands in a row or column; None: space that takes what is left."""
Margins = int | tuple[int, int, int, int]
Layout = TypeVar("Layout", bound=QBoxLayout)


def row(
    whole: QWidget | None, *items: Item, grows: Item = None, spacing: int | None = None, margins: Margins | None = 0
) -> QHBoxLayout:
    """Lay items beside each other. whole: the widget that they fill; None for a part of another layout.

    grows: takes the width that is left. spacing, margins: None for those of the style.
    """
    return _fill(QHBoxLayout(whole), items, grows, spacing, margins)


def column(
    whole: QWidget | None, *items: Item, grows: Item = None, spacing: int | None = None, margins: Margins | None = 0
) -> QVBoxLayout:
    """Lay items below each other, as in `row`."""
    return _fill(QVBoxLayout(whole), items, grows, spacing, margins)


def _fill(made: Layout, items: tuple[Item, ...], grows: Item, spacing: int | None, margins: Margins | None) -> Layout:
    if margins is not None:
        made.setContentsMargins(*(margins if isinstance(margins, tuple) else (margins,) * 4))
    if spacing is not None:
        made.setSpacing(spacing)
    for item in items:
        if item is None:
            made.addStretch(1)
        elif isinstance(item, QWidget):
            made.addWidget(item, int(item is grows))
        else:
            made.addLayout(item, int(item is grows))
    return made
