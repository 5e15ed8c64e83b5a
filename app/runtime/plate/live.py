"""Capturing a plate from the frames of the running program."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from app.core.errors import PlateError
from app.core.messages.matting import PlateText
from app.core.plate_times import COLLECT_S, COUNTDOWN_S
from app.core.types import BgrImage
from app.runtime.pipeline import Pipeline
from app.runtime.plate.capture import PlateCapture, keep_plate

POLL_S = 0.03
PAUSED_CHECK_S = 0.2


def take_live_plate(
    pipeline: Pipeline,
    countdown_s: float | None,
    wait: Callable[[float], bool],
    *,
    keep: Callable[[BgrImage, str], Path] = keep_plate,
) -> Path:
    """Count down, collect frames of the pipeline's camera, and store the plate if nobody is in it; return its file.

    Like the window's dialog: the camera stays on and holds its exposure meanwhile, and nothing is taken while the user
    has paused. The pipeline then rebuilds an engine that uses a plate. countdown_s: None for that of the window.
    wait: waits for so many seconds and returns whether to cancel. keep: stores the plate of a camera, given by its id.
    Raises PlateError (any thread).
    """
    pipeline.demand.takes_plate = True
    try:
        _pause(pipeline, COUNTDOWN_S if countdown_s is None else countdown_s, wait)
        capture = _collect(pipeline, wait)
    finally:
        pipeline.demand.takes_plate = False
    path = keep(capture.plate(), capture.camera)
    pipeline.retry()  # the file may be the one in use
    return path


def _collect(pipeline: Pipeline, wait: Callable[[float], bool]) -> PlateCapture:
    capture = PlateCapture(COLLECT_S)
    while True:
        frame = pipeline.newest_frame
        if frame is not None and capture.feed(frame, frame.camera):
            return capture
        if capture.silent:
            source = pipeline.status().source
            raise PlateError(
                PlateText.SILENT(camera=pipeline.settings.capture.source if source is None else source.name)
            )
        _pause(pipeline, POLL_S, wait)


def _pause(pipeline: Pipeline, seconds: float, wait: Callable[[float], bool]) -> None:
    """Wait. Raises PlateError if the user has paused or the program ends."""
    left_s = seconds
    while True:
        if pipeline.settings.paused:
            raise PlateError(PlateText.PAUSED())
        if left_s <= 0:
            return
        step_s = min(left_s, PAUSED_CHECK_S)
        if wait(step_s):
            raise PlateError(PlateText.CANCELLED())
        left_s -= step_s
