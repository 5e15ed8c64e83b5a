"""The control server of the running program: accepts commands on a socket and answers each on its own thread."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

from app.control.commands import Answer, Command, decoded, encoded, parse_words
from app.control.controller import SettingsController
from app.control.transport import ControlAddress, ControlError, Endpoint, default_address
from app.core.errors import MattecamError, Stage, UsageError
from app.runtime.worker import Worker

log = logging.getLogger(__name__)
MAX_CALLS = 32
"""Maximum number of concurrent connections; further ones are closed."""
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
        self._lock = threading.Lock()
        self._calls: dict[Connection, threading.Thread] = {}

    def start(self) -> None:
        """Start listening. If that fails, the log says why and the program continues without."""
        try:
            address = self._at()
            self._endpoint = Endpoint(address)
        except ControlError as error:
            log.warning("%s", error)
            return
        self.folder = address.folder
        self.thread.start()

    def stop(self, timeout_s: float = 5.0) -> bool:
        """Stop listening, answer the commands that are running, and join the threads. Idempotent.

        Return False if a thread did not end in time.
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
        with self._lock:
            calls = tuple(self._calls.values())
        for thread in calls:
            thread.join(max(0.0, deadline_s - time.monotonic()))
        if any(thread.is_alive() for thread in calls):
            return False
        endpoint.close()
        return True

    def _accept(self, stop: threading.Event) -> None:
        endpoint, reported = self._endpoint, False
        while endpoint is not None:
            try:
                connection = endpoint.accept()
                if stop.is_set():
                    connection.close()
                    return
                self._begin(connection, endpoint)
            except (OSError, RuntimeError) as error:  # noqa: PERF203 - no file or thread is left
                if not reported:
                    log.warning("A command could not be accepted: %s", error)
                reported = True
                if stop.wait(RETRY_S):
                    return

    def _begin(self, connection: Connection, endpoint: Endpoint) -> None:
        """Serve a connection on a thread of its own. Raises RuntimeError if none can be started."""
        # A daemon only so that a command that writes to a drive that never answers cannot keep the process alive.
        thread = threading.Thread(target=self._serve, args=(connection, endpoint), name="control-call", daemon=True)
        with self._lock:
            if len(self._calls) >= MAX_CALLS:
                connection.close()
                return
            self._calls[connection] = thread
        try:
            thread.start()
        except RuntimeError:
            self._end(connection)
            raise

    def _serve(self, connection: Connection, endpoint: Endpoint) -> None:
        try:
            request = endpoint.receive(connection)
            if request:
                connection.send_bytes(encoded(answer(self._controller, request)))
        except OSError as error:  # the client closed the connection or sent invalid data
            log.info("A control connection was dropped: %s", error)
        finally:
            self._end(connection)

    def _end(self, connection: Connection) -> None:
        connection.close()
        with self._lock:
            del self._calls[connection]


def answer(controller: SettingsController, line: bytes) -> Answer:
    """Execute the command in `line`."""
    try:
        asked = decoded(Command, line)
        command = parse_words([asked.name, asked.argument])
        if command.name == "status":
            return Answer(True, "", controller.status())
        return Answer(True, controller.run(command))
    except MattecamError as error:
        return Answer(False, error.text, wrong_usage=isinstance(error, UsageError))
    except Exception as error:  # thread boundary: carried to the client and the log
        log.error("A control command failed.", exc_info=error)
        return Answer(False, "The command failed; the log of the running program has the details.")
