"""What a conversion keeps, and what it removes, where it is interrupted or fails."""

from __future__ import annotations

import errno
import json
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from unittest.mock import Mock, patch

import numpy as np
import pytest

from app.cli import main
from app.core import EXIT_FAILED
from app.core.errors import (
    MattecamError,
    ModelError,
    SinkError,
    SinkLostError,
    SinkOpenError,
    SourceOpenError,
    UsageError,
)
from app.core.settings import BackgroundSettings
from app.matting.interface import ExecutorError, NotAMatteError
from app.offline.convert import convert_clip
from app.offline.plan import clips_in
from app.settings import Settings
from tests.clips import names_in, pictures, write_clip, write_images
from tests.offline.converting import GREEN, HalfEngine, failed, run
from tests.output.recordings import full_disk
from tests.stand_ins import always, forbidden


def test_a_stopped_conversion_leaves_nothing(tmp_path: Path) -> None:
    engine = HalfEngine()
    source = write_clip(tmp_path / "in.mp4", 25, audio="aac")

    def should_stop() -> bool:
        return engine.steps >= 7

    report = run(source, tmp_path / "out.mp4", engine=engine, should_stop=should_stop)

    assert (report.frames, report.complete) == (7, False)
    assert names_in(tmp_path) == ["in.mp4"]


def interrupted_engine() -> HalfEngine:
    """Return an engine that is interrupted in the middle of a clip."""
    return HalfEngine(3, KeyboardInterrupt())


def failing_engine() -> HalfEngine:
    """Return an engine that fails at the first frame."""
    return HalfEngine(0, failed())


@pytest.mark.parametrize(
    ("target", "fails", "error"),
    [
        pytest.param("out.mp4", interrupted_engine, KeyboardInterrupt, id="ctrl-c"),
        pytest.param("out", interrupted_engine, KeyboardInterrupt, id="ctrl-c-images"),
        pytest.param("out.mp4", failing_engine, ModelError, id="first-frame"),
        pytest.param("out", failing_engine, ModelError, id="first-image"),
        pytest.param("out.mp4", Mock(side_effect=failed()), ModelError, id="no-network"),
        pytest.param("out.txt", HalfEngine, SinkError, id="suffix"),
        pytest.param("nowhere/out.mp4", HalfEngine, SinkError, id="folder"),
        pytest.param("in.mp4/out.mp4", HalfEngine, SinkError, id="file-as-folder"),
    ],
)
def test_what_cannot_go_on_leaves_nothing(
    tmp_path: Path, clip: Path, monkeypatch: pytest.MonkeyPatch, target: str, fails: Callable[[], HalfEngine],
    error: type[BaseException],
) -> None:  # fmt: skip
    def build(*_: object) -> HalfEngine:
        return fails()

    monkeypatch.setattr("app.offline.convert.build_engine", build)

    with pytest.raises(error):
        convert_clip(clip, tmp_path / target, settings=GREEN)

    assert names_in(tmp_path) == ["in.mp4"]


@pytest.mark.parametrize("target", ["out.mp4", "out"])
@pytest.mark.parametrize("frames", [0, 2])
def test_an_interrupted_conversion_leaves_what_an_earlier_one_made(
    tmp_path: Path, clip: Path, target: str, frames: int
) -> None:
    made = tmp_path / target
    other = Settings(background=BackgroundSettings(kind="colour", colour="#0000ff"))

    def contents() -> list[bytes]:
        return [path.read_bytes() for path in (sorted(made.iterdir()) if made.is_dir() else [made])]

    run(clip, made)
    before = contents()
    with pytest.raises(KeyboardInterrupt):
        run(clip, made, other, HalfEngine(frames, KeyboardInterrupt()), overwrite=True)
    assert contents() == before and len(before) == (1 if made.suffix else 5)
    run(clip, made, other, overwrite=True)
    assert contents()[0] != before[0] and len(contents()) == len(before)


