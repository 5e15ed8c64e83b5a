"""A matte that is given beside a film, in the forms in which other programs write it, in place
of a network.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

import mattecam
from app.cli import main
from app.core.errors import MattecamError, SourceLostError, SourceOpenError, UsageError
from app.core.settings import BackgroundSettings
from app.core.types import AlphaImage, BgrImage
from app.media.encoders import file_encoder
from app.media.image_file import read_cut_out
from app.offline.convert import convert_clip
from app.settings import Settings
from tests.clips import frames_of, names_in, pictures, write_clip, write_film, writing

SIZE = WIDTH, HEIGHT = 96, 64
# So many that 10 follows 9 in natural order only.
COUNT = 11
# Colours, BGR.
PERSON = (40, 90, 200)
ROOM = (180, 60, 30)


def soft_matte(number: int) -> AlphaImage:
    """Return a disc with an edge of six pixels, which moves."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    distance = np.hypot(x - 30 - 2 * number, y - 32)
    return np.asarray(np.rint(255 * np.clip((22 - distance) / 6, 0, 1)), np.uint8)


def shown(number: int) -> BgrImage:
    """Return a person of one colour in a room of another, mixed as the matte says."""
    share = soft_matte(number)[..., None] / 255
    return np.rint(np.array(PERSON) * share + np.array(ROOM) * (1 - share)).astype(np.uint8)


