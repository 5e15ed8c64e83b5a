"""The one place that holds the current settings; every widget is a view of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from PyQt6.QtCore import QObject, pyqtSignal

from app.core.settings import Model, Settings

Section = Literal["capture", "framing", "matting", "background", "output"]


class SettingsStore(QObject):
    """The settings that run, and beside them those to be saved.

    The two differ by what the command line said for this run only: an edit changes the same field of both.
    """

    changed = pyqtSignal(object)
    """The new Settings, after every edit that changed something."""

    def __init__(self, current: Settings, saved: Settings | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._current = current
        self._saved = current if saved is None else saved

    @property
    def current(self) -> Settings:
        """What runs now."""
        return self._current

    @property
    def saved(self) -> Settings:
        """What belongs into the settings file: a recording, a freeze and a pause are of this run only."""
        return _lasting(self._saved)

    @property
    def scene(self) -> Settings:
        """What belongs into a scene: all that runs now, but no recording, pause or freeze."""
        return _lasting(self._current)

    def edit(self, section: Section, **changes: Any) -> None:
        """Change fields of one section."""
        self._change(lambda settings: settings.replace(**{section: getattr(settings, section).replace(**changes)}))

    def edit_edges(self, **changes: Any) -> None:
        """Change fields of `matting.edges`."""
        self.edit("matting", edges=self._current.matting.edges.replace(**changes))

    def set_paused(self, paused: bool) -> None:
        """Show the stand-by card, or go on."""
        self._change(lambda settings: settings.replace(paused=paused))

    def set_frozen(self, frozen: bool) -> None:
        """Hold the last picture, or go on."""
        self._change(lambda settings: settings.replace(frozen=frozen))

    def take(self, settings: Settings) -> None:
        """Take over settings from outside; only what they change is changed in the settings to be saved."""
        before = self._current

        def update(target: Settings) -> Settings:
            changes: dict[str, object] = {}
            for name, old in dict(before).items():
                new = getattr(settings, name)
                if isinstance(old, Model) and new != old:
                    fields = {field: value for field, value in dict(new).items() if value != getattr(old, field)}
                    changes[name] = getattr(target, name).replace(**fields)
                elif new != old:
                    changes[name] = new
            return target.replace(**changes)

        self._change(update)

    def replace(self, settings: Settings) -> None:
        """Take over a whole scene; pause, freeze and a running recording stay as they are."""
        output = settings.output.replace(
            record=self._current.output.record, record_alpha=self._current.output.record_alpha
        )
        scene = settings.replace(output=output, paused=self._current.paused, frozen=self._current.frozen)
        self._change(lambda _settings: scene)

    def _change(self, update: Callable[[Settings], Settings]) -> None:
        self._saved = update(self._saved)
        new = update(self._current)
        if new != self._current:
            self._current = new
            self.changed.emit(new)


def _lasting(settings: Settings) -> Settings:
    output = settings.output.replace(record=None, record_alpha=None)
    return settings.replace(output=output, paused=False, frozen=False)
