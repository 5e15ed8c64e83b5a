"""Closing an engine that may have failed."""

from __future__ import annotations

import logging

from app.matting.base import MattingEngine

_log = logging.getLogger(__name__)


def close_engine(engine: MattingEngine) -> None:
    """Close an engine that may have failed; a device that is lost refuses even that."""
    try:
        engine.close()
    except Exception as error:  # noqa: BLE001 - the next engine is built all the same
        _log.warning("An engine could not be closed.", exc_info=error)
