"""The command convert: names of results, and batches."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import Mock

import cv2
import psutil
import pytest

from app.cli import main
from app.core.errors import MattecamError
from app.offline.plan import MANIFEST, last_records
from tests.clips import names_in, numbered, write_clip, write_inputs
from tests.offline.batch.conftest import DirectExecutor, jobs_of, sequential_hashes
from tests.offline.converting import build_half
from tests.paths import ROOT
from tests.stand_ins import always

pytestmark = pytest.mark.usefixtures("resource_tracker")
FAST = ("--model", "mattecam")


@pytest.mark.long
def test_a_folder_of_clips_with_one_broken(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    source = tmp_path / "in"
    source.mkdir()
    write_clip(source / "a.mp4", 4)
    (source / "b.mp4").write_text("no video")
    (source / "notes.txt").write_text("left out")
    assert main.main(["convert", str(source), str(tmp_path / "out"), *FAST, "--json"]) == 1
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {"file", "state", "frames", "error"} <= set(events[0])
    good, bad = sorted(
        (each for each in events if each["state"] in ("done", "failed")),
        key=lambda each: each["file"],
    )
    assert (good["state"], good["frames"], bad["state"]) == (
        "done",
        4,
        "failed",
    ) and "b.mp4" in bad["error"]
    (source / "b.mp4").unlink()
    assert (
        main.main(["convert", str(source), str(tmp_path / "out"), *FAST, "--resume", "--json"]) == 0
    )
    told = capsys.readouterr()
    assert [json.loads(line)["state"] for line in told.out.splitlines()] == ["skipped"]
    assert "of which 0 done, 1 left out because they were done before" in told.err


@pytest.fixture
def half_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.offline.convert.build_engine", build_half)


@pytest.mark.usefixtures("half_engine")
def test_one_clip_tells_the_same_events(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = write_clip(tmp_path / "a.mp4", 3)
    assert main.main(["convert", str(source), str(tmp_path / "out.mp4"), *FAST, "--json"]) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [event["state"] for event in events] == ["started", *["progress"] * 4, "done"]
    assert [event["expected_frames"] for event in events] == [None, *[3] * 5]
    assert main.main(["convert", str(tmp_path / "no.mp4"), str(tmp_path / "x.mp4"), "--json"]) == 2
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["state"] == "failed"


def test_a_failure_names_its_clip(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse = Mock(side_effect=MattecamError("The frame is too small."))
    monkeypatch.setattr("app.offline.convert.build_engine", refuse)
    monkeypatch.setattr("app.offline.executors.Processes", always(DirectExecutor()))
    good = write_clip(tmp_path / "small.mp4", 3)
    bad = tmp_path / "gone.mp4"
    assert main.main(["convert", str(good), str(bad), str(tmp_path / "out"), *FAST]) == 1
    told = capsys.readouterr().err
    assert f"mattecam: {good}: The frame is too small." in told
    assert told.count(str(bad)) == 1


@pytest.mark.usefixtures("half_engine")
@pytest.mark.parametrize(
    ("out", "names", "folders"),
    [
        ("out", "cover.png day1/clip.mp4", 1),
        ("source/out", "clip.mp4 day1/clip.mp4 day2/clip.mp4 texts/a.txt out/clip.mp4", 2),
    ],
    ids=["beside images", "beside videos"],
)
def test_folders_that_are_not_searched_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], out: str, names: str, folders: int
) -> None:
    """The command said that all was done; the cover of an album was converted in place of the videos.

    OUT itself, and folders without videos, are not meant.
    """
    source = tmp_path / "source"
    for name in names.split():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        if name.endswith(".png"):
            cv2.imwrite(str(source / name), numbered(1))
        else:
            (source / name).write_bytes(b"broken")
    main.main(["convert", str(source), str(tmp_path / out), *FAST, "--overwrite"])

    assert (
        f"Folders of videos in {source} are not searched: {folders}. To convert"
        in capsys.readouterr().err
    )


@contextmanager
def converting(*words: str | Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run the command; the context begins with the first progress of a clip."""
    command = [sys.executable, "run.py", "convert", *map(str, words), *FAST, "--json"]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        next(line for line in process.stdout if json.loads(line)["state"] == "progress")
        yield process


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
@pytest.mark.long
def test_a_stopped_clip_tells_how_far_it_came(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "a.mp4", 400, size=(192, 96))
    with converting(source, tmp_path / "out.mp4") as process:
        process.send_signal(signal.SIGTERM)
        rest, errors = process.communicate(timeout=120)
    last = json.loads(rest.splitlines()[-1])

    assert (process.returncode, last["state"]) == (130, "interrupted") and 0 < last["frames"] < 400
    assert f"frames so far: {last['frames']}); nothing was kept." in errors.decode()
    assert names_in(tmp_path) == ["a.mp4"]


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", ["SIGINT", "SIGKILL"])
def test_a_stopped_batch_leaves_nothing_and_can_be_resumed(tmp_path: Path, name: str) -> None:
    clips = [tmp_path / "a.mp4", tmp_path / "b.mkv"]
    out = tmp_path / "out"
    for clip in clips:
        write_clip(clip, 200, size=(192, 96), audio="aac")
    with converting(*clips, out, "--jobs", "2") as process:
        workers = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.Signals[name])
        process.communicate(timeout=120)
    _, alive = psutil.wait_procs(workers, timeout=100)  # one may just begin
    assert not alive
    records = last_records(out / MANIFEST)
    if name != "SIGKILL":
        assert process.returncode == 130
        assert {record.state for record in records.values()} == {"interrupted"}
        assert names_in(out) == [MANIFEST]
    assert not list(out.glob("*.m*"))

    assert main.main(["convert", *map(str, clips), str(out), "--jobs", "2", *FAST, "--resume"]) == 0
    expected = sequential_hashes(jobs_of(clips, tmp_path / "sequential"))
    hashes = {file: record.sha256 for file, record in last_records(out / MANIFEST).items()}
    assert list(hashes.values()) == list(expected.values())
    assert names_in(out) == ["a.mp4", "b.mkv", MANIFEST]


@pytest.fixture
def inputs(half_engine: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_inputs(tmp_path)


@pytest.mark.usefixtures("inputs")
@pytest.mark.parametrize(
    ("source", "out", "made"),
    [
        *(("base.avi", out, "base.mp4") for out in ("o", "o/", "new/", "new/er/")),
        ("pics", "o/", "1.png"),
    ],
)
def test_a_result_goes_into_a_folder_under_its_name(source: str, out: str, made: str) -> None:
    Path("o").mkdir()
    assert main.main(["convert", source, out, *FAST]) == 0
    assert names_in(Path(out)) == [made]


@pytest.mark.usefixtures("inputs")
def test_frames_go_into_a_new_folder_and_replace_others_only_where_asked(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for options, code in (([], 0), ([], 2), (["--overwrite"], 0)):
        assert main.main(["convert", "one.mp4", "frames", *FAST, *options]) == code
        assert names_in(Path("frames")) == ["000000.png", "000001.png"]
        assert capsys.readouterr().out == ("" if code else "frames: 2 frames\n")
