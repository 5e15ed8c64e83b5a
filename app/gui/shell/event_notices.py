"""Notices about events: saved files, removed backgrounds, unfinished recordings, copied diagnostics."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PyQt6.QtCore import QObject

from app.gui.shell.menus import open_folder
from app.gui.widgets.notice import Notice, Rank
from app.gui.widgets.notices import BRIEF_MS, NoticeArea


class EventNotices(QObject):
    """Shows a notice for each event that it is told of."""

    def __init__(self, area: NoticeArea, parent: QObject) -> None:
        super().__init__(parent)
        self._area = area

    def diagnostics_copied(self) -> None:
        """Confirm that the diagnostics are on the clipboard."""
        text = self.tr("Diagnostics copied to the clipboard.")
        self._show("diagnosticsNotice", text)

    def saved(self, path: Path) -> None:
        """Say where a recording or snapshot was saved."""
        text = self.tr("Saved {0} in {1}").format(path.name, path.parent)
        self._show("savedNotice", text, ((self.tr("Open folder"), partial(open_folder, path.parent)),))

    def scene_saved(self, name: str, keys: str) -> None:
        """Confirm that a scene was saved, and name the keys that apply it."""
        text = self.tr("Saved the scene “{0}”.").format(name)
        if keys:
            text = self.tr("Saved the scene “{0}”. {1} applies it.").format(name, keys)
        self._area.show_notice(Notice("sceneNotice", text, duration_ms=BRIEF_MS))

    def background_removed(self, name: str, undo: Callable[[], object] | None) -> None:
        """Confirm that a background was removed, with Undo where that is possible."""
        text = self.tr("Removed the background “{0}”.").format(name)
        self._show("removedNotice", text, ((self.tr("Undo"), undo),) if undo is not None else ())

    def unfinished_recordings(self, parts: tuple[Path, ...], recover: Callable[[tuple[Path, ...]], object]) -> None:
        """Offer to finish recordings that a crash left unfinished."""
        names = ", ".join(part.name for part in parts)
        text = self.tr("Mattecam stopped during a recording: {0} is unfinished.").format(names)
        actions = ((self.tr("Finish recording"), partial(recover, parts)),)
        self._area.show_notice(Notice("unfinishedNotice", text, actions))

    def _show(self, key: str, text: str, actions: tuple[tuple[str, Callable[[], object]], ...] = ()) -> None:
        self._area.show_notice(Notice(key, text, actions, Rank.EVENT, BRIEF_MS))
