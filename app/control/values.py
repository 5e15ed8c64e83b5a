"""The commands `ctl get`, `ctl set` and `ctl reset`, which reach every setting by its name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Protocol

from app.config.setting import SETTINGS, Setting, settings_of, with_value
from app.control.changes import Changes
from app.core.errors import UsageError
from app.core.files import exists
from app.core.messages.control import AnswerText, ControlText
from app.core.messages.usage import UsageText
from app.core.settings import Model, Settings
from app.core.text import Text

OWN_COMMANDS = {
    "paused": "pause",
    "frozen": "freeze",
    "selected": "only-me",
    "people.zones": "zones",
    "output.record": "record",
    "output.record_alpha": "record-alpha",
}
"""Settings that other commands change, and those commands."""
SETTABLE: Mapping[str, Setting] = {
    name: setting for name, setting in SETTINGS.items() if name not in (*OWN_COMMANDS, "version")
}
"""The settings that `ctl set` changes."""
WINDOW = "window."
"""What the names of the window's preferences begin with."""
_STAGES: Mapping[str, tuple[str, ...]] = {
    "capture": ("capture",),
    "matting": ("matting",),
    "background": ("background",),
    "overlay": ("overlay",),
    "global_shortcuts": ("shortcuts",),
}
_STAGES_OF_OUTPUT: Mapping[str, tuple[str, ...]] = {
    "virtual_camera": ("virtual_camera",),
    "virtual_camera_backend": ("virtual_camera",),
    "alpha_output": ("virtual_camera", "pipewire"),
    "pipewire": ("pipewire",),
    "standby_image": ("output",),
}
"""Parts of the program that report a problem with a changed setting, by its section, or its field of the output."""


class Preferences(Protocol):
    """The preferences of the window. Thread-safe."""

    @property
    def current(self) -> Model:
        """The preferences in effect."""

    @property
    def names(self) -> tuple[str, ...]:
        """The fields that may be changed."""

    def change(self, new: Mapping[str, Any]) -> None:
        """Change fields; in effect when it returns. Raises MattecamError."""


class Values:
    """Reads and changes settings by name."""

    def __init__(self, changes: Changes, settings: Callable[[], Settings], preferences: Preferences | None) -> None:
        """preferences: None without a window."""
        self._changes, self._settings, self._preferences = changes, settings, preferences

    def describe(self, name: str) -> str:
        """Return one setting with its choices, or all settings, one per line."""
        if name:
            setting = self._find(name)
            value = setting.text(self._value(setting, name))
            if setting.choices:
                return AnswerText.SETTING_WITH_CHOICES(name=name, value=value, choices=setting.choices)
            return AnswerText.SETTING(name=name, value=value)
        return "\n".join(
            AnswerText.SETTING(name=known, value=setting.text(self._value(setting, known)))
            for known, setting in self._all().items()
        )

    def set(self, argument: str) -> Text:
        """Set a setting; the argument is `NAME VALUE`. Raises UsageError, which lists the choices."""
        name, _, text = argument.partition(" ")
        setting = self._find(name)
        if not text:
            raise UsageError(ControlText.VALUE_MISSING(name=name))
        value = setting.parsed(text, name)
        if isinstance(value, Path) and not exists(value) and not name.startswith(WINDOW):  # its folder is created
            raise UsageError(ControlText.NO_FILE(name=name, file=value))
        self._check_now(setting, value)
        return self._store(setting, name, value)

    def _check_now(self, setting: Setting, value: Any) -> None:
        """Raise UsageError for a value that is possible, but not with what is in use."""
        if setting.name == "edges.strict" and value == "off" and self._settings().matting.location == "remote":
            raise UsageError(UsageText.STRICT_WITH_SERVER())
        slides = self._changes.status()["slides"] if setting.name == "background.slide" else 0
        if isinstance(slides, int) and 0 < slides < value:
            raise UsageError(ControlText.SLIDE(text=value, count=slides))

    def reset(self, name: str) -> Text:
        """Give a setting its default value."""
        setting = self._find(name)
        return self._store(setting, name, setting.default)

    def _store(self, setting: Setting, name: str, value: Any) -> Text:
        if name.startswith(WINDOW) and self._preferences is not None:
            self._preferences.change({setting.path[0]: value})
            return AnswerText.SETTING(name=name, value=setting.text(value))
        section = setting.path[0]
        stages = _STAGES_OF_OUTPUT.get(setting.path[-1], ()) if section == "output" else _STAGES.get(section, ())
        settings, in_use = self._changes.follow(lambda now: with_value(now, setting.name, value), (section,), *stages)
        answer = AnswerText.SETTING(name=name, value=setting.text(setting.value_in(settings)))
        return answer if in_use else AnswerText.PENDING(answer=answer)

    def _value(self, setting: Setting, name: str) -> Any:
        window = name.startswith(WINDOW) and self._preferences is not None
        return setting.value_in(self._preferences.current if window and self._preferences else self._settings())

    def _find(self, name: str) -> Setting:
        known = self._all()
        setting = known.get(name.replace("-", "_")) or find_settable(name)
        if setting is None:
            similar = get_close_matches(name.replace("-", "_"), known, cutoff=0.4)
            if not similar:
                raise UsageError(ControlText.UNKNOWN_SETTING(name=name))
            raise UsageError(ControlText.SIMILAR_SETTINGS(name=name, names=similar))
        return setting

    def _all(self) -> Mapping[str, Setting]:
        preferences = self._preferences
        if preferences is None:
            return SETTABLE
        own = {setting.name: setting for setting in settings_of(type(preferences.current))}
        return {**SETTABLE, **{f"{WINDOW}{name}": own[name] for name in preferences.names}}


def find_settable(name: str) -> Setting | None:
    """Return the setting of a name, which may be its path in the settings file, such as `matting.edges.strict`."""
    plain = name.replace("-", "_")
    known = SETTABLE.get(plain) or SETTABLE.get(".".join(plain.split(".")[-2:]))
    return known if known is not None and plain in (known.name, ".".join(known.path)) else None
