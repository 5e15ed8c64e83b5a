"""Reads the background strip of the window, and adds a file to it."""

from __future__ import annotations

from pathlib import Path

from pytestqt.qtbot import QtBot

from app.core.settings import BackgroundSettings
from app.gui.backgrounds.tiles import Tile
from app.gui.shell.application import Session
from tests.gui.controls import Controls


def chosen(session: Session | Controls) -> BackgroundSettings:
    return session.store.current.background


def tiles(session: Session | Controls) -> tuple[Tile, ...]:
    return session.window.strip.model.tiles


def own(session: Session | Controls) -> list[Tile]:
    return [tile for tile in tiles(session) if tile.own]


def add(session: Session | Controls, qtbot: QtBot, path: Path) -> Tile:
    session.window.strip.library.add_files([path])
    qtbot.waitUntil(lambda: bool(own(session)))
    return own(session)[-1]
