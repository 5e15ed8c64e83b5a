"""The command `devices`: lists cameras and virtual cameras."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer

from app.core import paths


def devices(as_json: Annotated[bool, typer.Option("--json", help="For scripts.")] = False) -> None:
    """List cameras and virtual cameras with their values for --source and --virtual-camera."""
    from app.capture.devices import list_cameras
    from app.output.camera_list import list_virtual_cameras

    cameras, virtual = list_cameras(), list_virtual_cameras()
    if as_json:
        shown = ("id", "name", "path", "index", "sizes", "formats")
        found = {
            "cameras": [{name: getattr(camera, name) for name in shown} for camera in cameras],
            "virtual_cameras": [asdict(camera) for camera in virtual],
        }
        print(json.dumps(found, indent=2))
        return
    for camera in cameras:
        widest = f", up to {camera.sizes[-1][0]}x{camera.sizes[-1][1]}" if camera.sizes else ""
        formats = f", {' '.join(camera.formats)}" if camera.formats else ""
        if camera.by_pipewire:
            print(f"{camera.source}  {camera.name}  (PipeWire)")
            continue
        print(f"camera:{camera.index}  {camera.name}{widest}{formats}  (camera:{camera.id})")
    for device in virtual:
        print(f"virtual camera  {device.id}  {device.label}{', in use' if device.busy else ''}")
    if not cameras:
        print("No camera was found; the demo view (--source demo) works without one.")
    if not virtual:
        print(paths.advice("No virtual camera was found; `python3 run.py doctor` tells how to get one."))