def test_no_frame_of_a_longer_film_is_left_among_those_of_a_new_one(
    tmp_path: Path, clip: Path
) -> None:
    run(clip, tmp_path / "out")
    (tmp_path / "out" / "notes.txt").write_text("kept")
    run(write_images(tmp_path / "in", "000001.png"), tmp_path / "out", overwrite=True)
    assert len(list((tmp_path / "out").iterdir())) == 6, (
        "images under names of their own replace only these"
    )
    run(write_clip(tmp_path / "short.mp4", 2), tmp_path / "out", overwrite=True)
    assert names_in(tmp_path / "out") == ["000000.png", "000001.png", "notes.txt"]


def test_the_second_of_two_conversions_into_one_new_folder_is_kept_beside_it(
    tmp_path: Path, clip: Path
) -> None:
    target = tmp_path / "out"

    def make_the_folder(*_: object) -> None:
        if not target.is_dir():
            write_images(target, "000000.png")

    with pytest.raises(
        SinkLostError, match=r"another file has got this name.*What was written is in .*out\.part\."
    ):
        run(clip, target, progress=make_the_folder)
    assert len(list((tmp_path / "out.part").iterdir())) == 5


@pytest.mark.parametrize(
    ("error", "keep", "left"),
    [
        (ValueError, True, 3),
        (ValueError, False, 0),
        (SystemExit, True, 0),
        (BrokenPipeError, True, 0),
    ],
)
def test_an_error_of_the_caller_keeps_what_was_asked_for(
    tmp_path: Path,
    clip: Path,
    caplog: pytest.LogCaptureFixture,
    error: type[BaseException],
    keep: bool,
    left: int,
) -> None:
    """An end of the program, and nobody who reads the progress, are interruptions."""
    with pytest.raises(error):
        run(
            clip, tmp_path / "out", progress=Mock(side_effect=[None, None, error]), keep_failed=keep
        )
    part = tmp_path / "out.part"
    assert part.exists() == (left > 0) and len(list(part.glob("*"))) == left
    assert caplog.messages == ([f"Frames kept in {part}: the first 3."] if left else [])
    caplog.clear()


# What a network raises in the middle of a film, the error of the film, and words of its text.
FAILURES = [
    pytest.param(
        RuntimeError("bad"), ExecutorError, "failed on the device cpu", id="an executor that fails"
    ),
    pytest.param(
        RuntimeError("CUDA out of memory"),
        ExecutorError,
        "ran out of memory",
        id="a full graphics card",
    ),
    pytest.param(MemoryError(), ExecutorError, "ran out of memory", id="a full memory"),
    pytest.param(
        NotAMatteError(),
        ExecutorError,
        "values that are not numbers",
        id="values that are not numbers",
    ),
    pytest.param(
        ModelError("It failed."), ModelError, "It failed", id="another error of the model"
    ),
]


@pytest.mark.parametrize(("raised", "kind", "words"), FAILURES)
def test_a_failing_network_keeps_the_frames_so_far(
    tmp_path: Path, clip: Path, raised: Exception, kind: type[Exception], words: str
) -> None:
    """The error was built again by its type alone, which failed by a traceback and did not name
    the frames.
    """
    engine = HalfEngine(3, raised)

    with pytest.raises(kind, match=rf"{words}.* Frames kept in .*out\.part\.mp4: the first 3\.$"):
        run(clip, tmp_path / "out.mp4", engine=engine)

    assert engine.closed
    assert len(pictures(tmp_path / "out.part.mp4")) == 3
    assert not (tmp_path / "out.mp4").exists()


@pytest.mark.parametrize(("raised", "kind", "words"), FAILURES)
def test_the_command_line_names_the_frames_of_a_network_that_fails(
    tmp_path: Path,
    clip: Path,
    capsys: pytest.CaptureFixture[str],
    raised: Exception,
    kind: type[Exception],
    words: str,
) -> None:
    words_of_command = [
        "convert",
        str(clip),
        str(tmp_path / "out.mp4"),
        "--background",
        "green",
        "--json",
    ]
    words_of_command += ["--strict", "off"]  # one step a frame

    with patch("app.offline.convert.build_engine", always(HalfEngine(3, raised))):
        code = main.main(words_of_command)

    output = capsys.readouterr()
    last = json.loads(output.out.splitlines()[-1])
    assert code == EXIT_FAILED
    assert (
        words in output.err
        and f"Frames kept in {tmp_path / 'out.part.mp4'}: the first 3." in output.err
    )
    assert last["state"] == "failed" and "the first 3." in last["error"]


