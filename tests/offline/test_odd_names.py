"""Names and files that cameras, other systems and scripts leave in folders of clips, or take from them."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from unittest.mock import Mock

import pytest

from app.core.errors import SinkLostError, SinkOpenError, SourceOpenError, UsageError
from app.core.files import free_name
from app.core.types import Matte
from app.media import image_file
from app.offline.plan import MANIFEST, clips_in, left_out
from mattecam.testing import StepInput
from tests.clips import names_in, write_clip, write_images
from tests.offline.batch.conftest import converted, jobs_of, records_in
from tests.offline.converting import HalfEngine, run
from training.evaluate import find_clips

NO_UTF8 = os.fsdecode(b"caf\xe9")


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_a_name_that_is_no_utf8_is_converted_and_left_out_when_resumed(tmp_path: Path) -> None:
    images = write_images(tmp_path / "images", "1.png", "2.png").rename(tmp_path / NO_UTF8)
    (images / "1.png").rename(images / f"{NO_UTF8}.png")
    clips = [write_clip(tmp_path / f"{NO_UTF8}.mp4", 3), images]
    jobs = jobs_of(clips, tmp_path / "out")
    for resume, expected in ((False, [clip.name for clip in clips]), (True, [])):
        assert converted(jobs, tmp_path / "out", resume=resume)[0] == expected
    assert {record.state for record in records_in(tmp_path / "out").values()} == {"done"}
    (tmp_path / "out" / MANIFEST).read_text("utf-8")


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_links_that_lead_in_a_circle_are_no_defect(tmp_path: Path) -> None:
    source, circle = write_clip(tmp_path / "in.mp4", 3), tmp_path / "circle.mp4"
    circle.symlink_to(circle)
    with pytest.raises(SourceOpenError, match=r"There is no file or folder .*circle\.mp4"):
        run(circle, tmp_path / "out.mp4")
    assert len(jobs_of([source, circle], tmp_path / "out")) == 2
    assert run(source, circle, overwrite=True).complete


@pytest.mark.skipif(sys.platform == "win32", reason="a path has a limit of 260 characters there")
def test_the_longest_name_is_written(tmp_path: Path) -> None:
    name = "🙂" * 62 + ".png"  # 252 bytes of 255
    source = write_images(tmp_path / "in", name)
    run(source, tmp_path / "out")
    films = tmp_path / "films"
    assert converted(jobs_of([source / name], films), films)[1] == {"done": 1}
    assert (tmp_path / "out" / name).exists() and (films / name).exists()


def test_what_macos_leaves_beside_files_is_no_clip_and_no_image(tmp_path: Path) -> None:
    pictures = write_images(tmp_path / "pictures", "1.png")
    films = tmp_path / "films"
    films.mkdir()
    clip = write_clip(films / "a.mp4", 2)
    for file in (films / "._a.mp4", pictures / "._1.png"):
        file.write_bytes(b"\0\5\x16\7\0\2\0\0Mac OS X")
    assert clips_in(str(films)) == [str(clip)]
    assert find_clips(films) == {"a": clip}
    report = run(pictures, tmp_path / "out")
    assert (report.frames, report.problems) == (1, ())


def test_every_video_in_a_folder_is_a_clip_but_temporary_files(tmp_path: Path) -> None:
    """Parts of a lecture have names like those of unfinished films; professional cameras write MXF."""
    clips = [str(tmp_path / name) for name in ("a.mp4", "b.MXF", "c.vob", "lecture.part.1.mp4", "take.partial.mov")]
    for clip in (*clips, *(str(tmp_path / name) for name in ("a.part.mp4", "a.part2.mp4", "a.txt"))):
        Path(clip).touch()
    assert clips_in(str(tmp_path)) == clips


def test_a_file_where_a_folder_of_frames_should_be_is_refused_before_the_first(tmp_path: Path) -> None:
    source, target = write_clip(tmp_path / "in.mp4", 3), tmp_path / "frames"
    target.write_text("precious")
    with pytest.raises(UsageError, match="exists already"):
        run(source, target)
    with pytest.raises(SinkOpenError, match="a file is where the folder should be"):
        run(source, target, overwrite=True, progress=lambda *_: pytest.fail("a frame was converted"))
    assert names_in(tmp_path) == ["frames", "in.mp4"]
    assert target.read_text() == "precious"


def test_a_link_that_leads_nowhere_is_kept(tmp_path: Path) -> None:
    """Such as one to a disk that is not connected; the film replaced it."""
    source, link = write_clip(tmp_path / "in.mp4", 3), tmp_path / "out.mp4"
    link.symlink_to(tmp_path / "disk" / "film.mp4")
    with pytest.raises(UsageError, match="exists already"):
        run(source, link)
    assert link.is_symlink() and free_name(link) == tmp_path / "out (2).mp4"


def test_nothing_is_said_to_be_left_in_a_folder_that_was_removed(tmp_path: Path) -> None:
    class Removed(HalfEngine):
        def matte(self, step: StepInput) -> Matte:
            if self.steps == 2:
                shutil.rmtree(tmp_path / "out")
            return super().matte(step)

    (tmp_path / "out").mkdir()
    with pytest.raises(SinkLostError, match="could not be completed") as failure:
        run(write_clip(tmp_path / "in.mp4", 5), tmp_path / "out" / "a.mp4", engine=Removed())
    assert "What was written" not in str(failure.value)


def test_planning_reads_each_film_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each was opened six times, before the first frame of thousands of clips on a slow share."""
    films = tmp_path / "films"
    films.mkdir()
    clips = [write_clip(films / f"{name}.mp4", 2) for name in "ab"]
    kind = Mock(return_value="video")
    monkeypatch.setattr(image_file, "kind_of_file", kind)
    assert not list(left_out(str(films), [])) and clips_in(str(films)) == [str(clip) for clip in clips]
    assert [job.source for job in jobs_of([films], tmp_path / "out")] == [str(clip) for clip in clips]
    assert sorted(call.args for call in kind.call_args_list) == [(clip,) for clip in clips]
