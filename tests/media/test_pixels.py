"""Pixels of films and images: filters of frames, images in files, profiles and wide gamuts,
conversions of YUV.
"""

from __future__ import annotations

import struct
from contextlib import closing
from fractions import Fraction
from itertools import product
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.frame import VideoFrame
from numpy.typing import NDArray
from PIL import Image, ImageCms

from app.backgrounds import open_background
from app.config.setting import parse_background
from app.core.errors import BackgroundError
from app.core.types import BgrImage
from app.gui.backgrounds.library import thumbnail
from app.matting.plate.picture import read_plate
from app.media.container import VideoError, open_container
from app.media.frame_filters import (
    BT2020_PRIMARIES,
    GAMMA,
    PRIMARIES,
    Transfer,
    Values,
    deinterlaced,
    in_bt709,
    matrix_to_bt709,
    nits_to_pq,
    pq_to_nits,
    to_bt709,
    to_xyz,
)
from app.media.headers import read_header
from app.media.image_file import MAX_SIDE, read_cut_out, read_image
from app.media.video_input import VideoInput
from app.media.video_reader import VideoReader
from app.media.yuv import BT601, BT709, to_yuv
from tests.backgrounds.files import cut, photo, write
from tests.clips import frames_of, writing
from tests.fresh_python import printed_by
from tests.paths import ROOT

LUMINANCE = to_xyz(PRIMARIES[BT2020_PRIMARIES])[1]
NEUTRAL = [[1, 1, 1], [0.3, 0.3, 0.3], [0.8, 0.55, 0.45]]
VIVID = [[0.8, 0.3, 0.2], [0.2, 0.7, 0.3], [0.25, 0.3, 0.8]]
COLOURS = np.array([*NEUTRAL, *VIVID, [1, 0, 0], [0, 1, 0], [0, 0, 1]])
# Light of the brightest test colour, dark enough to be kept as it is.
WHITE_NITS = 80.0
NUMBERS: dict[Transfer, int] = {"pq": 16, "hlg": 18, "sdr": 14}


needs_bt2020 = pytest.mark.skipif(
    av.__version__.startswith("17."),
    reason="PyAV of Python 3.10 converts no BT.2020 and takes BT.601 in its place",
)


def encoded(colours: Values, transfer: Transfer, primaries: int = BT2020_PRIMARIES) -> Values:
    """Return the values of BT.709 colours in a video of a wide gamut."""
    light = np.maximum(colours, 1e-4) ** GAMMA @ np.linalg.inv(matrix_to_bt709(primaries)).T
    if transfer == "sdr":
        return np.asarray(np.clip(light, 0, 1) ** (1 / GAMMA))
    if transfer == "pq":
        return nits_to_pq(light * WHITE_NITS)
    shown = light * WHITE_NITS / 1000
    scene = shown * (shown @ LUMINANCE)[..., None] ** (-0.2 / 1.2)
    bright = 0.17883277 * np.log(np.maximum(12 * scene - 0.28466892, 1e-9)) + 0.55991073
    return np.asarray(np.where(scene <= 1 / 12, np.sqrt(3 * scene), bright))


def write_wide(
    path: Path,
    colours: Values,
    transfer: Transfer = "sdr",
    primaries: int = BT2020_PRIMARIES,
    *,
    rotation: int = 0,
) -> Path:
    """Write stripes of 32 pixels, one for each of these BT.709 colours."""
    matrix = 9 if primaries == BT2020_PRIMARIES else 1
    stripes = np.repeat(
        np.repeat(encoded(colours, transfer, primaries)[None], 64, axis=0), 32, axis=1
    )
    rgb = av.VideoFrame.from_ndarray(np.round(stripes * 65535).astype(np.uint16), "rgb48le")
    frame = rgb.reformat(format="yuv444p10le", dst_colorspace=matrix)
    size = 32 * len(colours), 64
    with writing(path, size=size, pixels="yuv444p10le", options={"crf": "4"}) as (
        container,
        stream,
    ):
        codec = stream.codec_context
        codec.color_primaries = primaries
        codec.color_trc = NUMBERS[transfer]
        codec.colorspace = matrix
        if rotation:
            stream.set_display_rotation(rotation)
        for number in range(3):
            frame.pts = number
            frame.time_base = Fraction(1, 25)
            container.mux(stream.encode(frame))
    return path


