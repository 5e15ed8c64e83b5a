"""The sinks of the program. A new one is a module with a `FrameSink` and a row here."""

from __future__ import annotations

from functools import partial
from importlib.util import find_spec
from typing import Any

from app.core.errors import Stage
from app.core.process import LINUX
from app.media.yuv import load_kernels
from app.output import pipewire, recording, virtual_camera
from app.output.base import SinkSpec
from app.output.camera_list import is_automatic, list_virtual_cameras
from app.settings import Settings
from app.system.pipewire.connection import daemon_answers


def _load_for_camera(choice: virtual_camera.CameraChoice) -> None:
    # Elsewhere pyvirtualcam packs; packages lack it.
    if LINUX or find_spec("pyvirtualcam") is None:
        load_kernels()


def _load_for_node(choice: pipewire.NodeChoice) -> None:
    if not choice.alpha:
        load_kernels()


SINKS: tuple[SinkSpec[Any], ...] = (
    SinkSpec(
        "virtual_camera",
        virtual_camera.wanted_camera,
        virtual_camera.open_virtual_camera,
        _load_for_camera,
        Stage.VIRTUAL_CAMERA,
        optional=lambda choice: choice.device == "auto",
        waits_for_readers=True,
        takes_device_of=virtual_camera.takes_device_of,
    ),
    SinkSpec(
        "recording",
        lambda settings: settings.output.record,
        recording.Recorder,
        stage=Stage.RECORDING,
        retry_s=None,
        unset=lambda settings: settings.replaced_at(["output"], record=None),
        from_first_matte=True,
    ),
    SinkSpec(
        "recording_alpha",
        lambda settings: settings.output.record_alpha,
        partial(recording.Recorder, alpha=True),
        stage=Stage.RECORDING,
        retry_s=None,
        unset=lambda settings: settings.replaced_at(["output"], record_alpha=None),
        from_first_matte=True,
    ),
    SinkSpec(
        "pipewire",
        pipewire.wanted_camera,
        pipewire.open_camera,
        _load_for_node,
        Stage.PIPEWIRE,
        retry_s=5.0,
        optional=lambda choice: not choice.required,
        waits_for_readers=True,
    ),
)


def has_camera(settings: Settings) -> bool:
    """Return whether programs can see the picture as a virtual camera, or as that of PipeWire."""
    is_auto = settings.output.virtual_camera == "auto"
    for camera in list_virtual_cameras(probe=False):
        if not is_auto or is_automatic(camera.label):
            return True
    return settings.output.offers_pipewire and daemon_answers()
