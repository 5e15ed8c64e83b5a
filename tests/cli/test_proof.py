"""The proof never writes a frame of a user's source."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from app.capture.demo import DemoSource
from app.cli.proof import proof_parts, write_before_after
from app.core.settings import Settings
from app.core.types import Frame, Outgoing, Picture, PictureKind
from app.output.base import SinkContext
from app.testing.parts import FakeSink
from tests.fakes.world import FakeWorld


def composite_of(frame: Frame | None, kind: PictureKind = PictureKind.COMPOSITE) -> Outgoing:
    return Outgoing(Picture(np.zeros((48, 64, 3), np.uint8), kind, frame=frame))


def test_a_before_after_picture_is_made_of_demo_frames_only(tmp_path: Path) -> None:
    path = tmp_path / "before-after.png"
    demo = DemoSource(64, 48, 30, realtime=False).read()
    assert demo is not None
    camera = Frame(demo.image, 0, 0.0)
    for picture in (composite_of(camera), composite_of(None), composite_of(demo, PictureKind.UNMATTED)):
        assert not write_before_after(path, picture)
        assert not path.exists()
    assert write_before_after(path, composite_of(replace(demo, whole=demo.image)))
    assert path.exists()


def test_a_proof_records_no_unmatted_frame() -> None:
    sink = FakeSink()

    parts = proof_parts(FakeWorld().parts().with_sinks(recording=lambda *_: sink))
    (open_recording,) = (spec.open for spec in parts.sinks if spec.name == "recording")
    context = SinkContext(Settings, parts.open_microphone, lambda stage, problem: None)
    recorder = open_recording(Path("proof.mp4"), 64, 48, context)
    for kind in PictureKind:
        recorder.send(composite_of(None, kind))
    assert {picture.kind for picture in sink.pictures} == {PictureKind.STANDBY, PictureKind.COMPOSITE}
    recorder.close()