@pytest.mark.parametrize(
    ("transfer", "rotation", "primaries"),
    [
        pytest.param("pq", 0, 9, marks=needs_bt2020),
        pytest.param("pq", 90, 9, marks=needs_bt2020),
        pytest.param("hlg", 0, 9, marks=needs_bt2020),
        *(
            pytest.param("sdr", 0, number, marks=[needs_bt2020] if number == 9 else [])
            for number in PRIMARIES
        ),
    ],
)
def test_colours_are_those_of_a_standard_display_and_upright(
    tmp_path: Path, transfer: Transfer, rotation: int, primaries: int
) -> None:
    path = write_wide(tmp_path / "in.mp4", COLOURS, transfer, primaries, rotation=rotation)
    frames = list(VideoReader(path).frames())
    assert [time_s for time_s, _ in frames] == [Fraction(number, 25) for number in range(3)]
    shown = np.rot90(frames[1][1], -rotation // 90)[32, 16::32, ::-1].astype(int)
    dimmed = 1.0 if transfer == "sdr" else (WHITE_NITS / 203) ** (1 / GAMMA)
    expected = np.round(COLOURS * dimmed * 255)
    assert np.abs(shown - expected)[:3].max() <= 3
    assert np.abs(shown - expected)[3:6].max() <= 8
    assert (
        np.abs(shown - expected).max() <= 30
    )  # dark channels of saturated colours: 4 % of the light at most


def test_light_and_values_of_pq_are_those_of_the_standard() -> None:
    assert nits_to_pq(np.array([0.0, 100, 203, 1000, 10_000])) == pytest.approx(
        [0, 0.5081, 0.5807, 0.7518, 1], abs=1e-4
    )
    nits = np.geomspace(0.01, 10_000, 50)
    assert pq_to_nits(nits_to_pq(nits)) == pytest.approx(nits, rel=1e-6)


@pytest.mark.parametrize("transfer", ["pq", "hlg"])
def test_highlights_are_compressed_without_a_step(transfer: Transfer) -> None:
    grey = np.linspace(0, 1, 500)[:, None].repeat(3, axis=1)
    shown = to_bt709(grey, transfer)[:, 1]
    assert np.all(np.diff(shown) >= 0) and np.diff(shown).max() < 0.01
    assert shown[0] == 0 and shown[-1] == pytest.approx(1, abs=1e-3)
    white = float(np.interp(0.75 if transfer == "hlg" else 0.5807, grey[:, 0], shown))
    assert 0.85 < white < 0.95


COUNT = 8


def moving(number: int, size: tuple[int, int] = (192, 96)) -> VideoFrame:
    """A bar that moves; odd rows show it later than even ones."""
    image = np.zeros((*size[::-1], 3), np.uint8)
    image[0::2, number * 8 : number * 8 + 20] = 255
    image[1::2, number * 8 + 4 : number * 8 + 24] = 255
    return VideoFrame.from_ndarray(image, "bgr24")


def write_interlaced(path: Path, *, flagged: bool = True, rotation: int = 0) -> Path:
    options = {"crf": "5"} | (
        {"x264-params": "tff=1:colormatrix=bt709:fullrange=on"} if flagged else {}
    )
    with writing(path, size=(192, 96), options=options) as (container, stream):
        if rotation:
            stream.set_display_rotation(rotation)
        for number in range(COUNT):
            container.mux(stream.encode(moving(number)))
    return path


def combing(image: BgrImage) -> float:
    """How much a row differs from the mean of its neighbours."""
    rows = image[:, :, 1].astype(int)
    return float(np.abs(rows[2:] + rows[:-2] - 2 * rows[1:-1]).mean())


def test_interlaced_frames_show_no_combs_and_keep_their_times_rotation_and_colours(
    tmp_path: Path,
) -> None:
    path = write_interlaced(tmp_path / "in.mp4", rotation=90)
    reader = VideoReader(path)
    frames = list(reader.frames())
    assert [time_s for time_s, _ in frames] == [Fraction(number, 25) for number in range(COUNT)]
    assert max(combing(np.rot90(image)) for _, image in frames) < 2
    assert not reader.is_cut and not reader.damaged
    (plain,) = {
        round(combing(image))
        for _, image in VideoReader(write_interlaced(tmp_path / "p.mp4", flagged=False)).frames()
    }
    assert plain > 10
    decoded = frames_of(path)[0]
    assert decoded.colorspace == 1 and abs(decoded.rotation) == 90
    with closing(VideoInput(path)) as video:
        first = next(video.frames())
    for name in (
        "colorspace",
        "color_range",
        "color_primaries",
        "color_trc",
        "rotation",
        "width",
        "height",
    ):
        assert getattr(first, name) == getattr(decoded, name), name


@pytest.mark.parametrize("interlaced", [False, True])
def test_progressive_frames_and_those_that_the_filter_cannot_take_pass_unchanged(
    tmp_path: Path, interlaced: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = frames_of(write_interlaced(tmp_path / "in.mp4", flagged=interlaced))
    if interlaced:
        monkeypatch.setattr("app.media.frame_filters.DEINTERLACE", "mode=wrong")

    assert list(map(id, deinterlaced(given))) == list(map(id, given))


@pytest.mark.parametrize("size", [(2, 2), (96, 48)])
def test_frames_of_another_size_are_all_there(tmp_path: Path, size: tuple[int, int]) -> None:
    interlaced = frames_of(write_interlaced(tmp_path / "in.mp4"))

    shown = deinterlaced([*interlaced, moving(0, size), *interlaced])
    assert [(frame.width, frame.height) for frame in shown] == [
        *[(192, 96)] * COUNT,
        size,
        *[(192, 96)] * COUNT,
    ]


def test_video_that_becomes_interlaced_keeps_its_times(tmp_path: Path) -> None:
    frames = []
    for flagged in False, True:
        frames += frames_of(write_interlaced(tmp_path / f"{flagged}.mp4", flagged=flagged))
    for number, frame in enumerate(frames):
        frame.pts = number
        frame.time_base = Fraction(1, 25)
        frame.color_primaries = 9
    times = [frame.time for frame in in_bt709(deinterlaced(frames))]

    assert times == pytest.approx([number / 25 for number in range(2 * COUNT)])


@pytest.mark.parametrize("suffix", ["png", "tif", "jpg", "webp", "avif"])
@pytest.mark.parametrize(
    ("orientation", "red_side"),
    [
        (1, "top"),
        (3, "bottom"),
        (4, "bottom"),
        (6, "right"),
        (8, "left"),
        (2, "top"),
        (5, "left"),
        (7, "right"),
    ],
)
def test_exif_orientation_is_applied(
    tmp_path: Path, orientation: int, red_side: str, suffix: str
) -> None:
    exif = Image.Exif()
    red = (220, 30, 30)
    exif[0x0112] = orientation
    picture = Image.new("RGB", (40, 30), (30, 220, 30))
    picture.paste(red, (0, 0, 40, 15))
    picture.save(tmp_path / f"a.{suffix}", exif=exif)
    image = read_image(tmp_path / f"a.{suffix}")
    assert image.shape == ((30, 40, 3) if red_side in ("top", "bottom") else (40, 30, 3))
    spots = {
        "top": image[2, 15],
        "bottom": image[-3, 15],
        "left": image[15, 2],
        "right": image[15, -3],
    }
    assert np.abs(spots[red_side].astype(int) - red[::-1]).max() <= 12  # of JPEG


def test_transparent_parts_show_the_colour(tmp_path: Path) -> None:
    bgra = np.zeros((20, 20, 4), np.uint8)
    bgra[:, :10] = (10, 20, 200, 255)
    bgra[:, 15:] = (255, 255, 255, 128)
    image = read_image(write(tmp_path / "a.png", bgra), over=(100, 50, 0))

    assert tuple(image[5, 5]) == (10, 20, 200)
    assert tuple(image[5, 12]) == (100, 50, 0)
    assert np.abs(image[5, 18].astype(int) - (178, 153, 128)).max() <= 1


@pytest.mark.parametrize(
    "mode", ["L", "1", "P", "LA", "PA", "CMYK", "I;16", "RGBA", "F", "I", "LAB"]
)
@pytest.mark.parametrize("side", [40, MAX_SIDE + 500])
def test_every_mode_becomes_bgr(tmp_path: Path, mode: str, side: int) -> None:
    bright = np.full((30, side), 180, np.uint8)
    if mode == "I;16":
        picture = Image.fromarray(bright.astype(np.uint16) * 257)
    elif mode in ("F", "I"):
        picture = Image.fromarray(
            bright.astype(np.float32) / 255 if mode == "F" else bright.astype(np.int32) * 257
        )
    else:
        picture = Image.fromarray(bright).convert("RGB" if mode == "LAB" else "L").convert(mode)
    path = tmp_path / "a.tif"
    picture.save(path)
    image = read_image(path)

    assert image.shape[2] == 3 and image.dtype == np.uint8 and image.flags.c_contiguous
    assert max(image.shape) == min(side, MAX_SIDE)
    assert abs(float(image.mean()) - 180) <= (12 if mode == "1" else 2)


PEAK = """
import sys
from pathlib import Path
from app.media.image_file import read_image
from app.runtime.status import peak_memory_bytes
before = peak_memory_bytes()
image = read_image(Path(sys.argv[1]))
print(*image.shape, *image[100, 100], (peak_memory_bytes() - before) >> 20)
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


WIDTH = 64
HEIGHT = 48


@pytest.mark.parametrize("weights", [BT601, BT709])
def test_planes_match_the_standard(weights: tuple[float, float]) -> None:
    image = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    planes = to_yuv(image, "I420", weights)
    blue, green, red = (image[:, :, channel] / 255 for channel in range(3))
    of_red, of_blue = weights
    luma = of_red * red + (1 - of_red - of_blue) * green + of_blue * blue
    assert np.abs(planes[:HEIGHT] - (16 + 219 * luma)).max() < 1
    u, v = planes[HEIGHT:].reshape(2, HEIGHT // 2, WIDTH // 2)
    for plane, part, share in ((u, blue, of_blue), (v, red, of_red)):
        chroma = 128 + 224 * (part - luma) / (2 - 2 * share)
        assert (
            np.abs(plane - chroma.reshape(HEIGHT // 2, 2, WIDTH // 2, 2).mean((1, 3))).max() < 1.2
        )


@pytest.mark.parametrize("weights", [BT601, BT709])
def test_greys_with_and_without_channels_stay_grey_up_to_black_and_white(
    weights: tuple[float, float],
) -> None:
    grey = np.resize(np.arange(256, dtype=np.uint8), (WIDTH, HEIGHT)).T
    for image in (grey, np.repeat(grey[..., None], 3, 2)):
        planes = to_yuv(image, "I420", weights)
        assert (planes[HEIGHT:] == 128).all()
        assert (planes[:HEIGHT].min(), planes[:HEIGHT].max()) == (16, 235)


FIELD = ROOT / "tests" / "field"
PLAIN = FIELD / "live-background-patches-srgb.png"
PROFILED = [
    FIELD / f"live-background-patches-{name}"
    for name in ("display-p3-profile.jpg", "adobe-rgb-profile.png")
]


def distance(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    return float(np.percentile(np.abs(one.astype(int) - other), 99))


@pytest.mark.parametrize("file", PROFILED, ids=["Display P3", "Adobe RGB"])
def test_images_backgrounds_plates_and_thumbnails_with_a_profile_look_as_in_srgb(
    file: Path,
) -> None:
    def background(path: Path, width: int, height: int) -> NDArray[np.uint8]:
        return np.asarray(open_background(parse_background(path)).backdrop(width, height, 0.0))

    for read in (background, read_plate, thumbnail):
        assert distance(read(file, 320, 180), read(PLAIN, 320, 180)) <= 5
    for read_file in (read_image, read_cut_out):
        assert distance(read_file(file), read_image(PLAIN)) <= 4


def p3_profile() -> bytes:
    with Image.open(PROFILED[0]) as image:
        profile = image.info["icc_profile"]
    assert isinstance(profile, bytes)
    return profile


@pytest.mark.parametrize(
    ("suffix", "mode"),
    [
        *product(("jpg", "png", "webp", "tif", "avif"), ["RGB"]),
        *product(("png", "webp", "tif", "avif"), ["RGBA"]),
        *product(("png", "tif"), ("P", "LA")),
    ],
)
def test_every_format_and_mode_is_converted(suffix: str, mode: str, tmp_path: Path) -> None:
    colour = (120, 120, 120) if mode == "LA" else (180, 100, 80)
    image = Image.new("RGB", (40, 30), colour)
    image = image.quantize(2) if mode == "P" else image.convert(mode)
    if "A" in mode:
        image.putalpha(128)
    options = (
        {"lossless": True}
        if suffix == "webp"
        else {"quality": 100}
        if suffix in ("jpg", "avif")
        else {}
    )
    image.save(tmp_path / f"a.{suffix}", icc_profile=p3_profile(), **options)
    found = read_cut_out(tmp_path / f"a.{suffix}")
    values = np.array(colour) / 255
    light = (
        np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
        @ matrix_to_bt709(12).T
    )
    in_srgb = np.where(
        light <= 0.0031308, light * 12.92, 1.055 * light.clip(0) ** (1 / 2.4) - 0.055
    )
    assert np.abs(found[10, 10, 2::-1] - 255 * in_srgb).max() <= 3
    assert found.shape[2] == (4 if "A" in mode else 3)
    if "A" in mode:
        assert np.abs(found[..., 3].astype(int) - 128).max() <= 1


@pytest.mark.parametrize("mode", ["L", "LA"])
def test_a_grey_profile_is_converted(mode: str, tmp_path: Path) -> None:
    """That of linear light: the one of sRGB, with one curve, which is straight."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    at = profile.index(b"para")
    straight = b"para" + bytes(8) + (1 << 16).to_bytes(4, "big")
    profile = profile[:at] + straight + profile[at + len(straight) :]
    profile = profile.replace(b"RGB XYZ ", b"GRAYXYZ ").replace(b"rTRC", b"kTRC")
    Image.new(mode, (8, 8), (55, 100)[: len(mode)]).save(tmp_path / "a.png", icc_profile=profile)

    assert list(read_cut_out(tmp_path / "a.png")[4, 4]) == [128, 128, 128, 100][: 2 + len(mode)]


@pytest.mark.parametrize(
    ("mode", "profile"),
    [
        *(
            ("RGB", profile)
            for profile in (b"no profile", p3_profile()[:200], b"\0" * 5_000_000, b"")
        ),
        ("CMYK", p3_profile()),
    ],
)
def test_a_profile_that_is_broken_or_of_other_pixels_is_not_used(
    mode: str, profile: bytes, tmp_path: Path
) -> None:
    image = Image.new("RGB", (8, 8), (200, 60, 30)).convert(mode)
    image.save(tmp_path / "a.tif", icc_profile=profile)

    assert tuple(read_image(tmp_path / "a.tif")[4, 4]) == (30, 60, 200)


@pytest.mark.parametrize(
    ("profile", "compatible", "refused"),
    [(5, 0, True), (10, 0, True), (8, 4, False), (8, 1, False)],
)
@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_colours_of_dolby_vision_alone_are_refused_in_a_sentence(
    profile: int, compatible: int, refused: bool, suffix: str, tmp_path: Path
) -> None:
    path = write_wide(tmp_path / f"a.{suffix}", np.ones((2, 3)), primaries=12)
    data = path.read_bytes()
    record = bytes([1, 0, profile << 1, 5 << 3 | 5, compatible << 4]) + bytes(19)
    if suffix == "mp4":  # the box goes to the end of the sample entry; all boxes around it grow
        at = data.rindex(b"avc1") - 4
        end = at + int.from_bytes(data[at : at + 4], "big")
        grown = bytearray(data[:end] + struct.pack(">I", 32) + b"dvcC" + record + data[end:])
        for kind in (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd", b"avc1"):
            start = grown.rindex(kind, 0, at + 8) - 4
            struct.pack_into(">I", grown, start, struct.unpack_from(">I", grown, start)[0] + 32)
        path.write_bytes(grown)
    else:
        path.write_bytes(data[:400] + b"\x41\xe7\x84dvcC\x41\xed\x98" + record + data[400:])
    assert read_header(path).needs_dolby_vision == refused
    if refused:
        with pytest.raises(VideoError, match="Dolby Vision"):
            open_container(path)
