"""Batches on other file systems, and on a cluster: clips are fetched, films uploaded."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from app.cli.convert import with_cluster_address
from app.core.errors import SinkLostError, SourceOpenError, UsageError
from app.offline.job import fetch, list_folder, run_job, size_and_time, upload
from app.offline.plan import MANIFEST, plan_jobs
from tests.clips import read_numbers, write_clip
from tests.offline.batch.conftest import (
    SETTINGS,
    converted,
    jobs_of,
)
from tests.stand_ins import always


@pytest.fixture
def memory() -> Any:
    return pytest.importorskip("fsspec").filesystem("memory")


def test_a_clip_is_fetched_and_its_film_uploaded_whole(tmp_path: Path, memory: Any) -> None:
    memory.pipe("/clips/a.mp4", write_clip(tmp_path / "a.mp4", 6).read_bytes())
    memory.pipe("/clips/notes.txt", b"left out")
    (job,) = jobs_of(["memory://clips"], "memory://films")
    assert (job.source, job.target) == ("memory://clips/a.mp4", "memory://films/a.mp4")
    result = run_job(job, always(False))
    assert (result.state, result.frames) == ("done", 6)
    assert memory.ls("/films", detail=False) == ["/films/a.mp4"]
    memory.get_file("/films/a.mp4", str(tmp_path / "film.mp4"))
    assert len(read_numbers(tmp_path / "film.mp4")) == 6
    assert size_and_time("memory://films/a.mp4")[0] == result.target_bytes


def test_a_resumed_batch_leaves_out_the_films_that_are_uploaded(
    tmp_path: Path, memory: Any
) -> None:
    good = write_clip(tmp_path / "a.mp4", 6).read_bytes()
    memory.pipe({"/monday/a.mp4": good, "/monday/b.mp4": b"no video"})
    sources = ["memory://monday"]
    target = "memory://matted"
    assert converted(sources, target, overwrite=False)[1] == {"done": 1, "failed": 1}
    assert sorted(memory.ls("/matted", detail=False)) == ["/matted/a.mp4", f"/matted/{MANIFEST}"]
    memory.pipe("/monday/b.mp4", good)
    assert converted(sources, target, overwrite=False) == (["b.mp4"], {"done": 1, "skipped": 1})
    memory.pipe("/matted/a.mp4", b"of another size")
    assert converted(sources, target, overwrite=False) == ([], {"failed": 1, "skipped": 1})
    assert memory.cat("/matted/a.mp4") == b"of another size"


@pytest.mark.parametrize(
    "there", [b"of another size", None], ids=["another film", "the film of a killed try"]
)
def test_no_upload_replaces_a_film_that_appeared_during_the_conversion(
    tmp_path: Path, memory: Any, there: bytes | None
) -> None:
    (job,) = jobs_of([write_clip(tmp_path / "a.mp4", 3)], "memory://late", overwrite=False)
    if there is None:
        run_job(job, always(False))
        there = memory.cat("/late/a.mp4")
    else:
        memory.pipe("/late/a.mp4", there)

    result = run_job(job, always(False))

    assert memory.cat("/late/a.mp4") == there
    assert result.state == ("failed" if there == b"of another size" else "done"), result.error


def test_a_missing_clip_is_a_sentence(tmp_path: Path, memory: Any) -> None:
    with pytest.raises(SourceOpenError, match=r"missing\.mp4 cannot be fetched"):
        fetch("memory://clips/missing.mp4", tmp_path / "a.mp4")
    memory.pipe("/broken/a.mp4", b"no video")
    for folder, words in (
        ("empty", " cannot be fetched"),
        ("broken", "/a.mp4 is not a readable video"),
    ):
        (job,) = jobs_of([f"memory://{folder}"], "memory://films")
        error = run_job(job, always(False)).error
        assert error is not None and error.startswith(f"memory://{folder}{words}"), (
            "of the address, no temporary file"
        )
    with pytest.raises(UsageError, match=r"^nosuchsystem://clips cannot be reached: "):
        list_folder("nosuchsystem://clips")
    assert size_and_time("memory://clips/missing.mp4") == (None, None)


@pytest.mark.parametrize("name", ["missing.mp4", "whole.mp4"])
def test_an_upload_that_fails_leaves_nothing(
    name: str, tmp_path: Path, memory: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "whole.mp4").write_bytes(b"a film")
    monkeypatch.setattr(memory, "mv", Mock(side_effect=PermissionError("may not be renamed")))

    with pytest.raises(SinkLostError, match="cannot be uploaded"):
        upload(tmp_path / name, "memory://failed/a.mp4")

    assert memory.ls("/failed", detail=False) == []


@pytest.mark.usefixtures("memory")
def test_a_missing_package_is_named_before_anything_is_converted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = write_clip(tmp_path / "a.mp4", 3)
    monkeypatch.setattr(
        "fsspec.get_filesystem_class", Mock(side_effect=ImportError("Install s3fs to access S3"))
    )
    for sources, folder, alpha in (
        (["s3://bucket"], "out", None),
        ([str(clip)], "s3://bucket", None),
        ([str(clip)], "out", "s3://bucket"),
    ):
        with pytest.raises(UsageError, match=r"^s3://bucket cannot be reached: Install s3fs"):
            plan_jobs(sources, folder, SETTINGS, alpha=alpha, foreground=None)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["convert", "a", "b", "--cluster"], ["convert", "a", "b", "--cluster=local"]),
        (["convert", "--cluster", "--json", "a"], ["convert", "--cluster=local", "--json", "a"]),
        (
            ["convert", "a", "--cluster", "ray://head:1"],
            ["convert", "a", "--cluster", "ray://head:1"],
        ),
        (
            ["convert", "--cluster", "10.0.0.1:6379", "a"],
            ["convert", "--cluster", "10.0.0.1:6379", "a"],
        ),
        (["convert", "--cluster", "one", "b3"], ["convert", "--cluster=local", "one", "b3"]),
        (
            ["convert", "--cluster", "s3://clips", "b3"],
            ["convert", "--cluster=local", "s3://clips", "b3"],
        ),
    ],
)
def test_a_cluster_without_an_address_is_this_machine(
    given: list[str], expected: list[str]
) -> None:
    assert with_cluster_address(given) == expected
