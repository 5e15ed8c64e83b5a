"""Images of a few kilobytes that would take gigabytes are refused before they are decoded; large
photos are not.
"""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image

from app.core.errors import BackgroundError
from app.media.container import VideoError, open_container
from app.media.image_file import MAX_SIDE, kind_of_file, read_cut_out, read_image, read_matte
from app.media.image_memory import MAX_FILE_BYTES, WORKING_BYTES, has_limit, takes_too_much
from tests.fresh_python import printed_by
from tests.paths import ROOT

FIELD = ROOT / "tests" / "field"
PHONE = FIELD / "photo_folder_with_other_types"
WIDTH_TAG = 256
HEIGHT_TAG = 257


def saved(image_format: str, mode: str = "RGB", **options: object) -> bytes:
    file = io.BytesIO()
    Image.new(mode, (64, 48)).save(file, image_format, **options)
    return file.getvalue()


def png(width: int, height: int, bits: int = 8, colour: int = 2) -> bytes:
    head = b"IHDR" + struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    data = b"IDAT" + zlib.compress(bytes(1000))
    chunks = [
        struct.pack(">I", len(part) - 4) + part + struct.pack(">I", zlib.crc32(part))
        for part in (head, data)
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def ico(width: int, height: int) -> bytes:
    inside = png(width, height)
    return struct.pack("<HHHBBBBHHII", 0, 1, 1, 0, 0, 0, 0, 1, 32, len(inside), 22) + inside


def jpeg(
    width: int,
    height: int,
    *,
    layers: int = 3,
    in_scan: int = 3,
    frame: int = 0xC0,
    sampling: int = 0x22,
) -> bytes:
    """frame: the marker of the frame, 0xC2 of a progressive one.

    in_scan: components of the first scan.
    """
    kinds = [bytes([number + 1, 0x11 if number else sampling, 0]) for number in range(layers)]
    scan = b"".join(bytes([number + 1, 0]) for number in range(in_scan))
    parts = [
        (0xDB, bytes([0]) + bytes([1] * 64)),
        (frame, struct.pack(">BHHB", 8, height, width, layers) + b"".join(kinds)),
        (0xDA, bytes([in_scan]) + scan + bytes([0, 63, 0])),
    ]
    segments = [
        bytes([0xFF, marker]) + struct.pack(">H", len(data) + 2) + data for marker, data in parts
    ]
    return b"\xff\xd8" + b"".join(segments) + bytes(1000) + b"\xff\xd9"


def webp(width: int, height: int) -> bytes:
    """A lossless one, whose pixels all have one colour."""
    size = (width - 1) | (height - 1) << 14
    content = b"\x2f" + struct.pack("<I", size) + bytes(9)
    return (
        b"RIFF"
        + struct.pack("<I", 12 + len(content))
        + b"WEBPVP8L"
        + struct.pack("<I", len(content))
        + content
    )


def animated_webp(width: int, height: int) -> bytes:
    file = io.BytesIO()
    frames = [Image.new("RGB", (16, 16), colour) for colour in ("red", "blue")]
    frames[0].save(file, "WEBP", save_all=True, append_images=frames[1:])
    data = bytearray(file.getvalue())
    data[24:30] = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return bytes(data)


def tiff(width: int, height: int, **tags: int) -> bytes:
    """The bytes of a small one with other numbers in its tags."""
    data = bytearray(saved("TIFF", compression="tiff_lzw", tiffinfo={274: 1}))
    numbers = {WIDTH_TAG: width, HEIGHT_TAG: height, 278: height} | {
        int(name[1:]): tags[name] for name in tags
    }
    at = int.from_bytes(data[4:8], "little")
    for entry in range(at + 2, at + 2 + 12 * int.from_bytes(data[at : at + 2], "little"), 12):
        tag = int.from_bytes(data[entry : entry + 2], "little")
        if tag in numbers:
            struct.pack_into("<HII", data, entry + 2, 4, 1, numbers[tag])
    return bytes(data)


def with_size(data: bytes, before: bytes, width: int, height: int) -> bytes:
    """Write another size behind the last place of `before`."""
    at = data.rindex(before) + len(before)
    return data[:at] + struct.pack(">II", width, height) + data[at + 8 :]


def telephone(name: str, width: int, height: int) -> bytes:
    """All sizes of a photo in HEIC or AVIF are others."""
    data = bytearray((PHONE / name).read_bytes())
    at = data.find(b"ispe")
    while at >= 0:
        struct.pack_into(">II", data, at + 8, width, height)
        at = data.find(b"ispe", at + 1)
    return bytes(data)


def jpeg_2000(width: int, height: int) -> bytes:
    data = saved("JPEG2000", no_jp2=True)
    size = struct.pack(">II", width, height)
    return data.replace(struct.pack(">II", 64, 48), size)


def bmp(width: int, height: int) -> bytes:
    head = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, 1, 4, 0, 0, 256, 0)
    return b"BM" + struct.pack("<IHHI", 0, 0, 0, 1078) + head + bytes(1024) + b"\0\2\xff\xff\0\1"


