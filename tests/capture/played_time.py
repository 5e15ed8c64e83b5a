"""Time of a source's module that passes only while the source waits, and when a test moves it."""

from __future__ import annotations

from types import ModuleType, SimpleNamespace

import pytest

from app.testing.parts import FakeClock


def played_time(monkeypatch: pytest.MonkeyPatch, module: ModuleType) -> FakeClock:
    """Replace the clock and the events of `module`; return the clock."""
    clock = FakeClock(100.0)

    class Event:
        def __init__(self) -> None:
            self._set = False

        def set(self) -> None:
            self._set = True

        def is_set(self) -> bool:
            return self._set

        def wait(self, timeout_s: float) -> bool:
            clock.now_s += 0 if self._set else timeout_s
            return self._set

    monkeypatch.setattr(module, "time", SimpleNamespace(perf_counter=clock))
    monkeypatch.setattr(module, "threading", SimpleNamespace(Event=Event), raising=False)
    return clock
