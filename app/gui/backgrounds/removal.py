"""Takes a background out of use before its file is removed, and back into use if the file stays or returns."""

from __future__ import annotations

from pathlib import Path

from app.core.settings import BackgroundSettings
from app.gui.backgrounds.tiles import Tile
from app.gui.state.store import SettingsStore


class Substitution:
    """Blur in place of a background whose file is removed, until the user chooses something else."""

    def __init__(self, store: SettingsStore) -> None:
        self._store = store
        self._before: BackgroundSettings | None = None
        """The background that blur replaced; None if there is none to return to."""
        self._blur: BackgroundSettings | None = None

    def take_over(self, other: Substitution) -> None:
        """Return to the background that another window's strip took out of use."""
        self._before, self._blur = other._before, other._blur

    def begin(self, tile: Tile) -> None:
        """Use blur if this tile is in use, so that its file is closed."""
        before = self._store.current.background
        if tile.chosen_by(before):
            self._store.edit("background", kind="blur")
            self._before, self._blur = before, self._store.current.background

    def forget(self) -> None:
        """Keep what is in use now: the user chose it."""
        self._before = self._blur = None

    def follow(self) -> None:
        """Follow a change of the settings."""
        if self._blur is not None and self._store.current.background != self._blur:
            self.forget()

    def end(self, old: Path, new: Path) -> None:
        """Use the background again: its file `old` was kept, or is back as `new`."""
        before = self._before
        if before is not None and before.path == old:
            self.forget()
            self._store.edit("background", **dict(before.replace(path=new)))
