"""Questions that open beside the window and never stop it; the answer is handed on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PyQt6.QtCore import QCoreApplication, Qt
from PyQt6.QtWidgets import QFileDialog, QInputDialog, QWidget

translate = QCoreApplication.translate


def ask_for_files(parent: QWidget, title: str, take: Callable[[list[Path]], object], name_filter: str = "") -> None:
    """Let the user pick files that are there."""
    dialog = _file_dialog(parent, title, QFileDialog.FileMode.ExistingFiles)
    if name_filter:
        dialog.setNameFilter(name_filter)
    dialog.filesSelected.connect(lambda names: take([Path(name) for name in names]))
    dialog.open()


def ask_for_file(parent: QWidget, title: str, take: Callable[[Path], object], name_filter: str = "") -> None:
    """Let the user pick one file that is there."""
    dialog = _file_dialog(parent, title, QFileDialog.FileMode.ExistingFile)
    if name_filter:
        dialog.setNameFilter(name_filter)
    dialog.fileSelected.connect(lambda name: take(Path(name)))
    dialog.open()


def ask_for_folder(parent: QWidget, title: str, take: Callable[[Path], object]) -> None:
    """Let the user pick a folder."""
    dialog = _file_dialog(parent, title, QFileDialog.FileMode.Directory)
    dialog.fileSelected.connect(lambda name: take(Path(name)))
    dialog.open()


def ask_for_name(parent: QWidget, title: str, suggestion: str, take: Callable[[str], object]) -> None:
    """Let the user type a name."""
    dialog = QInputDialog(parent)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.setWindowTitle(title)
    dialog.setLabelText(translate("Dialogs", "Name:"))
    dialog.setTextValue(suggestion)
    dialog.textValueSelected.connect(take)
    dialog.open()


def _file_dialog(parent: QWidget, title: str, mode: QFileDialog.FileMode) -> QFileDialog:
    dialog = QFileDialog(parent, title)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.setFileMode(mode)
    return dialog
