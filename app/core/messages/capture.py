"""Messages of capture."""

from __future__ import annotations

from app.core.text import Message


class CameraText(Message):
    """Errors of cameras."""

    NAME = "{name} ({device})"
    CANNOT_OPEN = "The camera {camera} cannot be opened: {reason}."
    NO_FRAMES = "The camera {camera} delivers no frames: {reason}."
    SILENT = "The camera {camera} has delivered no frame for {seconds} seconds: {reason}."
    SILENT_SOURCE = (
        "{source} has delivered no frame for {seconds} seconds; check its cable and that no other program uses "
        "it. It is being reopened."
    )
    SILENT_SENDER = (
        "The program that sends to {source} has delivered no frame for {seconds} seconds; start it again or choose "
        "another camera."
    )
    DISCONNECTED = "The camera {camera} is disconnected; reconnect it or choose another camera."
    BLACK = "The camera {camera} delivers only black frames; open its shutter, or choose another size or format."
    GREEN = "The camera {camera} delivers only green frames; choose another size or format."
    DAMAGED = "The camera {camera} delivers only damaged frames; check its cable, or use another USB port."
    UNKNOWN = "There is no camera {name}; connect it or choose another one⟦ (the command `devices` lists them)⟧."
    NOT_DECODED = "The camera {camera} sends video that cannot be decoded; choose another format or another camera."
    NONE = "No camera was found; connect one or choose another source."
    OWN_OUTPUT = (
        "{camera} is the virtual camera that this program sends to; choose another source or another virtual camera."
    )
    SEVERAL = "There are several cameras {name}; choose one of {sources}."
    REASON_UNKNOWN = (
        "check that it is connected, that no other program uses it, and that this program may access cameras"
    )
    REASON_ABSENT = "it is not connected; connect it or choose another camera"
    REASON_NOT_PERMITTED = "you have no permission to open it; add your user to the group video and log in again"
    REASON_DISCONNECTED = "it was disconnected; reconnect it"
    REASON_NOT_A_CAMERA = "it is not a camera; choose another one"
    REASON_NO_SENDER = "no program sends to it; start one or choose another camera"
    REASON_SILENT_SENDER = (
        "nothing is sent to it, though it is open in {programs}; start the program that sends again or choose "
        "another camera"
    )
    REASON_NO_FRAMES = "it delivers no frames; reconnect it, or choose another size or format"
    REASON_IN_USE = "it is in use by {programs}; close it there or choose another camera"


class SourceText(Message):
    """Errors of other sources."""

    DEMO_DAMAGED = "The demo image {file} is missing or damaged; reinstall the program."
    EMPTY = "A source cannot be empty; use auto, demo, camera:INDEX, camera:/dev/videoN or a video file."
    ADDRESS = (
        "{text} is an address, which cannot be a source; use auto, demo, camera:INDEX, camera:/dev/videoN or a video "
        "file."
    )
    NO_CAMERA_NAMED = (
        "“{text}” names no camera; use camera:INDEX, camera:/dev/videoN or an id⟦ that the command `devices` lists⟧."
    )
    FOLDER = "{file} is a folder; choose a video or an image in it⟦ (`python3 run.py convert` converts folders)⟧."


class PortalText(Message):
    """Errors of the camera portal."""

    ABSENT = (
        "The desktop has no camera portal; install xdg-desktop-portal with the backend of the desktop, or choose "
        "another source."
    )
    REFUSED = "The desktop refused access to its cameras; allow it in the privacy settings, or choose another source."
    NO_ANSWER = "The question of the desktop about the camera was not answered; answer it, or choose another source."
    NO_CAMERA = "The camera portal offers no camera; connect one or choose another source."
    ABSENT_AMONG = "The camera portal offers no camera {camera}; choose one of {cameras}."
    NO_FRAMES = "The camera {camera} of the portal delivers no frames; close the programs that use it."
    LOST = "The camera {camera} of the portal is gone; connect it again."
