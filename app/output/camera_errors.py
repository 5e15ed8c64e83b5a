"""What the drivers of virtual cameras say, in the user's words: what happened and what to do."""

from __future__ import annotations

LOAD_COMMAND = 'sudo modprobe v4l2loopback devices=1 video_nr=10 exclusive_caps=1 card_label="Mattecam"'

NO_DEVICE = (
    "There is no virtual camera: install v4l2loopback (package v4l2loopback-dkms), then run "
    f"'{LOAD_COMMAND}', or let 'run.py doctor --fix' do it."
)

_SENTENCES = (
    ("No v4l2 loopback device found", NO_DEVICE),
    (
        "Did you install OBS",
        "There is no virtual camera: install OBS Studio 30 or later, which brings one, start it once and close it.",
    ),
    ("does not exist", "The virtual camera {device} does not exist; choose another one or 'auto'."),
    (
        "missing permissions",
        "The virtual camera {device} may not be opened: run 'sudo usermod -aG video $USER', log out and in again.",
    ),
    (
        "Permission denied",
        "The virtual camera {device} may not be opened: run 'sudo usermod -aG video $USER', log out and in again.",
    ),
    (
        "is not a video output device",
        "{device} takes no pictures: it is a real camera, or another program is sending to it; "
        "close that program or choose another virtual camera.",
    ),
    ("already in use", "The virtual camera {device} is open in this program already; choose another one."),
    (
        "resource busy",
        "Another program is sending to the virtual camera {device}; close that program or choose another one.",
    ),
    (
        "could not be started",
        "The virtual camera {device} does not start: stop it in OBS, and close other programs that send to it.",
    ),
)


def sentence(error: object, device: str) -> str:
    """One sentence for what opening or feeding `device` raised."""
    text = str(error)
    for words, answer in _SENTENCES:
        if words in text:
            return answer.format(device=device)
    first_line = text.strip().split("\n")[0].rstrip(".") or type(error).__name__
    return f"The virtual camera {device} cannot be used ({first_line}); choose another one or run 'run.py doctor'."
