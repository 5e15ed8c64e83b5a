"""What each command of `run.py ctl` does, for its help."""

from __future__ import annotations

from collections.abc import Mapping

DESCRIPTIONS: Mapping[str, str] = {
    "autostart": "Start with the desktop, or no longer.",
    "background": "Choose the background: by name or number as in the window, a blur, a file, slides or a screen.",
    "background-view": "Choose the part of the background that is shown.",
    "framing": "Show the whole frame, follow the person, or zoom.",
    "freeze": "Keep sending the present picture, or go on.",
    "get": "Show a setting with its choices, or all settings.",
    "light": "Adapt the person's light to the background: strength in percent.",
    "microphone": "Choose the sound of recordings.",
    "model": "Choose the network.",
    "overlay": "Show a picture or a text over the output.",
    "only-me": "Show one person only.",
    "parallax": "Move the background slowly against the head: strength in percent.",
    "pause": "Send the stand-by card in place of the picture, or go on.",
    "place": "Move and scale the person over the background.",
    "plate": "Take or choose the picture of the empty room.",
    "quit": "End the program.",
    "ratio": "Set the downsample ratio of the frame for the network.",
    "record": "Record the output to a new file, or stop.",
    "record-alpha": "Record the matte to a new file, or stop.",
    "remove-scene": "Delete a saved scene.",
    "rename-scene": "Rename a saved scene.",
    "reset": "Give a setting its default value.",
    "resume": "Go on after a pause.",
    "retry": "Try again what failed.",
    "save-scene": "Save the present look as a scene.",
    "save-scene-with-camera": "Save it with camera and virtual camera.",
    "scene": "Use a saved scene.",
    "set": "Change a setting.",
    "server": "Choose the matting server.",
    "slide": "Turn the slides of the background.",
    "snapshot": "Save the present picture of the output as a PNG file.",
    "status": "Print the state of the program.",
    "zones": "Use the zones of a file, undo the last one, or use none.",
    "zoom": "Enlarge the camera's picture.",
}
