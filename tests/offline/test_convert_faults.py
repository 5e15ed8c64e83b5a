"""Offline conversion that is interrupted or fails: no frame is lost, and one sentence reports it."""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from unittest.mock import Mock

import av
import numpy as np
import pytest

from app.core.errors import ModelError, SinkError, SinkLostError, SourceOpenError, UsageError
from app.core.settings import BackgroundSettings, Settings
from app.core.types import Matte
from app.media.video_writer import VideoWriter
from app.offline.batch.plan import clips_in
from app.offline.convert import convert
from app.testing.parts import StepInput
from tests.clips import names_in, write_clip, write_images
from tests.offline.converting import GREEN, HalfEngine, pictures, run
from tests.output.recordings import full_disk


def test_a_kept_partial_conversion_is_finished_under_a_temporary_name(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "in.mp4", 25, audio="aac")
    engine = HalfEngine()
    target = tmp_path / "out.mp4"
    report = run(source, target, engine=engine, should_stop=lambda: engine.steps >= 7, keep_partial=True)
    assert (report.target, report.frames, report.complete) == (tmp_path / "out.part.mp4", 7, False)
    assert not (tmp_path / "out.mp4").exists()
    assert len(pictures(report.target)) == 7
    with av.open(str(report.target)) as container:
        assert container.duration is not None
        assert container.duration < 500_000


FAILED = ModelError("The network failed.")


@pytest.mark.parametrize(
    ("target", "fails", "error"),
    [
        ("out.mp4", lambda: HalfEngine(5, KeyboardInterrupt()), KeyboardInterrupt),
        ("out", lambda: HalfEngine(5, KeyboardInterrupt()), KeyboardInterrupt),
        ("out.mp4", lambda: HalfEngine(0, FAILED), ModelError),
        ("out", lambda: HalfEngine(0, FAILED), ModelError),
        ("out.mp4", Mock(side_effect=FAILED), ModelError),
        ("out.txt", HalfEngine, SinkError),
        ("nowhere/out.mp4", HalfEngine, SinkError),
        ("in.mp4/out.mp4", HalfEngine, SinkError),
    ],
    ids=["ctrl-c", "ctrl-c-images", "first-frame", "first-image", "no-network", "suffix", "folder", "file-as-folder"],
)
def test_what_cannot_go_on_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: str, fails: Callable[[], HalfEngine],
    error: type[BaseException],
) -> None:  # fmt: skip
    monkeypatch.setattr("app.offline.convert.build_engine", lambda *_: fails())
    source = write_clip(tmp_path / "in.mp4", 10)
    with pytest.raises(error):
        convert(source, tmp_path / target, settings=GREEN)
    assert names_in(tmp_path) == ["in.mp4"]


def test_an_interrupted_conversion_leaves_the_film_of_an_earlier_one(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "in.mp4", 25)
    run(source, tmp_path / "out.mp4")
    for frames in 0, 5:
        with pytest.raises(KeyboardInterrupt):
            run(source, tmp_path / "out.mp4", engine=HalfEngine(frames, KeyboardInterrupt()), overwrite=True)
    assert len(pictures(tmp_path / "out.mp4")) == 25


def test_an_interrupted_conversion_leaves_the_images_of_an_earlier_one(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "in.mp4", 4)
    run(source, tmp_path / "out")
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    other = Settings(background=BackgroundSettings(kind="colour", colour="#0000ff"))
    with pytest.raises(KeyboardInterrupt):
        run(source, tmp_path / "out", other, HalfEngine(2, KeyboardInterrupt()), overwrite=True)
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before
    run(source, tmp_path / "out", other, overwrite=True)
    assert {path.name for path in (tmp_path / "out").iterdir()} == set(before)
    assert (tmp_path / "out" / "000000.png").read_bytes() != before["000000.png"]


def test_no_frame_of_a_longer_film_is_left_among_those_of_a_new_one(tmp_path: Path) -> None:
    long, short = write_clip(tmp_path / "long.mp4", 4), write_clip(tmp_path / "short.mp4", 2)
    run(long, tmp_path / "out")
    (tmp_path / "out" / "notes.txt").write_text("kept")
    run(write_images(tmp_path / "in", "000001.png"), tmp_path / "out", overwrite=True)
    assert len(list((tmp_path / "out").iterdir())) == 5, "images under names of their own replace only these"
    run(short, tmp_path / "out", overwrite=True)
    assert names_in(tmp_path / "out") == ["000000.png", "000001.png", "notes.txt"]


def test_the_second_of_two_conversions_into_one_new_folder_is_kept_beside_it(tmp_path: Path) -> None:
    source, target = write_clip(tmp_path / "in.mp4", 3), tmp_path / "out"
    with pytest.raises(SinkLostError, match=r"another file has got this name.*What was written is in .*out\.part\."):
        run(source, target, progress=lambda *_: target.is_dir() or write_images(target, "000000.png"))
    assert len(list((tmp_path / "out.part").iterdir())) == 3


def test_images_appear_under_their_name_when_all_are_there(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "in.mp4", 4)
    seen = []
    target = tmp_path / "out"
    run(source, target, progress=lambda done, _: seen.append(target.exists()))
    assert seen == [False, False, False, False, True]


