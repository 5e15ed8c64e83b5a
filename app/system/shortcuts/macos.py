"""Global shortcuts through the Carbon event manager (macOS)."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from typing import Any

from app.core.messages.shortcuts import ShortcutText
from app.system.shortcuts.base import Shortcut, ShortcutError

LIBRARY = "/System/Library/Frameworks/Carbon.framework/Carbon"
HANDLER = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)
KEY_CODES = {
    "P": 0x23,
    "F": 0x03,
    "1": 0x12,
    "2": 0x13,
    "3": 0x14,
    "4": 0x15,
    "5": 0x17,
    "6": 0x16,
    "7": 0x1A,
    "8": 0x1C,
    "9": 0x19,
}
"""Virtual key codes of the Mac keyboard; they name places, not letters."""
_SHIFT, _OPTION, _CONTROL = 0x200, 0x800, 0x1000


def code(letters: str) -> int:
    """Return four letters as the number that Carbon uses for them."""
    return int.from_bytes(letters.encode(), "big")


SIGNATURE = code("Mtcm")
_KEYBOARD, _PRESSED = code("keyb"), 5
_DIRECT_OBJECT, _HOT_KEY_ID = code("----"), code("hkid")
_TAKEN = -9878
"""eventHotKeyExistsErr"""


class EventTypeSpec(ctypes.Structure):
    """Which events a handler gets."""

    _fields_ = (("event_class", ctypes.c_uint32), ("kind", ctypes.c_uint32))


class HotKeyId(ctypes.Structure):
    """Names a shortcut."""

    _fields_ = (("signature", ctypes.c_uint32), ("number", ctypes.c_uint32))


class MacShortcuts:
    """Registers the keys with the application, whose event loop (Qt's) calls the handler. Use it on the main thread."""

    def __init__(self, carbon: Any) -> None:
        """carbon: the library at `LIBRARY`, as `ctypes.CDLL` gives it."""
        self._carbon = carbon
        carbon.GetApplicationEventTarget.restype = ctypes.c_void_p
        self._keys: list[ctypes.c_void_p] = []
        self._handler_reference = ctypes.c_void_p()
        self._handler: Any = None
        """Keeps the callback alive while Carbon has its address."""

    def start(
        self, shortcuts: Sequence[Shortcut], pressed: Callable[[str], None], failed: Callable[[Exception], None]
    ) -> None:
        """See `ShortcutService.start`."""

        def handle(_next: Any, event: Any, _data: Any) -> int:
            key = HotKeyId()
            size = ctypes.c_ulong(ctypes.sizeof(key))
            wanted = ctypes.c_uint32(_DIRECT_OBJECT), ctypes.c_uint32(_HOT_KEY_ID)
            status = self._carbon.GetEventParameter(
                ctypes.c_void_p(event), *wanted, None, size, None, ctypes.pointer(key)
            )
            if status == 0 and key.signature == SIGNATURE and key.number < len(shortcuts):
                pressed(shortcuts[key.number].name)
            return 0

        self._handler = HANDLER(handle)
        target = ctypes.c_void_p(self._carbon.GetApplicationEventTarget())
        kinds = EventTypeSpec(_KEYBOARD, _PRESSED)
        status = self._carbon.InstallEventHandler(
            target,
            self._handler,
            ctypes.c_ulong(1),
            ctypes.pointer(kinds),
            None,
            ctypes.pointer(self._handler_reference),
        )
        for number, shortcut in enumerate(shortcuts):
            status = status or self._register(number, shortcut, target)
        if status == _TAKEN:
            failed(ShortcutError(ShortcutText.TAKEN(keys="⌃⌥⇧")))
        elif status != 0:
            failed(ShortcutError(ShortcutText.NOT_REGISTERED(code=int(status))))

    def stop(self) -> bool:
        """See `ShortcutService.stop`."""
        for key in self._keys:
            self._carbon.UnregisterEventHotKey(key)
        self._keys.clear()
        if self._handler is not None:
            self._carbon.RemoveEventHandler(self._handler_reference)
            self._handler = None
        return True

    def _register(self, number: int, shortcut: Shortcut, target: ctypes.c_void_p) -> int:
        key = ctypes.c_void_p()
        held = ctypes.c_uint32(_CONTROL | _OPTION | _SHIFT)
        place = ctypes.c_uint32(KEY_CODES[shortcut.key.upper()])
        status: int = self._carbon.RegisterEventHotKey(
            place, held, HotKeyId(SIGNATURE, number), target, ctypes.c_uint32(0), ctypes.pointer(key)
        )
        if status == 0:
            self._keys.append(key)
        return status
