"""An output that keeps what it is given."""

from __future__ import annotations

from app.core.types import Picture
from app.testing.faults import Faults


class FakeSink:
    """Keeps every picture; suffers faults under the name of its stage."""

    def __init__(self, stage: str = "virtual_camera", faults: Faults | None = None) -> None:
        """stage: what the faults of its use are put at; those of open and close at `open_…` and `close_…`."""
        self._faults = faults or Faults()
        self._faults.at(f"open_{stage}")
        self.name = stage
        self.pictures: list[Picture] = []

    def send(self, picture: Picture) -> None:
        """Keep a picture."""
        self._faults.at(self.name)
        self.pictures.append(picture)

    def close(self) -> None:
        """Suffer the fault of `close_…`."""
        self._faults.at(f"close_{self.name}")
