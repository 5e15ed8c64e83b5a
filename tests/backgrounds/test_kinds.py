"""Contract of all backgrounds, their settings, transparent parts of moving ones, and the stand-by card."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from app.backgrounds import Background, bundled_backgrounds, open_background
from app.backgrounds.kinds import own_backgrounds
from app.backgrounds.standby import TextBlock, draw_card
from app.config.setting import parse_background
from app.core import paths
from app.core.errors import BackgroundError
from app.core.settings import BackgroundSettings
from app.core.types import BgrImage, BlurredBackground, check_bgr
from app.media.image_file import kind_of_file
from app.media.video_writer import VideoWriter, file_encoder
from tests.backgrounds.files import cut, flat, photo, write, write_video
from tests.paths import ROOT

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


def test_colour_and_blur_match_the_settings(tmp_path: Path) -> None:
    clear = write(tmp_path / "a.png", np.zeros((8, 8, 4), np.uint8))
    for wanted in (COLOUR, COLOUR.replace(kind="image", path=clear)):  # which is seen through the image
        image = open_background(wanted).backdrop(4, 4, 0)
        assert isinstance(image, np.ndarray) and (image == (10, 100, 200)).all()
    assert open_background(BLUR).backdrop(4, 4, 0) == BlurredBackground(30)


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


FIELD = ROOT / "tests" / "field"
BEHIND, BGR = "#2050c0", (0xC0, 0x50, 0x20)
SHADES = [(200, 40, 40), (40, 200, 40), (40, 40, 200)]


def half_clear(name: str) -> list[NDArray[np.uint8]]:
    """Return pictures whose left half is clear and hides red."""
    made = []
    for shade in SHADES:
        image = np.zeros((48, 64, 4), np.uint8)
        image[:, :32] = 255, 0, 0, 0
        image[:, 32:] = *shade, 255
        made.append(image)
    return made


def write_moving(path: Path) -> Path:
    images = [Image.fromarray(image) for image in half_clear(path.name)]
    if path.suffix == ".gif":
        images[0].save(path, save_all=True, append_images=images[1:], duration=100, disposal=2)
    elif path.suffix in (".png", ".apng"):
        images[0].save(path, "PNG", save_all=True, append_images=images[1:], duration=100, disposal=1)
    elif path.suffix == ".webp":
        images[0].save(path, save_all=True, append_images=images[1:], duration=100, lossless=True, exact=True)
    else:
        writer = VideoWriter(path, 64, 48, 10, encoder=file_encoder(4, path.suffix, alpha=True))
        for image in images:
            writer.write(np.ascontiguousarray(np.asarray(image)[..., [2, 1, 0, 3]]))
        writer.close()
    return path


def shown(path: Path, times_s: list[float], fit: str = "fill") -> list[NDArray[np.uint8]]:
    settings = parse_background(path, BackgroundSettings(colour=BEHIND)).replace(fit=fit)
    assert settings.kind == "video"
    with closing(open_background(settings, realtime=False)) as background:
        return [np.asarray(background.backdrop(64, 48, time_s)).copy() for time_s in times_s]


@pytest.mark.parametrize("name", ["a.gif", "a.png", "a.apng", "a.webp", "a.webm", "a.mov"])
def test_clear_parts_show_the_background_colour_and_the_others_play(name: str, tmp_path: Path) -> None:
    pictures = shown(write_moving(tmp_path / name), [0.0, 0.1, 0.2, 0.35])
    for picture, shade in zip(pictures, [*SHADES, SHADES[0]], strict=True):
        assert np.abs(picture[24, 8].astype(int) - BGR).max() <= 4
        assert np.abs(picture[24, 56].astype(int) - shade[::-1]).max() <= 8


@pytest.mark.parametrize(
    "name",
    [
        "live-background-animated-transparent.gif",
        "live-background-vp9-alpha-hidden-red.webm",
    ],
)
def test_what_a_clear_part_hides_does_not_show(name: str) -> None:
    for picture in shown(FIELD / name, [0.0, 0.3, 1.0]):
        blue, green, red = (picture[..., channel].astype(int) for channel in range(3))
        assert not ((red > 200) & (green < 60) & (blue < 60)).any()
        assert (np.abs(picture.astype(int) - BGR).max(axis=2) <= 6).mean() > 0.2


def test_an_animated_webp_that_declares_too_much_is_refused(tmp_path: Path) -> None:
    images = [Image.new("RGB", (3000, 2000), (number % 2 * 255, number, 0)) for number in range(30)]
    images[0].save(tmp_path / "a.webp", save_all=True, append_images=images[1:], lossless=True, method=0)
    with pytest.raises(BackgroundError, match=r"a\.webp"):
        open_background(parse_background(tmp_path / "a.webp"))


def ink(text: str) -> BgrImage:
    """The text alone, white on black."""
    image = np.zeros((90, 700, 3), np.uint8)
    TextBlock(text, 700, 90, 40).draw(image, 350, 20, (255, 255, 255))
    return image


def test_the_card_shows_its_text() -> None:
    image = draw_card("Back soon", None, 640, 360)
    assert image.shape == (360, 640, 3)
    assert not np.array_equal(image, draw_card("Gone fishing", None, 640, 360))
    assert (draw_card("", None, 640, 360) > 200).any(), "without a text of the user's there is one of ours"


@pytest.mark.parametrize("letters", ["äöüßÄÖÜ", "ñáéíóú¿¡", "žščłő", "Привет", "Ελλάδα", "你好"])
def test_letters_of_other_languages_are_drawn(letters: str) -> None:
    unknown = ink("\U0010fffd")
    for letter in letters:
        assert ink(letter).any()
        assert not np.array_equal(ink(letter), unknown), f"{letter} is drawn as an unknown sign"
    assert not np.array_equal(ink("u"), ink("ü"))


def test_long_texts_wrap_and_shrink_into_their_box() -> None:
    text = "Ich bin gleich zurück, es dauert nur noch einen Augenblick. " * 3
    assert TextBlock("Lunch\n14:30", 400, 100, 20).lines == ["Lunch", "14:30"]
    block = TextBlock(text + "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichen" * 2, 300, 120, 40)
    assert len(block.lines) > 3 and block.height <= 120 + block.size_px * 2
    image = np.zeros((200, 400, 3), np.uint8)
    block.draw(image, 200, 20, (255, 255, 255))
    columns = np.flatnonzero(image.any((0, 2)))
    assert columns[0] >= 48 and columns[-1] <= 352
    assert (
        "".join(block.lines).replace(" ", "")
        == text.replace(" ", "") + "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichen" * 2
    )


@settings(max_examples=25, deadline=None)
@given(st.text(max_size=60), st.integers(2, 300), st.integers(2, 300))
@example("half a surrogate \ud800 and \0", 64, 48)
def test_any_text_at_any_size(text: str, width: int, height: int) -> None:
    assert draw_card(text, None, width, height).shape == (height, width, 3)


def test_the_users_image_fills_the_card(tmp_path: Path) -> None:
    path = write(tmp_path / "a.png", flat((10, 100, 200), 100, 100))
    assert (draw_card("", path, 160, 90) == (10, 100, 200)).all()
    with_text = draw_card("Back soon", path, 640, 360)
    assert (with_text[:100] == (10, 100, 200)).all() and (with_text[-110:] > 210).any()
