"""The status as the JSON of `--status-json`. The field names are a public interface."""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path
from typing import Any

import psutil

from app.core.errors import MattecamError
from app.core.files.disk_errors import why_not_written
from app.core.messages.system import ProgramText
from app.runtime.status import PipelineStatus


def status_fields(status: PipelineStatus) -> dict[str, Any]:
    """Return the fields of the JSON; latencies in milliseconds."""
    engine = status.engine
    process = psutil.Process()
    cpu_s = sum(process.cpu_times()[:2])
    return {
        "frames_in": status.frames_in,
        "frames_out": status.frames_out,
        "frames_sent": status.frames_sent,
        "frames_dropped": status.frames_dropped,
        "encoded_frames": status.encoded_frames,
        "recording_dropped": status.recording_dropped,
        "seconds": round(status.seconds, 3),
        "fps_in": round(status.fps_in, 2),
        "fps_out": round(status.fps_out, 2),
        "latency_ms": {
            stage: {figure: round(value, 2) for figure, value in latency.items()}
            for stage, latency in dataclasses.asdict(status.latency_ms).items()
        },
        "model": engine.model if engine else None,
        "executor": engine.executor if engine else None,
        "precision": engine.precision if engine else None,
        "device": engine.device if engine else None,
        "round_trip_ms": engine.round_trip_ms if engine else None,
        "server_state": status.server.value if status.server else None,
        "downsample_ratio": engine.downsample_ratio if engine else None,
        "size": list(status.size),
        "view": [round(value, 4) for value in dataclasses.astuple(status.view)],
        "keeps_room": status.keeps_room,
        "hides_person": status.hides_person,
        "awaits_movement": status.awaits_movement,
        "slides": status.slides,
        "background": status.background,
        "readers": status.readers,
        "cpu_ms_per_frame": round(cpu_s * 1e3 / max(1, status.frames_out), 1),
        "cpu_percent": round(100 * status.cpu_seconds / max(status.seconds, 0.001), 1),
        "peak_rss_mb": round(_peak_rss_bytes(process) / 1e6, 1),
        "phase": status.phase.value,
        "busy": status.busy,
        "source": dataclasses.asdict(status.source) if status.source else None,
        **status.outputs,
        "problems": [{"stage": problem.stage.value, "message": problem.message} for problem in status.problems],
        "errors": list(status.errors),
    }


def write_status(path: Path, status: PipelineStatus) -> None:
    """Write the JSON file. Raise MattecamError."""
    try:
        path.write_text(json.dumps(status_fields(status), indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise MattecamError(ProgramText.STATUS_NOT_WRITTEN(file=path, reason=why_not_written(error))) from error


def _peak_rss_bytes(process: psutil.Process) -> float:
    if sys.platform == "win32":
        return float(process.memory_info().peak_wset)
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return float(peak if sys.platform == "darwin" else peak * 1024)
