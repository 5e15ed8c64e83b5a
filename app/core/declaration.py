"""How a setting is declared, and the immutable models that settings are fields of."""

from __future__ import annotations

import operator
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field
from pydantic.fields import FieldInfo

from app.core.errors import Stage, Text

if TYPE_CHECKING:
    from typing_extensions import Self  # in typing from Python 3.11 on


class Model(BaseModel):
    """Base of all settings: immutable, validated, rejects unknown names."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    def replace(self, **changes: Any) -> Self:
        """Return a validated copy with `changes` (pydantic's model_copy does not validate)."""
        return type(self).model_validate({**dict(self), **changes})

    def replaced_at(self, path: Sequence[str], /, **changes: Any) -> Self:
        """Return the same with `changes` of the part at `path`, such as `("matting", "edges")`."""
        if not path:
            return self.replace(**changes)
        name = path[0]
        part = getattr(self, name).replaced_at(path[1:], **changes)
        return self.replace(**{name: part})


# Of a width or a height.
Fraction = Annotated[float, Field(ge=0, le=1)]

# What settings may show and others do not, the worst first: the room, text in the room, what
# a zone hides, other people, things mistaken for people, more around people, and what the
# camera sees while the screen is locked.
Exposure = Literal["room", "readable", "hidden", "people", "things", "edges", "locked"]
# What the value of a setting belongs to, and so where it is saved.
# scene: the look of the output; in the settings file and in every scene.
# device: cameras and outputs of this machine; in the settings file, and in scenes that are
# saved with their devices.
# program: in the settings file alone.
# run: nowhere; it has a command of its own in place of `ctl set`.
Scope = Literal["scene", "device", "program", "run"]
# What a number counts, and so how the window writes it.
# percent: 0 to 100.
# share: of a whole, 0 to 1.
# shift: of the room to move in, -1 to 1.
# factor: 1 leaves things as they are.
# px: pixels.
# fps: frames per second.
Unit = Literal["percent", "share", "shift", "factor", "px", "fps"]


@dataclass(frozen=True, slots=True)
class Hides:
    """How a setting decides which part of the room a picture shows."""

    # What others may see where it hides less; None if other
    # settings decide that too: `app.config.exposure`.
    exposure: Exposure | None = None
    # Whether others may see more with its first value than with the second.
    shows_more: Callable[[Any, Any], bool] = operator.ne
    # Name of a switch beside it: while that is off, before or after, this setting shows nothing.
    only_with: str = ""


def setting(
    default: Any,
    description: str,
    low: float | None = None,
    high: float | None = None,
    *,
    scope: Scope,
    stage: Stage | str | None,
    unit: Unit | None = None,
    title: str = "",
    option: str = "",
    values: str = "",
    file: type[Model] | None = None,
    hides: Hides | None = None,
    resets: tuple[str, ...] = (),
    is_merged: bool = False,
    **constraints: Any,
) -> Any:
    """Declare a setting.

    Options, `ctl`, checks of files, rows of the window and documents are derived from it.

    description: help of the option and tool tip of the row, in which the window leaves out what is
    between ⟦ and ⟧; empty for a setting that only the program changes.
    low, high: the range, both included.
    scope: what the value belongs to.
    stage: what a change opens, loads or draws anew, and so what tells in the status that the value
    cannot be used: a stage, or a part of one as in `Problem`; None where a change takes effect on
    what is in use.
    unit: of a number.
    title: of the row; empty for a setting without one.
    option: such as `--mirror`, for a switch with two names `--on-demand/--always-on`; empty for a
    setting without an option.
    values: what the help shows in place of what the type allows.
    file: what a file holds that the user names for the value, which has the setting's own name in
    it.
    hides: for a setting that decides which part of the room is shown.
    resets: paths of what goes back to its default where the user gives this one another value than
    its own default.
    is_merged: of two changes of a tuple at once, what each adds and removes is in force, and not
    the later one alone.
    constraints: further arguments of pydantic's `Field`.
    """
    constraints |= {
        "title": Text(title, {}),
        "description": Text(description, {}),
        "ge": low,
        "le": high,
    }
    declared: Any = {
        "scope": scope,
        "stage": stage,
        "unit": unit,
        "option": option,
        "written": values,
        "range": None if None in (low, high) else (low, high),
        "file": file,
        "hides": hides,
        "resets": resets,
        "is_merged": is_merged,
    }
    return Field(default, json_schema_extra=declared, **constraints)


# Declare a setting of the look of the output, which takes effect on what is in use.
look = partial(setting, scope="scene", stage=None)


def facts_of(field: FieldInfo) -> dict[str, Any]:
    """Return what `setting` was told of a field beside its type, default and texts.

    They are the arguments of `app.config.setting.Setting` beside path and field. Raises TypeError
    for another field.
    """
    facts = field.json_schema_extra
    if not isinstance(facts, dict):
        raise TypeError(
            "Declare each field of the settings by `setting(…)`: it needs a scope and a stage.",
        )
    return facts


_M = TypeVar("_M", bound=Model)


def with_scopes_of(settings: _M, other: _M, scopes: Collection[Scope]) -> _M:
    """Return settings, in which those of these scopes have the values of `other`."""
    values: dict[str, Any] = {}
    for name, field in type(settings).model_fields.items():
        value = getattr(settings, name)
        if isinstance(value, Model):
            values[name] = with_scopes_of(value, getattr(other, name), scopes)
        elif facts_of(field)["scope"] in scopes:
            values[name] = getattr(other, name)
    return settings.replace(**values)


def opens_alike(one: _M, other: _M | None) -> bool:
    """Return whether the same source or background is open under both."""
    if other is None:
        return False
    fields = _opened_anew(type(one))
    return all(getattr(one, name) == getattr(other, name) for name in fields)


@cache
def _opened_anew(kind: type[Model]) -> tuple[str, ...]:
    """Return the fields whose change opens something anew.

    The others take effect on what is open.
    """
    fields = kind.model_fields.items()
    return tuple(name for name, field in fields if facts_of(field)["stage"] is not None)


def fields_of(
    tree: type[Model],
    path: tuple[str, ...] = (),
) -> Iterator[tuple[tuple[str, ...], FieldInfo]]:
    """Yield the names that lead to each field of a class of settings, and the field, in order.

    path: the names that lead to the class.
    """
    for name, field in tree.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, Model):
            yield from fields_of(kind, (*path, name))
        else:
            yield (*path, name), field
