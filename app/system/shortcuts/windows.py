"""Global shortcuts through RegisterHotKey (Windows)."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable, Sequence
from typing import Any

from app.core.messages.shortcuts import ShortcutText
from app.system.shortcuts.base import MODIFIERS, Shortcut, ShortcutError
from app.system.threads import name_thread

WM_QUIT, WM_HOTKEY = 0x0012, 0x0312
_MOD_ALT, _MOD_CONTROL, _MOD_SHIFT, _MOD_NOREPEAT = 0x1, 0x2, 0x4, 0x4000
_KEYS_HELD = _MOD_ALT | _MOD_CONTROL | _MOD_SHIFT | _MOD_NOREPEAT
_STOP_S = 5.0


class WindowsMessage(ctypes.Structure):
    """The structure MSG."""

    _fields_ = (
        ("window", ctypes.c_void_p),
        ("message", ctypes.c_uint),
        ("parameter", ctypes.c_size_t),
        ("more", ctypes.c_ssize_t),
        ("time", ctypes.c_uint32),
        ("x", ctypes.c_long),
        ("y", ctypes.c_long),
    )


class WindowsShortcuts:
    """Registers the keys on a thread of its own, which receives their messages."""

    def __init__(self, user32: Any, kernel32: Any) -> None:
        """user32, kernel32: the libraries of these names, as `ctypes.windll` gives them."""
        self._user32, self._kernel32 = user32, kernel32
        self._thread: threading.Thread | None = None
        self._thread_id = 0
        self._registered = threading.Event()

    def start(
        self, shortcuts: Sequence[Shortcut], pressed: Callable[[str], None], failed: Callable[[Exception], None]
    ) -> None:
        """See `ShortcutService.start`."""

        def run() -> None:
            name_thread("shortcuts")
            self._thread_id = self._kernel32.GetCurrentThreadId()
            # Makes the queue of messages of the thread, so that a WM_QUIT that is posted early is not lost.
            self._user32.PeekMessageW(ctypes.pointer(WindowsMessage()), None, 0, 0, 0)
            self._registered.set()
            taken = [
                shortcut
                for number, shortcut in enumerate(shortcuts)
                if not self._user32.RegisterHotKey(None, number, _KEYS_HELD, ord(shortcut.key.upper()))
            ]
            if taken:
                failed(ShortcutError(ShortcutText.TAKEN(keys=[keys_of(shortcut) for shortcut in taken])))
            self._receive(shortcuts, pressed)
            for number in range(len(shortcuts)):
                self._user32.UnregisterHotKey(None, number)

        self._thread = threading.Thread(target=run, name="shortcuts", daemon=True)
        self._thread.start()

    def stop(self) -> bool:
        """See `ShortcutService.stop`."""
        if self._thread is None:
            return True
        self._registered.wait(_STOP_S)
        self._user32.PostThreadMessageW(self._thread_id, WM_QUIT, 0, 0)
        self._thread.join(_STOP_S)
        return not self._thread.is_alive()

    def _receive(self, shortcuts: Sequence[Shortcut], pressed: Callable[[str], None]) -> None:
        message = WindowsMessage()
        while self._user32.GetMessageW(ctypes.pointer(message), None, 0, 0) > 0:
            if message.message == WM_HOTKEY and message.parameter < len(shortcuts):
                pressed(shortcuts[message.parameter].name)


def keys_of(shortcut: Shortcut) -> str:
    """Return the keys as the user reads them, such as `Ctrl+Alt+Shift+P`."""
    return "+".join((*MODIFIERS, shortcut.key.upper()))
