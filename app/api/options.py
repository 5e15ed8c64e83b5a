"""Settings from the arguments of the public API."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from app.config.parsing import parse_background, replace_checked
from app.core.settings import EdgeSettings, MattingSettings, Settings

WITHOUT_STRICT = EdgeSettings(strict="off")


@dataclass(frozen=True, slots=True)
class ModelOptions:
    """Arguments that `Matting` and `convert` share; the values are those of the command line."""

    model: str = "auto"
    weights: Path | str | None = None
    refiner: str = "auto"
    plate: Path | str | None = None
    device: str = "auto"
    executor: str = "auto"
    precision: str = "auto"
    downsample_ratio: float | None = None

    def settings(self, background: Path | str, edges: EdgeSettings) -> Settings:
        """Return the settings. Raises UsageError for a value that is not possible, TypeError for a wrong type."""
        if not isinstance(background, (str, Path)):
            raise TypeError(f"background must be a string or a path, not {type(background).__name__}")
        if not isinstance(edges, EdgeSettings):
            raise TypeError(f"edges must be EdgeSettings, not {type(edges).__name__}")
        chosen = {name: getattr(self, name) for name in self.__slots__}
        matting = replace_checked(MattingSettings(edges=edges), chosen)
        return Settings(matting=matting, background=parse_background(background))
