"""The local time, also after a journey."""

from __future__ import annotations

import sys
import time
from datetime import datetime


def local_time() -> datetime:
    """Return the time in the zone that the machine is in now: the C library reads the zone at its first use alone."""
    if sys.platform != "win32":
        time.tzset()
    return datetime.now()
