"""Reads the background strip of the window, and adds a file to it."""
# mypy: disallow-untyped-calls=False
# (pytest-qt gives the events no types)

from __future__ import annotations

from pathlib import Path

from pytestqt.qtbot import QtBot

from app.core.settings import BackgroundSettings
from app.gui.backgrounds.item import Tile
from app.gui.shell.application import Session


def chosen(session: Session) -> BackgroundSettings:
    return session.pipeline.settings.background


def tiles(session: Session) -> tuple[Tile, ...]:
    return session.window.strip.model.tiles


def own(session: Session) -> list[Tile]:
    return [tile for tile in tiles(session) if tile.own]


def add(session: Session, qtbot: QtBot, path: Path) -> Tile:
    session.window.strip.library.add_files([path])
    qtbot.waitUntil(lambda: bool(own(session)))
    return own(session)[-1]
