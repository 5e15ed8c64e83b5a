"""Parts for the tests of programs that use Mattecam: no camera, no network, no device, and faults on demand.

`docs/api.md` shows how they are used; the tests of Mattecam itself use them as well.
"""

from app.testing.clock import FakeClock
from app.testing.engine import FakeEngine
from app.testing.faults import Faults
from app.testing.room import PERSON, ROOM, room_picture, shows_room
from app.testing.sink import FakeSink
from app.testing.source import FakeSource

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
