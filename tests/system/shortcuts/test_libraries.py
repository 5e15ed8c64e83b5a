"""Global shortcuts of Windows and macOS, with functions of the system that are played by the test."""

from __future__ import annotations

import ctypes
import queue
import sys
from typing import Any

import pytest

from app.system.shortcuts.base import Shortcut, ShortcutError
from app.system.shortcuts.choose import system_shortcuts
from app.system.shortcuts.macos import HANDLER, KEY_CODES, MacShortcuts, code
from app.system.shortcuts.portal import PortalShortcuts
from app.system.shortcuts.windows import WM_HOTKEY, WM_QUIT, WindowsShortcuts
from tests.waiting import eventually

KEYS = (Shortcut("pause", "Pause", "P"), Shortcut("background-1", "Background 1", "1"))
TAKEN = -9878


class User32:
    """user32.dll and kernel32.dll: one thread with a queue of messages."""

    def __init__(self, taken: frozenset[int] = frozenset()) -> None:
        self._taken = taken
        """Codes of keys that another program has."""
        self.registered: dict[int, tuple[int, int]] = {}
        self.messages: queue.SimpleQueue[tuple[int, int]] = queue.SimpleQueue()

    def GetCurrentThreadId(self) -> int:
        return 77

    def PeekMessageW(self, message: Any, window: None, *_: int) -> int:
        return 0

    def RegisterHotKey(self, window: None, number: int, held: int, key: int) -> int:
        if key in self._taken:
            return 0
        self.registered[number] = held, key
        return 1

    def UnregisterHotKey(self, window: None, number: int) -> int:
        return int(self.registered.pop(number, None) is not None)

    def PostThreadMessageW(self, thread: int, message: int, first: int, second: int) -> int:
        assert thread == 77
        self.messages.put((message, first))
        return 1

    def GetMessageW(self, message: Any, window: None, first: int, last: int) -> int:
        kind, parameter = self.messages.get()
        message.contents.message, message.contents.parameter = kind, parameter
        return int(kind != WM_QUIT)


def test_windows_registers_receives_and_removes_the_keys() -> None:
    system = User32()
    service = WindowsShortcuts(system, system)
    pressed: list[str] = []
    failed: list[Exception] = []
    service.start(KEYS, pressed.append, failed.append)
    eventually(lambda: len(system.registered) == 2)
    ctrl_alt_shift_once = 0x4007
    assert system.registered == {0: (ctrl_alt_shift_once, ord("P")), 1: (ctrl_alt_shift_once, ord("1"))}
    for message in ((WM_HOTKEY, 1), (0x0113, 0), (WM_HOTKEY, 9), (WM_HOTKEY, 0)):
        system.messages.put(message)
    eventually(lambda: pressed == ["background-1", "pause"])
    assert service.stop()
    assert service.stop()
    assert (system.registered, failed) == ({}, [])


def test_windows_names_keys_of_another_program_and_uses_the_others() -> None:
    system = User32(taken=frozenset({ord("P")}))
    service = WindowsShortcuts(system, system)
    failed: list[Exception] = []
    service.start(KEYS, lambda _name: None, failed.append)
    eventually(lambda: bool(failed))
    assert service.stop()
    assert isinstance(failed[0], ShortcutError)
    assert "Ctrl+Alt+Shift+P" in failed[0].text
    assert "+1" not in failed[0].text


class Function:
    """A function of a C library, which may be given a result type."""

    def __init__(self, call: Any) -> None:
        self._call = call
        self.restype: Any = ctypes.c_int

    def __call__(self, *arguments: Any) -> Any:
        return self._call(*arguments)


class Carbon:
    """Carbon.framework."""

    def __init__(self, taken: int | None = None) -> None:
        self.taken = taken
        self.keys: dict[int, tuple[int, int, int]] = {}
        """(key code, modifiers, number), by reference"""
        self.handler: Any = None
        self.current = 0
        self.GetApplicationEventTarget = Function(lambda: 5)

    def InstallEventHandler(self, target: Any, handler: Any, count: Any, kinds: Any, data: None, reference: Any) -> int:
        assert isinstance(handler, HANDLER)
        assert (target.value, count.value) == (5, 1)
        assert (kinds.contents.event_class, kinds.contents.kind) == (code("keyb"), 5)
        self.handler = handler
        reference.contents.value = 9
        return 0

    def RemoveEventHandler(self, reference: Any) -> int:
        assert reference.value == 9
        self.handler = None
        return 0

    def RegisterEventHotKey(self, place: Any, held: Any, key: Any, target: Any, options: Any, reference: Any) -> int:
        if place.value == self.taken:
            return TAKEN
        reference.contents.value = 100 + key.number
        self.keys[100 + key.number] = place.value, held.value, key.number
        return 0

    def UnregisterEventHotKey(self, reference: Any) -> int:
        del self.keys[reference.value]
        return 0

    def GetEventParameter(self, event: Any, name: Any, kind: Any, actual: None, size: Any, got: None, key: Any) -> int:
        assert (name.value, kind.value, size.value) == (code("----"), code("hkid"), 8)
        key.contents.signature, key.contents.number = code("Mtcm"), event.value - 1
        return 0

    def press(self, number: int) -> None:
        self.handler(None, number + 1, None)


def test_macos_registers_receives_and_removes_the_keys() -> None:
    carbon = Carbon()
    service = MacShortcuts(carbon)
    pressed: list[str] = []
    failed: list[Exception] = []
    service.start(KEYS, pressed.append, failed.append)
    control_option_shift = 0x1A00
    assert list(carbon.keys.values()) == [
        (KEY_CODES["P"], control_option_shift, 0),
        (KEY_CODES["1"], control_option_shift, 1),
    ]
    for number in (1, 0, 7):
        carbon.press(number)
    assert pressed == ["background-1", "pause"]
    assert service.stop()
    assert service.stop()
    assert (carbon.keys, carbon.handler, failed) == ({}, None, [])


def test_macos_names_keys_of_another_program() -> None:
    carbon = Carbon(taken=KEY_CODES["P"])
    service = MacShortcuts(carbon)
    failed: list[Exception] = []
    service.start(KEYS, lambda _name: None, failed.append)
    assert isinstance(failed[0], ShortcutError)
    assert failed[0].code == "ShortcutText.TAKEN"
    assert service.stop()
    assert carbon.handler is None


def test_linux_uses_the_portal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    assert isinstance(system_shortcuts(has_event_loop=False), PortalShortcuts)


def test_macos_without_a_window_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(ShortcutError, match="without a window"):
        system_shortcuts(has_event_loop=False)
