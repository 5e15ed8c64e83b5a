"""The control server of the running program: one thread accepts connections, another answers
commands.

On the second one each command is a coroutine, so that a command that hides something is in force as
soon as it is read, whatever else waits. Waiting holds no thread, except for reading and writing on
Windows, whose pipes an event loop cannot watch: a pool of threads does that.
"""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from multiprocessing.connection import Connection

from app.control import transport
from app.control.commands import AT_ONCE, Answer, parse_words
from app.control.controller import SettingsController
from app.control.program import RunningProgram
from app.control.transport import Endpoint, OtherProgramError
from app.core.errors import MattecamError, Stage, all_done
from app.core.threads import on_own_thread
from app.core.worker import Worker

log = logging.getLogger(__name__)
# Connections at a time above which only the commands of `AT_ONCE` are executed and the others are
# refused at once, so that the connections never reach the system's limit of open files.
MOST_WAITING = 400
# Interval of tries: to accept again after an error, and to end a thread.
RETRY_S = 0.1
# How long a client may take to read its answer.
SEND_LIMIT_S = 5.0


class ControlServer:
    """Serves connections concurrently, one command each. The program also works without it.

    `listen`, `start` and `stop` are called on one thread, the others run on the two of the server.
    """

    def __init__(self, controller: SettingsController, program: RunningProgram) -> None:
        """program: owns the address, now or once another program has ended; `stop` closes it."""
        self._controller = controller
        self._program = program
        self._accepting = Worker("control", self._accept, Stage.SETTINGS)
        self._answering = Worker("control-answers", self._answer_until_stopped, Stage.SETTINGS)
        self.threads = (self._accepting, self._answering)
        # Of the thread that answers, from `start` on.
        self._loop: asyncio.AbstractEventLoop | None = None
        # One for each connection that is served or waits; of the thread that answers.
        self._tasks: set[asyncio.Task[None]] = set()

    def listen(self) -> None:
        """Own the address if it is free; commands wait until `start`.

        Otherwise the log says why it is not.
        """
        if self._program.claim():
            return
        problem = self._program.problem
        if isinstance(problem, OtherProgramError):
            log.warning("%s", problem)
        else:
            log.warning("%s Until then, Mattecam works without `ctl`.", problem)

    def start(self) -> None:
        """Answer commands from now on, or from when another program leaves the address."""
        self._loop = asyncio.new_event_loop()
        for thread in self.threads:
            thread.start()

    def stop(self, timeout_s: float = 5.0, *, last: Callable[[], object] = lambda: None) -> bool:
        """Stop listening, answer the commands that are running, and join the threads. Idempotent.

        last: called after the last command, before another program can own the address. Return
        False if a thread did not end in time, or a command was not answered.
        """
        deadline_s = time.monotonic() + timeout_s
        return all_done(
            self._controller.close,
            partial(self._end_accepting, deadline_s),
            partial(self._end_answering, deadline_s),
            last,
            self._program.close,
        )

    def _end_accepting(self, deadline_s: float) -> bool:
        """End the thread that accepts; return whether it has ended in time."""
        self._accepting.request_stop()
        self._program.wake()
        # Again until it ends: on Windows waking is a connection to a pipe, which may fail.
        while not self._accepting.join(RETRY_S) and time.monotonic() < deadline_s:
            self._program.wake()
        return self._accepting.join(0)

    def _end_answering(self, deadline_s: float) -> bool:
        """Answer what is running, and end the thread; return whether all was answered in time."""
        loop = self._loop
        if loop is None or loop.is_closed():  # never started, or ended before
            return self._answering.join(0)
        self._answering.request_stop()
        finished = asyncio.run_coroutine_threadsafe(self._finish(deadline_s), loop)
        finished.add_done_callback(lambda _finished: loop.call_soon_threadsafe(loop.stop))
        # A little longer than `_finish` waits.
        ended = self._answering.join(max(RETRY_S, deadline_s - time.monotonic() + RETRY_S))
        return ended and finished.result()

    async def _finish(self, deadline_s: float) -> bool:
        """Wait for the commands that are running, and cancel those that are not done in time."""
        if not self._tasks:
            return True
        _, unanswered = await asyncio.wait(
            self._tasks,
            timeout=max(0.0, deadline_s - time.monotonic()),
        )
        for task in unanswered:
            task.cancel()
        await asyncio.gather(*unanswered, return_exceptions=True)
        return not unanswered

    def _accept(self, stop: threading.Event) -> None:
        loop = self._loop
        endpoint = self._program.wait(stop)
        reported = False
        while endpoint is not None and loop is not None:
            try:
                connection = endpoint.accept()
            except OSError as error:  # no file descriptor is left
                if not reported:
                    log.warning("A command could not be accepted: %s", error)
                reported = True
                if stop.wait(RETRY_S):
                    return
                continue
            if connection is None:  # woken by `stop`
                return
            if stop.is_set():  # on Windows it may be the connection that wakes
                connection.close()
                return
            loop.call_soon_threadsafe(self._begin, connection, endpoint)

    def _answer_until_stopped(self, _stop: threading.Event) -> None:
        loop = self._loop
        assert loop is not None
        try:
            loop.run_forever()
        finally:
            loop.close()

    def _begin(self, connection: Connection, endpoint: Endpoint) -> None:
        task = asyncio.get_running_loop().create_task(self._serve(connection, endpoint))
        # The event loop itself keeps only weak references.
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, connection: Connection, endpoint: Endpoint) -> None:
        with connection:
            try:
                if not await _has_data(connection, transport.REQUEST_TIMEOUT_S):
                    return
                request = endpoint.receive(connection)
                # An empty one had no valid secret; it gets no answer.
                if request:
                    reply = await answer(
                        self._controller,
                        request,
                        crowded=len(self._tasks) > MOST_WAITING,
                    )
                    await _send(connection, json.dumps(asdict(reply)).encode())
            # The client hung up, or sent or read no whole message.
            except (OSError, asyncio.TimeoutError) as error:
                log.info("A control connection was dropped: %s", error)


