"""How a client waits for a program that does not accept its connection yet."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest

from app.control import client
from app.control.address import Call, ControlAddress
from app.control.client import CONNECT_TIMEOUT_S, NotRunningError, ask
from app.control.commands import Answer, Command
from app.testing.parts import FakeClock


class BusyAddress:
    """Accepts a connection after so many attempts."""

    def __init__(self, refuses: int) -> None:
        self.refuses = refuses

    def connect(self) -> Call | None:
        self.refuses -= 1
        return None if self.refuses >= 0 else cast("Call", Accepted())

    def in_use(self) -> bool:
        return True


class Accepted:
    """A connection to a program that agrees."""

    def send(self, line: bytes) -> None: ...

    def receive(self, extra_s: float) -> bytes:
        return Answer(True, "").encode()

    def close(self) -> None: ...


@pytest.mark.parametrize(("refuses", "accepted"), [(0, True), (3, True), (1000, False)])
def test_a_program_that_starts_is_waited_for(refuses: int, accepted: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = FakeClock(100.0)

    def sleep(seconds: float) -> None:
        clock.now_s += seconds

    monkeypatch.setattr(client, "time", SimpleNamespace(monotonic=clock, sleep=sleep))
    address = BusyAddress(refuses)

    def answer() -> Answer:
        return ask(Command("status"), at=lambda: cast("ControlAddress", address))

    if accepted:
        assert answer().done
    else:
        with pytest.raises(NotRunningError):
            answer()
        assert clock.now_s == pytest.approx(100 + CONNECT_TIMEOUT_S, abs=0.1)
