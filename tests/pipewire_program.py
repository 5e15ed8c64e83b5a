"""A program with a PipeWire camera: the pipeline with stand-ins for camera and network. Ends with its input."""

from __future__ import annotations

import sys

from app.core.settings import BackgroundSettings, CaptureSettings, OutputSettings, Settings
from app.output.pipewire import open_camera
from app.runtime.pipeline import Pipeline
from mattecam.testing import HEIGHT, WIDTH
from tests.fakes.world import FakeWorld


def main() -> None:
    parts = FakeWorld().parts().with_sinks(pipewire=open_camera)
    settings = Settings(
        capture=CaptureSettings(source="fake", width=WIDTH, height=HEIGHT, fps=60),
        background=BackgroundSettings(kind="colour", colour="#0000ff"),
        output=OutputSettings(virtual_camera="off", pipewire="on"),
    )
    pipeline = Pipeline(settings, parts=parts)
    pipeline.start()
    sys.stdin.read()
    assert pipeline.stop(), "a thread did not end"


if __name__ == "__main__":
    main()
