"""How a client waits for a program that does not accept its connection yet."""

from __future__ import annotations

from itertools import repeat
from types import SimpleNamespace
from unittest.mock import Mock

import pytest

from app.control import client
from app.control.address import Call, ControlAddress
from app.control.client import CONNECT_TIMEOUT_S, NotRunningError, ask
from app.control.commands import Answer, Command
from app.testing.parts import FakeClock


@pytest.mark.parametrize(("refuses", "accepted"), [(0, True), (3, True), (1000, False)])
def test_a_program_that_starts_is_waited_for(refuses: int, accepted: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = FakeClock(100.0)

    def sleep(seconds: float) -> None:
        clock.now_s += seconds

    monkeypatch.setattr(client, "time", SimpleNamespace(monotonic=clock, sleep=sleep))
    call = Mock(Call, **{"receive.return_value": Answer(True, "").encode()})
    attempts = [*repeat(None, refuses), call]
    address = Mock(ControlAddress, **{"connect.side_effect": attempts, "in_use.return_value": True})
    if accepted:
        assert ask(Command("status"), at=lambda: address).done
    else:
        with pytest.raises(NotRunningError):
            ask(Command("status"), at=lambda: address)
        assert clock.now_s == pytest.approx(100 + CONNECT_TIMEOUT_S, abs=0.1)
