"""Clips and films on file systems that fsspec knows."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import Mock

import pytest

from app.cli.convert import with_cluster_address
from app.core.errors import SinkLostError, SourceOpenError, UsageError
from app.offline.job import run_job
from app.offline.plan import MANIFEST, plan_jobs
from app.offline.remote import fetch, list_folder, size_and_time, upload
from tests.clips import read_numbers, write_clip
from tests.offline.batch.conftest import SETTINGS, converted, jobs_of

fsspec = pytest.importorskip("fsspec")


def test_a_clip_is_fetched_and_its_film_uploaded_whole(tmp_path: Path) -> None:
    memory = fsspec.filesystem("memory")
    memory.pipe("/clips/a.mp4", write_clip(tmp_path / "a.mp4", 6).read_bytes())
    memory.pipe("/clips/notes.txt", b"left out")
    (job,) = jobs_of(["memory://clips"], "memory://films")
    assert (job.source, job.target) == ("memory://clips/a.mp4", "memory://films/a.mp4")
    result = run_job(job, lambda done, total: False)
    assert (result.state, result.frames) == ("done", 6)
    assert memory.ls("/films", detail=False) == ["/films/a.mp4"]
    memory.get_file("/films/a.mp4", str(tmp_path / "film.mp4"))
    assert len(read_numbers(tmp_path / "film.mp4")) == 6
    assert size_and_time("memory://films/a.mp4")[0] == result.target_bytes


def test_a_resumed_batch_leaves_out_the_films_that_are_uploaded(tmp_path: Path) -> None:
    memory = fsspec.filesystem("memory")
    good = write_clip(tmp_path / "a.mp4", 6).read_bytes()
    memory.pipe({"/monday/a.mp4": good, "/monday/b.mp4": b"no video"})
    jobs = jobs_of(["memory://monday"], "memory://matted", overwrite=False)
    assert converted(jobs, "memory://matted")[1] == {"done": 1, "failed": 1}
    assert sorted(memory.ls("/matted", detail=False)) == ["/matted/a.mp4", f"/matted/{MANIFEST}"]
    memory.pipe("/monday/b.mp4", good)
    assert converted(jobs, "memory://matted") == (["b.mp4"], {"done": 1, "skipped": 1})
    memory.pipe("/matted/a.mp4", b"of another size")
    with pytest.raises(UsageError, match=r"matted/a\.mp4 exists already"):
        converted(jobs, "memory://matted")


def test_an_error_names_the_address_and_no_temporary_file() -> None:
    fsspec.filesystem("memory").pipe("/broken/a.mp4", b"no video")
    (job,) = jobs_of(["memory://broken"], "memory://films")
    result = run_job(job, lambda done, total: False)
    assert result.error is not None and result.error.startswith("memory://broken/a.mp4 is not a readable video")


def test_a_missing_clip_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(SourceOpenError, match=r"missing\.mp4 cannot be fetched"):
        fetch("memory://clips/missing.mp4", tmp_path)
    (job,) = jobs_of(["memory://empty"], "memory://films")
    error = run_job(job, lambda done, total: False).error
    assert error is not None and error.startswith("memory://empty cannot be fetched"), "a folder without clips"
    with pytest.raises(UsageError, match=r"^nosuchsystem://clips is an address of an unknown kind"):
        list_folder("nosuchsystem://clips")
    assert size_and_time("memory://clips/missing.mp4") == (None, None)


def test_an_upload_that_fails_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(SinkLostError, match="cannot be uploaded"):
        upload(tmp_path / "missing.mp4", "memory://failed/a.mp4")
    assert fsspec.filesystem("memory").ls("/failed", detail=False) == []


def test_a_missing_package_is_named_before_anything_is_converted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = write_clip(tmp_path / "a.mp4", 3)
    monkeypatch.setattr(fsspec, "get_filesystem_class", Mock(side_effect=ImportError("Install s3fs to access S3")))
    for sources, folder, alpha in (
        (["s3://bucket"], "out", None),
        ([str(clip)], "s3://bucket", None),
        ([str(clip)], "out", "s3://bucket"),
    ):
        with pytest.raises(UsageError, match=r"^s3://bucket needs a package that is missing: Install s3fs"):
            plan_jobs(sources, folder, SETTINGS, alpha=alpha, foreground=None)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["convert", "a", "b", "--cluster"], ["convert", "a", "b", "--cluster=local"]),
        (["convert", "--cluster", "--json", "a"], ["convert", "--cluster=local", "--json", "a"]),
        (["convert", "a", "--cluster", "ray://head:1"], ["convert", "a", "--cluster", "ray://head:1"]),
        (["convert", "--cluster", "10.0.0.1:6379", "a"], ["convert", "--cluster", "10.0.0.1:6379", "a"]),
        (["convert", "--cluster", "one", "b3"], ["convert", "--cluster=local", "one", "b3"]),
        (["convert", "--cluster", "s3://clips", "b3"], ["convert", "--cluster=local", "s3://clips", "b3"]),
    ],
)
def test_a_cluster_without_an_address_is_this_machine(given: list[str], expected: list[str]) -> None:
    assert with_cluster_address(given) == expected
