"""The declarations of the settings: by name, such as `output.mirror`, and by option, with values as text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import NoneType
from typing import Any, get_args

from annotated_types import Ge, Le
from pydantic import ValidationError
from pydantic.fields import FieldInfo

from app.config.parsing import first_problem, parse_background, parse_pan, parse_size, read_zones
from app.core.errors import UsageError
from app.core.settings import Model, Settings

NO_VALUE = "none"
"""The word for no value. A file of this name is `./none`."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One field of `Settings` or of a part of them."""

    path: tuple[str, ...]
    """Names of the fields from `Settings` on."""
    field: FieldInfo

    @property
    def name(self) -> str:
        """The last two names of the path, such as `edges.contrast`."""
        return ".".join(self.path[-2:])

    @property
    def section(self) -> str:
        """The name before the last, such as `edges`; of a setting without a section its own name."""
        return self.path[-2] if len(self.path) > 1 else self.name

    @property
    def annotation(self) -> Any:
        """The type of the values."""
        return self.field.annotation

    @property
    def description(self) -> str:
        """What the setting does."""
        return self.field.description or ""

    @property
    def option(self) -> str:
        """The option of the command line, such as `--mirror/--no-mirror`; empty if there is none."""
        return self._shown("option")

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
        return tuple(map(str, values)) if values and all(isinstance(value, str | int) for value in values) else ()

    @property
    def range(self) -> tuple[float, float] | None:
        """The lowest and the highest value of a number; None if not both are limited."""
        low = next((limit.ge for limit in self.field.metadata if isinstance(limit, Ge)), None)
        high = next((limit.le for limit in self.field.metadata if isinstance(limit, Le)), None)
        return None if low is None or high is None else (low, high)  # type: ignore[return-value]

    @property
    def values(self) -> str:
        """The values as the help shows them, such as `off|calm|close` or `0-100`."""
        shown = self._shown("values") or "|".join(self.choices)
        if not shown and self.range is not None:
            low, high = self.range
            shown = f"{low:g}-{high:g}" if low >= 0 else f"{low:g} to {high:g}"
        shown = shown or ("FILE" if self.is_path else "TEXT")
        return f"{self.unset}|{shown}" if self.unset == "auto" else shown

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
            if self.annotation is bool:
                raise UsageError(f"{name or self.name}: “{value}” is not possible; write on or off.") from None
            problem = first_problem(error)[1]
            raise UsageError(f"{name or self.name}: “{value}” is not possible: {problem}.") from None

    def applied(self, settings: Settings, text: Any) -> Settings:
        """Return the settings with the value that the text of the option names, and what follows. Raises UsageError."""
        option = self.option.partition("/")[0]
        return with_value(settings, self.name, self.parsed(text, option), option)

    def parsed(self, text: Any, name: str = "") -> Any:
        """Return the value that the text names. name: what an error calls the setting. Raises UsageError."""
        if self.unset is not None and text in (self.unset, NO_VALUE):
            return None
        return self.value_in(self.replaced_in(Settings(), text, name))

    def text(self, value: Any) -> str:
        """Return a value as text that `parsed` reads."""
        if isinstance(value, bool):
            return "on" if value else "off"
        if value is None:
            return self.unset or NO_VALUE
        return str(value) if isinstance(value, str | int | Path) else f"{value:g}"

    def _shown(self, name: str) -> str:
        extra = self.field.json_schema_extra
        return str(extra.get(name, "")) if isinstance(extra, dict) else ""


def _fields(tree: type[Model], path: tuple[str, ...] = ()) -> Iterator[Setting]:
    """Yield every field of a class of settings, in order. path: of the class in `Settings`."""
    for name, field in tree.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, Model):
            yield from _fields(kind, (*path, name))
        else:
            yield Setting((*path, name), field)


SETTINGS: Mapping[str, Setting] = {setting.name: setting for setting in _fields(Settings)}


def with_value(settings: Settings, name: str, value: Any, called: str = "") -> Settings:
    """Return the settings with another value of one, and what follows from it.

    called: what an error calls the setting. Raises UsageError.
    """
    setting = SETTINGS[name]
    changed = setting.replaced_in(settings, value, called)
    if name == "matting.model" and changed.matting.model != settings.matting.model:
        return changed.replace(matting=changed.matting.replace(weights=None))  # a checkpoint belongs to its model
    return changed


@dataclass(frozen=True, slots=True)
class Several:
    """Settings that have one option together."""

    option: str
    section: str
    """As in `Setting`."""
    values: str
    description: str
    applied: Callable[[Settings, str], Settings]
    """As in `Setting`."""


def _parts(option: str, parse: Callable[[str], Iterable[object]], *names: str) -> Callable[[Settings, str], Settings]:
    """Return `applied` of an option whose text has a part for each of these settings."""

    def applied(settings: Settings, text: str) -> Settings:
        for name, value in zip(names, parse(text), strict=True):
            settings = with_value(settings, name, value, option)
        return settings

    return applied


SEVERAL = (
    Several(
        "--size",
        "capture",
        "WxH",
        "Frame size, such as 1280x720.",
        _parts("--size", parse_size, "capture.width", "capture.height"),
    ),
    Several(
        "--background",
        "background",
        "blur[:0-100]|bokeh[:0-100]|FILE|#RRGGBB|green|none",
        "Background behind the person; none shows the room.",
        lambda settings, text: settings.replace(background=parse_background(text, settings.background)),
    ),
    Several(
        "--background-pan",
        "background",
        "X,Y",
        "Part of the background that is shown, from -1,-1 (top left) to 1,1.",
        _parts("--background-pan", parse_pan, "background.pan_x", "background.pan_y"),
    ),
    Several(
        "--pan",
        "framing",
        "X,Y",
        "Position of the zoom, from -1,-1 (top left) to 1,1.",
        _parts("--pan", parse_pan, "framing.pan_x", "framing.pan_y"),
    ),
    Several(
        "--zones",
        "people",
        "FILE",
        "JSON file of zones of the frame that are always hidden.",
        _parts("--zones", lambda file: [read_zones(Path(file))], "people.zones"),
    ),
)
_WITH_OPTION: list[Setting | Several] = [*SEVERAL, *(setting for setting in SETTINGS.values() if setting.option)]
OPTIONS: Mapping[str, Setting | Several] = {
    each.option.partition("/")[0].removeprefix("--").replace("-", "_"): each for each in _WITH_OPTION
}
"""What each option sets, by its name in Python, such as `background_fit`."""


def with_values(settings: Settings, values: Mapping[str, Any]) -> Settings:
    """Return the settings with other values, texts as on the command line, by name. Raises UsageError."""
    for name, value in values.items():
        if name not in SETTINGS:
            raise UsageError(f"There is no setting “{name}”; docs/settings.md lists them.")
        setting = SETTINGS[name]
        settings = setting.replaced_in(settings, setting.parsed(value) if isinstance(value, str) else value)
    return settings
