"""Finds controls of the window and acts on them as a user does; finds texts that do not fit."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ParamSpec, TypeVar

import PyQt6.QtWidgets as qt  # noqa: N813
from PyQt6.QtCore import QLocale, QObject, QPoint, QPointF, Qt
from PyQt6.QtGui import QEnterEvent, QWheelEvent
from PyQt6.sip import isdeleted
from pytestqt.qtbot import QtBot

from app.control.commands import Answer, Command
from app.control.transport import ask
from app.core.errors import SettingsError
from app.core.settings import BackgroundSettings
from app.gui.application import Session
from app.gui.assistant import Assistant
from app.gui.backgrounds.tiles import Tile
from app.gui.bars import StatusLine
from app.gui.preview.view import Preview
from app.gui.state import THREADS, SettingsStore, Tasks
from app.gui.translation import Translation
from app.gui.widgets.qt import application
from app.gui.widgets.qt import existing as existing
from app.runtime.status import Phase
from app.settings import Settings, SettingsOwner
from tests.waiting import beside

Child = TypeVar("Child", bound=QObject)
Values = ParamSpec("Values")


def until(
    qtbot: QtBot, condition: Callable[Values, object], *values: Values.args, **named: Values.kwargs
) -> None:
    """Run the event loop until `condition` holds for these values."""

    def holds() -> bool:
        return bool(condition(*values, **named))

    qtbot.waitUntil(holds)


def until_not(
    qtbot: QtBot, condition: Callable[Values, object], *values: Values.args, **named: Values.kwargs
) -> None:
    """Run the event loop until `condition` does not hold for these values."""

    def ended() -> bool:
        return not condition(*values, **named)

    qtbot.waitUntil(ended)


def until_is(
    qtbot: QtBot,
    expected: object,
    read: Callable[Values, object],
    *values: Values.args,
    **named: Values.kwargs,
) -> None:
    """Run the event loop until `read` returns for these values what is expected."""

    def check() -> None:
        found = read(*values, **named)
        assert found == expected  # the failure of the wait shows both

    qtbot.waitUntil(check)


def has_sent(session: Session, more_than: int) -> bool:
    """Whether the outputs were sent more new frames than these."""
    return session.bridge.status.frames_out > more_than


def in_phase(session: Session, phase: Phase) -> bool:
    return session.bridge.status.phase is phase


def records(session: Session) -> bool:
    return session.bridge.status.recording is not None


def has_own(session: Session, count: int) -> bool:
    """Whether so many backgrounds are the user's own."""
    return len(own(session)) == count


def kind_chosen(session: Session) -> str:
    return chosen(session).kind


def path_chosen(session: Session) -> Path | None:
    return chosen(session).path


def model_saved(session: Session) -> str:
    return session.store.saved.matting.model


def shows_preview(session: Session) -> bool:
    return session.window.preview.image is not None


def has_entry(box: qt.QComboBox, data: object) -> bool:
    return box.findData(data) >= 0


def output(session: Session) -> str | None:
    """Return what the virtual camera is sent to."""
    return session.bridge.status.virtual_camera


def notice(session: Session, name: str) -> str:
    """Return the text of a notice; empty while it is not shown."""
    return session.window.notices.text_of(name)


def has_notice(session: Session, name: str, words: str) -> bool:
    return words in notice(session, name)


def has_dialog(session: Session, kind: type[qt.QWidget]) -> bool:
    """Whether a child of the window of this kind exists."""
    return session.window.findChild(kind) is not None


def has_scenes(session: Session, *names: str) -> bool:
    return session.window.scenes.names == names


def has_error(session: Session, words: str) -> bool:
    """Whether the error that is shown says this."""
    return words in session.window.notices.error


def has_text(label: qt.QLabel | qt.QAbstractButton | qt.QLineEdit, words: str) -> bool:
    return words in label.text()


def made_store(settings: Settings | None = None) -> SettingsStore:
    """Return a store of settings that no pipeline owns."""
    return SettingsStore(SettingsOwner(settings or Settings()))


@contextmanager
def translate(language: str) -> Iterator[None]:
    """Use a language in the block."""
    translation = Translation(application(), QLocale(language))
    try:
        yield
    finally:
        translation.remove()


@contextmanager
def letters(size: float) -> Iterator[None]:
    """Use letters in the block that are larger than usual by this factor."""
    app = application()
    font = application().font()
    font.setPointSizeF(font.pointSizeF() * size)
    before = app.font()
    app.setFont(font)
    try:
        yield
    finally:
        app.setFont(before)


def find(parent: QObject, kind: type[Child], name: str | None = None) -> Child:
    """Return a child, which must exist."""
    found = parent.findChild(kind, name)
    assert found is not None, name or kind.__name__
    return found


def texts(parent: QObject) -> list[str]:
    """Return the texts of all labels."""
    return [each.text() for each in parent.findChildren(qt.QLabel)]


def button(session: Session, name: str) -> qt.QAbstractButton:
    return find(session.window, qt.QAbstractButton, name)


def box(session: Session, name: str) -> qt.QComboBox:
    return find(session.window, qt.QComboBox, name)


def slider(session: Session, name: str) -> qt.QSlider:
    return find(session.window, qt.QSlider, name)


def pick(box: qt.QComboBox, row: int) -> None:
    """Choose an entry of a list, as a user does."""
    box.setCurrentIndex(row)
    box.activated.emit(row)


def bring_up(session: Session, control: qt.QWidget) -> None:
    """Show the group of the side panel that holds the control."""
    session.window.panel.reveal(control)
    qt.QApplication.processEvents()  # lays the group out


def asked(session: Session) -> qt.QMessageBox | None:
    """Return the question that is open."""
    return session.window.findChild(qt.QMessageBox)


