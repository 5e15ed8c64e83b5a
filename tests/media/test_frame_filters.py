"""Pixels of films and images: filters of frames, images in files, and conversions of YUV."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.frame import VideoFrame
from numpy.typing import NDArray
from PIL import Image

from app.core.errors import BackgroundError
from app.core.types import BgrImage
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
from app.media.image_file import MAX_SIDE, read_image
from app.media.video_input import VideoInput
from app.media.video_reader import VideoReader
from app.media.yuv import BT601, BT709, YuvConverter
from tests.backgrounds.files import cut, photo, write
from tests.clips import write_clip, writing
from tests.fresh_python import printed_by

LUMINANCE = to_xyz(PRIMARIES[BT2020_PRIMARIES])[1]
COLOURS = np.array([[1, 1, 1], [1, 0, 0], [0, 1, 0], [0, 0, 1], [0.8, 0.55, 0.45], [0.3, 0.3, 0.3]])
WHITE_NITS = 80.0
"""Light of the brightest test colour, dark enough to be kept as it is."""
NAMES: dict[Transfer, str] = {"pq": "smpte2084", "hlg": "arib-std-b67", "sdr": "bt2020-10"}


def encoded(colours: Values, transfer: Transfer) -> Values:
    """Return the values of BT.709 colours in a BT.2020 video."""
    light = np.maximum(colours, 1e-4) ** GAMMA @ np.linalg.inv(matrix_to_bt709(BT2020_PRIMARIES)).T
    if transfer == "sdr":
        return np.asarray(np.clip(light, 0, 1) ** (1 / GAMMA))
    if transfer == "pq":
        return nits_to_pq(light * WHITE_NITS)
    shown = light * WHITE_NITS / 1000
    scene = shown * (shown @ LUMINANCE)[..., None] ** (-0.2 / 1.2)
    bright = 0.17883277 * np.log(np.maximum(12 * scene - 0.28466892, 1e-9)) + 0.55991073
    return np.asarray(np.where(scene <= 1 / 12, np.sqrt(3 * scene), bright))


def write_hdr(path: Path, transfer: Transfer, rotation: int = 0) -> Path:
    """Write stripes of 32 pixels, one for each of COLOURS."""
    image = np.repeat(np.repeat(encoded(COLOURS, transfer)[None], 64, axis=0), 32, axis=1)
    rgb = av.VideoFrame.from_ndarray(np.round(image * 65535).astype(np.uint16), "rgb48le")
    frame = rgb.reformat(format="yuv444p10le", dst_colorspace=9)
    parameters = f"colorprim=bt2020:transfer={NAMES[transfer]}:colormatrix=bt2020nc"
    options = {"crf": "4", "x264-params": parameters}
    with writing(path, size=(192, 64), pixels="yuv444p10le", options=options) as (container, stream):
        if rotation:
            stream.set_display_rotation(rotation)
        for number in range(3):
            frame.pts, frame.time_base = number, Fraction(1, 25)
            container.mux(stream.encode(frame))
    return path


@pytest.mark.parametrize("transfer", ["pq", "hlg", "sdr"])
def test_colours_are_those_of_a_standard_display(tmp_path: Path, transfer: Transfer) -> None:
    frames = list(VideoReader(write_hdr(tmp_path / "in.mp4", transfer)).frames())
    assert [time_s for time_s, _ in frames] == [Fraction(number, 25) for number in range(3)]
    shown = frames[1][1][32, 16::32, ::-1].astype(int)
    dimmed = 1.0 if transfer == "sdr" else (WHITE_NITS / 203) ** (1 / GAMMA)
    expected = np.round(COLOURS * dimmed * 255)
    assert np.abs(shown - expected)[[0, 4, 5]].max() <= 3
    assert np.abs(shown - expected).max() <= 30  # dark channels of saturated colours: 4 % of the light at most


def test_an_hdr_video_is_turned_upright(tmp_path: Path) -> None:
    (_, image), *_ = VideoReader(write_hdr(tmp_path / "in.mp4", "pq", rotation=90)).frames()
    assert image.shape == (192, 64, 3)
    assert image[16, 32].min() < 60 < 160 < image[176, 32].min()


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
    options = {"crf": "5"} | ({"x264-params": "tff=1:colormatrix=bt709:fullrange=on"} if flagged else {})
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


def test_interlaced_frames_show_no_combs_and_keep_their_times(tmp_path: Path) -> None:
    reader = VideoReader(write_interlaced(tmp_path / "in.mp4"))
    frames = list(reader.frames())
    assert [time_s for time_s, _ in frames] == [Fraction(number, 25) for number in range(COUNT)]
    assert max(combing(image) for _, image in frames) < 2
    assert not reader.is_cut and not reader.damaged
    (plain,) = {
        round(combing(image)) for _, image in VideoReader(write_interlaced(tmp_path / "p.mp4", flagged=False)).frames()
    }
    assert plain > 10


def test_rotation_and_colours_are_kept(tmp_path: Path) -> None:
    path = write_interlaced(tmp_path / "in.mp4", rotation=90)
    with av.open(str(path)) as container:
        (decoded, *_) = container.decode(video=0)
    with closing(VideoInput(path)) as video:
        (first, *others) = video.frames()
    assert len(others) == COUNT - 1
    for name in ("colorspace", "color_range", "color_primaries", "color_trc", "rotation", "width", "height"):
        assert getattr(first, name) == getattr(decoded, name), name
    assert decoded.colorspace == 1 and abs(decoded.rotation) == 90


def test_progressive_frames_are_the_decoded_ones(tmp_path: Path) -> None:
    with av.open(str(write_clip(tmp_path / "in.mp4", 4))) as container:
        given = list(container.decode(video=0))
    assert list(map(id, deinterlaced(given))) == list(map(id, given))


@pytest.mark.parametrize("size", [(2, 2), (96, 48)])
def test_frames_of_another_size_are_all_there(tmp_path: Path, size: tuple[int, int]) -> None:
    with av.open(str(write_interlaced(tmp_path / "in.mp4"))) as container:
        interlaced = list(container.decode(video=0))

    def mixed() -> Iterator[VideoFrame]:
        yield from interlaced
        yield moving(0, size)
        yield from interlaced

    assert [(frame.width, frame.height) for frame in deinterlaced(mixed())] == [
        *[(192, 96)] * COUNT,
        size,
        *[(192, 96)] * COUNT,
    ]


def test_video_that_becomes_interlaced_keeps_its_times(tmp_path: Path) -> None:
    frames = []
    for flagged in False, True:
        with av.open(str(write_interlaced(tmp_path / f"{flagged}.mp4", flagged=flagged))) as container:
            frames += list(container.decode(video=0))
    for number, frame in enumerate(frames):
        frame.pts, frame.time_base, frame.color_primaries = number, Fraction(1, 25), 9
    times = [frame.time for frame in in_bt709(deinterlaced(frames))]
    assert times == pytest.approx([number / 25 for number in range(2 * COUNT)])


def test_frames_that_the_filter_cannot_take_pass_unchanged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with av.open(str(write_interlaced(tmp_path / "in.mp4"))) as container:
        given = list(container.decode(video=0))
    monkeypatch.setattr("app.media.frame_filters.DEINTERLACE", "mode=wrong")
    assert list(map(id, deinterlaced(given))) == list(map(id, given))


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


WIDTH, HEIGHT = 64, 48


def reference(image: NDArray[np.uint8], red: float, blue: float) -> NDArray[np.float64]:
    """Return (height, width, 3) Y, U, V in limited range."""
    b, g, r = (image[:, :, channel] / 255 for channel in range(3))
    luma = red * r + (1 - red - blue) * g + blue * b
    chroma = [(b - luma) / (2 - 2 * blue), (r - luma) / (2 - 2 * red)]
    return np.stack([16 + 219 * luma, *(128 + 224 * part for part in chroma)], axis=2)


def halved(plane: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(plane.reshape(HEIGHT // 2, 2, WIDTH // 2, 2).mean((1, 3)))


@pytest.mark.parametrize("weights", [BT601, BT709])
def test_planes_match_the_standard(weights: tuple[float, float]) -> None:
    image = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    planes = YuvConverter("I420", WIDTH, HEIGHT, weights).convert(image)
    wanted = reference(image, *weights)
    assert np.abs(planes[:HEIGHT] - wanted[:, :, 0]).max() < 1
    u, v = planes[HEIGHT:].reshape(2, HEIGHT // 2, WIDTH // 2)
    assert np.abs(u - halved(wanted[:, :, 1])).max() < 1.2
    assert np.abs(v - halved(wanted[:, :, 2])).max() < 1.2


def test_grey_frames_have_no_colour() -> None:
    grey = np.arange(WIDTH * HEIGHT, dtype=np.uint32).reshape(HEIGHT, WIDTH).astype(np.uint8)
    converter, blue = YuvConverter("I420", WIDTH, HEIGHT, BT709), np.full((HEIGHT, WIDTH, 3), (255, 0, 0), np.uint8)
    first = converter.convert(blue).copy()
    planes = converter.convert(grey)
    assert np.abs(planes[:HEIGHT] - (16 + grey * (219 / 255))).max() <= 0.5
    assert (planes[HEIGHT:] == 128).all()
    assert (converter.convert(blue) == first).all(), "nothing of the grey frame is left"


@pytest.mark.parametrize("weights", [BT601, BT709])
def test_greys_of_a_colour_frame_stay_grey_up_to_black_and_white(weights: tuple[float, float]) -> None:
    grey = np.resize(np.arange(256, dtype=np.uint8), (WIDTH, HEIGHT)).T
    planes = YuvConverter("I420", WIDTH, HEIGHT, weights).convert(np.repeat(grey[..., None], 3, 2))
    assert (planes[HEIGHT:] == 128).all()
    assert (planes[:HEIGHT].min(), planes[:HEIGHT].max()) == (16, 235)
