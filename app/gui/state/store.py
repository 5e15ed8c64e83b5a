"""The window's view of the settings. The pipeline owns them; this store sends it changes and follows it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PyQt6.QtCore import QObject, pyqtSignal

from app.compositing.screen_use import ScreenUse
from app.config.setting import with_value
from app.core.settings import Settings
from app.runtime.settings_owner import SettingsOwner, rebase


class SettingsStore(QObject):
    """Changes settings, and keeps the version to be saved beside the one in effect.

    The two differ by command-line options, which apply to this run only. A change is applied to both, field by field.
    `change`, `current` and `saved` may be used on any thread; `changed` is emitted on the thread of this object.
    """

    changed = pyqtSignal(object)
    """The Settings in effect, after they changed."""
    _owner_changed = pyqtSignal()

    def __init__(self, owner: SettingsOwner, screen: ScreenUse, saved: Settings | None = None) -> None:
        super().__init__()
        self._owner, self._screen = owner, screen
        self._saved = owner.current if saved is None else saved
        self._notified = owner.current
        self._owner_changed.connect(self._notify)  # queued when emitted on another thread
        owner.listen(self._owner_changed.emit)

    @property
    def current(self) -> Settings:
        """The settings in effect."""
        return self._owner.current

    @property
    def saved(self) -> Settings:
        """The settings for the settings file: without recording, freeze and pause."""
        return _without_run_state(self._saved)

    @property
    def scene(self) -> Settings:
        """The settings for a scene: those in effect without recording, pause and freeze."""
        return _without_run_state(self.current)

    @property
    def screen_captured(self) -> bool:
        """Whether the outputs may show the windows, as they show a screen: no widget paints the room (any thread)."""
        return self._screen.captured

    def change(self, update: Callable[[Settings], Settings]) -> Settings:
        """Apply `update` to the settings in effect at once, on any thread; return the new ones.

        The fields that it changes are also changed in the settings to be saved.
        """

        def tracked(settings: Settings) -> Settings:
            new = update(settings)
            self._saved = rebase(self._saved, settings, new)  # serialized by the owner's lock
            return new

        return self._owner.change(tracked)

    def edit(self, section: str, **changes: Any) -> None:
        """Change fields of one section, such as `background` or `matting.edges`."""
        self.change(lambda settings: settings.replaced_at(section.split("."), **changes))

    def set(self, name: str, value: object) -> None:
        """Change a setting by its name in `SETTINGS`, and what follows from it."""
        self.change(lambda settings: with_value(settings, name, value))

    def set_paused(self, paused: bool) -> None:
        """Show the stand-by card, or resume."""
        self.change(lambda settings: settings.replace(paused=paused))

    def set_frozen(self, frozen: bool) -> None:
        """Hold the last frame, or resume."""
        self.change(lambda settings: settings.replace(frozen=frozen))

    def _notify(self) -> None:
        settings = self._owner.current
        if settings != self._notified:
            self._notified = settings
            self.changed.emit(settings)


def _without_run_state(settings: Settings) -> Settings:
    output = settings.output.replace(record=None, record_alpha=None)
    return settings.replace(output=output, selected=None, paused=False, frozen=False)
