"""The plans of the program's sinks: the virtual camera, the PipeWire camera and the recordings."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from app.core.settings import Settings
from app.core.stage import Stage
from app.core.types import Picture
from app.output.base import CameraChoice, CameraSink, CountedSink, FrameSink
from app.output.recording import RecordingOptions
from app.runtime.board import StatusBoard
from app.runtime.outputs.sink_worker import SinkPlan
from app.runtime.parts import Parts
from app.runtime.timing import Timing
from app.sound.microphone import Microphone
from app.system.device_holders import LINUX


def virtual_camera_plan(
    parts: Parts, settings: Callable[[], Settings], board: StatusBoard, timing: Timing
) -> SinkPlan[CameraChoice, CameraSink]:
    """Return the plan of the virtual camera that the settings ask for."""

    def wanted() -> CameraChoice | None:
        output = settings().output
        if output.virtual_camera == "off":
            return None
        side_by_side = output.alpha_output == "side-by-side"
        return CameraChoice(output.virtual_camera, output.virtual_camera_backend, side_by_side)

    def open_camera(choice: CameraChoice, picture: Picture) -> CameraSink:
        return parts.open_virtual_camera(choice, *picture.size, settings().capture.fps)

    def opened(camera: CameraSink | None) -> None:
        board.virtual_camera = camera.device if camera else None

    return SinkPlan(
        Stage.VIRTUAL_CAMERA,
        wanted,
        open_camera,
        timing.virtual_camera_retry_s,
        optional=lambda choice: choice.device == "auto",
        opened=opened,
    )


def pipewire_plan(
    parts: Parts, settings: Callable[[], Settings], board: StatusBoard, timing: Timing
) -> SinkPlan[tuple[str, bool], CountedSink]:
    """Return the plan of the PipeWire camera."""

    def wanted() -> tuple[str, bool] | None:
        output = settings().output
        if not output.offers_pipewire or (output.pipewire == "auto" and not LINUX):
            return None
        return output.pipewire, output.alpha_output == "bgra"

    def open_camera(choice: tuple[str, bool], picture: Picture) -> CountedSink:
        return parts.open_pipewire_camera(*picture.size, settings().capture.fps, choice[1])

    def opened(camera: CountedSink | None) -> None:
        board.pipewire = camera

    def is_read() -> bool:
        return board.pipewire is not None and board.pipewire.readers > 0

    return SinkPlan(
        Stage.PIPEWIRE,
        wanted,
        open_camera,
        timing.pipewire_retry_s,
        optional=lambda choice: choice[0] == "auto",
        opened=opened,
        measured=is_read,
    )


def _microphone(parts: Parts, settings: Callable[[], Settings], board: StatusBoard) -> Microphone:
    """Open the microphone of the settings; it is released while the output is paused."""

    def wanted() -> str | None:
        now = settings()
        return None if now.paused or now.output.microphone == "off" else now.output.microphone

    def report(error: Exception | None) -> None:
        if error is None:
            board.clear(Stage.MICROPHONE)
        else:
            board.report(Stage.MICROPHONE, error)

    return Microphone(parts.open_microphone, wanted, report)


def recorder_plan(
    parts: Parts, settings: Callable[[], Settings], board: StatusBoard, *, alpha: bool
) -> SinkPlan[Path, FrameSink]:
    """Return the plan of the recording, or of that of the alpha."""

    def wanted() -> Path | None:
        output = settings().output
        return output.record_alpha if alpha else output.record

    def open_file(path: Path, picture: Picture) -> FrameSink:
        capture, output = settings().capture, settings().output
        sound = None if alpha or output.microphone == "off" else lambda: _microphone(parts, settings, board)
        options = RecordingOptions(
            capture.fps,
            alpha,
            output.record_rate == "constant",
            output.encoder,
            sound,
            board.recording_counts,
            board.turns,
        )
        return parts.open_recorder(path, *picture.size, options)

    def opened(recorder: FrameSink | None) -> None:
        name = recorder.name if recorder else None
        if alpha:
            board.recording_alpha = name
        else:
            board.recording = name

    return SinkPlan(
        Stage.RECORDING, wanted, open_file, None, optional=lambda path: False, opened=opened, from_first_matte=True
    )
