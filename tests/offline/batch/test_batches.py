"""Batches: what is resumed, tried again, refused or kept."""

from __future__ import annotations

import errno
import os
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any
from unittest.mock import Mock

import cv2
import pytest

from app.core.errors import SinkOpenError, UsageError
from app.core.files import lock_file
from app.core.settings import BackgroundSettings, FramingSettings
from app.core.unfinished import TRIES
from app.offline import batch
from app.offline.batch import MOST_TRIES, Event
from app.offline.job import run_job, size_and_time
from app.offline.plan import MANIFEST, Manifest, Record, last_records, settings_hash
from app.settings import Settings
from tests.clips import names_in, read_numbers, write_clip, write_images
from tests.offline.batch.conftest import (
    SETTINGS,
    DirectExecutor,
    converted,
    jobs_of,
    records_in,
    run_batch,
)
from tests.stand_ins import forbidden

POSIX = pytest.mark.posix("links, pipes and signals of this kind")


def test_a_resumed_batch_leaves_out_what_is_done(clips: list[Path], out: Path) -> None:
    converted(clips, out)
    (out / "b.mp4").write_bytes(b"changed")
    os.utime(clips[2], (1, 1))
    assert converted(clips, out) == (["b.mp4", "c.mp4"], {"done": 2, "skipped": 1})
    assert converted(clips, out, resume=False)[0] == ["a.mp4", "b.mp4", "c.mp4"]
    blue = SETTINGS.replaced_at(["background"], colour="#0000ff")
    assert converted(clips, out, settings=blue)[0] == ["a.mp4", "b.mp4", "c.mp4"], "other settings"


