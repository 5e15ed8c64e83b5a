"""All settings as one immutable value, its owner, who puts another one in force, and the merge
of two changes.

Every worker reads a `Settings` value once per frame; a change creates a new value (`replace`).
Reading and writing the settings file is `app.config.settings_file`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from operator import attrgetter
from typing import TypeVar

from annotated_types import MaxLen
from pydantic import ValidationInfo, field_validator

from app.core.declaration import Model, facts_of, fields_of, setting, with_scopes_of
from app.core.settings import (
    HIDES_TEXT,
    BackgroundSettings,
    CaptureSettings,
    FramingSettings,
    MattingSettings,
    OutputSettings,
    StrictSettings,
    WindowSettings,
    shown_strength,
)
from app.effects.table import LightSettings, PeopleSettings, Place, follows_person, with_person

SETTINGS_VERSION = 4


class Settings(Model):
    """All settings of the program."""

    version: int = setting(SETTINGS_VERSION, "", scope="scene", stage=None)
    """Of the format of every file with settings."""
    capture: CaptureSettings = CaptureSettings()
    framing: FramingSettings = FramingSettings()
    people: PeopleSettings = PeopleSettings()
    light: LightSettings = LightSettings()
    strict: StrictSettings = StrictSettings()
    matting: MattingSettings = MattingSettings()
    background: BackgroundSettings = BackgroundSettings()
    output: OutputSettings = OutputSettings()
    window: WindowSettings = WindowSettings()
    paused: bool = setting(False, "", scope="run", stage=None)
    """The outputs show the stand-by card."""
    paused_by_lock: bool = setting(False, "", scope="run", stage=None)
    """Whether that is only because the screen is locked, so that it ends with the lock."""
    # The settings file could not be read and nobody has resumed since: what it hid is
    # unknown, so a run starts paused.
    unconfirmed: bool = setting(False, "", scope="program", stage=None)
    frozen: bool = setting(False, "", scope="run", stage=None)
    """The outputs keep the last composite, while `hides` stays the same."""

    @field_validator("paused_by_lock")
    @classmethod
    def _ends_with_the_pause(cls, value: bool, info: ValidationInfo) -> bool:
        return value and bool(info.data.get("paused"))

    @property
    def hides(self) -> tuple[object, ...]:
        """What decides which part of the room a picture shows."""
        values: tuple[object, ...] = _hiding(self)
        return values

    @property
    def kept(self) -> Settings:
        """The settings without what belongs to one run.

        Selected person, pause, freeze and recordings.
        """
        return with_scopes_of(self, Settings(), {"run"})

    @property
    def follows_person(self) -> bool:
        """Whether one person is followed, so that a click in the picture chooses who that is."""
        return follows_person(self)

    def with_person(self, place: Place | None, *, on: bool = True) -> Settings:
        """Return the settings in which the person at this place is followed.

        place: None: the largest person. on: whether anybody is followed at all.
        """
        return with_person(self, place, on=on)

    @property
    def shown_blur(self) -> float:
        """The strength of a blurred background as it is shown."""
        return shown_strength(self.background.blur_strength, self.strict.level)

    @property
    def text_is_readable(self) -> bool:
        """Whether the background is a blur too weak to hide text.

        The background "none" is no blur.
        """
        return self.background.kind == "blur" and self.shown_blur < HIDES_TEXT


_hiding_fields = [
    path for path, field in fields_of(Settings) if facts_of(field)["hides"] is not None
]
_hiding = attrgetter(*[".".join(path) for path in _hiding_fields])


class SettingsOwner:
    """Thread-safe. `current` is read without a lock; every change is atomic."""

    def __init__(self, settings: Settings) -> None:
        self._lock = threading.Lock()
        self.current = settings
        """The settings in force."""
        # Counts the changes, and the requests to read files again. It grows after
        # `current` has changed: read it before `current` to know settings that are at
        # least as new.
        self.revision = 0
        self._listeners: list[Callable[[], None]] = []

    def listen(self, callback: Callable[[], None]) -> None:
        """Call `callback` after every change, on the thread that made it and without a lock
        held.
        """
        self._listeners.append(callback)

    def change(self, update: Callable[[Settings], Settings]) -> Settings:
        """Replace the settings by `update` of those in force and return the new ones.

        `update` runs under the lock: it must be short and must not change settings itself. An error
        that it raises changes nothing and reaches the caller. Settings that stay equal notify
        nobody.
        """
        with self._lock:
            new = update(self.current)
            if new == self.current:
                return self.current
            self.current = new
            self.revision += 1
        self._notify()
        return new

    def renew(self) -> None:
        """Let the workers use the settings again, since what they name has changed."""
        with self._lock:
            self.revision += 1
        self._notify()

    def _notify(self) -> None:
        for callback in tuple(self._listeners):
            callback()


M = TypeVar("M", bound=Model)


def rebase(current: M, before: M, after: M, values: M | None = None) -> M:
    """Return `current` with what differs between `before` and `after`.

    Fields at every depth, and single entries of what is merged, such as zones.

    An edit of a stale snapshot so changes what it was meant to change and nothing else. values:
    where what differs is taken from, in place of `after`.
    """
    changes: dict[str, object] = {}
    for name, old in before:
        new = getattr(after, name)
        own = getattr(current, name)
        if new == old:
            continue
        field = type(before).model_fields[name]
        if isinstance(old, Model):
            new = rebase(own, old, new, None if values is None else getattr(values, name))
        elif values is not None:
            new = getattr(values, name)
        elif facts_of(field)["is_merged"]:
            limit = next(each.max_length for each in field.metadata if isinstance(each, MaxLen))
            new = _merged(own, old, new)[:limit]
        changes[name] = new
    return current.replace(**changes) if changes else current


def _merged(
    current: tuple[object, ...],
    before: tuple[object, ...],
    after: tuple[object, ...],
) -> tuple[object, ...]:
    """Return the entries of `current`, without those that `after` removed, and with those that
    it added.
    """
    kept = [entry for entry in current if entry in after or entry not in before]
    added = [entry for entry in after if entry not in before and entry not in kept]
    return (*kept, *added)
