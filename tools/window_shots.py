"""States of the window that `tools.screenshots` shows, each with its preparation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PyQt6.QtCore import QEventLoop, QTimer
from PyQt6.QtWidgets import QAbstractButton, QDialog, QWidget

from app.gui.application import Session
from app.gui.assistant import Assistant
from app.gui.bridge import ViewMode
from app.gui.doctor import DoctorDialog
from tools.feature_shots import DOOR

PATIENCE_MS, SETTLE_MS = 300_000, 200


@dataclass(frozen=True)
class Shot:
    """A screenshot: its name and its preparation."""

    name: str
    prepare: Callable[[Session], QWidget]
    """Returns the widget to grab."""


def _scene(
    background: int, group: str = "", mode: ViewMode = ViewMode.COMPOSITE
) -> Callable[[Session], QWidget]:
    def prepare(session: Session) -> QWidget:
        window = session.window
        tile = window.strip.model.tiles[background - 1]
        chosen = tile.settings(
            session.store.current.background, session.store.current.window.own_colour
        )
        session.store.edit("background", **dict(chosen))  # without the question before "none"
        _open_group(session, group)
        window.action_bar.set_mode(mode)
        return window

    return prepare


def _open_group(session: Session, name: str) -> None:
    """Open one group of the side panel, by its object name, alone; without a name, show what is
    simple.
    """
    session.store.edit("window", all_settings=bool(name))
    for group in session.window.panel.groups:
        group.toggle.setChecked(group.toggle.objectName() == name)


def _assistant(step: int) -> Callable[[Session], QWidget]:
    def prepare(session: Session) -> QWidget:
        session.window.open_assistant()
        (assistant,) = (each for each in session.window.findChildren(Assistant) if each.isVisible())
        while assistant.step < step:
            _press(assistant, "assistantNext")
        return assistant

    return prepare


def _press(window: QWidget, name: str) -> None:
    found = window.findChild(QAbstractButton, name)
    assert found is not None, name
    found.click()


def _dialog(open_it: Callable[[Session], object]) -> Callable[[Session], QWidget]:
    """Open a dialog, and return it."""

    def prepare(session: Session) -> QWidget:
        before = set(session.window.findChildren(QDialog))
        open_it(session)
        (opened,) = set(session.window.findChildren(QDialog)) - before
        return opened

    return prepare


def _all_tiles(session: Session) -> QWidget:
    session.window.strip.show_all()
    grid = session.window.findChild(QWidget, "backgroundGrid")
    assert grid is not None
    return grid


def _troubles(session: Session) -> QWidget:
    """Show a banner with others behind it, and in the panel the zones on the picture."""
    session.store.edit("people", zones=(DOOR,))
    session.store.edit("output", virtual_camera="/dev/video99")
    return _scene(4, "zonesGroup")(session)


def _messages(session: Session) -> QWidget:
    _press(session.window, "noticeCounter")
    return session.window


def _pause(session: Session) -> QWidget:
    session.store.edit("output", virtual_camera="off")
    session.store.edit("people", zones=())
    session.store.set("paused", True)
    return _scene(4, "pauseGroup")(session)


def _unmatted(session: Session) -> QWidget:
    """Show the real room."""
    session.store.set("paused", False)
    session.store.edit("background", kind="none")
    return session.window


def _without_figures(prepare: Callable[[Session], QWidget]) -> Callable[[Session], QWidget]:
    """Hide frame rate, delay and status line, which depend on the machine."""

    def calm(session: Session) -> QWidget:
        session.store.edit("window", show_readout=False)
        status_line = session.window.findChild(QWidget, "statusLine")
        assert status_line is not None
        status_line.hide()
        return prepare(session)

    return calm


def _doctor(session: Session) -> QWidget:
    session.window.open_doctor()
    doctor = session.window.findChild(DoctorDialog)
    assert doctor is not None
    loop = QEventLoop()
    doctor.findings.shown.connect(loop.quit)
    QTimer.singleShot(PATIENCE_MS, loop.quit)
    loop.exec()
    return doctor


def _close_up(session: Session) -> QWidget:
    session.store.edit("framing", zoom=1.6, pan_y=-0.6)
    return _scene(4)(session)


DOCUMENTS = (Shot("window", _without_figures(_scene(4))),)
ALL = (
    Shot("simple", _scene(4)),
    *(
        Shot(name, _scene(1, f"{name}Group"))
        for name in ("zones", "background", "quality", "record", "pause")
    ),
    Shot("original", _scene(3, mode=ViewMode.ORIGINAL)),
    *(Shot(f"assistant{step + 1}", _assistant(step)) for step in range(3)),
    Shot("doctor", _doctor),
    Shot("preferences", _dialog(lambda session: session.window.open_preferences())),
    Shot("advanced", _dialog(lambda session: session.window.open_preferences().show_advanced())),
    Shot("help", _dialog(lambda session: session.window.open_help())),
    Shot("about", _dialog(lambda session: session.window.open_about())),
    Shot("virtual-camera", _dialog(lambda session: session.window.open_doctor("virtual camera"))),
    Shot("empty-room", _dialog(lambda session: session.window.open_plate_dialog())),
    Shot("scene-name", _dialog(lambda session: session.window.scenes.ask_for_name())),
    Shot("ask-none", _dialog(lambda session: session.window.strip.choose_number(0))),
    Shot("log", _dialog(lambda session: session.window.open_log())),
    Shot("grid", _all_tiles),
    Shot("framing", _close_up),
    Shot("troubles", _troubles),
    Shot("messages", _messages),
    Shot("pause", _pause),
    Shot("unmatted", _unmatted),
)
