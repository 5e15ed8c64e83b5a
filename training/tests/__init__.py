"""Tests of training."""

import sys
import time


def fail_or_work(rank: int, limit_s: float) -> None:
    """Fail in one process of a run while another one works; imports nothing that takes long."""
    if rank:
        sys.exit(3)
    time.sleep(limit_s)