def test_memory_that_runs_out_beside_the_network_is_a_sentence_with_the_frames(
    tmp_path: Path, clip: Path
) -> None:
    with pytest.raises(
        MattecamError, match=r"not enough memory; .*Frames kept in .*out\.part\.mp4: the first 3\."
    ):
        run(clip, tmp_path / "out.mp4", progress=Mock(side_effect=[None, None, MemoryError]))


@pytest.mark.parametrize("keep", [True, False])
@pytest.mark.parametrize(("target", "last_step"), [("out.mp4", "replace"), ("out", "rename")])
def test_a_disk_that_is_full_at_the_end_is_named(
    tmp_path: Path,
    clip: Path,
    monkeypatch: pytest.MonkeyPatch,
    target: str,
    last_step: str,
    keep: bool,
) -> None:
    monkeypatch.setattr(
        Path, last_step, Mock(side_effect=OSError(errno.ENOSPC, "No space left on device", target))
    )
    with pytest.raises(SinkLostError, match="could not be completed: the disk is full") as failure:
        run(clip, tmp_path / target, keep_failed=keep)
    left = {path.name for path in tmp_path.iterdir()} - {"in.mp4"}
    if keep:
        (name,) = left
        assert str(failure.value).endswith(f"What was written is in {tmp_path / name}.")
    else:
        assert not left and "What was written" not in str(failure.value)


def test_a_folder_that_cannot_be_read_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse = Mock(side_effect=PermissionError(errno.EACCES, "no permission", str(tmp_path), 5))
    monkeypatch.setattr(Path, "iterdir", refuse)
    for read in (partial(run, tmp_path, tmp_path / "out"), partial(clips_in, str(tmp_path))):
        with pytest.raises(
            SourceOpenError, match="no permission to read it; check its name and permissions"
        ):
            read()


@pytest.mark.posix("limits of the size of a file")
def test_a_full_disk_is_reported_once_and_the_frames_are_kept(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (120, 96, 192, 3), np.uint8)
    source = write_clip(tmp_path / "in.mkv", 120, 50, size=(192, 96), image=noise.__getitem__)
    too_large = "the file has become too large for this disk"

    with full_disk(400_000), pytest.raises(SinkLostError, match=too_large) as failure:
        run(source, tmp_path / "out.mp4")

    assert "could not be completed" not in str(failure.value), "the disk is named once"
    assert str(failure.value).endswith(f"What was written is in {tmp_path / 'out.part.mp4'}.")
    # What is kept ends with a whole fragment; one takes about a quarter of this disk.
    assert (tmp_path / "out.part.mp4").stat().st_size > 150_000
    assert not (tmp_path / "out.mp4").exists()


def test_a_file_where_a_folder_of_frames_should_be_is_refused_before_the_first(
    tmp_path: Path, clip: Path
) -> None:
    target = tmp_path / "frames"
    target.write_text("precious")
    with pytest.raises(UsageError, match="exists already"):
        run(clip, target)

    with pytest.raises(SinkOpenError, match="a file is where the folder should be"):
        run(clip, target, overwrite=True, progress=forbidden("a frame was converted"))

    assert names_in(tmp_path) == ["frames", "in.mp4"]
    assert target.read_text() == "precious"


@pytest.mark.posix("removal of files that are open")
def test_nothing_is_said_to_be_left_in_a_folder_that_was_removed(
    tmp_path: Path, clip: Path
) -> None:
    target = tmp_path / "out" / "a.mp4"
    target.parent.mkdir()

    def remove_the_folder(*_: object) -> None:
        shutil.rmtree(target.parent, ignore_errors=True)

    with pytest.raises(SinkLostError, match="could not be completed") as failure:
        run(clip, target, progress=remove_the_folder)

    assert "What was written" not in str(failure.value)
