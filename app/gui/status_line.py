"""The status in one discreet line."""

from __future__ import annotations

from PyQt6.QtCore import QCoreApplication

from app.gui.model_names import describe_model
from app.runtime.status import Phase, PipelineStatus


def describe_status(status: PipelineStatus) -> str:
    """What runs, how fast, with which model and where."""

    def tr(text: str) -> str:
        return QCoreApplication.translate("status_line", text)

    phases = {
        Phase.STARTING: tr("Starting"),
        Phase.RUNNING: tr("Running"),
        Phase.PAUSED: tr("Paused"),
        Phase.WAITING: tr("Waiting"),
        Phase.RESTING: tr("Resting: no program reads the virtual camera"),
        Phase.STOPPED: tr("Stopped"),
    }
    words = [phases[status.phase]]
    if status.source is not None:
        words.append(f"{status.source.name} {status.size[0]} × {status.size[1]}")
        words.append(tr("{0} fps in, {1} out").format(f"{status.fps_in:.1f}", f"{status.fps_out:.1f}"))
    if status.latency_ms.end_to_end.median:
        words.append(tr("{0} ms").format(f"{status.latency_ms.end_to_end.median:.0f}"))
    if status.engine is not None:
        engine = status.engine
        words.append(describe_model(engine.model))
        words.append(f"{engine.device} ({engine.executor}, {engine.precision})")
    words.append(status.virtual_camera or tr("no virtual camera"))
    if status.busy:
        words.append(tr("preparing {0}…").format(status.busy))
    if status.note:
        words.append(status.note)
    return "   ·   ".join(words)