def answer(session: Session, qtbot: QtBot, text: str) -> str:
    """Press a button of a question, which waits for it and harms nothing unasked; return what it said."""
    until(qtbot, asked, session)
    box = existing(asked(session))
    said = f"{box.text()} {box.informativeText()}"
    assert existing(box.defaultButton()).text() in ("Keep", "Keep it hidden")
    next(each for each in box.buttons() if each.text() == text).click()
    until(qtbot, isdeleted, box)
    return said


def give_name(session: Session, name: str, suggested: str | None = None) -> None:
    """Answer the newest question for a name."""
    dialog = session.window.findChildren(qt.QInputDialog)[-1]
    assert suggested is None or dialog.textValue() == suggested
    dialog.setTextValue(name)
    dialog.accept()


def answered(qtbot: QtBot, *command: str) -> Answer:
    """Ask as `ctl` does, while the GUI thread runs its event loop."""
    answer = beside(ask, Command(*command))
    qtbot.waitUntil(answer.done)
    return answer.result()


def said(session: Session, name: str) -> str:
    """Return the text of a label; empty while it is hidden."""
    found = find(session.window, qt.QLabel, name)
    return found.text() if found.isVisible() else ""


def ready(session: Session, qtbot: QtBot) -> Preview:
    """Wait for some pictures, and return the preview that shows them."""
    until(qtbot, shows_preview, session)
    until(qtbot, has_sent, session, 3)
    return session.window.preview


def enter(preview: Preview) -> None:
    """Move the pointer over the preview, where it stays."""
    centre = QPointF(preview.rect().center())
    qt.QApplication.sendEvent(preview, QEnterEvent(centre, centre, centre))


def shows_camera(session: Session) -> bool:
    """Whether the newest picture is made of a frame of the camera: it is not the stand-by card."""
    picture = session.bridge.picture
    return picture is not None and picture.frame is not None


def at(session: Session, x: float, y: float) -> QPoint:
    """Return a point of the preview from fractions of the image."""
    rect = session.window.preview.picture
    return QPointF(rect.left() + x * rect.width(), rect.top() + y * rect.height()).toPoint()


def pull(session: Session, qtbot: QtBot, start: QPoint, end: QPoint) -> None:
    preview = session.window.preview
    qtbot.mousePress(preview, Qt.MouseButton.LeftButton, pos=start)
    for step in range(1, 5):
        qtbot.mouseMove(preview, start + (end - start) * step / 4)
    qtbot.mouseRelease(preview, Qt.MouseButton.LeftButton, pos=end)


def chosen(session: Session) -> BackgroundSettings:
    return session.store.current.background


def tiles(session: Session) -> tuple[Tile, ...]:
    return session.window.strip.model.tiles


def own(session: Session) -> list[Tile]:
    return [tile for tile in tiles(session) if tile.own]


def add(session: Session, qtbot: QtBot, path: Path) -> Tile:
    """Add a background, which is in use then, and return its tile."""
    before = own(session)
    session.window.strip.library.add_files([path])
    until(qtbot, has_own, session, len(before) + 1)
    (tile,) = (each for each in own(session) if each not in before)
    until_is(qtbot, tile.path, path_chosen, session)
    return tile


def turn_wheel(widget: qt.QWidget, notches: int, where: QPoint | None = None) -> None:
    """Send a turn of the wheel to a widget. where: its centre if None."""
    where = widget.rect().center() if where is None else where
    event = QWheelEvent(
        QPointF(where), QPointF(widget.mapToGlobal(where)), QPoint(), QPoint(0, notches * 120),
        Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    qt.QApplication.sendEvent(widget, event)


def open_last_step(session: Session) -> Assistant:
    """Open the last page of the assistant."""
    session.window.open_assistant()
    assistant = find(session.window, Assistant)
    for _ in range(2):
        button(session, "assistantNext").click()
    return assistant


def settle(tasks: Tasks, qtbot: QtBot, count: int = THREADS) -> None:
    """Wait until what so many of the window's threads were given before is done and delivered: then they are free."""
    meet = threading.Barrier(count)
    free = list[int]()
    for _ in range(count):
        tasks.run(meet.wait, free.append)
    until_is(qtbot, count, len, free)


def full(*_: object, **__: object) -> None:
    """Fail to write a file, in place of what saves it."""
    raise SettingsError("The file cannot be written: the disk is full.")


def cut_off(window: qt.QWidget) -> list[str]:
    """Return the texts that do not fit into their widgets, low fields, and pages wider than what shows them."""
    found: list[str] = []
    for each in (each for each in window.findChildren(qt.QWidget) if each.isVisible()):
        fits = True
        text = each.text() if isinstance(each, qt.QLabel | qt.QAbstractButton) else ""
        if isinstance(each, qt.QScrollArea):
            fits = existing(each.widget()).width() <= existing(each.viewport()).width()
        elif isinstance(each, qt.QComboBox | qt.QLineEdit):
            fits = each.height() >= each.sizeHint().height()
        elif isinstance(each, qt.QAbstractButton) and text:
            least = each.heightForWidth(each.width()) if each.hasHeightForWidth() else 0
            fits = each.width() + 1 >= each.minimumSizeHint().width() and each.height() >= least
        elif isinstance(each, qt.QLabel) and text and not isinstance(each, StatusLine):
            width = (
                each.minimumSizeHint().width()
                if each.wordWrap()
                else each.fontMetrics().horizontalAdvance(text)
            )
            fits = each.width() + 1 >= width and each.height() + 1 >= each.heightForWidth(
                each.width()
            )
        if not fits:
            found.append(f"{type(each).__name__} {each.objectName()} {text}")
    return found
