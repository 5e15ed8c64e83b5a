"""Parts for the tests of programs that use Mattecam: no camera, no network, no device, and faults on demand.

`docs/api.md` shows how they are used; the tests of Mattecam itself use them as well.
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
