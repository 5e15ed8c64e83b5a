"""Picture files of every kind, good and broken."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.core.errors import BackgroundError
from app.media.image_file import MAX_SIDE, read_image
from tests.compositing.files import cut, photo, write
from tests.fresh_python import printed_by

RED, GREEN = (30, 30, 220), (30, 220, 30)


def top_red(width: int = 40, height: int = 30) -> Image.Image:
    """Red above green, as Pillow (RGB) sees it."""
    rgb = np.full((height, width, 3), GREEN[::-1], np.uint8)
    rgb[: height // 2] = RED[::-1]
    return Image.fromarray(rgb)


@pytest.mark.parametrize("suffix", ["png", "tif", "jpg", "webp"])
@pytest.mark.parametrize(
    ("orientation", "red_side"),
    [(1, "top"), (3, "bottom"), (4, "bottom"), (6, "right"), (8, "left"), (2, "top"), (5, "left"), (7, "right")],
)
def test_exif_orientation_is_applied(tmp_path: Path, orientation: int, red_side: str, suffix: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    top_red().save(tmp_path / f"a.{suffix}", exif=exif)
    image = read_image(tmp_path / f"a.{suffix}")
    assert image.shape == ((30, 40, 3) if red_side in ("top", "bottom") else (40, 30, 3))
    spots = {"top": image[2, 15], "bottom": image[-3, 15], "left": image[15, 2], "right": image[15, -3]}
    assert np.abs(spots[red_side].astype(int) - RED).max() <= 12  # of JPEG


def test_transparent_parts_show_the_colour(tmp_path: Path) -> None:
    bgra = np.zeros((20, 20, 4), np.uint8)
    bgra[:, :10] = (10, 20, 200, 255)
    bgra[:, 15:] = (255, 255, 255, 128)
    image = read_image(write(tmp_path / "a.png", bgra), over=(100, 50, 0))
    assert tuple(image[5, 5]) == (10, 20, 200)
    assert tuple(image[5, 12]) == (100, 50, 0)
    assert np.abs(image[5, 18].astype(int) - (178, 153, 128)).max() <= 1


@pytest.mark.parametrize("mode", ["L", "1", "P", "LA", "PA", "CMYK", "I;16", "RGBA", "F", "I"])
@pytest.mark.parametrize("side", [40, MAX_SIDE + 500])
def test_every_mode_becomes_bgr(tmp_path: Path, mode: str, side: int) -> None:
    bright = np.full((30, side), 180, np.uint8)
    if mode == "I;16":
        picture = Image.fromarray(bright.astype(np.uint16) * 257)
    elif mode in ("F", "I"):
        picture = Image.fromarray(bright.astype(np.float32) / 255 if mode == "F" else bright.astype(np.int32) * 257)
    else:
        picture = Image.fromarray(bright).convert(mode)
    path = tmp_path / "a.tif"
    picture.save(path)
    image = read_image(path)
    assert image.shape[2] == 3 and image.dtype == np.uint8 and image.flags.c_contiguous
    assert max(image.shape) == min(side, MAX_SIDE)
    assert abs(float(image.mean()) - 180) <= (12 if mode == "1" else 2)


def test_16_bit_colour(tmp_path: Path) -> None:
    image = read_image(write(tmp_path / "a.png", np.full((8, 8, 3), (2570, 25700, 51400), np.uint16)))
    assert np.abs(image[0, 0].astype(int) - (10, 100, 200)).max() <= 1


PEAK = """
import resource, sys
from pathlib import Path
from app.media.image_file import read_image
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
before = peak()
image = read_image(Path(sys.argv[1]))
print(*image.shape, *image[100, 100], peak() - before)
"""


def test_a_huge_photograph_is_read_reduced_in_bounded_memory(tmp_path: Path) -> None:
    Image.new("RGB", (20_000, 5_000), (200, 100, 10)).save(tmp_path / "huge.jpg")
    said = printed_by(PEAK, str(tmp_path / "huge.jpg"))
    height, width, _, blue, green, red, grown_mib = map(int, said.split())
    assert (width, height) == (MAX_SIDE, MAX_SIDE // 4)
    assert np.abs(np.array((blue, green, red)) - (10, 100, 200)).max() <= 2
    assert grown_mib < 120, "read whole it takes 400 MiB"


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "bmp", "tif"])
@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.97])
def test_truncated_files_are_rejected_and_named(tmp_path: Path, suffix: str, share: float) -> None:
    whole = write(tmp_path / f"whole.{suffix}", photo())
    with pytest.raises(BackgroundError) as caught:
        read_image(cut(whole, share, tmp_path / f"cut.{suffix}"))
    assert f"cut.{suffix}" in str(caught.value)


def test_files_that_are_no_images_are_named(tmp_path: Path) -> None:
    (tmp_path / "text.jpg").write_text("not a picture")
    for path, words in (
        (tmp_path / "none.png", "does not exist"),
        (tmp_path / "text.jpg", "not a readable image"),
        (tmp_path, "folder"),
    ):
        with pytest.raises(BackgroundError, match=words):
            read_image(path)


def test_decoder_messages_are_not_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "a.tif"
    write(path, photo(60, 40))
    whole = path.read_bytes()
    samples = whole.index(b"\x15\x01\x03\x00\x01\x00\x00\x00") + 8  # samples of a pixel: 3
    path.write_bytes(whole[:samples] + b"\x07" + whole[samples + 1 :])
    with pytest.raises(BackgroundError):
        read_image(path)
    assert not caplog.records