async def _has_data(connection: Connection, timeout_s: float) -> bool:
    """Wait until a client has sent something or hung up.

    Return False if it does neither in time.
    """
    # An event loop cannot watch these pipes. A pool has few threads, which silent clients would fill.
    if sys.platform == "win32":
        polling = on_own_thread("control-client", partial(connection.poll, timeout_s))
        has_data = await asyncio.wrap_future(polling)
    else:
        loop = asyncio.get_running_loop()
        arrived: asyncio.Future[None] = loop.create_future()

        def note() -> None:
            if not arrived.done():
                arrived.set_result(None)

        loop.add_reader(connection.fileno(), note)
        try:
            await asyncio.wait({arrived}, timeout=timeout_s)
        finally:
            loop.remove_reader(connection.fileno())
        has_data = arrived.done()
    return has_data


async def _send(connection: Connection, message: bytes) -> None:
    """Send a message to a client, however slowly it reads.

    Raises OSError, or TimeoutError if it does not read.
    """
    if sys.platform == "win32":
        sending = on_own_thread("control-client", partial(connection.send_bytes, message))
        await asyncio.wrap_future(sending)
    else:
        loop = asyncio.get_running_loop()
        with socket.fromfd(connection.fileno(), socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.setblocking(False)
            # As `Connection.send_bytes` frames it.
            whole = struct.pack("!i", len(message)) + message
            await asyncio.wait_for(loop.sock_sendall(client, whole), SEND_LIMIT_S)


async def answer(
    controller: SettingsController,
    request: bytes,
    *,
    crowded: bool = False,
) -> Answer:
    """Execute the command in a request; return its answer, also where it fails.

    request: a command and, after a space, its argument, in UTF-8. crowded: refuse a command that
    may have to wait.
    """
    try:
        command = parse_words(request.decode("utf-8", "surrogateescape").split(" ", 1))
        if crowded and command.name not in AT_ONCE:
            raise MattecamError(
                "Too many commands wait for what they change; try again when they are answered.",
            )
        if command.name == "status":
            return Answer(True, "", controller.status())
        return Answer(True, await controller.run(command))
    except MattecamError as error:
        return Answer(False, error.text, wrong_usage=error.unusable)
    except Exception as error:  # thread boundary: carried to the client and the log
        log.error("A control command failed.", exc_info=error)
        return Answer(False, "The command failed; the log of the running program has the details.")
