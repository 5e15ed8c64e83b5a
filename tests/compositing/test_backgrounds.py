"""Contract of all backgrounds, and their settings."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from app.compositing import Background, bundled_backgrounds, open_background
from app.compositing.library import own_backgrounds
from app.config.parsing import parse_background
from app.core.errors import BackgroundError
from app.core.files import paths
from app.core.settings import BackgroundSettings
from app.core.types import BlurredBackground, check_bgr
from app.media.image_file import kind_of_file
from tests.compositing.files import cut, flat, photo, write, write_video

COLOUR = BackgroundSettings(kind="colour", colour="#c8640a")
BLUR = BackgroundSettings(kind="blur", blur_strength=30)
MAKERS: dict[str, Callable[[Path], BackgroundSettings]] = {
    "image": lambda folder: BackgroundSettings(kind="image", path=write(folder / "a.png", photo())),
    "fitted": lambda folder: BackgroundSettings(kind="image", path=write(folder / "a.jpg", photo()), fit="fit"),
    "video": lambda folder: BackgroundSettings(kind="video", path=write_video(folder / "a.mp4")),
    "colour": lambda folder: COLOUR,
    "blur": lambda folder: BLUR,
}


def test_own_backgrounds_are_listed_by_name() -> None:
    folder = paths.backgrounds_dir()
    folder.mkdir(parents=True)
    for name in ("beach 2.png", "Beach.jpg", "alps.mp4"):
        (folder / name).touch()
    assert [path.name for path, _ in own_backgrounds()] == ["alps.mp4", "Beach.jpg", "beach 2.png"]


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_contract(make: Callable[[Path], BackgroundSettings], tmp_path: Path) -> None:
    threads = threading.active_count()
    background: Background = open_background(make(tmp_path))
    for width, height in ((320, 180), (33, 77), (2, 2), (320, 180)):
        backdrop = background.backdrop(width, height, 0.0)
        if not isinstance(backdrop, BlurredBackground):
            check_bgr(backdrop)
            assert backdrop.shape == (height, width, 3) and backdrop.flags.c_contiguous
        assert background.backdrop(width, height, 0.0) is backdrop, "the same picture must be the same object"
    background.close()
    background.close()
    assert threading.active_count() == threads


def test_colour_and_blur_match_the_settings() -> None:
    image = open_background(COLOUR).backdrop(4, 4, 0)
    assert isinstance(image, np.ndarray) and (image == (10, 100, 200)).all()
    assert open_background(BLUR).backdrop(4, 4, 0) == BlurredBackground(30)


def test_transparent_images_show_the_colour(tmp_path: Path) -> None:
    path = write(tmp_path / "a.png", np.zeros((8, 8, 4), np.uint8))
    image = open_background(BackgroundSettings(kind="image", path=path, colour="#0a64c8")).backdrop(8, 8, 0)
    assert isinstance(image, np.ndarray) and (image == (200, 100, 10)).all()


def test_fill_crops_and_fit_letterboxes(tmp_path: Path) -> None:
    wide = flat((0, 0, 0), 400, 100)
    wide[:, :50] = (0, 0, 255)
    settings = BackgroundSettings(kind="image", path=write(tmp_path / "a.png", wide))
    filled = open_background(settings).backdrop(100, 100, 0)
    fitted = open_background(settings.replace(fit="fit")).backdrop(100, 100, 0)
    assert isinstance(filled, np.ndarray) and isinstance(fitted, np.ndarray)
    assert filled[50, 2, 2] == 0, "the red side must be cut off"
    assert fitted[50, 2, 2] == 255, "the red side must be kept"


@pytest.mark.parametrize(("name", "left_out"), [("a.webp", False), ("a.tif", True), ("a.png", False), ("a.gif", False)])
def test_an_animation_that_cannot_be_played_says_so(
    name: str, left_out: bool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first, *others = (Image.new("RGB", (64, 48), colour) for colour in ("red", "green", "blue"))
    first.save(tmp_path / name, save_all=True, append_images=others)
    with caplog.at_level(logging.WARNING), closing(open_background(parse_background(tmp_path / name))) as background:
        assert background.backdrop(64, 48, 0.0).shape == (48, 64, 3)  # type: ignore[union-attr]
    assert [record.getMessage() for record in caplog.records] == left_out * [
        f"Only the first of the 3 frames of {tmp_path / name} is used; save it as a video or GIF to use them all."
    ]
    caplog.clear()


def test_kind_of_file_looks_at_the_content(tmp_path: Path) -> None:
    write(tmp_path / "a.png", photo())
    (tmp_path / "picture.mp4").write_bytes((tmp_path / "a.png").read_bytes())
    write_video(tmp_path / "a.mp4")
    (tmp_path / "a.mp4").rename(tmp_path / "video.png")
    assert kind_of_file(tmp_path / "picture.mp4") == "image"
    assert kind_of_file(tmp_path / "video.png") == "video"


@pytest.mark.parametrize("content", [b"", b"no picture and no video", b"\x89PNG\r\n\x1a\n damaged"])
def test_a_damaged_picture_is_reported_as_a_picture(content: bytes, tmp_path: Path) -> None:
    for name in ("broken.png", "broken.JPG"):
        broken = tmp_path / name
        broken.write_bytes(content)
        with pytest.raises(BackgroundError) as caught:
            open_background(parse_background(str(broken)))
        assert caught.value.code.startswith("ImageText."), caught.value


@pytest.mark.parametrize("kind", ["image", "video"])
@pytest.mark.parametrize(
    "what", ["nothing chosen", "missing", "text", "folder", "empty", "cut short", "other kind", "sound"]
)
def test_bad_files_are_named_and_leave_no_thread(tmp_path: Path, kind: str, what: str) -> None:
    path: Path | None = tmp_path / "bad file"
    assert path is not None
    if what == "nothing chosen":
        path = None
    elif what == "text":
        path.write_text("neither picture nor video\n" * 100)
    elif what == "folder":
        path = tmp_path
    elif what == "empty":
        path.touch()
    elif what == "cut short":
        whole = write(tmp_path / "a.png", photo()) if kind == "image" else write_video(tmp_path / "a.mp4")
        cut(whole, 0.4, path)
    elif what == "other kind":
        path = write_video(tmp_path / "a.mp4") if kind == "image" else write(tmp_path / "a.txt.png", photo())
        if kind == "video":
            path = cut(path, 0.02, tmp_path / "stub")
    elif what == "sound":
        path.write_bytes(b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x40\x1f\0\0\x40\x1f\0\0\1\0\x08\0data\0\0\0\0")
    threads = threading.active_count()
    with pytest.raises(BackgroundError) as caught:
        open_background(BackgroundSettings(kind=kind, path=path))
    assert path is None or str(path) in str(caught.value)
    assert threading.active_count() == threads


def test_a_file_without_read_permission_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "a.png", photo())

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("app.media.image_file.Image.open", refuse)
    monkeypatch.setattr("app.media.video_input.av.open", refuse)
    for kind in ("image", "video"):
        with pytest.raises(BackgroundError, match="no permission to read"):
            open_background(BackgroundSettings(kind=kind, path=path))


def test_bundled_backgrounds_are_small_full_hd_pictures() -> None:
    paths = bundled_backgrounds()
    assert len(paths) >= 6
    for path in paths:
        image = cv2.imread(str(path))
        assert image is not None and image.shape == (1080, 1920, 3)
        assert path.stat().st_size <= 350_000
        assert image.std() > 5, f"{path.name} is an empty picture"


def test_bundled_backgrounds_are_reproducible() -> None:
    from tools.backgrounds.paint import to_bytes
    from tools.backgrounds.scenes import SCENES

    paths = {path.stem: path for path in bundled_backgrounds()}
    assert set(paths) == set(SCENES)
    committed = cv2.imread(str(paths["1-soft-studio"]))
    assert committed is not None
    painted = to_bytes(SCENES["1-soft-studio"](), 0.004, 1)
    assert np.abs(painted.astype(int) - committed).mean() < 2
