"""The status as one line of text."""

from __future__ import annotations

from PyQt6.QtCore import QCoreApplication

from app.gui.i18n.messages import translated
from app.gui.i18n.model_names import describe_model
from app.gui.i18n.numbers import decimal, short
from app.runtime.status import Lowered, Phase, PipelineStatus, ServerState

translate = QCoreApplication.translate


def describe_status(status: PipelineStatus, *, frozen: bool = False) -> str:
    """Return phase, source, frame rates, latency, model, device and virtual camera.

    frozen: the user has frozen the output.
    """
    phases = {
        Phase.STARTING: translate("StatusLine", "Starting"),
        Phase.RUNNING: translate("StatusLine", "Running"),
        Phase.PAUSED: translate("StatusLine", "Paused"),
        Phase.WAITING: translate("StatusLine", "Waiting"),
        Phase.RESTING: translate("StatusLine", "Camera off: no program uses it"),
        Phase.STOPPED: translate("StatusLine", "Stopped"),
    }
    shows_frames = status.phase is Phase.RUNNING
    parts = [translate("StatusLine", "Frozen") if frozen and shows_frames else phases[status.phase]]
    if status.source is not None:
        parts.append(f"{status.source.name} {status.size[0]} × {status.size[1]}")
        rates = decimal(status.fps_in, 1), decimal(status.fps_out, 1)
        parts.append(translate("StatusLine", "{0} fps in, {1} out").format(*rates))
    if status.latency_ms.end_to_end.median:
        parts.append(translate("StatusLine", "{0} ms").format(f"{status.latency_ms.end_to_end.median:.0f}"))
    if status.engine is not None:
        engine = status.engine
        parts.append(describe_model(engine.model))
        parts.append(f"{engine.device} ({engine.executor}, {engine.precision})")
        if engine.round_trip_ms is not None:
            parts.append(translate("StatusLine", "round trip {0} ms").format(f"{engine.round_trip_ms:.0f}"))
    if status.server is ServerState.CONNECTING:
        parts.append(translate("StatusLine", "connecting to the server…"))
    elif status.server is ServerState.LOCAL:
        parts.append(translate("StatusLine", "server failed, matting on this computer"))
    parts.append(status.virtual_camera or status.pipewire or translate("StatusLine", "no virtual camera"))
    if status.busy and status.server in (None, ServerState.CONNECTED):
        parts.append(_describe_busy(status.busy))
    if status.lowered is not None:
        parts.append(_describe_lowered(status.lowered))
    return "   ·   ".join(parts)


def _describe_lowered(lowered: Lowered) -> str:
    parts = []
    if lowered.ratio is not None:
        parts.append(translate("StatusLine", "detail {0} %").format(round(lowered.ratio * 100)))
    if lowered.lighter_model:
        parts.append(translate("StatusLine", "lighter model"))
    if lowered.matted_hz is not None:
        parts.append(translate("StatusLine", "{0} pictures per second").format(short(lowered.matted_hz, 3)))
    return translate("StatusLine", "This computer is busy – {0}").format(", ".join(parts))


def _describe_busy(busy: str) -> str:
    return {
        "the model": translate("StatusLine", "preparing the model…"),
        "the background": translate("StatusLine", "preparing the background…"),
        "the overlay": translate("StatusLine", "preparing the overlay…"),
    }.get(busy, translated(busy))
