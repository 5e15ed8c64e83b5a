"""The settings that `ctl set` changes, under names such as `output.mirror`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import NoneType
from typing import Any, get_args

from pydantic import TypeAdapter, ValidationError

from app.config.value_problem import first_problem
from app.core.errors import UsageError
from app.core.messages.control import ControlText
from app.core.messages.usage import UsageText
from app.core.settings import Model, Settings

OWN_COMMANDS = {
    "paused": "pause",
    "frozen": "freeze",
    "selected": "only-me",
    "people.zones": "zones",
    "output.record": "record",
    "output.record_alpha": "record-alpha",
}
"""Settings that other commands change, and those commands."""
NO_VALUE = "none"
"""The word for no value. A file of this name is `./none`."""
_UNCHANGEABLE = ("version",)
_OLD_VALUES = {"edges.strict": {"on": "strict"}}
"""Words of version 0.2 that scripts still use, by setting, and what they mean."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One field of a tree of settings."""

    path: tuple[str, ...]
    """Names of the fields from the root of the tree."""
    annotation: Any

    @property
    def name(self) -> str:
        """The last two names of the path, such as `edges.contrast`."""
        return ".".join(self.path[-2:])

    @property
    def is_path(self) -> bool:
        """Whether the value is the path of a file or a folder."""
        return Path in (self.annotation, *get_args(self.annotation))

    @property
    def unset(self) -> str | None:
        """The word for no value; None if there must be one."""
        kinds = get_args(self.annotation)
        if NoneType not in kinds:
            return None
        return NO_VALUE if self.is_path or bool in kinds else "auto"

    @property
    def choices(self) -> tuple[str, ...]:
        """The allowed values; empty: any of the type."""
        if self.annotation is bool:
            return ("on", "off")
        values = get_args(self.annotation)
        return tuple(map(str, values)) if values and all(isinstance(value, str) for value in values) else ()

    def value_in(self, tree: Model) -> Any:
        """Return the value in a tree of settings."""
        value: Any = tree
        for field in self.path:
            value = getattr(value, field)
        return value

    def default_in(self, tree: type[Model]) -> Any:
        """Return the default value."""
        return self.value_in(tree())

    def replaced_in(self, tree: Any, value: Any) -> Any:
        """Return the tree with another value. Raises UsageError for an invalid one."""
        return _replaced(tree, self.path, value, self)

    def parsed(self, text: str) -> Any:
        """Return the value that the text names; its range is not checked. Raises UsageError."""
        if self.unset is not None and text in (self.unset, NO_VALUE):
            return None
        text = _OLD_VALUES.get(self.name, {}).get(text, text)
        if self.choices and text not in self.choices:
            raise UsageError(ControlText.VALUE(name=self.name, text=text, choices=self.choices))
        kinds = [kind for kind in get_args(self.annotation) if kind is not NoneType]
        kind = kinds[0] if NoneType in get_args(self.annotation) else self.annotation
        try:
            return TypeAdapter(kind).validate_python(text)
        except ValidationError as error:
            raise _invalid(self, error, text) from None


def settings_of(tree: type[Model], path: tuple[str, ...] = ()) -> Iterator[Setting]:
    """Yield every field of a class of settings, in order."""
    for name, field in tree.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, Model):
            yield from settings_of(kind, (*path, name))
        else:
            yield Setting((*path, name), kind)


SETTABLE: Mapping[str, Setting] = {
    setting.name: setting for setting in settings_of(Settings) if setting.name not in (*OWN_COMMANDS, *_UNCHANGEABLE)
}


def find_settable(name: str) -> Setting | None:
    """Return the setting of a name, which may be its path in the settings file, such as `matting.edges.strict`."""
    plain = name.replace("-", "_")
    known = SETTABLE.get(plain) or SETTABLE.get(".".join(plain.split(".")[-2:]))
    return known if known is not None and plain in (known.name, ".".join(known.path)) else None


def _replaced(tree: Model, path: tuple[str, ...], value: Any, setting: Setting) -> Model:
    first, rest = path[0], path[1:]
    try:
        return tree.replace(**{first: _replaced(getattr(tree, first), rest, value, setting) if rest else value})
    except ValidationError as error:
        raise _invalid(setting, error, str(value)) from None


def _invalid(setting: Setting, error: ValidationError, value: str) -> UsageError:
    return UsageError(UsageText.INVALID(option=setting.name, value=value, problem=first_problem(error)[1]))