GIF = b"GIF89a" + struct.pack("<HH", 65_000, 65_000) + bytes(3) + b","
GIF_FRAME = struct.pack("<HHHHB", 0, 0, 65_000, 65_000, 0) + b"\2\2\x4c\1\0;"


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(png(50_000, 50_000, 1, 0), id="PNG of one bit"),
        pytest.param(png(11_000, 11_000, 8, 6), id="PNG with alpha, which is copied to be scaled"),
        pytest.param(jpeg(40_000, 40_000, layers=1, in_scan=1, frame=0xC2), id="progressive JPEG"),
        pytest.param(jpeg(12_000, 12_000, in_scan=1), id="JPEG in a scan for each component"),
        pytest.param(webp(8000, 8000), id="WebP"),
        pytest.param(webp(16_383, 16_383), id="the largest WebP"),
        pytest.param(animated_webp(16_000, 16_000), id="animated WebP"),
        pytest.param(telephone("IMG_0004.avif", 16_000, 16_000), id="AVIF"),
        pytest.param(telephone("IMG_0002.HEIC", 16_000, 16_000), id="HEIC"),
        pytest.param(jpeg_2000(8000, 8000), id="JPEG 2000"),
        pytest.param(tiff(11_000, 11_000), id="TIFF in one strip"),
        pytest.param(tiff(11_000, 11_000, _278=16, _274=6), id="turned TIFF"),
        pytest.param(GIF + GIF_FRAME, id="GIF"),
        pytest.param(bmp(22_000, 22_000), id="BMP with run lengths"),
        pytest.param(
            b"qoif" + struct.pack(">IIBB", 11_500, 11_500, 4, 0) + b"\xfd" * 1000, id="QOI"
        ),
        pytest.param(b"P6\n30000 30000\n255\n", id="PPM"),
    ],
)
def test_what_would_take_too_much_is_refused_before_it_is_decoded(
    data: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "image.png"
    path.write_bytes(data)

    kind_of_file(path)
    with pytest.raises(BackgroundError) as caught:
        read_image(path)

    assert str(caught.value) == f"The image {path} is too large; save it in a smaller size."


def test_a_matte_whose_colours_would_take_too_much_is_refused_before_it_is_decoded(
    tmp_path: Path,
) -> None:
    """It has a byte per pixel in the file, and is not scaled: one of 3 KB with a palette took 6
    GB.
    """
    path = tmp_path / "matte.png"
    path.write_bytes(png(20_000, 20_000, 8, 0))

    with pytest.raises(BackgroundError, match="too large"):
        read_matte(path)


def test_formats_that_are_decoded_while_they_are_opened_are_not_read(tmp_path: Path) -> None:
    path = tmp_path / "image.png"
    path.write_bytes(ico(40_000, 40_000))

    with pytest.raises(BackgroundError, match="not a readable image"):
        read_image(path)


def test_a_compressed_file_of_gigabytes_is_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "image.webp"
    with path.open("wb") as file:
        file.write(webp(64, 48))
        file.truncate(MAX_FILE_BYTES + 1)

    with pytest.raises(BackgroundError, match="too large"):
        read_image(path)


def test_an_animation_of_a_large_canvas_is_refused_as_a_film(tmp_path: Path) -> None:
    path = tmp_path / "image.webp"
    path.write_bytes(animated_webp(6000, 6000))

    with pytest.raises(VideoError):
        open_container(path)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(jpeg(16_320, 12_240), id="JPEG of 200 megapixels"),
        pytest.param(jpeg(12_000, 8000, frame=0xC2), id="progressive JPEG of 96 megapixels"),
        pytest.param(telephone("IMG_0002.HEIC", 8064, 6048), id="HEIC of 48 megapixels"),
        pytest.param(telephone("IMG_0004.avif", 6000, 4000), id="AVIF of 24 megapixels"),
        pytest.param(webp(6000, 4000), id="WebP of 24 megapixels"),
        pytest.param(png(8064, 6048), id="PNG of 48 megapixels"),
        pytest.param(tiff(11_648, 8736, _278=16), id="TIFF of 100 megapixels in strips"),
    ],
)
def test_photos_of_the_largest_cameras_are_not_refused(data: bytes) -> None:
    with Image.open(io.BytesIO(data)) as image:
        assert not takes_too_much(image, MAX_SIDE)


PEAK = """
import resource, sys
from pathlib import Path
from app.core.errors import BackgroundError
from app.runtime.status import peak_memory_bytes
from app.media.image_file import read_cut_out
before = peak_memory_bytes()
try: print(read_cut_out(Path(sys.argv[1])).shape)
except BackgroundError as error: print(error)
of_child = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
print(max(peak_memory_bytes(), of_child) - before)
"""


@pytest.mark.skipif(not has_limit(), reason="this system limits no process")
def test_a_coded_picture_that_is_larger_than_its_header_says_takes_no_more_than_the_limit() -> None:
    """16,000 pixels square, as 64: decoded without a limit it takes 850 MB."""
    path = FIELD / "coded_16000_pixels_named_64.avif"

    answer, grown_bytes = printed_by(PEAK, str(path)).splitlines()

    assert answer == f"The image {path} is damaged; save it again or choose another one."
    assert int(grown_bytes) < WORKING_BYTES


@pytest.mark.parametrize("name", ["IMG_0002.HEIC", "IMG_0004.avif"])
def test_photos_of_telephones_are_read_by_the_limited_process(name: str) -> None:
    image = read_cut_out(PHONE / name)

    assert image.shape[2] == 3
    assert image.std() > 0
