"""The commands `ctl get`, `ctl set` and `ctl reset`, which reach every setting by its name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from app.config.setting import Setting, with_value
from app.control.changes import SettingsChanges, answered
from app.control.commands import SETTABLE, find_settable
from app.core.errors import UsageError
from app.core.files import exists
from app.core.settings import Settings
from app.output.sound import MicrophoneName

CREATED = ("window.recordings_dir",)
"""Settings whose folder is made when it is needed."""
NO_DEVICE = ("off", "default")
"""Microphones that no system lists."""


class SettingsCommands:
    """Reads and changes settings by name."""

    def __init__(self, changes: SettingsChanges, microphones: Callable[[], Iterable[MicrophoneName]]) -> None:
        """microphones: those that the system lists."""
        self._changes, self._microphones = changes, microphones

    def describe(self, name: str) -> str:
        """Return one setting with its choices, or all settings, one per line."""
        if name:
            setting = _find(name)
            value = setting.text(self._value(setting))
            if setting.choices:
                return f"{name}: {value}; the choices are {', '.join(setting.choices)}"
            return f"{name}: {value}"
        return "\n".join(f"{known}: {setting.text(self._value(setting))}" for known, setting in SETTABLE.items())

    def set(self, values: Mapping[str, str]) -> str:
        """Set settings by their names, all at once. Raises UsageError, which lists the choices."""
        parsed: dict[str, tuple[Setting, Any]] = {}
        for name, text in values.items():
            setting = _find(name)
            value = setting.parsed(text, name)
            if isinstance(value, Path) and not exists(value) and setting.name not in CREATED:
                raise UsageError(f"There is no file {value} for {name}; check the path, or write “none” to remove it.")
            if setting.name == "output.microphone":
                self._check_microphone(value)
            parsed[name] = setting, value
        return self._store(parsed)

    def _check_microphone(self, microphone: str) -> None:
        """Raise UsageError for a microphone that the system does not list."""
        listed = () if microphone in NO_DEVICE else tuple(each.name for each in self._microphones())
        if listed and microphone not in listed:
            raise UsageError(
                f"There is no microphone “{microphone}”; the choices are off, default, {', '.join(listed)}."
            )

    def reset(self, name: str) -> str:
        """Give a setting its default value."""
        setting = _find(name)
        return self._store({name: (setting, setting.default)})

    def _store(self, values: Mapping[str, tuple[Setting, Any]]) -> str:
        """Store values by the names of their settings."""

        def update(settings: Settings) -> Settings:
            for setting, value in values.values():
                settings = with_value(settings, setting.name, value)
            return settings

        files = any(isinstance(value, Path) for _, value in values.values())
        settings, in_use = self._changes.follow(update, files=files)
        answers = tuple(f"{name}: {setting.text(setting.value_in(settings))}" for name, (setting, _) in values.items())
        return answered(", ".join(answers), in_use)

    def _value(self, setting: Setting) -> Any:
        return setting.value_in(self._changes.pipeline.settings)


def _find(name: str) -> Setting:
    setting = find_settable(name)
    if setting is None:
        similar = get_close_matches(name.replace("-", "_"), SETTABLE, cutoff=0.4)
        if not similar:
            raise UsageError(f"There is no setting “{name}”; `ctl get` lists all.")
        raise UsageError(
            f"There is no setting “{name}”; similar ones are {', '.join(similar)}, and `ctl get` lists all."
        )
    return setting
