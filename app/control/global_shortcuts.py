"""Runs commands of `ctl` when the user presses global shortcuts."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Mapping

from app.control.commands import Command, Controller
from app.core.errors import MattecamError
from app.system.shortcuts.base import Shortcut, ShortcutService

log = logging.getLogger(__name__)

SHORTCUTS = (
    Shortcut("pause", "Mattecam: pause or resume", "P"),
    Shortcut("freeze", "Mattecam: freeze or go on", "F"),
    *(Shortcut(f"background-{number}", f"Mattecam: background {number}", str(number)) for number in range(1, 10)),
)
COMMANDS: Mapping[str, Command] = {
    "pause": Command("pause", "toggle"),
    "freeze": Command("freeze", "toggle"),
    **{f"background-{number}": Command("background", str(number)) for number in range(1, 10)},
}
"""By the name of the shortcut. Numbers are those of `ctl background` and of the keys 1 to 9 in the window."""
_STOP_S = 5.0


class GlobalShortcuts:
    """Registers the shortcuts while they are wanted. Use it on one thread; on macOS the main thread."""

    def __init__(
        self,
        controller: Controller,
        make_service: Callable[[], ShortcutService],
        report: Callable[[Exception | None], None],
    ) -> None:
        """make_service: raises MattecamError where there is none. report: called on any thread with a problem, or None
        where there is none any more.
        """
        self._controller, self._make_service, self._report = controller, make_service, report
        self._service: ShortcutService | None = None
        self._pressed: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._wanted = False

    def follow(self, wanted: bool) -> None:
        """Register the shortcuts, or remove them. Does nothing where that is the case already."""
        if wanted is self._wanted:
            return
        self._wanted = wanted
        if wanted:
            self._start()
        else:
            self.stop()
            self._report(None)

    def stop(self) -> bool:
        """Remove the shortcuts; return False if a thread did not end in time. Idempotent."""
        self._wanted = False
        service, self._service = self._service, None
        thread, self._thread = self._thread, None
        ended = service is None or service.stop()
        if thread is not None:
            self._pressed.put(None)
            thread.join(_STOP_S)
            ended = ended and not thread.is_alive()
        return ended

    def _start(self) -> None:
        try:
            self._service = self._make_service()
        except (MattecamError, OSError, AttributeError) as error:  # a library or one of its functions is missing
            self._report(error)
            return
        # A command waits for its effect, which must hold up neither the service nor the event loop of the window.
        self._thread = threading.Thread(target=self._run_commands, name="shortcut-commands", daemon=True)
        self._thread.start()
        self._service.start(SHORTCUTS, self._pressed.put, self._report)

    def _run_commands(self) -> None:
        while (name := self._pressed.get()) is not None:
            command = COMMANDS.get(name)
            if command is None:
                continue
            try:
                log.info("Shortcut %s: %s", name, self._controller.run(command))
            except MattecamError as error:
                log.warning("The shortcut %s had no effect: %s", name, error)
            except Exception as error:
                log.error("The shortcut %s failed.", name, exc_info=error)
