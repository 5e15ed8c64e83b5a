"""Asks the camera portal for the cameras and writes the frames of one to standard output, as I420.

It runs in a sandbox, with the machine's Python, Gio and GStreamer and nothing of this project. Exit code 3: refused.
"""

from __future__ import annotations

import os
import sys
from typing import Any

import gi

gi.require_version("Gio", "2.0")
from gi.repository import Gio, GLib  # noqa: E402 - as PyGObject asks

DESKTOP, PATH, CAMERA = (
    "org.freedesktop.portal.Desktop",
    "/org/freedesktop/portal/desktop",
    "org.freedesktop.portal.Camera",
)
REFUSED = 3


def main(camera: str) -> None:
    bus = Gio.bus_get_sync(Gio.BusType.SESSION, None)
    loop, answers = GLib.MainLoop(), []

    def answered(*arguments: Any) -> None:
        answers.append(arguments[5].unpack()[0])
        loop.quit()

    sender = bus.get_unique_name()[1:].replace(".", "_")
    bus.signal_subscribe(
        DESKTOP, "org.freedesktop.portal.Request", "Response", f"{PATH}/request/{sender}/viewer", None, 0, answered
    )
    options = GLib.Variant("(a{sv})", ({"handle_token": GLib.Variant("s", "viewer")},))
    bus.call_sync(DESKTOP, PATH, CAMERA, "AccessCamera", options, None, 0, -1, None)
    loop.run()
    if answers[0] != 0:
        sys.exit(REFUSED)
    nothing = GLib.Variant("(a{sv})", ({},))
    given, sockets = bus.call_with_unix_fd_list_sync(
        DESKTOP, PATH, CAMERA, "OpenPipeWireRemote", nothing, None, 0, -1, None, None
    )
    socket = sockets.get(given.unpack()[0])
    frames = os.dup(1)  # gst-launch writes messages to standard output
    os.set_inheritable(socket, True)
    os.set_inheritable(frames, True)
    os.dup2(2, 1)
    os.execvp(
        "gst-launch-1.0",
        ["gst-launch-1.0", "-q", "pipewiresrc", f"fd={socket}", f"target-object={camera}", "!", "videoconvert", "!",
         "video/x-raw,format=I420", "!", "fdsink", f"fd={frames}", "sync=false"],
    )  # fmt: skip


if __name__ == "__main__":
    main(sys.argv[1])