def test_a_clip_is_done_also_under_another_spelling_of_its_path(
    tmp_path: Path, clips: list[Path], out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    converted([clip.name for clip in clips], out, {"c.mp4": MOST_TRIES})
    (tmp_path / "elsewhere").mkdir()
    other = write_clip(tmp_path / "elsewhere" / "b.mp4", 5)

    with pytest.raises(UsageError, match=r"b\.mp4 exists already"):
        converted([other], out, overwrite=False)

    assert converted(clips, out, overwrite=False) == (["c.mp4"], {"done": 1, "skipped": 2})


def test_a_folder_that_is_also_the_output_is_resumed(tmp_path: Path) -> None:
    for name in "ab":
        write_clip(tmp_path / f"{name}.avi", 4)
    converted([tmp_path], tmp_path, {"b.avi": MOST_TRIES}, overwrite=False)
    assert converted([tmp_path], tmp_path, overwrite=False) == (
        ["b.avi"],
        {"done": 1, "skipped": 1},
    )
    with pytest.raises(UsageError, match="is the source"):
        jobs_of([tmp_path / "a.mp4"], tmp_path)


def test_a_clip_that_changes_while_it_is_converted_is_not_done(
    clips: list[Path], out: Path
) -> None:
    jobs = jobs_of(clips[:1], out)
    changed = Mock(side_effect=lambda event: os.utime(clips[0], (1, 1)))

    assert run_batch(jobs, out, DirectExecutor(), tell=changed) == {"done": 1}
    for state in ("done", "skipped"):
        assert converted(clips[:1], out)[1] == {state: 1}


def test_a_batch_that_would_replace_another_film_is_refused(clips: list[Path], out: Path) -> None:
    out.mkdir()
    (out / "b.mp4").write_bytes(b"another film")
    idle = DirectExecutor()

    with pytest.raises(UsageError, match=r"b\.mp4 exists already; add --overwrite"):
        run_batch(jobs_of(clips, out, overwrite=False), out, idle)

    assert idle.run == []
    assert (out / "b.mp4").read_bytes() == b"another film"


# What the manifest says of a clip that was not finished.
LEFT = [
    pytest.param("interrupted", {"state": "interrupted"}, id="interrupted"),
    pytest.param("failed", {"state": "failed"}, id="failed"),
    pytest.param(
        "failed", {"state": "failed", "tries": MOST_TRIES}, id="whose process died each time"
    ),
    pytest.param("started", {"state": "started"}, id="of a program that was killed"),
    pytest.param(
        "retried", {"state": "retried"}, id="of a program that was killed at the second try"
    ),
]


@pytest.mark.parametrize(("state", "changes"), LEFT)
@pytest.mark.parametrize("name", ["a.mp4", "pics"])
def test_a_film_of_the_user_with_the_name_of_an_unfinished_output_is_kept(
    tmp_path: Path, clips: list[Path], out: Path, name: str, state: str, changes: dict[str, Any]
) -> None:
    """A resumed batch took every such film for its own."""
    clip = clips[0] if name == "a.mp4" else write_images(tmp_path / "pics", "1.png", "2.png")
    mine = out / name if name == "a.mp4" else out / name / "2.png"
    mine.parent.mkdir(parents=True)
    mine.write_bytes(b"a film of my own")
    leave_unfinished(clip, out, **changes)

    ran, ended = converted([clip, clips[1]], out, overwrite=False)

    assert ended == {"done": 1, "failed": 1}
    assert mine.read_bytes() == b"a film of my own"
    assert ran == (["b.mp4"] if state in ("interrupted", "failed") else [name, "b.mp4"])


def leave_unfinished(clip: Path, out: Path, **changes: Any) -> None:
    """Write the manifest of a batch that did not finish a clip."""
    (job,) = jobs_of([clip], out)
    size, time_ns = size_and_time(str(clip))
    record = Record(
        file=str(clip),
        settings_hash=job.settings_hash,
        state="started",
        tries=1,
        source_bytes=size,
        source_time_ns=time_ns,
        target=clip.name,
    )
    with closing(Manifest(out / MANIFEST)) as manifest:
        manifest.add(replace(record, **changes))


@pytest.mark.parametrize("name", ["a.mp4", "pics"])
def test_a_film_that_was_made_but_not_recorded_is_done_when_resumed(
    tmp_path: Path, clips: list[Path], out: Path, name: str
) -> None:
    """The program was killed after it had moved the film, or some of the images, to their names."""
    clip = clips[0] if name == "a.mp4" else write_images(tmp_path / "pics", "1.png", "2.png")
    converted([clip], out)
    if name == "pics":
        (out / "pics" / "2.png").unlink()
    (out / MANIFEST).unlink()
    leave_unfinished(clip, out)

    assert converted([clip], out, overwrite=False) == ([name], {"done": 1})
    assert converted([clip], out, overwrite=False)[1] == {"skipped": 1}


def test_a_changed_source_keeps_its_film_and_the_new_clips_are_converted(
    clips: list[Path], out: Path
) -> None:
    """The whole batch was refused."""
    converted(clips[:2], out)
    made = (out / "a.mp4").read_bytes()
    write_clip(clips[0], 6)
    events: list[Event] = []

    ended = run_batch(
        jobs_of(clips, out, overwrite=False), out, DirectExecutor(), resume=True, tell=events.append
    )

    assert ended == {"skipped": 1, "failed": 1, "done": 1}
    assert (out / "a.mp4").read_bytes() == made
    (failed,) = [event for event in events if event.state == "failed"]
    assert failed.file == str(clips[0])
    assert failed.error == (
        f"{out / 'a.mp4'} was made of another version of {clips[0]} or with other settings, or "
        "has changed since; add --overwrite to replace it."
    )
    assert records_in(out)["a.mp4"].state == "done", "of the film that is there"


@pytest.mark.parametrize("output", ["out", "alpha"])
def test_a_file_that_appears_during_the_conversion_is_kept_and_named(
    tmp_path: Path, output: str
) -> None:
    """The error named the film also where it was the matte."""
    taken = tmp_path / output / "a.mp4"
    alpha = tmp_path / "alpha"
    alpha.mkdir()
    (job,) = jobs_of(
        [write_clip(tmp_path / "a.mp4", 3)], tmp_path / "out", alpha=alpha, overwrite=False
    )

    result = run_job(job, lambda done, total: not taken.write_text("mine"))

    assert result.state == "failed" and (result.error or "").startswith(
        f"{taken} cannot be written: another file has"
    )
    assert taken.read_text() == "mine"


def test_a_clip_that_was_cut_off_is_converted_again(tmp_path: Path, out: Path) -> None:
    """Its film is kept and recorded as it was made, but it failed: the rest of the clip may be
    there by now.
    """
    clip = write_clip(tmp_path / "a.mkv", 40)
    clip.write_bytes(clip.read_bytes()[: clip.stat().st_size // 2])
    for overwrite in (True, False):
        assert converted([clip], out, overwrite=overwrite) == (["a.mkv"], {"failed": 1})
    record = records_in(out)["a.mkv"]
    assert record.sha256 and f"{record.frames} of 40 frames" in (record.error or "")

    write_clip(clip, 40)
    assert converted([clip], out, overwrite=False) == (["a.mkv"], {"done": 1}), (
        "its film is the batch's own"
    )
    assert len(read_numbers(out / "a.mkv")) == 40


def test_the_film_of_a_cut_off_clip_that_the_user_has_changed_is_kept(
    tmp_path: Path, out: Path
) -> None:
    clip = write_clip(tmp_path / "a.mkv", 40)
    clip.write_bytes(clip.read_bytes()[: clip.stat().st_size // 2])
    converted([clip], out)
    (out / "a.mkv").write_bytes(b"cut by the user")

    with pytest.raises(UsageError, match=r"a\.mkv exists already"):
        converted([clip], out, overwrite=False)

    assert (out / "a.mkv").read_bytes() == b"cut by the user"


@pytest.mark.parametrize(
    "line",
    [
        b'{"file": "b", "sta',
        b'{"file": [], "target": "b.mp4"}\n',
        b"[" * 100_000,
        b"\xff",
        b"null\n",
    ],
)
def test_a_cut_or_damaged_line_of_the_manifest_is_left_out(line: bytes, tmp_path: Path) -> None:
    path = tmp_path / MANIFEST
    with closing(Manifest(path)) as manifest:
        manifest.add(
            Record(file="a", settings_hash="1", state="done", tries=1, sha256="x", target="a.mp4")
        )
    with path.open("ab") as file:
        file.write(line)
    assert set(last_records(path)) == {"a.mp4"}
    assert path.read_bytes().startswith(b'{"file": "a", '), "the clip comes first"
    with closing(Manifest(path)) as manifest:
        manifest.add(Record(file="c", settings_hash="1", state="failed", tries=1, target="c.mp4"))
    assert {film: record.state for film, record in last_records(path).items()} == {
        "a.mp4": "done",
        "c.mp4": "failed",
    }


def test_sources_and_outputs_that_would_replace_or_hold_each_other_are_refused(
    tmp_path: Path, clips: list[Path], out: Path
) -> None:
    other = tmp_path / "other"
    trip = write_images(other / "trip", "1.png")
    raw = write_images(tmp_path / "album" / "trip" / "raw", "1.png")
    small, capital = (write_clip(other / name, 2) for name in ("a.mp4", "B.mp4"))
    for sources, target, alpha, words in (
        ([*clips, small], out, None, r"would both become a\.mp4"),
        (
            [clips[1], capital],
            out,
            None,
            r"b\.mp4 and .*B\.mp4 would both become B\.mp4",
        ),  # one file on macOS
        (clips, tmp_path, None, "is the source"),
        (clips, out, out, "another output"),
        (clips, clips[0], None, "not a folder"),
        (
            [trip, raw],
            tmp_path / "album",
            None,
            r"trip cannot be written: it is the source .*raw, holds it",
        ),
        ([trip, raw], trip / "matted", None, r"it is the source .*trip, holds it or lies in it"),
    ):
        with pytest.raises(UsageError, match=words):
            jobs_of(sources, target, alpha=alpha)

    assert names_in(raw) == ["1.png"]


def test_the_hash_covers_the_features_of_a_film_and_the_content_of_files(tmp_path: Path) -> None:
    room = tmp_path / "room.png"
    room.write_bytes(b"one")
    behind = SETTINGS.replaced_at(["background"], kind="image", path=room)
    before = settings_hash(behind)
    room.write_bytes(b"two")
    changed = (
        SETTINGS,
        behind,
        SETTINGS.replace(matting=SETTINGS.matting.replace(downsample_ratio=0.3)),
        SETTINGS.replace(framing=FramingSettings(zoom=2)),
        SETTINGS.replace(people=Settings().people.replace(only_me=True)),
        SETTINGS.with_person((0.5, 0.5)),
        SETTINGS.replaced_at(["capture"], rotate=90),
        SETTINGS.replaced_at(["capture"], flip=True),
        # A resumed batch kept the films in which strict mode had been off.
        SETTINGS.replaced_at(["strict"], level="off"),
        SETTINGS.replaced_at(["light"], brightness=20),
    )

    assert len({before, *map(settings_hash, changed)}) == 1 + len(changed)


def test_only_one_batch_writes_to_a_folder(clips: list[Path], out: Path) -> None:
    jobs = jobs_of(clips, out)

    def start_another(event: Event) -> None:
        if event.state == "started":
            with pytest.raises(UsageError, match="Another conversion"):
                run_batch(jobs, out, DirectExecutor())

    assert run_batch(jobs, out, DirectExecutor(), tell=start_another) == {"done": 3}


@POSIX
def test_a_folder_whose_files_cannot_be_locked_is_used_with_a_sentence(
    clips: list[Path], out: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The batch ended with "the disk reports an error"."""
    monkeypatch.setattr(
        "fcntl.flock", Mock(side_effect=OSError(errno.ENOLCK, "No locks available"))
    )

    assert converted(clips, out)[1] == {"done": 3}

    assert len(caplog.messages) == 1 and "cannot be locked" in caplog.messages[0]
    caplog.clear()
    assert not (out / TRIES).exists()


def test_nothing_is_left_where_no_open_file_can_be_removed(
    clips: list[Path], out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Windows kept `.tries/lock`: its folder was removed while the file was open."""
    opened: list[IO[bytes]] = []
    unlink = os.unlink

    def note(path: Path, **options: bool) -> IO[bytes] | None:
        file = lock_file(path, **options)
        assert file is not None
        opened.append(file)
        return file

    def refuse_open(path: Any, **options: Any) -> None:
        if Path(path).name == "lock" and not opened[-1].closed:
            raise PermissionError(errno.EACCES, "The process cannot access the file", str(path))
        unlink(path, **options)

    monkeypatch.setattr(batch, "lock_file", note)
    monkeypatch.setattr(batch, "OPEN_FILES_STAY", True)
    monkeypatch.setattr(os, "unlink", refuse_open)

    assert converted(clips[:1], out)[1] == {"done": 1}

    assert names_in(out) == ["a.mp4", MANIFEST]


def test_an_output_that_nobody_reads_is_not_taken_for_the_folder(
    clips: list[Path], out: Path
) -> None:
    unread = Mock(side_effect=BrokenPipeError(errno.EPIPE, "Broken pipe"))

    with pytest.raises(BrokenPipeError):
        run_batch(jobs_of(clips, out), out, DirectExecutor(), tell=unread)

    assert converted(clips, out)[1] == {"done": 3}


def test_a_folder_that_exists_keeps_its_other_files(tmp_path: Path, out: Path) -> None:
    source = write_images(tmp_path / "trip.2024", "1.png", "2.png")
    trip = out / "trip.2024"
    (trip / "sub").mkdir(parents=True)
    (trip / "notes.txt").write_text("precious")
    (trip / "1.png").write_text("an earlier one")

    assert converted([source], out)[1] == {"done": 1}
    assert names_in(trip) == ["1.png", "2.png", "notes.txt", "sub"]
    assert (trip / "notes.txt").read_text() == "precious"
    assert cv2.imread(str(trip / "1.png")) is not None
    assert names_in(out) == [MANIFEST, "trip.2024"]
    assert converted([source], out)[1] == {"skipped": 1}


@pytest.mark.posix("symbolic links for everybody")
def test_a_folder_on_another_disk_keeps_its_other_files(tmp_path: Path) -> None:
    other = Path("/dev/shm")
    if not os.access(other, os.W_OK) or other.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("needs a second file system")
    with TemporaryDirectory(dir=other) as folder:
        Path(folder, "notes.txt").write_text("precious")
        (tmp_path / "alpha").mkdir()
        (tmp_path / "alpha" / "pics").symlink_to(folder, target_is_directory=True)
        converted(
            [write_images(tmp_path / "pics", "1.png")], tmp_path / "out", alpha=tmp_path / "alpha"
        )
        assert names_in(Path(folder)) == ["1.png", "notes.txt"]


@pytest.mark.parametrize(
    ("source", "taken", "words"),
    [
        ("a.mp4", "a.mp4/notes.txt", "a folder has this name"),
        ("pics", "pics", "a file has this name"),
        ("a.mp4", TRIES, "a.mp4 cannot be written"),
    ],
)
def test_what_has_the_name_of_an_output_is_kept(
    tmp_path: Path, source: str, taken: str, words: str
) -> None:
    clip = (
        write_images(tmp_path / source, "1.png")
        if source == "pics"
        else write_clip(tmp_path / source, 3)
    )
    precious = tmp_path / "out" / taken
    precious.parent.mkdir(parents=True)
    precious.write_text("precious")
    (job,) = jobs_of([clip], tmp_path / "out")

    result = run_job(job, forbidden("converted for nothing"))

    assert result.state == "failed" and words in (result.error or "")
    assert precious.read_text() == "precious" and {*names_in(precious.parent)} <= {
        precious.name,
        TRIES,
    }


def test_a_folder_is_converted_again_when_an_image_has_changed(tmp_path: Path, out: Path) -> None:
    source = write_images(tmp_path / "pics", "1.png", "2.png")
    converted([source], out)
    (source / "notes.txt").write_text("new")
    assert converted([source], out)[1] == {"skipped": 1}
    before = source.stat()
    (source / "2.png").write_bytes((source / "1.png").read_bytes())
    os.utime(source, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert converted([source], out)[1] == {"done": 1}, "in place"
    (out / "pics" / "1.png").unlink()
    assert converted([source], out)[1] == {"done": 1}


@pytest.mark.parametrize(("clip", "image"), [("a.mp4", ""), ("a", "1.png")])
def test_a_matte_that_is_missing_or_changed_is_converted_again(
    tmp_path: Path, out: Path, clip: str, image: str
) -> None:
    """Where the film is gone, the matte is replaced only if that is asked for."""
    source = write_images(tmp_path / clip, image) if image else write_clip(tmp_path / clip, 3)
    alpha = tmp_path / "alpha"
    assert converted([source], out)[1] == {"done": 1}
    assert converted([source], out, alpha=alpha)[1] == {"done": 1}
    assert converted([source], out, alpha=alpha)[1] == converted([source], out)[1] == {"skipped": 1}
    (alpha / clip / image).write_bytes(b"changed")
    assert converted([source], out, alpha=alpha)[1] == {"done": 1}
    (out / clip / image).unlink()
    with pytest.raises(
        UsageError, match=rf"alpha.*{image or clip} exists already; add --overwrite"
    ):
        converted([source], out, alpha=alpha, overwrite=False)
    assert converted([source], out, alpha=alpha)[1] == {"done": 1}


def test_a_slash_at_the_end_makes_a_folder_of_any_name(tmp_path: Path) -> None:
    source = write_images(tmp_path / "pics", "1.png")
    target = tmp_path / "films.mp4"

    assert converted([source], f"{target}/")[1] == {"done": 1}
    assert names_in(target) == [MANIFEST, "pics"]


@POSIX
@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    ("name", "leads_to"), [(MANIFEST, "kept/notes"), (TRIES, "kept"), (MANIFEST, "")]
)
def test_a_link_or_pipe_in_the_folder_is_refused_and_its_target_kept(
    tmp_path: Path, out: Path, name: str, leads_to: str
) -> None:
    """A pipe was waited for without a word."""
    for folder in (out, tmp_path / "kept" / "mine"):
        folder.mkdir(parents=True)
    (tmp_path / "kept" / "notes").write_text("mine")
    if leads_to:
        (out / name).symlink_to(tmp_path / leads_to)
    else:
        os.mkfifo(out / name)
    words = (
        f"{name} cannot be written: it is a symbolic link"
        if leads_to
        else f"{out} cannot be written"
    )

    with pytest.raises(SinkOpenError, match=words):
        run_batch([], out, DirectExecutor(), resume=True)

    assert names_in(tmp_path / "kept") == ["mine", "notes"]
    assert (tmp_path / "kept" / "notes").read_text() == "mine"


@POSIX
def test_the_manifest_follows_no_link_that_appears_after_the_check(tmp_path: Path) -> None:
    (tmp_path / MANIFEST).symlink_to(tmp_path / "notes")

    with pytest.raises(OSError, match="symbolic links"):
        Manifest(tmp_path / MANIFEST)

    assert not (tmp_path / "notes").exists()


@POSIX
@pytest.mark.timeout(60)
def test_what_is_no_file_is_not_read_before_the_conversion_refuses_it(tmp_path: Path) -> None:
    """A pipe was waited for without a word."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    settings_hash(SETTINGS.replace(background=BackgroundSettings(kind="image", path=pipe)))
