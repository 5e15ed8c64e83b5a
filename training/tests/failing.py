"""A process of a run that fails while another one works; imports nothing that takes long."""

from __future__ import annotations

import sys
import time


def fail_or_work(rank: int, limit_s: float) -> None:
    if rank:
        sys.exit(3)
    time.sleep(limit_s)
