"""Many streams at once through the service."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace

import numpy as np
import pytest

from service.tests.server.service import FAST, ROOM_BGR, Client, room_and_person, running, share_of, until

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]
STREAMS = 8


def colour_of(index: int) -> tuple[int, int, int]:
    """A colour (blue, green, red) for each stream, at least 55 from the others, the card and the room in a channel."""
    levels = (0, 85, 170, 255)
    return levels[index % 4], levels[index // 4], 110


def test_streams_never_cross_and_all_close_clean() -> None:
    people = room_and_person(6, (192, 112))
    threads = threading.active_count()

    async def run() -> list[Client]:
        limits = replace(FAST, streams=STREAMS, offers_per_minute=6000, park_s=60, close_s=120, stale_s=60)
        async with running(limits) as service:
            clients = []
            for index in range(STREAMS):
                shifted = [np.roll(frame, index * 6, axis=1) for frame in people]
                client = service.client(shifted, fps=1.0)
                blue, green, red = colour_of(index)
                assert await client.connect(background=f"#{red:02x}{green:02x}{blue:02x}") == 200
                clients.append(client)
            assert service.sessions.count == STREAMS

            def shows_its_own(index: int, client: Client) -> bool:
                newest = client.received[-3:]
                return len(newest) == 3 and all(share_of(image, colour_of(index)) > 0.25 for image in newest)

            await until(lambda: all(shows_its_own(*each) for each in enumerate(clients)), 400.0, poll_s=1.0)
            return clients

    clients = asyncio.run(run())
    for index, client in enumerate(clients):
        # Every fourth pixel: all of them, in each colour, take longer than the streams.
        for image in (received[::4, ::4] for received in client.received):
            assert share_of(image, ROOM_BGR) < 0.03
            others = (colour for colour in map(colour_of, range(STREAMS)) if colour != colour_of(index))
            assert max(share_of(image, colour, 25) for colour in others) < 0.15, "the background of another stream"
    assert threading.active_count() == threads
