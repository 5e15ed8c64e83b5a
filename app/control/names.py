"""Names of settings in `ctl`."""

from __future__ import annotations

from collections.abc import Mapping

from app.config.setting import SETTINGS, Setting
from app.core.errors import UsageError
from app.core.messages.control import ControlText

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


def find_settable(name: str) -> Setting | None:
    """Return the setting of a name, which may be its path in the settings file, such as `matting.edges.strict`."""
    plain = name.replace("-", "_")
    known = SETTABLE.get(plain) or SETTABLE.get(".".join(plain.split(".")[-2:]))
    return known if known is not None and plain in (known.name, ".".join(known.path)) else None


def split_set(argument: str) -> tuple[str, str]:
    """Return the name of the setting and the value in the argument of `set`. Raises UsageError without a value."""
    name, _, value = argument.partition(" ")
    if not value:
        raise UsageError(ControlText.VALUE_MISSING(name=name))
    return name, value
