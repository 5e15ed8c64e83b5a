"""Folders of photos and films of every kind: each is converted, or named as left out."""

from __future__ import annotations

import shutil
from pathlib import Path

import av
import cv2
import pytest

from app.cli import main
from app.matting.openvino import conversion
from app.matting.openvino.conversion import NetworkSource
from app.media.image_file import is_picture, kind_of_file, read_image
from models.table import BUNDLED
from tests.clips import frames_of, names_in, numbered, write_clip, writing
from tests.offline.converting import build_half
from tests.paths import ROOT

FIELD = ROOT / "tests" / "field"
PHOTOS = FIELD / "photo_folder_with_other_types"
FAST = ("--model", "mattecam")
pytestmark = [
    pytest.mark.usefixtures("resource_tracker"),
    pytest.mark.posix("symbolic links for everybody"),
]


@pytest.fixture(autouse=True)
def place(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder with photos; worker processes have the networks that are converted once per run."""
    data = tmp_path_factory.getbasetemp() / "data-of-workers"
    network = NetworkSource("mattecam", BUNDLED)
    if not data.exists():
        conversion.artefacts.load(network)
        data.mkdir()
        (data / "cache").symlink_to(conversion.artefacts.folder(network).parent)
    monkeypatch.setenv("MATTECAM_DATA_DIR", str(data))
    monkeypatch.setattr("app.offline.convert.build_engine", build_half)
    monkeypatch.chdir(tmp_path)
    shutil.copytree(PHOTOS, "in")


def test_all_photos_of_a_folder_are_converted() -> None:
    assert main.main(["convert", "in", "out", *FAST]) == 0
    assert names_in(Path("out")) == [f"{photo.stem}.png" for photo in sorted(PHOTOS.iterdir())]
    for photo in PHOTOS.iterdir():
        assert kind_of_file(photo) == "image"
        assert (
            read_image(photo).shape
            == read_image(Path("out", f"{photo.stem}.png")).shape
            == (128, 192, 3)
        )


@pytest.mark.parametrize(
    "name", ["photo", "photo.dat", "photo.mp4", "photo.JPE", "still_picture.gif"]
)
def test_the_content_of_a_photo_decides_not_its_name(name: str) -> None:
    """A GIF with one frame is a photo, too."""
    shutil.copy(FIELD / name if name.endswith("gif") else PHOTOS / "IMG_0001.JPG", name)
    assert not is_picture(FIELD / "live-background-animated-transparent.gif")
    assert is_picture(Path(name))
    assert main.main(["convert", name, "out.png", *FAST]) == 0


def test_a_folder_of_photos_and_films_converts_both() -> None:
    for number in (3, 4, 5, 6):
        next(Path("in").glob(f"IMG_000{number}.*")).unlink()
    write_clip(Path("in/IMG_0002.mov"), 2)  # of a live photo
    cv2.imwrite("in/IMG_0001.bmp", numbered(1))
    assert main.main(["convert", "in", "out", *FAST]) == 0
    photos = ["IMG_0001.JPG.png", "IMG_0001.bmp.png", "IMG_0002.png"]
    assert names_in(Path("out")) == sorted([*photos, "IMG_0002.mov", "manifest.jsonl"])
    assert read_image(Path("out/IMG_0002.png")).shape == (128, 192, 3)


STREAMS = (
    ("a.mjpeg", "mjpeg", "mjpeg", "yuvj420p"),
    ("b.mjpg", "mjpeg", "mjpeg", "yuvj420p"),
    ("c.apng", "apng", "apng", "rgb24"),
    ("d.h264", "h264", "libx264", "yuv420p"),
    ("e.ivf", "ivf", "libvpx", "yuv420p"),
)


def test_a_bare_stream_of_frames_is_a_film() -> None:
    """The first image of a row of JPEG images is no photo."""
    for name, form, codec, pixels in STREAMS:
        clip = Path("clips", name)
        clip.parent.mkdir(exist_ok=True)
        with writing(clip, codec, pixels=pixels, form=form) as (container, stream):
            for number in range(4):
                container.mux(stream.encode(av.VideoFrame.from_ndarray(numbered(number), "bgr24")))
        assert kind_of_file(clip) == "video", name
    assert main.main(["convert", "clips", "out", *FAST]) == 0
    for name, *_ in STREAMS:
        assert len(frames_of(Path(f"out/{Path(name).stem}.mp4"))) == 4, name


@pytest.mark.parametrize("film", [False, True])
def test_what_is_left_out_is_counted_and_named(
    film: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in (
        "notes.txt",
        "list.csv",
        "Thumbs.db",
        ".DS_Store",
        "._IMG_0001.JPG",
        *(f"z{n:02}" for n in range(30)),
    ):
        Path("in", name).write_bytes(b"no image")
    Path("in/a.png").write_bytes(b"broken")
    Path("in/b.dng").write_bytes(Path("in/IMG_0006.png").read_bytes())
    if film:
        write_clip(Path("in/clip.mp4"), 2)
    assert main.main(["convert", "in", "out", *FAST]) == (
        1 if film else 0
    )  # a clip of a batch that fails
    told = capsys.readouterr().err.replace("\n", " ")
    assert "neither images nor videos were left out: 32 (list.csv, notes.txt, z00," in told
    assert "z17, …)" in told and "z18" not in told
    assert "a.png" in told and "b.dng" in told and "raw data" in told
    assert "Thumbs" not in told and "DS_Store" not in told and "._IMG" not in told
