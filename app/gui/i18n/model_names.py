"""Translated titles of the models."""

from __future__ import annotations

from PyQt6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication

from models.table import NETWORKS

translate = QCoreApplication.translate
TITLES = (
    QT_TRANSLATE_NOOP("Models", "Standard"),
    QT_TRANSLATE_NOOP("Models", "Standard, with a photo of your empty room"),
    QT_TRANSLATE_NOOP("Models", "Robust Video Matting, fast"),
    QT_TRANSLATE_NOOP("Models", "Robust Video Matting, fine"),
    QT_TRANSLATE_NOOP("Models", "Background Matting, fast"),
    QT_TRANSLATE_NOOP("Models", "Background Matting, fine"),
    QT_TRANSLATE_NOOP("Models", "Background Matting, finest"),
    QT_TRANSLATE_NOOP("Models", "Objects"),
    QT_TRANSLATE_NOOP("Models", "Objects, small"),
    QT_TRANSLATE_NOOP("Models", "U²-Net, people"),
)
"""The titles of all networks, where lupdate finds them: the network table does not import Qt."""


def describe_model(name: str) -> str:
    """Return the translated title of a model; an unknown name is returned unchanged."""
    if name in NETWORKS:
        return translate("Models", NETWORKS[name].title)
    return translate("Models", "Automatic") if name == "auto" else name
