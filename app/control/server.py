"""The control server of the running program: accepts commands on a socket and answers each on its own thread."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import asdict
from multiprocessing.connection import Connection
from pathlib import Path

from app.control.commands import Answer, parse_words
from app.control.controller import SettingsController
from app.control.transport import ControlAddress, ControlError, Endpoint, default_address
from app.core.errors import MattecamError, Stage, UsageError
from app.runtime.worker import Worker

log = logging.getLogger(__name__)
MAX_CALLS = 32
"""Maximum number of commands at a time; further ones wait."""
RETRY_S = 0.1
"""Wait after a connection that could not be accepted."""


class ControlServer:
    """Serves connections concurrently, one command each. The program also works without it."""

    def __init__(self, controller: SettingsController, *, at: Callable[[], ControlAddress] = default_address) -> None:
        self._controller = controller
        self._at = at
        self._endpoint: Endpoint | None = None
        self.folder: Path | None = None
        """The private folder that this program owns while it listens; None where it does not."""
        self.thread = Worker("control", self._accept, Stage.SETTINGS)
        self._threads = ThreadPoolExecutor(MAX_CALLS, thread_name_prefix="control-call")
        self._calls: set[Future[None]] = set()
        """Connections that are served or wait."""

    def listen(self) -> None:
        """Own the address; commands wait until `start`. If that fails, the log says why and the program continues."""
        try:
            address = self._at()
            self._endpoint = Endpoint(address)
        except ControlError as error:
            log.warning("%s", error)
            return
        self.folder = address.folder

    def start(self) -> None:
        """Answer commands if the server listens."""
        if self._endpoint is not None:
            self.thread.start()

    def stop(self, timeout_s: float = 5.0, *, last: Callable[[], object] = lambda: None) -> bool:
        """Stop listening, answer the commands that are running, and join the threads. Idempotent.

        last: called after the last command, before another program can own the address. Return False if a thread did
        not end in time; `last` is not called then.
        """
        deadline_s = time.monotonic() + timeout_s
        endpoint, self._endpoint = self._endpoint, None
        if endpoint is None:
            return self.thread.join(0)
        self._controller.close()
        self.thread.request_stop()
        endpoint.wake()
        while not self.thread.join(RETRY_S):
            if time.monotonic() >= deadline_s:
                return False
            endpoint.wake()
        _, unanswered = wait(self._calls, max(0.0, deadline_s - time.monotonic()))
        self._threads.shutdown(wait=not unanswered)
        if unanswered:
            return False
        last()
        endpoint.close()
        return True

    def _accept(self, stop: threading.Event) -> None:
        endpoint, reported = self._endpoint, False
        while endpoint is not None:
            try:
                connection = endpoint.accept()
                if connection is None or stop.is_set():
                    if connection is not None:
                        connection.close()
                    return
                call = self._threads.submit(self._serve, connection, endpoint)
                self._calls.add(call)
                call.add_done_callback(self._calls.discard)
            except (OSError, RuntimeError) as error:  # noqa: PERF203 - no file or thread is left
                if not reported:
                    log.warning("A command could not be accepted: %s", error)
                reported = True
                if stop.wait(RETRY_S):
                    return

    def _serve(self, connection: Connection, endpoint: Endpoint) -> None:
        with connection:
            try:
                request = endpoint.receive(connection)
                if request:
                    connection.send_bytes(json.dumps(asdict(answer(self._controller, request))).encode())
            except OSError as error:  # the client closed the connection or sent invalid data
                log.info("A control connection was dropped: %s", error)


def answer(controller: SettingsController, request: bytes) -> Answer:
    """Execute the command in a request."""
    try:
        command = parse_words(request.decode("utf-8", "surrogateescape").split(" ", 1))
        if command.name == "status":
            return Answer(True, "", controller.status())
        return Answer(True, controller.run(command))
    except MattecamError as error:
        return Answer(False, error.text, wrong_usage=isinstance(error, UsageError))
    except Exception as error:  # thread boundary: carried to the client and the log
        log.error("A control command failed.", exc_info=error)
        return Answer(False, "The command failed; the log of the running program has the details.")
