"""The local time after a journey."""

from __future__ import annotations

import sys
import time
from datetime import datetime, timedelta, timezone

import pytest

from app.core.local_time import local_time


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no tzset")
def test_a_clock_follows_the_machine_to_another_time_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    """It went on in the zone in which the program was started."""
    with monkeypatch.context() as journey:
        for zone, hours in (("UTC0", 0), ("JST-9", 9), ("HST10", -10)):
            journey.setenv("TZ", zone)
            shown, now = local_time(), datetime.now(timezone(timedelta(hours=hours)))
            assert abs((now - shown.replace(tzinfo=now.tzinfo)).total_seconds()) < 60
    time.tzset()
