"""Folders of a batch, also on other file systems: no file is lost, a changed image is noticed, no link is followed."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from unittest.mock import Mock

import cv2
import pytest

from app.cli.convert import with_cluster_address
from app.core.errors import SinkLostError, SinkOpenError, SourceOpenError, UsageError
from app.core.settings import BackgroundSettings
from app.offline.batch import convert_batch
from app.offline.job import TRIES, fetch, list_folder, run_job, size_and_time, upload
from app.offline.plan import MANIFEST, Manifest, plan_jobs, settings_hash
from tests.clips import names_in, read_numbers, write_clip, write_images
from tests.offline.batch.conftest import SETTINGS, DirectExecutor, converted, jobs_of, run_batch

fsspec = pytest.importorskip("fsspec")
POSIX = pytest.mark.skipif(os.name != "posix", reason="Windows has other links and pipes")


def convert_to(target: Path, *sources: Path, resume: bool = False, alpha: Path | None = None) -> list[str]:
    """Convert, and return the names of the sources that were not left out."""
    jobs = jobs_of(sources, target, alpha=alpha)
    ran, report = converted(jobs, target, resume=resume)
    assert report["done"] + report["skipped"] == len(jobs)
    return ran


def test_a_folder_that_exists_keeps_its_other_files(tmp_path: Path) -> None:
    source, target = write_images(tmp_path / "trip.2024", "1.png", "2.png"), tmp_path / "out"
    (target / "trip.2024" / "sub").mkdir(parents=True)
    (target / "trip.2024" / "notes.txt").write_text("precious")
    (target / "trip.2024" / "1.png").write_text("an earlier one")
    convert_to(target, source)
    assert names_in(target / "trip.2024") == ["1.png", "2.png", "notes.txt", "sub"]
    assert (target / "trip.2024" / "notes.txt").read_text() == "precious"
    assert cv2.imread(str(target / "trip.2024" / "1.png")) is not None
    assert names_in(target) == [MANIFEST, "trip.2024"]
    assert convert_to(target, source, resume=True) == []


def test_a_folder_on_another_disk_keeps_its_other_files(tmp_path: Path) -> None:
    other = Path("/dev/shm")
    if not os.access(other, os.W_OK) or other.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("needs a second file system")
    folder = other / f"mattecam-test-{os.getpid()}"
    folder.mkdir()
    try:
        (folder / "notes.txt").write_text("precious")
        (tmp_path / "alpha").mkdir()
        (tmp_path / "alpha" / "pics").symlink_to(folder, target_is_directory=True)
        convert_to(tmp_path / "out", write_images(tmp_path / "pics", "1.png"), alpha=tmp_path / "alpha")
        assert names_in(folder) == ["1.png", "notes.txt"]
    finally:
        for file in folder.iterdir():
            file.unlink()
        folder.rmdir()


@pytest.mark.parametrize(("source", "taken", "words"), [("a.mp4", "notes.txt", "a folder has this name"),
                                                         ("pics", "", "a file has this name")])  # fmt: skip
def test_what_has_the_name_of_an_output_is_kept(tmp_path: Path, source: str, taken: str, words: str) -> None:
    clip = write_clip(tmp_path / source, 3) if taken else write_images(tmp_path / source, "1.png")
    precious = tmp_path / "out" / source / taken
    precious.parent.mkdir(parents=True)
    precious.write_text("precious")
    (job,) = jobs_of([clip], tmp_path / "out")
    result = run_job(job, lambda done, total: pytest.fail("converted for nothing"))
    assert result.state == "failed" and words in (result.error or "")
    assert precious.read_text() == "precious"
    assert not taken or names_in(precious.parent) == [taken]


def test_sources_and_outputs_that_hold_each_other_are_refused(tmp_path: Path) -> None:
    trip = write_images(tmp_path / "other" / "trip", "1.png")
    raw = write_images(tmp_path / "album" / "trip" / "raw", "1.png")
    with pytest.raises(UsageError, match=r"trip cannot be written: it is the source .*raw, holds it"):
        jobs_of([trip, raw], tmp_path / "album")
    with pytest.raises(UsageError, match=r"it is the source .*trip, holds it or lies in it"):
        jobs_of([trip, raw], trip / "matted")
    assert names_in(raw) == ["1.png"]


def test_a_folder_is_converted_again_when_an_image_has_changed(tmp_path: Path) -> None:
    source, target = write_images(tmp_path / "pics", "1.png", "2.png"), tmp_path / "out"
    convert_to(target, source)
    (source / "notes.txt").write_text("new")
    assert convert_to(target, source, resume=True) == []
    before = source.stat()
    (source / "2.png").write_bytes((source / "1.png").read_bytes())
    os.utime(source, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert convert_to(target, source, resume=True) == ["pics"], "in place"
    (target / "pics" / "1.png").unlink()
    assert convert_to(target, source, resume=True) == ["pics"]


@pytest.mark.parametrize("folder", [False, True])
def test_a_matte_that_is_missing_or_changed_is_converted_again(tmp_path: Path, folder: bool) -> None:
    source = write_images(tmp_path / "a", "1.png") if folder else write_clip(tmp_path / "a.mp4", 3)
    target, alpha = tmp_path / "out", tmp_path / "alpha"
    convert_to(target, source)
    assert convert_to(target, source, resume=True, alpha=alpha) == [source.name]
    assert convert_to(target, source, resume=True, alpha=alpha) == []
    assert convert_to(target, source, resume=True) == []
    matte = alpha / "a" / "1.png" if folder else alpha / "a.mp4"
    matte.write_bytes(b"changed")
    assert convert_to(target, source, resume=True, alpha=alpha) == [source.name]


def test_a_matte_of_which_the_film_is_gone_is_replaced_if_that_is_asked_for(tmp_path: Path) -> None:
    clip, target, alpha = write_clip(tmp_path / "a.mp4", 3), tmp_path / "out", tmp_path / "alpha"
    convert_to(target, clip, alpha=alpha)
    (target / "a.mp4").unlink()
    with pytest.raises(UsageError, match=r"a\.mp4 exists already; add --overwrite"):
        converted(jobs_of([clip], target, alpha=alpha, overwrite=False), target)
    assert convert_to(target, clip, alpha=alpha, resume=True) == ["a.mp4"]


def test_a_slash_at_the_end_makes_a_folder_of_any_name(tmp_path: Path) -> None:
    source, target = write_images(tmp_path / "pics", "1.png"), tmp_path / "films.mp4"
    assert run_batch(jobs_of([source], f"{target}/"), f"{target}/", DirectExecutor())["done"] == 1
    assert names_in(target) == [MANIFEST, "pics"]


def test_an_output_that_nobody_reads_is_not_taken_for_the_folder(tmp_path: Path) -> None:
    jobs, target = jobs_of([write_clip(tmp_path / "a.mp4", 4)], tmp_path / "out"), tmp_path / "out"
    with pytest.raises(BrokenPipeError):
        run_batch(jobs, target, DirectExecutor(), tell=Mock(side_effect=BrokenPipeError(errno.EPIPE, "Broken pipe")))
    assert run_batch(jobs, target, DirectExecutor(), resume=True)["done"] == 1


@POSIX
@pytest.mark.parametrize("name", [MANIFEST, TRIES])
def test_a_link_in_the_folder_is_refused_and_its_target_kept(tmp_path: Path, name: str) -> None:
    target, kept = tmp_path / "out", tmp_path / "kept"
    for folder in (target, kept / "mine"):
        folder.mkdir(parents=True)
    (kept / "notes").write_text("mine")
    (target / name).symlink_to(kept if name == TRIES else kept / "notes")
    with pytest.raises(SinkOpenError, match=f"{name} cannot be written: it is a symbolic link"):
        convert_batch(jobs_of([], target), str(target), DirectExecutor)
    assert (kept / "mine").is_dir()
    assert (kept / "notes").read_text() == "mine"


@POSIX
def test_the_manifest_follows_no_link_that_appears_after_the_check(tmp_path: Path) -> None:
    (tmp_path / MANIFEST).symlink_to(tmp_path / "notes")
    with pytest.raises(OSError, match="symbolic links"):
        Manifest(tmp_path / MANIFEST)
    assert not (tmp_path / "notes").exists()


@POSIX
@pytest.mark.timeout(60)
def test_a_pipe_as_manifest_is_refused(tmp_path: Path) -> None:
    """It was waited for without a word."""
    os.mkfifo(tmp_path / MANIFEST)
    with pytest.raises(SinkOpenError, match=f"{tmp_path} cannot be written"):
        convert_batch(jobs_of([], tmp_path), str(tmp_path), DirectExecutor, resume=True)


@POSIX
@pytest.mark.timeout(60)
def test_what_is_no_file_is_not_read_before_the_conversion_refuses_it(tmp_path: Path) -> None:
    """A pipe was waited for without a word."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    settings_hash(SETTINGS.replace(background=BackgroundSettings(kind="image", path=pipe)))


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
        fetch("memory://clips/missing.mp4", tmp_path / "a.mp4")
    (job,) = jobs_of(["memory://empty"], "memory://films")
    error = run_job(job, lambda done, total: False).error
    assert error is not None and error.startswith("memory://empty cannot be fetched"), "a folder without clips"
    with pytest.raises(UsageError, match=r"^nosuchsystem://clips cannot be reached: "):
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
        with pytest.raises(UsageError, match=r"^s3://bucket cannot be reached: Install s3fs"):
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
