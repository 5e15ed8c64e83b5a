"""Settings by name, such as `output.mirror`, and by option, with the values that users write for
them.

Values are written on the command line, in `ctl` and in files; zones as JSON with an object for
each.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from os.path import lexists
from pathlib import Path
from types import NoneType
from typing import Any, get_args

from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from app.core import paths
from app.core.declaration import Hides, Model, Scope, Unit, facts_of, fields_of
from app.core.errors import Stage, Text, UsageError, counted, t
from app.core.files import exists, is_folder
from app.core.settings import BackgroundSettings
from app.core.user_file import BrokenFileError, in_time, read_object, why_not_used
from app.media.image_file import kind_of_file
from app.settings import Settings

GREEN = "#00b140"
# The background of a film or an image that is cut out; no live picture has it.
TRANSPARENT = "transparent"


class UnknownBackgroundError(UsageError):
    """A text names neither a kind of background nor a file."""


# By how the type of pydantic's error begins.
_PROBLEMS: tuple[tuple[tuple[str, ...], Callable[..., Text]], ...] = (
    (("literal_error",), partial(t, "it must be one of {expected}")),
    (("greater_than_equal",), partial(t, "it must be at least {limit}")),
    (("less_than_equal",), partial(t, "it must be at most {limit}")),
    (("too_long",), partial(t, "it has more than {limit} parts")),
    (("too_short",), partial(t, "it has fewer than {limit} parts")),
    # Colours alone have a pattern.
    (("string_pattern_mismatch",), partial(t, "it must be a colour like #00b140")),
    (("string_too_long",), partial(t, "it has more than {limit} characters")),
    (("string_too_short",), partial(t, "it is empty")),
    (("missing",), partial(t, "it is missing")),
    (("extra_forbidden",), partial(t, "there is no such setting")),
    (("float_", "finite_number"), partial(t, "it must be a number")),
    (("int_",), partial(t, "it must be a whole number")),
    (("bool_",), partial(t, "it must be true or false")),
    (("string_", "path_"), partial(t, "it must be text")),
    (("tuple_", "list_"), partial(t, "it must be a list")),
    (("dict_", "model_", "mapping_"), partial(t, "it must be an object with names and values")),
)
# Keys of the context of an error, of which it has one at most.
_LIMITS = ("ge", "le", "max_length", "min_length")


def file_problem(error: ValidationError) -> Text:
    """Return the field of a file and why its value is not possible."""
    first, problem = first_problem(error)
    field = ".".join(str(part) for part in first["loc"]) or "settings"
    return t("{field}: {problem}", field=field, problem=problem)


def first_problem(error: ValidationError) -> tuple[ErrorDetails, Text | str]:
    """Return the first error and why its value is not possible, for a sentence that names the
    field.
    """
    first = error.errors(include_url=False)[0]
    context = first.get("ctx", {})
    limit = next((f"{context[name]:g}" for name in _LIMITS if name in context), "")
    for beginnings, problem in _PROBLEMS:
        if first["type"].startswith(beginnings):
            return first, problem(limit=limit, expected=str(context.get("expected")))
    return first, first["msg"].removeprefix("Value error, ")


def parse_background(
    text: str | Path, base: BackgroundSettings | None = None, name: str = "background"
) -> BackgroundSettings:
    """Return `base` with the background that `text` names. Raises UsageError.

    name: what the user wrote the text for, such as `--background`, for the error. A path always
    names a file. A file that does not exist is an error only where its name has no suffix: it may
    be on a disk that is not connected.
    """
    base = base or BackgroundSettings()
    if isinstance(text, Path):
        return _file_background(text, base)
    if text == "none":
        return base.replace(kind="none")
    if text == "green":
        return base.replace(kind="colour", colour=GREEN)
    if text.startswith("#"):
        colour = SETTINGS["background.colour"].parsed(text, name)
        return base.replace(kind="colour", colour=colour)
    blur = re.fullmatch(r"(blur|bokeh)(?::(.*))?", text)
    if blur is not None:
        strength = base.blur_strength
        if blur[2] is not None:
            strength = SETTINGS["background.blur_strength"].parsed(blur[2], name)
        return base.replace(kind="blur", blur_strength=strength, bokeh=blur[1] == "bokeh")
    if not text:
        raise UsageError("The background is empty; write blur, a file, #RRGGBB, green or none.")
    path = paths.from_user(text)
    if "://" in text or is_folder(path) or not (path.suffix or lexists(path)):
        raise UnknownBackgroundError(
            f"There is no background “{text}”; write blur, a file, #RRGGBB, green or none.",
        )
    return _file_background(path, base)


def _file_background(path: Path, base: BackgroundSettings) -> BackgroundSettings:
    return base.with_file(kind_of_file(path), path.absolute())


def read_zones(path: Path, kind: type[Model]) -> Any:
    """Return the zones in a file.

    Such as `{"zones": [{"kind": "drop", "points": [[0, 0], [1, 0]], "radius": 0.1}]}`.

    kind: what a file of zones holds. Raises UsageError, also for a disk that does not answer.
    """
    try:
        data = in_time(path, partial(read_object, path))
        if data is None:
            raise UsageError(t("The zones file {file} does not exist; check the path.", file=path))
        zones = data.get("zones")
        # Named here: as one of many wrong values, it would not be said that it shows the room.
        if isinstance(zones, list) and any(_is_keep_zone(zone) for zone in zones):
            raise BrokenFileError(
                t(
                    "it holds a keep zone, which shows the room; only zones of the kind “drop” can "
                    "be used",
                ),
            )
        read = kind.model_validate(data).zones  # type: ignore[attr-defined]
        # Zones of a file are of any camera: those copied from settings would have no effect.
        return tuple(zone.replace(camera="") for zone in read)
    except (ValidationError, BrokenFileError, OSError) as error:
        reason = file_problem(error) if isinstance(error, ValidationError) else why_not_used(error)
        raise UsageError(
            t(
                "The zones file {file} cannot be used: {reason}.",
                file=path,
                reason=reason,
            )
        ) from error


def _is_keep_zone(zone: object) -> bool:
    return isinstance(zone, dict) and zone.get("kind") == "keep"


# The word for no value. A file of this name is `./none`.
NO_VALUE = "none"


@dataclass(frozen=True, slots=True)
class Setting:
    """One field of `Settings` or of a part of them."""

    # Names of the fields from `Settings` on.
    path: tuple[str, ...]
    field: FieldInfo
    # What follows is declared: `app.core.declaration.setting` says what it means.
    scope: Scope
    stage: Stage | str | None
    unit: Unit | None
    option: str
    # The values as the help shows them in place of what the type allows; empty for this.
    written: str
    # The lowest and the highest value of a number; None if not both are limited.
    range: tuple[float, float] | None
    file: type[Model] | None
    hides: Hides | None
    resets: tuple[str, ...]
    is_merged: bool

    @property
    def name(self) -> str:
        """The last two names of the path, such as `edges.contrast`."""
        return ".".join(self.path[-2:])

    @property
    def annotation(self) -> Any:
        """The type of the values."""
        return self.field.annotation

    @property
    def title(self) -> str:
        """The title of its row in the window; empty if there is none."""
        return self.field.title or ""

    @property
    def description(self) -> str:
        """What the setting does."""
        return self.field.description or ""

    @property
    def is_path(self) -> bool:
        """Whether a text for it is the path of a file or a folder."""
        return self.file is not None or Path in (self.annotation, *get_args(self.annotation))

    @property
    def is_folder(self) -> bool:
        """Whether it names a folder, which is made when it is needed."""
        return self.written == "FOLDER"

    @property
    def unset(self) -> str | None:
        """The word for no value; None if there must be one."""
        if NoneType not in get_args(self.annotation):
            return None
        if self.is_path:
            return NO_VALUE
        return "auto"

    @property
    def choices(self) -> tuple[str, ...]:
        """The allowed values; empty: any of the type."""
        if self.annotation is bool:
            return ("on", "off")
        values = get_args(self.annotation)
        if not all(isinstance(value, str | int) for value in values):
            return ()  # types, such as those of `float | None`
        return tuple(map(str, values))

    @property
    def values(self) -> str:
        """The values as the help shows them, such as `off|calm|close` or `0-100`."""
        shown = self._values_without_unset
        if self.unset == "auto":
            return f"{self.unset}|{shown}"
        return shown

    @property
    def _values_without_unset(self) -> str:
        if self.written:
            return self.written
        if self.choices:
            return "|".join(self.choices)
        if self.range is not None:
            low, high = self.range
            if low < 0:  # where a hyphen would read as a sign
                return f"{low:g} to {high:g}"
            return f"{low:g}-{high:g}"
        if self.is_path:
            return "FILE"
        return "TEXT"

    @property
    def default(self) -> Any:
        """The default value."""
        return self.value_in(Settings())

    def value_in(self, settings: Settings) -> Any:
        """Return the value in these settings."""
        value: Any = settings
        for field in self.path:
            value = getattr(value, field)
        return value

    def replaced_in(self, settings: Settings, value: Any, name: str = "") -> Settings:
        """Return the settings with another value, or the value that a text names.

        name: what an error calls the setting. Raises UsageError for an invalid value.
        """
        try:
            return settings.replaced_at(self.path[:-1], **{self.path[-1]: value})
        except ValidationError as error:
            refused = f"{name or self.name}: “{value}” is not possible"
            if self.annotation is bool:
                raise UsageError(f"{refused}; write on or off.") from None
            _, problem = first_problem(error)
            raise UsageError(f"{refused}: {problem}.") from None

    def parsed(self, text: Any, name: str = "") -> Any:
        """Return the value that the text names.

        name: what an error calls the setting. Raises UsageError.
        """
        if self.unset is not None and text in (self.unset, NO_VALUE):
            return None
        if self.file is not None:
            return () if text == NO_VALUE else read_zones(Path(text), self.file)
        value = self.value_in(self.replaced_in(Settings(), text, name))
        if isinstance(value, Path) and self.scope != "run":
            # It is kept in files, which are read in other folders.
            return value.absolute()
        return value

    def text(self, value: Any) -> str:
        """Return a value as text that `parsed` reads; of zones their number."""
        if isinstance(value, bool):
            return "on" if value else "off"
        if value is None or value == ():
            return self.unset or NO_VALUE
        if isinstance(value, tuple):
            return counted(len(value), "zone")
        if isinstance(value, float):
            return f"{value:g}"
        return str(value)


def _settings() -> Iterator[Setting]:
    """Yield every field of the settings, in order."""
    for path, field in fields_of(Settings):
        yield Setting(path, field, **facts_of(field))


SETTINGS: Mapping[str, Setting] = {setting.name: setting for setting in _settings()}

# To be removed in version 0.6, with the files of 0.4 that have these names.
RENAMED: Mapping[str, str] = {
    "matting.edges.light_match": "light.match",
    "matting.edges.portrait_light": "light.portrait",
    "matting.edges.brightness": "light.brightness",
    "matting.edges.strict": "strict.level",
    "people.auto_framing": "people.framing",
    "selected": "people.selected",
}
"""What settings are called now, by their paths in the files of version 0.4."""


def present_name(name: str) -> str:
    """Return what a setting is called now; `name` where it had no other name in version 0.4."""
    for path, present in RENAMED.items():
        if name in (path, last_names(path)):
            return present
    return name


def last_names(path: str) -> str:
    """Return the last two names of a path, such as `edges.contrast`."""
    return ".".join(path.split(".")[-2:])


def with_value(settings: Settings, name: str, value: Any) -> Settings:
    """Return the settings with another value of one, and what follows from it.

    Raises UsageError.
    """
    setting = SETTINGS[name]
    changed = setting.replaced_in(settings, value)
    if name == "matting.model" and changed.matting.model != settings.matting.model:
        # A checkpoint belongs to its model.
        return changed.replace(matting=changed.matting.replace(weights=None))
    if value != setting.default:
        for path in setting.resets:
            *section, field = path.split(".")
            changed = changed.replaced_at(section, **{field: attrgetter(path)(Settings())})
    return changed


# Values and description of the options that give several settings their values.
SHARED = {
    "--size": ("WIDTHxHEIGHT", "Frame size, such as 1280x720."),
    "--background": (
        "blur[:0-100]|bokeh[:0-100]|FILE|#RRGGBB|green|none",
        "Background behind the person; none shows the room.",
    ),
    "--background-pan": (
        "X,Y",
        "Part of the background that is shown, from -1,-1 (top left) to 1,1.",
    ),
    "--pan": ("X,Y", "Position of the zoom, from -1,-1 (top left) to 1,1."),
}


@dataclass(frozen=True, slots=True)
class Option:
    """An option of the command line."""

    # Such as `--mirror/--no-mirror`.
    names: str
    # Those that have a part of its text each; of `--background` the first.
    settings: tuple[Setting, ...]
    values: str
    description: str

    def applied(self, settings: Settings, text: Any) -> Settings:
        """Return the settings with the values that the text names, and what follows from them.

        Raises UsageError.
        """
        name = self.names.partition("/")[0]
        if name == "--background":
            return settings.replace(background=parse_background(text, settings.background, name))
        parts = [text]
        if len(self.settings) > 1:
            separator = "," if "," in self.values else "[xX×]"
            parts = re.split(separator, text)
        if len(parts) != len(self.settings):
            raise UsageError(f"{name}: “{text}” is not possible; write {self.values}.")
        for setting, part in zip(self.settings, parts, strict=True):
            settings = with_value(settings, setting.name, setting.parsed(part, name))
        return settings


def _options() -> Iterator[Option]:
    together: dict[str, list[Setting]] = {}
    for setting in SETTINGS.values():
        together.setdefault(setting.option, []).append(setting)
    together.pop("")
    for names, settings in together.items():
        first = settings[0]
        values, description = SHARED.get(names, (first.values, first.description))
        yield Option(names, tuple(settings), values, description)


# Every option by its name in Python, such as `background_fit`.
OPTIONS: Mapping[str, Option] = {
    each.names.partition("/")[0].removeprefix("--").replace("-", "_"): each for each in _options()
}


def check_plate(plate: Path | None) -> None:
    """Raise UsageError for a named picture of the empty room that does not exist.

    Networks that need none would pass over it.
    """
    if plate is not None and not exists(plate):
        raise UsageError(f"There is no picture of the empty room {plate}; check the name.")


def with_values(settings: Settings, values: Mapping[str, Any]) -> Settings:
    """Return the settings with other values, texts as on the command line, by name.

    Raises UsageError.
    """
    for given, value in values.items():
        name = present_name(given)
        if name not in SETTINGS:
            raise UsageError(f"There is no setting “{name}”; docs/settings.md lists them.")
        setting = SETTINGS[name]
        if isinstance(value, str):
            value = setting.parsed(value)
        settings = setting.replaced_in(settings, value)
    return settings
