"""Control of the running program from outside: desktop shortcuts, scripts, `run.py ctl`."""

from app.control.backgrounds import BackgroundFile, Tiles
from app.control.client import NotRunningError, ask
from app.control.commands import Answer, Command, Controller, parse_words
from app.control.controller import SettingsController
from app.control.server import ControlServer

__all__ = [
    "Answer",
    "BackgroundFile",
    "Command",
    "ControlServer",
    "Controller",
    "NotRunningError",
    "SettingsController",
    "Tiles",
    "ask",
    "parse_words",
]
