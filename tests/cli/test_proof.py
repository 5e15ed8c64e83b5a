"""The proof never writes a frame of a user's source."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.capture.demo import DemoSource
from app.cli.proof import kept_private, write_before_after
from app.core.settings import BackgroundSettings
from app.core.types import Frame, Outgoing, Picture, PictureKind
from app.testing.parts import shows_room
from tests.fakes.world import BASE, NONE, FakeWorld, composites, running
from tests.waiting import eventually


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


GREEN = BackgroundSettings(kind="colour", colour="#00b140")
PROOF = BASE.replace(output=BASE.output.replace(record=Path("proof.mp4")))


@pytest.mark.parametrize(
    "change",
    [
        {"background": BASE.background.replace(kind="blur", blur_strength=0)},
        {"matting": BASE.matting, "background": BASE.background.replace(kind="blur", blur_strength=0)},
    ],
    ids=["strength", "strength and level"],
)
def test_a_proof_ends_with_a_blur_that_shows_text(change: dict[str, Any]) -> None:
    start = PROOF if "matting" in change else PROOF.replaced_at(("matting", "edges"), strict="off")
    weak = start.replace(**change).replaced_at(("matting", "edges"), strict="off")
    assert kept_private(weak, start).output.record is None
    assert kept_private(weak.replaced_at(("matting", "edges"), strict="balanced"), start).output.record is not None


def test_a_proof_ends_with_a_change_that_shows_the_room() -> None:
    world = FakeWorld()

    def shown_by(output: str) -> list[Picture]:
        return [picture for sink in world.sinks if sink.name == output for picture in sink.pictures]

    with running(world, PROOF) as pipeline:
        eventually(lambda: pipeline.status().outputs["recording"] is not None)
        composites(pipeline)
        pipeline.change(lambda now: kept_private(now.replace(background=GREEN), PROOF))
        composites(pipeline)
        assert pipeline.settings.output.record is not None
        pipeline.change(lambda now: kept_private(now.replace(background=NONE.background), PROOF))
        eventually(lambda: any(shows_room(picture.image) for picture in shown_by("virtual_camera")))
    recorded = shown_by("recorder")
    assert any(picture.kind is PictureKind.COMPOSITE for picture in recorded)
    assert not any(shows_room(picture.image) for picture in recorded)


def test_a_recording_that_the_user_names_during_a_proof_goes_on() -> None:
    named = NONE.replace(output=NONE.output.replace(record=Path("named.mp4")))
    assert kept_private(named, PROOF) is named
