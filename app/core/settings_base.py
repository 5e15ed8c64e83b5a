"""Base of all settings."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict
from typing_extensions import Self

MAX_ZOOM = 4.0


class Model(BaseModel):
    """Base of all settings: immutable, validated, rejects unknown names."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    def replace(self, **changes: Any) -> Self:
        """Return a validated copy with `changes` (pydantic's model_copy does not validate)."""
        return type(self).model_validate({**dict(self), **changes})
