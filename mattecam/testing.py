"""Parts for tests of programs that use Mattecam: no camera, no network, no device, and faults on demand.

`docs/api.md` shows how they are used.
"""

from app.testing.parts import (
    PERSON,
    ROOM,
    FakeClock,
    FakeEngine,
    FakeSink,
    FakeSource,
    Faults,
    room_picture,
    shows_room,
)

__all__ = [
    "PERSON",
    "ROOM",
    "FakeClock",
    "FakeEngine",
    "FakeSink",
    "FakeSource",
    "Faults",
    "room_picture",
    "shows_room",
]
