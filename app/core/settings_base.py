"""Base of all settings, and the declaration of one setting."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import Self

MAX_ZOOM = 4.0


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


def setting(
    default: Any,
    description: str,
    low: float | None = None,
    high: float | None = None,
    *,
    option: str = "",
    values: str = "",
    **constraints: Any,
) -> Any:
    """Declare a setting. Command line, `ctl`, checks of files and the table of the settings are derived from it.

    description: help of the option. low, high: the range, both included. option: such as `--mirror`, for a switch with
    two names `--on-demand/--always-on`; empty for a setting without an option. values: what the help shows in place of
    what the type allows. constraints: further arguments of pydantic's `Field`.
    """
    shown = {name: text for name, text in (("option", option), ("values", values)) if text}
    return Field(default, description=description, ge=low, le=high, json_schema_extra={**shown}, **constraints)