MATTES = [soft_matte(number) for number in range(COUNT)]


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with a film and a folder of its frames, where no network can be built."""

    def refuse(*_: object) -> None:
        raise AssertionError("a network was built")

    monkeypatch.setattr("app.offline.convert.build_engine", refuse)
    monkeypatch.setattr("app.offline.convert.frame_check", refuse)
    monkeypatch.chdir(tmp_path)
    write_clip(Path("film.mkv"), COUNT, size=SIZE, image=shown)
    Path("frames").mkdir()
    for number in range(COUNT):
        cv2.imwrite(f"frames/{number:05d}.png", shown(number))


def folder_of(write: Callable[[str, AlphaImage], object], name: str = "{:05d}") -> Path:
    """Write every matte into the folder `matte`, named by its number."""
    Path("matte").mkdir()
    for number, matte in enumerate(MATTES):
        write(f"matte/{name.format(number)}.png", matte)
    return Path("matte")


def grey_images() -> Path:
    return folder_of(cv2.imwrite)


def images_of_16_bits() -> Path:
    def write(file: str, matte: AlphaImage) -> None:
        cv2.imwrite(file, matte.astype(np.uint16) * 257)

    return folder_of(write, "frame_{}")


def images_with_alpha() -> Path:
    def write(file: str, matte: AlphaImage) -> None:
        grey = np.full_like(matte, 90)
        cv2.imwrite(file, np.dstack([grey, grey, grey, matte]))

    return folder_of(write)


def opaque_images_with_alpha() -> Path:
    def write(file: str, matte: AlphaImage) -> None:
        opaque = np.full_like(matte, 255)
        cv2.imwrite(file, np.dstack([matte, matte, matte, opaque]))

    return folder_of(write)


def film(name: str, codec: str, pixels: str) -> Path:
    with writing(Path(name), codec, size=SIZE, pixels=pixels, options={"crf": "4"}) as (
        container,
        stream,
    ):
        for matte in MATTES:
            container.mux(
                stream.encode(av.VideoFrame.from_ndarray(matte, "gray").reformat(format=pixels))
            )
    return Path(name)


def film_of_limited_range() -> Path:
    return film("matte.mp4", "libx264", "yuv420p")


def film_of_full_range() -> Path:
    return film("matte.mov", "libx264", "yuvj420p")


def grey_film() -> Path:
    return film("matte.mkv", "ffv1", "gray")


def film_with_alpha() -> Path:
    images = [np.dstack([np.full((HEIGHT, WIDTH, 3), 90, np.uint8), matte]) for matte in MATTES]
    write_film(Path("matte.mov"), images, 25, encoder=file_encoder(4, ".mov", alpha=True))
    return Path("matte.mov")


def alpha_of(folder: str) -> NDArray[np.float64]:
    return np.array(
        [read_cut_out(file)[..., 3] for file in sorted(Path(folder).iterdir())], np.float64
    )


def converted(source: str, target: str, matte: Path, settings: Settings | None = None) -> None:
    green = Settings(background=BackgroundSettings(kind="colour", colour="#00ff00"))
    report = convert_clip(
        Path(source), Path(target), settings=settings or green, matte=matte, transparent=None
    )
    assert report.complete
    assert report.problems == ()


EXACT = (grey_images, images_of_16_bits, images_with_alpha, opaque_images_with_alpha, grey_film)
CODED = (film_of_limited_range, film_of_full_range, film_with_alpha)


@pytest.mark.parametrize("source", ["film.mkv", "frames"])
@pytest.mark.parametrize("written", [*EXACT, *CODED], ids=attrgetter("__name__"))
def test_the_matte_of_a_cut_out_is_the_one_that_is_given(
    source: str, written: Callable[[], Path]
) -> None:
    matte = written()

    converted(source, "cut", matte)

    difference = np.abs(alpha_of("cut") - np.array(MATTES))
    assert difference.max() <= (0 if written in EXACT else 6)
    assert difference.mean() < 1


def test_the_composite_shows_the_person_alone() -> None:
    converted("film.mkv", "out.mp4", grey_images())

    images = pictures(Path("out.mp4"))
    green = np.array([0, 255, 0])
    assert len(images) == COUNT
    for image, matte in zip(images, MATTES, strict=True):
        assert np.abs(np.median(image[matte == 255], axis=0) - PERSON).max() < 6
        assert np.abs(np.median(image[matte == 0], axis=0) - green).max() < 6


def test_a_cut_out_has_the_colours_of_the_person() -> None:
    """At a soft edge the frame is a mixture with the room."""
    converted("frames", "cut", grey_images())

    image = read_cut_out(Path("cut/00000.png"))
    edge = (image[..., 3] > 50) & (image[..., 3] < 250)
    found = np.abs(image[edge][:, :3].astype(float) - PERSON).mean()
    mixed = np.abs(shown(0)[edge].astype(float) - PERSON).mean()
    assert edge.sum() > 300
    assert found < mixed / 4


def a_mask(matte: AlphaImage) -> AlphaImage:
    """Return what a program that segments makes of a person: one pixel is theirs, the next one
    is not.
    """
    return np.where(matte > 127, 255, 0).astype(np.uint8)


def write_mask(file: str, matte: AlphaImage) -> None:
    cv2.imwrite(file, a_mask(matte))


def test_a_mask_of_0_and_255_follows_the_edges_of_the_frame() -> None:
    folder_of(write_mask)

    converted("frames", "cut", Path("matte"))

    edge = (MATTES[3] > 0) & (MATTES[3] < 255)
    found = alpha_of("cut")[3]
    before = np.abs(a_mask(MATTES[3])[edge].astype(float) - MATTES[3][edge]).mean()
    after = np.abs(found[edge] - MATTES[3][edge]).mean()
    assert after < 0.8 * before
    far = cv2.erode((~edge).astype(np.uint8), np.ones((25, 25))) > 0
    assert np.array_equal(found[far], MATTES[3][far])


def test_objects_that_a_palette_numbers_are_people() -> None:
    def write(file: str, matte: AlphaImage) -> None:
        image = Image.fromarray((a_mask(matte) > 0).astype(np.uint8))
        image.putpalette([0, 0, 0, 128, 0, 0])
        image.save(file)

    folder_of(write)

    converted("frames", "cut", Path("matte"))

    for number, alpha in enumerate(alpha_of("cut")):
        assert alpha[32, 30 + 2 * number] == 255
        assert alpha[2, 2] == 0


def test_turn_zoom_and_edge_controls_take_effect() -> None:
    matte = grey_images()
    turned = Settings().replaced_at(["capture"], rotate=90)

    converted("frames", "turned", matte, turned)
    converted("frames", "near", matte, Settings().replaced_at(["framing"], zoom=2))
    converted("frames", "grown", matte, Settings().replaced_at(["matting", "edges"], grow_px=4))

    assert np.array_equal(alpha_of("turned"), [np.rot90(each, -1) for each in MATTES])
    middle = np.s_[HEIGHT // 4 : -HEIGHT // 4, WIDTH // 4 : -WIDTH // 4]
    near = cv2.resize(
        alpha_of("near")[0].astype(np.uint8),
        (WIDTH // 2, HEIGHT // 2),
        interpolation=cv2.INTER_AREA,
    )
    assert np.abs(near.astype(float) - MATTES[0][middle]).mean() < 3
    assert alpha_of("grown").mean() > 1.2 * np.mean(MATTES)


def test_alpha_of_the_source_multiplies_the_matte() -> None:
    half = [
        np.dstack([shown(number), np.full((HEIGHT, WIDTH), 128, np.uint8)])
        for number in range(COUNT)
    ]
    for number, image in enumerate(half):
        cv2.imwrite(f"frames/{number:05d}.png", image)

    converted("frames", "cut", grey_images())

    assert np.abs(alpha_of("cut") - np.array(MATTES) * (128 / 255)).max() <= 1


def test_one_photo_has_one_matte() -> None:
    cv2.imwrite("matte.png", MATTES[0])

    assert main.main(["convert", "frames/00000.png", "cut.png", "--matte", "matte.png"]) == 0

    assert np.array_equal(read_cut_out(Path("cut.png"))[..., 3], MATTES[0])


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".webp"])
@pytest.mark.parametrize("orientation", [3, 6])
def test_a_matte_is_turned_as_its_metadata_say(suffix: str, orientation: int) -> None:
    """The wrong half of the picture was cut out."""
    turns = {3: 2, 6: 1}[orientation]
    stored = np.ascontiguousarray(np.rot90(MATTES[0], turns))
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(stored).save(f"matte{suffix}", exif=exif, quality=95)

    converted("frames/00000.png", "cut.png", Path(f"matte{suffix}"))

    difference = read_cut_out(Path("cut.png"))[..., 3].astype(float) - MATTES[0]
    assert np.abs(difference).mean() < 2


def test_transparent_parts_after_opaque_mattes_are_refused() -> None:
    """The frames before showed the room, where the matte was a film of cut-outs."""
    matte = grey_images()
    image = np.dstack([np.full((HEIGHT, WIDTH, 3), 90, np.uint8), MATTES[5]])
    cv2.imwrite("matte/00005.png", image)

    with pytest.raises(SourceLostError, match="has transparent parts, but not from its first"):
        converted("film.mkv", "out.mp4", matte)


def test_the_api_takes_a_matte() -> None:
    report = mattecam.convert("film.mkv", "out.mp4", matte=str(grey_images()), background="#ffffff")

    assert report.frames == COUNT
    assert len(frames_of(Path("out.mp4"))) == COUNT


def too_many() -> Path:
    cv2.imwrite(str(grey_images() / "00011.png"), MATTES[0])
    return Path("matte")


def too_small() -> Path:
    def write(file: str, matte: AlphaImage) -> None:
        cv2.imwrite(file, matte[:32])

    return folder_of(write)


def no_file() -> Path:
    return Path("matte")


def no_images() -> Path:
    Path("matte").mkdir()
    return Path("matte")


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        (
            too_many,
            "The matte matte has 12 frames, but film.mkv has 11; make one for each frame of the source.",
        ),
        (
            too_small,
            "The matte matte has 96×32 pixels, but frame 000000 of film.mkv has 96×64; write the matte in",
        ),
        (no_file, "There is no file or folder matte; check the name."),
        (no_images, "The folder matte contains no images; name the folder that holds the matte."),
    ],
)
def test_a_matte_that_does_not_fit_is_refused(
    written: Callable[[], Path], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    matte = written()

    assert main.main(["convert", "film.mkv", "out.mp4", "--matte", str(matte)]) == 2

    assert sentence in capsys.readouterr().err.replace("\n", " ")
    assert not Path("out.mp4").exists()


def test_a_matte_belongs_to_one_source(capsys: pytest.CaptureFixture[str]) -> None:
    matte = str(grey_images())

    assert main.main(["convert", "film.mkv", "frames", "out", "--matte", matte]) == 2
    assert main.main(["convert", "film.mkv", "out", "--jobs", "1", "--matte", matte]) == 2

    assert capsys.readouterr().err.count("--matte belongs to a single source") == 2


def test_no_image_of_the_matte_is_overwritten() -> None:
    matte = grey_images()
    image = sorted(matte.iterdir())[0]
    before = image.read_bytes()

    with pytest.raises(UsageError, match="it is a file of the matte"):
        convert_clip(Path("photo.png"), image, settings=Settings(), matte=matte, overwrite=True)

    assert image.read_bytes() == before


def test_the_matte_is_not_overwritten() -> None:
    matte = film_of_limited_range()
    before = matte.read_bytes()

    with pytest.raises(UsageError, match="it is also the matte"):
        convert_clip(Path("film.mkv"), matte, settings=Settings(), matte=matte, overwrite=True)

    assert matte.read_bytes() == before


def test_a_matte_that_changes_its_size_keeps_the_frames_before() -> None:
    cv2.imwrite(str(grey_images() / "00004.png"), MATTES[4][:32])

    with pytest.raises(
        SourceLostError,
        match=r"has 96×32 pixels, but frame 000004 .* Frames kept in .*: the first 4",
    ):
        converted("film.mkv", "out.mp4", Path("matte"))

    assert len(frames_of(Path("out.part.mp4"))) == 4


def test_a_film_with_too_few_mattes_is_no_film() -> None:
    """The packets of AVI do not tell how many frames there are."""
    with writing(Path("film.avi"), "mpeg4", size=SIZE) as (container, stream):
        for number in range(COUNT + 1):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(shown(number), "bgr24")))

    with pytest.raises(
        SourceLostError, match=r"The matte matte ends after 11 frames, but film.avi goes on"
    ):
        converted("film.avi", "out.mp4", grey_images())

    assert names_in(Path())[-1] == "out.part.mp4"


def test_what_is_damaged_does_not_shift_the_mattes() -> None:
    """An image of a folder that is left out would give each later frame the matte of the one
    before.
    """
    matte = grey_images()
    Path("frames/00005.png").write_bytes(Path("frames/00005.png").read_bytes()[:200])

    with pytest.raises(SourceLostError, match="A part of frames is damaged"):
        converted("frames", "out", matte)


def test_an_image_of_the_matte_that_is_damaged_is_named() -> None:
    """It failed while the command ran, which ended with the code for what was named wrongly."""
    Path(grey_images() / "00005.png").write_bytes(b"no image")

    with pytest.raises(SourceLostError, match=r"00005.png is not a readable image") as failed:
        converted("film.mkv", "out.mp4", Path("matte"))

    assert not failed.value.unusable


def test_a_first_image_that_is_no_matte_was_named_wrongly() -> None:
    Path(grey_images() / "00000.png").write_bytes(b"no image")

    with pytest.raises(MattecamError, match=r"00000.png is not a readable image") as failed:
        converted("film.mkv", "out.mp4", Path("matte"))

    assert failed.value.unusable


def test_a_black_matte_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """Masks of 0 and 1 look black."""

    def write(file: str, matte: AlphaImage) -> None:
        cv2.imwrite(file, a_mask(matte) // 255)

    folder_of(write)

    assert main.main(["convert", "film.mkv", "out.mp4", "--matte", "matte"]) == 0

    told = capsys.readouterr().err.replace("\n", " ")
    assert "The matte matte is black throughout (brightest value: 1 of 255)" in told


def test_a_missing_source_is_told_first() -> None:
    with pytest.raises(SourceOpenError, match=r"missing.mp4"):
        converted("missing.mp4", "out.mp4", grey_images())
