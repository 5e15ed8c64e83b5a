"""Messages of output."""

from __future__ import annotations

from app.core.text import Message


class VirtualCameraText(Message):
    """Errors of virtual cameras."""

    NONE_ON_LINUX = (
        "There is no virtual camera: install v4l2loopback (package v4l2loopback-dkms), then run `{command}`⟦, "
        "or let `python3 run.py doctor --fix` do it⟧."
    )
    NONE_ELSEWHERE = (
        "There is no virtual camera: install OBS Studio 30 or later, which provides one, start it once and close it."
    )
    ABSENT = "The virtual camera {device} does not exist; choose another one or `auto`."
    ABSENT_AMONG = "There is no virtual camera {device}; choose one of {devices}."
    NOT_PERMITTED = (
        "You have no permission to open the virtual camera {device}; run `sudo usermod -aG video $USER`, then "
        "log out and log in again."
    )
    NOT_AN_OUTPUT = (
        "{device} accepts no frames: it is a real camera or for that of a phone, or another program sends to it; "
        "choose another virtual camera, or close that program."
    )
    IS_SOURCE = "{device} is the camera that the picture comes from; choose another virtual camera or another source."
    OPEN_HERE = "The virtual camera {device} is already open in this program; choose another one."
    BUSY = "Another program sends to the virtual camera {device}; close that program or choose another virtual camera."
    NOT_STARTED = "The virtual camera {device} does not start; stop it in OBS and close other programs that send to it."
    FORMAT = (
        "The virtual camera {device} is held in a format that cannot be sent ({width}×{height} {format}); "
        "close the programs that use it and try again."
    )
    CLOSED = "The virtual camera {device} is closed; open it again."
    V4L2_ON_LINUX_ONLY = "The virtual-camera backend v4l2 exists on Linux only; choose `auto` or `pyvirtualcam`."
    FAILED = "The virtual camera {device} cannot be used; choose another one⟦ or run `python3 run.py doctor`⟧."


class PipeWireText(Message):
    """Errors of the PipeWire camera."""

    ABSENT = (
        "PipeWire does not answer, so that there is no PipeWire camera; install and start pipewire and wireplumber, "
        "or switch the PipeWire camera off⟦ with --pipewire off⟧."
    )
    LOST = "PipeWire has stopped, and the PipeWire camera with it; start pipewire again."
    CLOSED = "The PipeWire camera is closed; open it again."


class MicrophoneText(Message):
    """Errors of microphones. Recordings go on without sound."""

    NO_LIBRARY = (
        "Sound cannot be recorded because the library of the sound server is missing; install it (package libpulse0), "
        "or turn the microphone off."
    )
    NOT_OPENED = (
        "The microphone {device} cannot be opened, and the recording has no sound; connect it or choose another one."
    )
    LOST = "The microphone {device} was disconnected, and the recording goes on without sound; connect it again."
    NOT_SUPPORTED = (
        "The installed FFmpeg cannot read microphones, and the recording has no sound; turn the microphone off."
    )


class RecordingText(Message):
    """Errors of recordings."""

    NOT_STARTED = "The recording {file} cannot be started: {reason}."
    FINISHED = "The recording {file} is finished; start another one."
    STOPPED = "The recording stopped: {reason} ({kept})."
    NOT_FINISHED = "The recording could not be completed: {reason} ({kept})."
    OTHER_ENCODER = "The encoder {wanted} does not work on this computer; the recording uses {used}."
    NAME_TAKEN = "Another file {file} appeared during the recording, which is saved as {copy}."
    KEPT = "the recording so far is in {file}"
    NOTHING_KEPT = "nothing was recorded"
