"""Conversion of files with long and odd names, of links, and the modes of what it writes."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from PIL import Image

from app.core.errors import (
    ModelError,
    SinkOpenError,
    SourceOpenError,
    UsageError,
)
from app.core.files import free_name
from app.offline.plan import MANIFEST, clips_in
from tests.clips import names_in, numbered, pictures, write_clip, write_images
from tests.offline.batch.conftest import converted, jobs_of, records_in
from tests.offline.converting import HalfEngine, failed, run
from tests.stand_ins import forbidden

NO_UTF8 = "caf\udce9"  # as Linux gives the byte that is no UTF-8


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_a_name_that_is_no_utf8_is_converted_and_left_out_when_resumed(tmp_path: Path) -> None:
    images = write_images(tmp_path / "images", "1.png", "2.png").rename(tmp_path / NO_UTF8)
    (images / "1.png").rename(images / f"{NO_UTF8}.png")
    clips = [write_clip(tmp_path / f"{NO_UTF8}.mp4", 3), images]
    for expected in ([clip.name for clip in clips], []):
        assert converted(clips, tmp_path / "out")[0] == expected
    assert {record.state for record in records_in(tmp_path / "out").values()} == {"done"}
    (tmp_path / "out" / MANIFEST).read_text("utf-8")


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_links_that_lead_nowhere_are_kept_and_those_in_a_circle_are_no_defect(
    tmp_path: Path, clip: Path
) -> None:
    """The film replaced a link to a disk that was not connected."""
    circle = tmp_path / "circle.mp4"
    link = tmp_path / "out.mp4"
    circle.symlink_to(circle)
    link.symlink_to(tmp_path / "disk" / "film.mp4")
    with pytest.raises(UsageError, match="exists already"):
        run(clip, link)
    assert link.is_symlink() and free_name(link) == tmp_path / "out (2).mp4"
    with pytest.raises(SourceOpenError, match=r"There is no file or folder .*circle\.mp4"):
        run(circle, tmp_path / "film.mp4")
    assert len(jobs_of([clip, circle], tmp_path / "out")) == 2
    assert run(clip, circle, overwrite=True).complete


NO_LONG_NAMES = pytest.mark.skipif(
    sys.platform == "win32", reason="a path has a limit of 260 characters there"
)


def name_of(length: int, suffix: str) -> str:
    """Return a name of so many bytes, of characters of four bytes as far as possible."""
    smileys, rest = divmod(length - len(suffix), 4)
    return "🙂" * smileys + "x" * rest + suffix


@NO_LONG_NAMES
@pytest.mark.parametrize("length", [251, 252, 253, 254, 255])
@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".png", ""])
def test_an_output_may_have_the_longest_name(tmp_path: Path, suffix: str, length: int) -> None:
    """With the suffix of unfinished files it was too long."""
    name = name_of(length, suffix)
    source = write_images(tmp_path / "in", "1.png")
    if suffix == ".png":
        source /= "1.png"
    target = tmp_path / "out" / name
    target.parent.mkdir()

    for overwrite in (False, True):
        assert run(source, target, overwrite=overwrite).complete

    assert names_in(target.parent) == [name]


@NO_LONG_NAMES
@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".png", ""])
def test_a_name_that_no_file_can_have_is_refused_before_the_first_frame(
    tmp_path: Path, clip: Path, suffix: str
) -> None:
    source = write_images(tmp_path / "pics", "1.png") / "1.png" if suffix == ".png" else clip

    with pytest.raises(SinkOpenError, match="the name is too long; choose a shorter one"):
        run(
            source,
            tmp_path / name_of(256, suffix),
            progress=forbidden("a frame was converted"),
        )

    assert not list(tmp_path.glob("x*")) + list(tmp_path.glob("🙂*"))


@NO_LONG_NAMES
def test_frames_of_a_film_of_the_longest_name_are_kept(tmp_path: Path, clip: Path) -> None:
    target = tmp_path / name_of(255, ".mp4")

    with pytest.raises(ModelError, match=r"Frames kept in .*\.part\.mp4: the first 3\."):
        run(clip, target, engine=HalfEngine(3, failed()))

    (kept,) = tmp_path.glob("*.part.mp4")
    assert len(pictures(kept)) == 3
    assert clips_in(str(tmp_path)) == [str(clip)], "what is unfinished is no clip"


@NO_LONG_NAMES
@pytest.mark.parametrize("suffix", [".mp4", ".ts", ".png", ".mpeg", "", ".images"])
def test_a_source_may_have_the_longest_name(tmp_path: Path, suffix: str) -> None:
    """The film of one whose suffix is shorter than .mp4 has a shorter stem."""
    name = name_of(255, suffix)
    source = tmp_path / "in" / name
    source.parent.mkdir()
    if suffix == ".images":
        write_images(source, "1.png")
    elif suffix in (".png", ""):
        Image.fromarray(numbered(1)).save(source, "PNG")
    else:
        write_clip(tmp_path / f"clip{suffix}", 3).rename(source)
    films = tmp_path / "films"

    assert converted([source], films)[1] == {"done": 1}

    assert converted([source], films)[1] == {"skipped": 1}
    (made,) = (each for each in names_in(films) if each != MANIFEST)
    assert made[:61] == name[:61] and len(os.fsencode(made)) <= 255


@NO_LONG_NAMES
def test_images_whose_names_are_too_long_for_png_get_shorter_ones(tmp_path: Path) -> None:
    """Known by their content, they have no suffix that .png could replace."""
    source = tmp_path / "in"
    source.mkdir()
    for ending in ("a", "b", "c"):
        Image.fromarray(numbered(1)).save(source / f"{'x' * 254}{ending}", "PNG")

    assert run(source, tmp_path / "out").frames == 3

    assert names_in(tmp_path / "out") == [
        f"{'x' * 247} (2).png",
        f"{'x' * 247} (3).png",
        f"{'x' * 251}.png",
    ]


@pytest.mark.skipif(os.name != "posix", reason="needs file modes")
@pytest.mark.parametrize(
    ("umask", "file_mode", "folder_mode"), [(0o022, 0o644, 0o755), (0o077, 0o600, 0o700)]
)
@pytest.mark.parametrize("target", ["out.mp4", "out.mkv", "out", "there"])
def test_what_is_converted_has_the_mode_of_the_umask(
    tmp_path: Path, clip: Path, umask: int, file_mode: int, folder_mode: int, target: str
) -> None:
    """Nobody else could read the film that was asked for."""
    (tmp_path / "there").mkdir(mode=0o700)
    before = os.umask(umask)
    try:
        run(clip, tmp_path / target, alpha=tmp_path / "alpha.mp4")
    finally:
        os.umask(before)

    made = tmp_path / target
    if made.is_dir():
        assert made.stat().st_mode & 0o777 == (0o700 if target == "there" else folder_mode)
    files = [tmp_path / "alpha.mp4", *(made.iterdir() if made.is_dir() else [made])]
    assert {file.stat().st_mode & 0o777 for file in files} == {file_mode}


@pytest.mark.skipif(os.name != "posix", reason="needs file modes")
def test_what_a_batch_writes_has_the_mode_of_the_umask(tmp_path: Path, clip: Path) -> None:
    images = write_images(tmp_path / "pics", "1.png")
    photo = write_images(tmp_path / "photos", "photo.png") / "photo.png"
    before = os.umask(0o022)
    try:
        converted([clip, images, photo], tmp_path / "out", alpha=tmp_path / "alpha")
    finally:
        os.umask(before)

    for folder in (tmp_path / "out", tmp_path / "alpha"):
        made = [*folder.rglob("*")]
        assert len(made) >= 4
        assert {path.stat().st_mode & 0o777 for path in made if path.is_file()} == {0o644}
        assert {path.stat().st_mode & 0o777 for path in made if path.is_dir()} == {0o755}
