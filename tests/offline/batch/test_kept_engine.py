"""A worker loads the network once for all its clips."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import cv2
import pytest

from app.core.settings import EngineSettings, FramingSettings
from app.matting import build_engine
from app.matting.interface import MattingEngine
from app.offline.convert import KeptEngine
from app.offline.job import run_job
from tests.clips import demo, write_clip
from tests.offline.batch.conftest import jobs_of, sequential_hashes
from tests.offline.converting import HalfEngine
from tests.stand_ins import always


def test_clips_share_an_engine_and_have_the_bits_of_one_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each photo of a folder loaded the network."""
    sizes = []

    def build(
        settings: EngineSettings, width: int, height: int, framing: FramingSettings
    ) -> MattingEngine:
        sizes.append((width, height))
        return build_engine(settings, width, height, framing)

    monkeypatch.setattr("app.offline.convert.build_engine", build)
    clips = [tmp_path / "1.png", write_clip(tmp_path / "2.mp4", 3), tmp_path / "3.png"]
    for clip in (clips[0], clips[2]):
        cv2.imwrite(str(clip), demo(160, 120, [40])[0])
    jobs = jobs_of(clips, tmp_path / "out")
    alone = sequential_hashes(jobs)
    assert len(sizes) == 3

    with closing(KeptEngine()) as kept:
        together = {Path(job.source).name: run_job(job, always(False), kept).sha256 for job in jobs}

    assert len(sizes) == 4
    assert together == alone


def test_an_engine_that_failed_is_not_used_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engines = [HalfEngine(fail_at=0, error=RuntimeError("device lost")), HalfEngine()]
    monkeypatch.setattr("app.offline.convert.FrameEngine", HalfEngine)
    monkeypatch.setattr("app.offline.convert.build_engine", lambda *_: engines.pop(0))
    failing = engines[0]
    jobs = jobs_of(
        [write_clip(tmp_path / name, 2) for name in ("1.mp4", "2.mp4", "3.mp4")], tmp_path / "out"
    )

    with closing(KeptEngine()) as kept:
        states = [run_job(job, always(False), kept).state for job in jobs]

    assert states == ["failed", "done", "done"]
    assert failing.closed
    assert engines == []
