"""Dialogs that ask for files, folders and names.

They do not block; the answer is passed to a callback.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PyQt6.QtCore import QStandardPaths, Qt, QUrl
from PyQt6.QtGui import QDesktopServices
from PyQt6.QtWidgets import QAbstractButton, QFileDialog, QInputDialog, QMessageBox, QWidget

from app.config.exposure import exposed_by
from app.core.declaration import Exposure
from app.core.files import is_folder
from app.core.user_file import in_time
from app.gui.state import SettingsStore, Tasks
from app.gui.translation import tr
from app.gui.widgets.qt import set_up_dialog
from app.settings import Settings

# In pixels, of the question for a name: those of files are long.
NAME_WIDTH = 420
# Where a dialog for files starts.
UserFolder = QStandardPaths.StandardLocation


def path_of(folder: UserFolder) -> Path:
    """Return the path of a folder of the user, or of the one that holds all of them."""
    path = Path(QStandardPaths.writableLocation(folder) or Path.home())
    return path if is_folder(path) else Path.home()


def nearest_folder(folder: Path) -> Path:
    """Return the folder, or its nearest parent that exists and may be looked into.

    It is that of the user where the disk does not answer. Not for the GUI thread.
    """
    try:
        return in_time(folder, partial(_nearest, folder))
    except TimeoutError:
        return Path.home()


def _nearest(folder: Path) -> Path:
    while not is_folder(folder) and folder != folder.parent:
        folder = folder.parent
    return folder


def open_folder(tasks: Tasks, folder: Path) -> None:
    """Open the folder, or its nearest existing parent, in the system's file manager."""

    def show(found: Path) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(found)))

    tasks.run(partial(nearest_folder, folder), show, file=folder)


def ask_for_files(
    parent: QWidget,
    title: str,
    take: Callable[[list[Path]], object],
    name_filter: str = "",
    *,
    folder: Path,
    mode: QFileDialog.FileMode = QFileDialog.FileMode.ExistingFiles,
) -> None:
    """Ask for existing files, or what the mode says.

    folder: where the dialog starts: one that exists.
    """
    dialog = QFileDialog(parent, title, str(folder), name_filter)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.setFileMode(mode)
    dialog.filesSelected.connect(lambda names: take([Path(name) for name in names]))
    dialog.open()


def ask_for_file(
    parent: QWidget,
    title: str,
    take: Callable[[Path], object],
    name_filter: str = "",
    *,
    folder: UserFolder,
) -> None:
    """Ask for one existing file."""
    mode = QFileDialog.FileMode.ExistingFile
    ask_for_files(
        parent,
        title,
        lambda paths: take(paths[0]),
        name_filter,
        folder=path_of(folder),
        mode=mode,
    )


def ask_for_name(
    parent: QWidget,
    title: str,
    suggestion: str,
    take: Callable[[str], object],
) -> None:
    """Ask for a name."""
    dialog = QInputDialog(parent)
    set_up_dialog(dialog, "nameQuestion", title, NAME_WIDTH, 0)
    dialog.setLabelText(tr("Name:"))
    dialog.setTextValue(suggestion)
    dialog.textValueSelected.connect(take)
    dialog.open()


def ask_before_loss(
    parent: QWidget,
    text: str,
    consequence: str,
    caption: str,
    go_on: Callable[[], object],
) -> None:
    """Ask whether to remove or replace something; the default is to keep all.

    caption: of the button that does it.
    """
    _ask_before(parent, "deletionQuestion", text, consequence, (caption, tr("Keep")), go_on)


def change_or_ask(
    parent: QWidget,
    store: SettingsStore,
    update: Callable[[Settings], Settings],
    confirmed: tuple[Exposure, ...] = (),
) -> None:
    """Change the settings, or ask before each thing that would be shown and is hidden now.

    confirmed: what the user agreed to show.
    """
    unconfirmed: list[Exposure] = []

    def change_if_confirmed(current: Settings) -> Settings:
        new = update(current)
        unconfirmed[:] = [each for each in exposed_by(new, current) if each not in confirmed]
        return current if unconfirmed else new

    store.change(change_if_confirmed)
    if unconfirmed:
        first = unconfirmed[0]
        go_on = partial(change_or_ask, parent, store, update, (*confirmed, first))
        ask_before_unmatted(parent, go_on, first)


def ask_before_unmatted(
    parent: QWidget,
    show: Callable[[], object],
    exposed: Exposure = "room",
) -> None:
    """Ask whether to show the real background to others, or a part of it.

    The default is to keep it hidden.
    """
    text = tr("Show your real background to others?")
    consequence = tr("“None” sends the camera image as it is, to every program that uses Mattecam.")
    if exposed == "people":
        text = tr("Show everybody to others?")
        consequence = tr("This scene ends “Only me”: everyone in front of the camera is shown.")
    elif exposed == "hidden":
        consequence = tr("This scene does not hide what you marked with “Always hide”.")
    elif exposed == "readable":
        text = tr("Let others read what is behind you?")
        consequence = tr("The blur is so weak that text in your room can be read.")
    elif exposed == "things":
        text = tr("Show things mistaken for people to others?")
        consequence = tr("This scene does not hide things mistaken for people.")
    elif exposed == "edges":
        text = tr("Show more around you to others?")
        consequence = tr("The edge of this scene shows more of the room around you.")
    elif exposed == "locked":
        text = tr("Show the camera while the screen is locked?")
        consequence = tr("This scene does not pause while the screen is locked.")
    answers = (tr("Show it"), tr("Keep it hidden"))
    _ask_before(parent, "unmattedQuestion", text, consequence, answers, show)


def _ask_before(
    parent: QWidget,
    name: str,
    text: str,
    consequence: str,
    answers: tuple[str, str],
    go_on: Callable[[], object],
) -> None:
    """Ask before something that harms.

    answers: (what goes on, what does not and is the default).
    """
    box = QMessageBox(parent)
    set_up_dialog(box, name, "Mattecam")
    box.setIcon(QMessageBox.Icon.Warning)
    box.setText(text)
    box.setInformativeText(consequence)
    goes = box.addButton(answers[0], QMessageBox.ButtonRole.DestructiveRole)
    keeps = box.addButton(answers[1], QMessageBox.ButtonRole.RejectRole)
    box.setDefaultButton(keeps)
    box.setEscapeButton(keeps)

    def answer(pressed: QAbstractButton) -> None:
        if pressed is goes:
            go_on()

    box.buttonClicked.connect(answer)
    box.open()
