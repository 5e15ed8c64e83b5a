"""A program with a PipeWire camera: the pipeline with stand-ins for camera and network. Ends with its input."""

from __future__ import annotations

import sys

from app.output.pipewire import open_camera
from tests.fakes.world import BASE, FakeWorld, running

if __name__ == "__main__":
    world = FakeWorld()
    parts = world.parts().with_sinks(pipewire=open_camera)
    with running(
        world, BASE.replaced_at(["output"], virtual_camera="off", pipewire="on"), parts=parts
    ):
        sys.stdin.read()
