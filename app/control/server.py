"""The thread of the running program that takes wishes from outside."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from app.control.commands import Answer, Controller, answer
from app.control.place import open_endpoint
from app.control.transport import Call, ControlError, Endpoint

log = logging.getLogger(__name__)


class ControlServer:
    """Serves one caller after another, each with one line. The program works as well without it."""

    def __init__(self, controller: Controller, *, open_at: Callable[[], Endpoint] = open_endpoint) -> None:
        self._controller = controller
        self._open_at = open_at
        self._endpoint: Endpoint | None = None
        self._thread = threading.Thread(target=self._run, name="control")
        self.note = ""
        """Why the program cannot be steered from outside; empty where it can."""

    def start(self) -> None:
        """Begin to listen; where that is not possible, `note` says why and the program goes on without."""
        try:
            self._endpoint = self._open_at()
        except ControlError as error:
            self.note = str(error)
            log.warning("%s", error)
            return
        self._thread.start()

    def stop(self, timeout_s: float = 5.0) -> bool:
        """Stop listening and join the thread; False if it did not end in time. A second call does nothing."""
        endpoint, self._endpoint = self._endpoint, None
        if endpoint is None:
            return not self._thread.is_alive()
        endpoint.wake()
        self._thread.join(timeout_s)
        if self._thread.is_alive():
            return False
        endpoint.close()
        return True

    def _run(self) -> None:
        endpoint = self._endpoint
        while endpoint is not None:
            call = endpoint.accept()
            if call is None:
                return
            try:
                self._serve(call)
            except OSError as error:  # the caller hung up or does not speak; the next one may be better
                log.info("a control caller was dropped: %s", error)
            finally:
                call.close()

    def _serve(self, call: Call) -> None:
        line = call.receive()
        if not line:
            return
        try:
            reply = answer(self._controller, line)
        except Exception as error:  # thread boundary: carried to the caller and the log
            log.error("a control command failed", exc_info=error)
            reply = Answer(False, f"The command failed: {type(error).__name__}: {error}.")
        call.send(reply.encode())
