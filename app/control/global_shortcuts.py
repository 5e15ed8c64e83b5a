"""Runs commands of `ctl` when the user presses global shortcuts."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Mapping

from app.control.commands import Command
from app.control.controller import SettingsController
from app.core.errors import MattecamError
from app.system.shortcuts import PortalShortcuts, Shortcut

log = logging.getLogger(__name__)

TOGGLE = "toggle"
COMMANDS: Mapping[Shortcut, Command] = {
    Shortcut("pause", "Mattecam: pause or resume", "P"): Command("pause", TOGGLE),
    Shortcut("freeze", "Mattecam: freeze or go on", "F"): Command("freeze", TOGGLE),
    **{
        Shortcut(f"background-{key}", f"Mattecam: background {key}", key): Command("background", key)
        for key in "123456789"
    },
}
"""By the shortcut. Numbers are those of `ctl background` and of the keys 1 to 9 in the window."""
_BY_NAME = {shortcut.name: command for shortcut, command in COMMANDS.items()}
_STOP_S = 5.0


class GlobalShortcuts:
    """Registers the shortcuts while they are wanted. Use it on one thread."""

    def __init__(
        self,
        controller: SettingsController,
        report: Callable[[Exception | None], None],
        make_service: Callable[[], PortalShortcuts] = PortalShortcuts,
    ) -> None:
        """report: called on any thread with a problem, or None where there is none any more."""
        self._controller, self._make_service, self._report = controller, make_service, report
        self._service: PortalShortcuts | None = None
        self._pressed: queue.SimpleQueue[Command | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._toggles: tuple[threading.Thread, ...] = ()

    def follow(self, wanted: bool) -> None:
        """Register the shortcuts, or remove them. Does nothing where that is the case already."""
        if wanted is (self._service is not None):
            return
        if wanted:
            self._start()
        else:
            self.stop()
            self._report(None)

    def stop(self) -> bool:
        """Remove the shortcuts; return False if a thread did not end in time. Idempotent."""
        service, self._service = self._service, None
        thread, self._thread = self._thread, None
        ended = service is None or service.stop()
        toggles, self._toggles = self._toggles, ()
        self._pressed.put(None)
        deadline_s = time.monotonic() + _STOP_S
        for each in (*toggles, *(() if thread is None else (thread,))):
            each.join(max(0.0, deadline_s - time.monotonic()))
            ended = ended and not each.is_alive()
        return ended

    def _start(self) -> None:
        self._service = self._make_service()
        # A command waits for its effect, which must hold up neither the service nor the event loop of the window.
        self._pressed = queue.SimpleQueue()
        self._thread = threading.Thread(
            target=self._run_commands, args=(self._pressed,), name="shortcut-commands", daemon=True
        )
        self._thread.start()
        self._service.start(tuple(COMMANDS), self._press, self._report)

    def _press(self, name: str) -> None:
        """Run the command of a shortcut; called on the thread of the service.

        Pause and freeze do not wait for earlier commands: a background may take seconds.
        """
        command = _BY_NAME.get(name)
        if command is None:
            return
        if command.argument != TOGGLE:
            self._pressed.put(command)
            return
        thread = threading.Thread(target=self._run, args=(command,), name="shortcut-toggle", daemon=True)
        self._toggles = (*(each for each in self._toggles if each.is_alive()), thread)
        thread.start()

    def _run_commands(self, pressed: queue.SimpleQueue[Command | None]) -> None:
        while (command := pressed.get()) is not None:
            self._run(command)

    def _run(self, command: Command) -> None:
        try:
            log.info("Shortcut for %s %s: %s", command.name, command.argument, self._controller.run(command))
        except MattecamError as error:
            log.warning("The shortcut for %s %s had no effect: %s", command.name, command.argument, error)
        except Exception as error:
            log.error("The shortcut for %s %s failed.", command.name, command.argument, exc_info=error)