@pytest.mark.parametrize(
    ("error", "keep", "left"),
    [
        (ValueError, None, 3),
        (ValueError, False, 0),
        (SystemExit, None, 0),
        (BrokenPipeError, None, 0),
        (SystemExit, True, 3),
    ],
)
def test_an_error_of_the_caller_keeps_what_was_asked_for(
    tmp_path: Path, error: type[BaseException], keep: bool | None, left: int
) -> None:
    def fail(done: int, total: int | None) -> None:
        if done == 3:
            raise error

    with pytest.raises(error):
        run(write_clip(tmp_path / "in.mp4", 5), tmp_path / "out", progress=fail, keep_partial=keep)
    part = tmp_path / "out.part"
    assert part.exists() == (left > 0) and len(list(part.glob("*"))) == left


def test_a_matte_goes_into_a_folder_within_that_of_the_frames(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    run(write_clip(tmp_path / "in.mp4", 2), tmp_path / "out", alpha=tmp_path / "out" / "alpha")
    names = [file.name for file in sorted((tmp_path / "out").rglob("*.png"))]
    assert names == ["000000.png", "000001.png"] * 2


def test_a_failing_network_keeps_the_frames_so_far(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "in.mp4", 25)
    engine = HalfEngine(5, ModelError("The network failed."))
    with pytest.raises(ModelError, match=r"The network failed. Frames kept in .*out\.part\.mp4: the first 5\."):
        run(source, tmp_path / "out.mp4", engine=engine)
    assert engine.closed
    assert len(pictures(tmp_path / "out.part.mp4")) == 5
    assert not (tmp_path / "out.mp4").exists()


@pytest.mark.parametrize("keep", [None, False])
@pytest.mark.parametrize(("target", "last_step"), [("out.mp4", "replace"), ("out", "rename")])
def test_a_disk_that_is_full_at_the_end_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: str, last_step: str, keep: bool | None
) -> None:
    def fail(path: Path, other: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    source = write_clip(tmp_path / "in.mp4", 3)
    monkeypatch.setattr(Path, last_step, fail)
    with pytest.raises(SinkLostError, match="could not be completed: the disk is full") as failure:
        run(source, tmp_path / target, keep_partial=keep)
    left = {path.name for path in tmp_path.iterdir()} - {"in.mp4"}
    if keep is None:
        (name,) = left
        assert str(failure.value).endswith(f"What was written is in {tmp_path / name}.")
    else:
        assert not left and "What was written" not in str(failure.value)


def test_a_disk_that_fills_up_is_named_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(writer: VideoWriter, *_image: object, **_options: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(writer.path))

    class FullSoon(HalfEngine):
        def matte(self, step: StepInput) -> Matte:
            if self.steps == 2:
                monkeypatch.setattr(VideoWriter, "write", fail)
                monkeypatch.setattr(VideoWriter, "close", fail)
            return super().matte(step)

    with pytest.raises(SinkLostError) as failure:
        run(write_clip(tmp_path / "in.mp4", 5), tmp_path / "out.mp4", engine=FullSoon())
    assert str(failure.value).count("the disk is full") == 1
    assert str(failure.value).endswith(f"What was written is in {tmp_path / 'out.part.mp4'}.")


def test_a_folder_that_cannot_be_read_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "iterdir", refuse)
    for read in (lambda: run(tmp_path, tmp_path / "out"), lambda: clips_in(str(tmp_path))):
        with pytest.raises(SourceOpenError, match="no permission to read it; check its name and permissions"):
            read()


@pytest.mark.parametrize("name", ["in.mp4", "./in.mp4", "sub/../in.mp4"])
def test_the_source_is_never_written_over(tmp_path: Path, name: str) -> None:
    source = write_clip(tmp_path / "in.mp4", 3)
    (tmp_path / "sub").mkdir()
    before = source.read_bytes()
    with pytest.raises(UsageError, match="the source"):
        run(source, tmp_path / name)
    with pytest.raises(UsageError, match="another output"):
        run(source, tmp_path / "a.mp4", alpha=tmp_path / "a.mp4")
    assert source.read_bytes() == before


class NoisyEngine(HalfEngine):
    """Returns composites that no encoder makes small."""

    def matte(self, step: StepInput) -> Matte:
        matte = super().matte(step)
        noise = np.random.default_rng(self.steps).integers(0, 255, step.frame.shape, np.uint8)
        return replace(matte, composite=noise)


def test_a_full_disk_is_reported_and_the_frames_are_kept(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "in.mp4", 60, fps=50, size=(192, 96))
    too_large = "the file has become too large for this disk"
    with full_disk(400_000), pytest.raises(SinkLostError, match=too_large) as failure:
        run(source, tmp_path / "out.mp4", engine=NoisyEngine())
    assert "out.part.mp4" in str(failure.value)
    # What is kept ends with a whole fragment; one takes about a quarter of this disk.
    assert (tmp_path / "out.part.mp4").stat().st_size > 150_000
    assert not (tmp_path / "out.mp4").exists()
