"""Run a server of a test on a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import TypeVar

T = TypeVar("T")


@contextmanager
def on_thread(server: AbstractAsyncContextManager[T], start_s: float = 60.0) -> Iterator[T]:
    """Enter `server` in an event loop on a thread; yield what it yields. No task is left at the end."""
    entered = threading.Event()
    found: list[tuple[T, asyncio.AbstractEventLoop, asyncio.Event]] = []

    async def run() -> None:
        stop = asyncio.Event()
        async with server as live:
            found.append((live, asyncio.get_running_loop(), stop))
            entered.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    try:
        assert entered.wait(start_s)
        yield found[0][0]
    finally:
        for _, loop, stop in found:
            loop.call_soon_threadsafe(stop.set)
        thread.join(60)
        assert not thread.is_alive()
