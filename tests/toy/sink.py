"""A sink that keeps the corner of each picture, and its row of the table: what a new sink has to bring."""

from __future__ import annotations

from app.core.settings import Settings
from app.core.types import Outgoing
from app.output.base import SinkContext, SinkSpec


class ToySink:
    """Keeps the colour of a corner."""

    opened: list[ToySink] = []  # noqa: RUF012 - for the test

    def __init__(self, settings: str) -> None:
        self.name = settings
        self.corners: list[tuple[int, ...]] = []
        self.closed = False
        ToySink.opened.append(self)

    def send(self, picture: Outgoing) -> None:
        """Keep the corner."""
        self.corners.append(tuple(int(value) for value in picture.image[0, -1]))

    def close(self) -> None:
        """Note the end."""
        self.closed = True


def wanted(settings: Settings) -> str | None:
    """Return the device; the toy is on while the output is mirrored."""
    return "/dev/toy" if settings.output.mirror else None


def open_toy(device: str, width: int, height: int, context: SinkContext) -> ToySink:
    """Open the toy."""
    return ToySink(device)


TOY = SinkSpec("toy_sink", wanted, open_toy)
