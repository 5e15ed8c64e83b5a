"""The end of a program, a run or a device: each step is done, whatever becomes of the others.

A step that was skipped because an earlier one failed has cost recordings that were never finished and changes that were
never saved.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

log = logging.getLogger(__name__)


def all_done(*steps: Callable[[], object]) -> bool:
    """Call the steps in their order; return whether none has failed: none raised, and none returned False.

    What a step raises is logged, and the next one is called.
    """
    succeeded = True
    for step in steps:
        try:
            result = step()
        except Exception as error:  # noqa: PERF203 - each step is a boundary, and is called
            log.error("A part of the end failed; the others are done.", exc_info=error)
            succeeded = False
        else:
            succeeded = succeeded and result is not False
    return succeeded


def close_unused(close: Callable[[], object]) -> None:
    """Call `close`; a failure is logged only: a device that is lost refuses even that, and the program goes on."""
    try:
        close()
    except Exception as error:
        log.warning("Something that is no longer used could not be closed.", exc_info=error)
