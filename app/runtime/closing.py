"""Closing what is no longer used."""

from __future__ import annotations

import logging
from collections.abc import Callable

_log = logging.getLogger(__name__)


def close_unused(close: Callable[[], object]) -> None:
    """Call `close`; a failure is logged only: a device that is lost refuses even that, and the program goes on."""
    try:
        close()
    except Exception as error:  # noqa: BLE001 - what is closed is out of use
        _log.warning("Something that is no longer used could not be closed.", exc_info=error)
