"""How a setting is declared, and the immutable models that settings are fields of."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.fields import FieldInfo

from app.core.errors import Text

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
        return self.replace(**{path[0]: getattr(self, path[0]).replaced_at(path[1:], **changes)})


Exposure = Literal["room", "readable", "hidden", "people", "things", "edges"]
"""What settings may show and others do not, the worst first.

The room, text in the room, what a zone hides, other people, things mistaken for people, more around people.
"""


@dataclass(frozen=True, slots=True)
class Hides:
    """How a setting decides which part of the room a picture shows."""

    exposure: Exposure | None = None
    """What others may see where it hides less; None if other settings decide that too: `app.config.exposure`."""
    shows_more: Callable[[Any, Any], bool] = operator.ne
    """Whether others may see more with its first value than with the second."""


def setting(
    default: Any,
    description: str,
    low: float | None = None,
    high: float | None = None,
    *,
    title: str = "",
    option: str = "",
    values: str = "",
    hides: Hides | None = None,
    **constraints: Any,
) -> Any:
    """Declare a setting. Options, `ctl`, checks of files, rows of the window and documents are derived from it.

    description: help of the option and tool tip of the row; the window leaves out what is between ⟦ and ⟧. low, high:
    the range, both included. title: of the row; empty for a setting without one. option: such as `--mirror`, for a
    switch with two names `--on-demand/--always-on`; empty for a setting without an option. values: what the help shows
    in place of what the type allows. hides: for a setting that decides which part of the room is shown. constraints:
    further arguments of pydantic's `Field`.
    """
    constraints |= {"title": Text(title, {}), "description": Text(description, {}), "ge": low, "le": high}
    declared: Any = {
        "option": option,
        "written": values,
        "range": None if None in (low, high) else (low, high),
        "hides": hides,
    }
    return Field(default, json_schema_extra=declared, **constraints)


def fields_of(tree: type[Model], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], FieldInfo]]:
    """Yield the names that lead to each field of a class of settings, and the field, in order.

    path: the names that lead to the class.
    """
    for name, field in tree.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, Model):
            yield from fields_of(kind, (*path, name))
        else:
            yield (*path, name), field
