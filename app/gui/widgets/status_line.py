"""The status in one discreet line."""

from __future__ import annotations

from PyQt6.QtCore import QCoreApplication

from app.gui.i18n.model_names import describe_model
from app.runtime.status import Lowered, Phase, PipelineStatus

translate = QCoreApplication.translate


def describe_status(status: PipelineStatus) -> str:
    """What runs, how fast, with which model and where."""

    phases = {
        Phase.STARTING: translate("StatusLine", "Starting"),
        Phase.RUNNING: translate("StatusLine", "Running"),
        Phase.PAUSED: translate("StatusLine", "Paused"),
        Phase.WAITING: translate("StatusLine", "Waiting"),
        Phase.RESTING: translate("StatusLine", "Resting: no program reads the virtual camera"),
        Phase.STOPPED: translate("StatusLine", "Stopped"),
    }
    words = [phases[status.phase]]
    if status.source is not None:
        words.append(f"{status.source.name} {status.size[0]} × {status.size[1]}")
        words.append(
            translate("StatusLine", "{0} fps in, {1} out").format(f"{status.fps_in:.1f}", f"{status.fps_out:.1f}")
        )
    if status.latency_ms.end_to_end.median:
        words.append(translate("StatusLine", "{0} ms").format(f"{status.latency_ms.end_to_end.median:.0f}"))
    if status.engine is not None:
        engine = status.engine
        words.append(describe_model(engine.model))
        words.append(f"{engine.device} ({engine.executor}, {engine.precision})")
    words.append(status.virtual_camera or translate("StatusLine", "no virtual camera"))
    if status.busy:
        words.append(_describe_busy(status.busy))
    if status.lowered is not None:
        words.append(_describe_lowered(status.lowered))
    return "   ·   ".join(words)


def _describe_lowered(lowered: Lowered) -> str:
    words = []
    if lowered.ratio is not None:
        words.append(translate("StatusLine", "detail {0} %").format(round(lowered.ratio * 100)))
    if lowered.lighter_model:
        words.append(translate("StatusLine", "lighter model"))
    if lowered.every > 1:
        words.append(translate("StatusLine", "every second picture"))
    return translate("StatusLine", "quality lowered to hold {0} fps: {1}").format(
        f"{lowered.rate_hz:g}", ", ".join(words)
    )


def _describe_busy(busy: str) -> str:
    return {
        "the model": translate("StatusLine", "preparing the model…"),
        "the background": translate("StatusLine", "preparing the background…"),
    }.get(busy, busy)
