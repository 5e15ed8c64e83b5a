"""Presenter mode captures the screen that the window is on: the room never leaves with it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from PyQt6.QtCore import QEvent, QObject
from PyQt6.QtGui import QColor, QPixmap
from pytestqt.qtbot import QtBot

from app.compositing import Background, open_background
from app.compositing.screen import ScreenBackground
from app.compositing.screen_use import ScreenUse
from app.core.errors import BackgroundError
from app.core.settings import BackgroundSettings, OutputSettings
from app.core.types import BgrImage, PictureKind
from app.gui.dialogs.assistant import SmallPreview
from app.gui.preview.qimage import from_qimage
from app.gui.preview.rendering import ViewMode
from app.gui.preview.view import RoomLabel
from app.gui.shell.application import Session, WindowOptions
from app.testing.parts import ROOM, shows_room
from tests.fakes.world import FakeWorld
from tests.gui.conftest import QUIET, StartWindow
from tests.waiting import eventually

SCREEN = BackgroundSettings(kind="screen", screen="screen:1")
NOTHING = np.zeros((48, 64, 3), np.uint8)


class Glass(QObject):
    """A screen that shows what the preview painted last."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: BgrImage = NOTHING
        self.grabs = 0
        self.session: Session | None = None

    def watch(self, session: Session) -> None:
        self.session = session
        session.window.preview.installEventFilter(self)

    def eventFilter(self, _preview: QObject | None, event: QEvent | None) -> bool:
        if self.session is not None and event is not None and event.type() is QEvent.Type.Paint:
            image = self.session.window.preview.image
            self.shown = NOTHING if image is None else from_qimage(image)
        return False


class Camera:
    """Captures the glass."""

    moves: ClassVar[bool] = False
    screens: ClassVar[None] = None

    def __init__(self, glass: Glass) -> None:
        self._glass = glass

    def grab(self) -> BgrImage:
        self._glass.grabs += 1
        return self._glass.shown

    def close(self) -> None:
        """Do nothing."""


@pytest.fixture
def glass() -> Glass:
    return Glass()


@pytest.fixture
def presenter(start_window: StartWindow, world: FakeWorld, glass: Glass, qtbot: QtBot) -> Iterator[Session]:
    """A window that shows the original, before a screen that shows the window."""

    def opened(settings: BackgroundSettings, screen: ScreenUse) -> Background:
        if settings.kind == "screen":
            return ScreenBackground(settings, lambda target: Camera(glass), screen)
        world.faults.at("open_background")
        return open_background(settings, screen)

    parts = replace(world.parts(), open_background=opened)
    settings = QUIET.replace(
        background=BackgroundSettings(kind="colour", colour="#000000"), output=OutputSettings(virtual_camera="fake")
    )
    session = start_window(settings, options=WindowOptions(parts=parts))
    glass.watch(session)
    session.window.action_bar.set_mode(ViewMode.ORIGINAL)
    qtbot.waitUntil(lambda: shows_room(glass.shown))
    yield session
    world.faults.release.set()
    session.window.preview.removeEventFilter(glass)


def present(session: Session, glass: Glass, qtbot: QtBot) -> None:
    """Choose the screen; return once it is sent."""
    session.store.change(lambda now: now.replace(background=SCREEN))
    grabs = glass.grabs
    qtbot.waitUntil(lambda: glass.grabs > grabs + 3)


def assert_no_room_left(world: FakeWorld) -> None:
    sent = [picture for picture in world.pictures() if picture.kind is PictureKind.COMPOSITE]
    assert sent and not any(shows_room(picture.image) for picture in sent)


@pytest.mark.parametrize("mode", [ViewMode.ORIGINAL, ViewMode.COMPARE])
def test_a_busy_window_is_not_captured_with_the_room(
    presenter: Session, glass: Glass, world: FakeWorld, qtbot: QtBot, mode: ViewMode
) -> None:
    """The first image was taken after 0.3 s, whether or not the window had hidden the original by then."""
    presenter.window.action_bar.set_mode(mode)
    presenter.store.change(lambda now: now.replace(background=SCREEN))
    eventually(lambda: presenter.pipeline.screen.captured)
    time.sleep(0.5)  # the window is busy
    assert glass.grabs == 0
    qtbot.waitUntil(lambda: glass.grabs > 3)
    qtbot.waitUntil(lambda: presenter.window.preview.image is not None)
    assert_no_room_left(world)


@pytest.mark.parametrize("next_background", ["fails", "is slow"])
def test_leaving_the_screen_does_not_send_the_room(
    presenter: Session, glass: Glass, world: FakeWorld, qtbot: QtBot, tmp_path: Path, next_background: str
) -> None:
    """The settings no longer named the screen, so that the preview showed the original while it was still captured."""
    present(presenter, glass, qtbot)
    damaged = BackgroundError("The slides are damaged; choose others.")
    world.faults.put("open_background", damaged if next_background == "fails" else world.faults.hang)
    presenter.store.edit("background", kind="slides", path=tmp_path)
    qtbot.waitUntil(lambda: not presenter.pipeline.screen.captured)
    grabs = glass.grabs
    qtbot.waitUntil(lambda: shows_room(glass.shown))  # the original is back: nothing captures it
    sent = len(world.pictures())
    qtbot.waitUntil(lambda: len(world.pictures()) > sent + 20)
    assert glass.grabs == grabs
    assert_no_room_left(world)


def test_nothing_paints_the_room_while_a_screen_is_captured(
    presenter: Session, glass: Glass, world: FakeWorld, qtbot: QtBot
) -> None:
    """Plates and the small preview of the assistant were painted on the screen that was sent."""
    plate = RoomLabel(presenter.store)
    pixmap = QPixmap(64, 48)
    pixmap.fill(QColor(*reversed(ROOM)))
    plate.setPixmap(pixmap)
    small = SmallPreview(presenter.store, presenter.bridge)
    for widget in (plate, small):
        qtbot.addWidget(widget)
        widget.show()
    presenter.store.edit("background", kind="none")
    qtbot.waitUntil(lambda: all(shows_room(from_qimage(each.grab().toImage())) for each in (plate, small)))
    present(presenter, glass, qtbot)
    assert not any(shows_room(from_qimage(widget.grab().toImage())) for widget in (plate, small))
    presenter.window.hide()
    presenter.store.edit("background", kind="colour")
    qtbot.waitUntil(lambda: not presenter.pipeline.screen.captured)
    assert shows_room(from_qimage(plate.grab().toImage()))
    assert_no_room_left(world)


def test_a_screen_after_none_is_not_captured_with_the_room(
    presenter: Session, glass: Glass, world: FakeWorld, qtbot: QtBot
) -> None:
    """The newest picture is still the unmatted frame when the screen is chosen."""
    presenter.store.edit("background", kind="none")
    qtbot.waitUntil(lambda: world.newest().kind is PictureKind.UNMATTED)
    present(presenter, glass, qtbot)
    qtbot.waitUntil(lambda: world.newest().kind is PictureKind.COMPOSITE)
    assert_no_room_left(world)
