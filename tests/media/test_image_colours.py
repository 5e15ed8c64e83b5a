"""Colours that image files name in other ways than by a profile become those of sRGB."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from app.backgrounds import open_background
from app.config.setting import parse_background
from app.core.errors import BackgroundError
from app.gui.backgrounds.library import thumbnail
from app.matting.plate.picture import read_plate
from app.media.image_file import read_cut_out, read_image, reading_note, write_picture
from tests.backgrounds.files import cut
from tests.paths import ROOT

FIELD = ROOT / "tests" / "field"
DISPLAY_P3 = FIELD / "patches_display_p3_nclx_without_icc.avif"
ADOBE_RGB = FIELD / "patches_adobe_rgb_by_exif_alone.jpg"
UNENDED = FIELD / "jpeg_without_end_marker.jpg"
NAMED = [
    pytest.param(
        DISPLAY_P3,
        [(218, 0, 26), (0, 204, 0), (40, 40, 208), (234, 169, 135)],
        id="Display P3 by nclx",
    ),
    pytest.param(
        ADOBE_RGB,
        [(233, 35, 35), (0, 201, 0), (35, 35, 205), (242, 174, 140)],
        id="Adobe RGB by EXIF",
    ),
]
RED = (200, 40, 40)
P3_CHROMATICITY = (31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000)
SRGB_CHROMATICITY = (31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)
RED_OF_P3 = (218, 0, 26)


def patches(image: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return the first four of eight patches, as RGB."""
    height, width = image.shape[:2]
    columns = width // 16 + width // 8 * np.arange(4)
    return image[height * 3 // 8, columns, 2::-1].astype(int)


@pytest.mark.parametrize("path, expected", NAMED)
def test_images_backgrounds_plates_and_thumbnails_show_the_named_colours(
    path: Path, expected: list[tuple[int, int, int]]
) -> None:
    shown = [
        read_image(path),
        read_cut_out(path),
        np.asarray(open_background(parse_background(path)).backdrop(320, 240, 0.0)),
        read_plate(path, 320, 240),
        thumbnail(path, 320, 240),
    ]

    for image in shown:
        assert np.abs(patches(image) - expected).max() <= 3


def png(chunks: Mapping[bytes, bytes], colour: tuple[int, ...] = RED, mode: str = "RGB") -> bytes:
    file = io.BytesIO()
    Image.new(mode, (8, 8), colour).save(file, "PNG")
    data = file.getvalue()
    header_end = data.index(b"IDAT") - 4
    added = b"".join(
        struct.pack(">I", len(content))
        + kind
        + content
        + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in chunks.items()
    )
    return data[:header_end] + added + data[header_end:]


def gamma(value: int) -> bytes:
    return struct.pack(">I", value)


def chromaticity(numbers: tuple[int, ...]) -> bytes:
    return struct.pack(">8I", *numbers)


@pytest.mark.parametrize(
    "chunks, expected",
    [
        pytest.param({b"cICP": bytes([12, 13, 0, 1])}, RED_OF_P3, id="cICP of Display P3"),
        pytest.param({b"cICP": bytes([1, 13, 0, 1])}, RED, id="cICP of sRGB"),
        pytest.param({b"cICP": bytes([1, 8, 0, 1])}, (227, 110, 110), id="cICP of linear light"),
        pytest.param({b"cICP": bytes([2, 2, 0, 1])}, RED, id="cICP of nothing"),
        pytest.param({b"cHRM": chromaticity(P3_CHROMATICITY)}, RED_OF_P3, id="cHRM of Display P3"),
        pytest.param(
            {b"cHRM": chromaticity(SRGB_CHROMATICITY), b"gAMA": gamma(45455)},
            RED,
            id="sRGB by numbers",
        ),
        pytest.param({b"gAMA": gamma(100_000)}, (227, 110, 110), id="gAMA of linear light"),
        pytest.param({b"sRGB": b"\0", b"gAMA": gamma(100_000)}, RED, id="sRGB before gAMA"),
        pytest.param(
            {b"cICP": bytes([1, 13, 0, 1]), b"gAMA": gamma(100_000)}, RED, id="cICP before gAMA"
        ),
        pytest.param({b"gAMA": gamma(0)}, RED, id="impossible gAMA"),
        pytest.param({b"gAMA": gamma(1)}, RED, id="gAMA that no profile can hold"),
        pytest.param({b"cHRM": chromaticity((0,) * 8)}, RED, id="impossible cHRM"),
        pytest.param({b"cHRM": chromaticity((1,) * 8)}, RED, id="cHRM of points in one place"),
    ],
)
def test_chunks_of_png_name_colours(
    chunks: Mapping[bytes, bytes], expected: tuple[int, ...], tmp_path: Path
) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(png(chunks))

    shown = read_image(path)[4, 4, ::-1].astype(int)

    assert np.abs(shown - expected).max() <= 2


def test_numbers_of_heic_name_colours(tmp_path: Path) -> None:
    srgb = FIELD / "photo_folder_with_other_types" / "IMG_0002.HEIC"
    data = srgb.read_bytes()
    assert data.count(b"nclx\0\1\0\x0d") == 1
    path = tmp_path / "a.heic"
    path.write_bytes(data.replace(b"nclx\0\1\0\x0d", b"nclx\0\x09\0\x0d"))

    plain, wide = (read_image(file).astype(int) for file in (srgb, path))

    assert np.abs(plain - wide).max() > 8
    assert np.ptp(wide, axis=2).mean() > np.ptp(plain, axis=2).mean()


def test_a_profile_counts_where_numbers_are_unspecified(tmp_path: Path) -> None:
    with Image.open(FIELD / "live-background-patches-display-p3-profile.jpg") as image:
        profile = image.info["icc_profile"]
    path = tmp_path / "a.png"
    path.write_bytes(
        png({b"cICP": bytes([2, 2, 0, 1]), b"iCCP": b"p3\0\0" + zlib.compress(profile)})
    )

    shown = read_image(path)[4, 4, ::-1].astype(int)

    assert np.abs(shown - RED_OF_P3).max() <= 2


def test_alpha_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(png({b"cICP": bytes([12, 13, 0, 1])}, (*RED, 100), "RGBA"))

    shown = read_cut_out(path)[4, 4, [2, 1, 0, 3]].astype(int)

    assert np.abs(shown - (*RED_OF_P3, 100)).max() <= 2


def test_the_white_of_hdr_images_is_nearly_that_of_the_display(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(png({b"cICP": bytes([9, 16, 0, 1])}, (148, 148, 148)))  # 203 cd/m² in PQ

    shown = read_image(path)[4, 4].astype(int)

    assert shown.min() >= 215
    assert np.ptp(shown) <= 3


def test_a_jpeg_without_its_end_mark_is_the_image_and_a_sentence() -> None:
    image = read_image(UNENDED)

    assert (
        np.abs(
            patches(image) - [(200, 40, 40), (40, 200, 40), (40, 40, 200), (224, 172, 140)]
        ).max()
        <= 4
    )
    assert str(reading_note(UNENDED)) == (
        f"{UNENDED} lacks its end mark, but the whole image is there; save it again."
    )


def test_a_jpeg_that_lacks_more_is_damaged(tmp_path: Path) -> None:
    path = cut(UNENDED, 0.9, tmp_path / "a.jpg")

    with pytest.raises(BackgroundError, match="damaged"):
        read_image(path)


@pytest.mark.parametrize("suffix", ["tif", "tiff"])
def test_a_tiff_cut_out_names_its_alpha(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"a.{suffix}"
    bgra = np.random.default_rng(0).integers(0, 255, (9, 7, 4), np.uint8)

    write_picture(path, bgra)

    with Image.open(path) as image:
        assert image.tag_v2[338] == (2,)  # type: ignore[attr-defined]
    assert (read_cut_out(path) == bgra).all()
