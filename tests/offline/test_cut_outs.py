"""Cut-outs: files with straight alpha that look over every colour as the film over that colour
does.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

import mattecam
from app.cli import main
from app.core.errors import MattecamError
from app.core.settings import BackgroundSettings, EdgeSettings, FramingSettings
from app.core.types import BgrImage, BlurredBackground, Matte
from app.matting.interface import EngineInfo, StepRequest
from app.media.encoders import file_encoder
from app.media.frame_filters import extended
from app.media.image_file import read_cut_out
from app.media.video_reader import VideoReader
from app.offline.convert import ConvertReport, convert_clip
from app.offline.files import film_name
from app.settings import Settings
from mattecam.testing import ImmediateEngine
from tests.clips import demo, write_film
from tests.stand_ins import forbidden

SIZE = 160, 96
COLOURS = {"#000000": (0, 0, 0), "#ffffff": (255, 255, 255), "#ff0000": (0, 0, 255)}
PICTURES = ("cut.png", "cut.webp", "cut.tif")
Pixels = NDArray[Any]


class SoftEngine(ImmediateEngine):
    """Mattes a disc with a soft edge; the person's colours are those of the frame, darker by a
    quarter at the edge.
    """

    info = EngineInfo("soft", "none", "uint8", "cpu", 1.0, (1, 1))

    def matte(self, step: StepRequest) -> Matte:
        height, width = step.frame.shape[:2]
        y, x = np.mgrid[:height, :width]
        alpha = np.clip((0.45 * height - np.hypot(x - width / 2, y - height / 2)) / 12, 0, 1)[
            ..., None
        ]
        foreground = step.frame * (0.75 + 0.25 * alpha)
        behind = (
            np.zeros_like(step.frame)
            if isinstance(step.backdrop, BlurredBackground)
            else step.backdrop
        )
        composite = foreground * alpha + behind * (1 - alpha)
        return Matte(
            *(
                np.rint(values).astype(np.uint8)
                for values in (composite, alpha[..., 0] * 255, foreground)
            )
        )


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.offline.convert.build_engine", lambda *_: SoftEngine())
    monkeypatch.chdir(tmp_path)
    frames = demo(*SIZE, range(3))
    cv2.imwrite("photo.jpg", frames[0])
    with_alpha(
        "film.mov",
        [np.dstack([frame, np.full(frame.shape[:2], 255, np.uint8)]) for frame in frames],
    )


def with_alpha(name: str, images: list[NDArray[np.uint8]]) -> None:
    write_film(Path(name), images, encoder=file_encoder(4, Path(name).suffix, alpha=True))


def made(source: str, target: str, colour: str | None = None, **changes: Any) -> ConvertReport:
    background = BackgroundSettings(kind="colour", colour=colour or "#00ff00")
    settings = Settings(background=background).replace(**changes)
    return convert_clip(
        Path(source), Path(target), settings=settings, transparent=colour is None, overwrite=True
    )


def images_of(name: str) -> list[NDArray[np.uint8]]:
    path = Path(name)
    if path.is_dir():
        return [read_cut_out(file) for file in sorted(path.iterdir())]
    if path.suffix in (".png", ".webp", ".tif", ".jpg", ".bmp"):
        return [read_cut_out(path)]
    return [image for _, image in VideoReader(path, with_alpha=True).frames()]


def differences(source: str, cut: str, **changes: Any) -> Pixels:
    """Return how a cut-out over three colours differs from the composite over each."""
    made(source, cut, **changes)
    found = []
    for colour, bgr in COLOURS.items():
        whole = "whole.png" if source == "photo.jpg" or source.endswith(".png") else "whole"
        made(source, whole, colour, **changes)
        for image, truth in zip(images_of(cut), images_of(whole), strict=True):
            assert image.shape[2] == 4
            alpha = image[..., 3:] / 255
            found.append(np.abs(image[..., :3] * alpha + np.array(bgr) * (1 - alpha) - truth))
    return np.array(found)


@pytest.mark.parametrize(
    ("source", "cut", "changes", "share", "most"),
    [
        *(("photo.jpg", cut, {}, 100, 2) for cut in PICTURES),
        ("film.mov", "cut", {}, 100, 2),
        ("film.mov", "cut", {"framing": FramingSettings(zoom=1.5)}, 100, 2),
        ("film.mov", "cut.mov", {}, 99.5, 2),
        ("film.mov", "cut.webm", {}, 99, 9),
    ],
)
def test_a_cut_out_looks_as_the_composite_over_every_colour(
    source: str, cut: str, changes: dict[str, Any], share: float, most: int
) -> None:
    """But for what the codecs of films lose."""
    found = differences(source, cut, **changes)
    assert np.percentile(found, share) <= most and found.mean() < 1


@pytest.mark.parametrize("cut", ["cut.png", "cut.mov", "cut.webm"])
def test_a_cut_out_does_not_hold_the_room(cut: str) -> None:
    source = "photo.jpg" if cut.endswith("png") else "film.mov"
    made(source, cut)
    image = images_of(cut)[0]
    room = images_of(source)[0][..., :3]
    clear = image[..., 3] == 0
    assert clear.mean() > 0.2
    shown = image[..., :3][clear].astype(float)
    hidden = room[clear].astype(float)
    if cut == "cut.png":
        assert not shown.any()
    likeness = [
        np.corrcoef(shown[:, channel], hidden[:, channel])[0, 1]
        for channel in range(3)
        if shown.any()
    ]
    assert all(abs(each) < 0.5 for each in likeness)


def test_faint_pixels_tell_no_more_than_over_black() -> None:
    made("photo.jpg", "cut.png")
    image = images_of("cut.png")[0]
    faint = (image[..., 3] > 0) & (image[..., 3] <= 3)

    assert faint.any()
    assert all(
        len(np.unique(image[..., :3][image[..., 3] == alpha])) <= alpha + 1 for alpha in (1, 2, 3)
    )


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("photo.jpg", "cut.jpg"),
        ("photo.jpg", "cut.bmp"),
        ("film.mov", "c.mp4"),
        ("film.mov", "c.mkv"),
    ],
)
def test_a_file_that_cannot_be_transparent_is_refused_with_those_that_can(
    source: str, target: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (
        main.main(["convert", source, target, "--background", "transparent", "--model", "mattecam"])
        == 2
    )
    told = " ".join(capsys.readouterr().err.split())
    assert all(name in told for name in (target, ".png", ".webp", ".mov", ".webm", "folder"))
    assert not Path(target).exists()


@pytest.mark.parametrize(
    ("source", "target", "background", "transparent"),
    [
        *(("photo.jpg", target, None, True) for target in ("c.png", "c.webp")),
        *(("photo.jpg", target, None, False) for target in ("c.jpg", "c.bmp")),
        *(
            ("film.mov", target, None, target == "frames")
            for target in ("frames", "c.mov", "c.webm")
        ),
        ("photo.jpg", "c.png", "green", False),
        ("film.mov", "c.mov", "transparent", True),
    ],
)
def test_without_a_named_background_pictures_are_cut_out_and_films_are_green(
    source: str, target: str, background: str | None, transparent: bool
) -> None:
    named = [] if background is None else ["--background", background]
    for convert_one in (
        lambda: main.main(
            ["convert", source, target, "--model", "mattecam", "--overwrite", *named]
        ),
        lambda: mattecam.convert(source, target, background=background, overwrite=True),
    ):
        convert_one()
        image = images_of(target)[0]
        assert image.shape[2] == (4 if transparent else 3)
        if not transparent:
            assert np.abs(image[0, 0].astype(int) - (0x40, 0xB1, 0)).max() <= 4
    mattecam.convert("photo.jpg", "settings.png", settings={"background.kind": "colour"})
    assert images_of("settings.png")[0].shape[2] == 3


def test_live_pictures_have_no_transparent_background(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(MattecamError, match="transparent"):
        mattecam.Matting(background="transparent")
    assert main.main(["headless", "--background", "transparent"]) == 2
    assert "There is no background “transparent”; write blur, a file," in capsys.readouterr().err


def test_clips_of_a_batch_are_named_for_what_they_hold() -> None:
    names = {clip: film_name(clip, True) for clip in ("a.mp4", "a.mov", "a.webm", "a.jpg")}
    assert names == {"a.mp4": "a.mov", "a.mov": "a.mov", "a.webm": "a.webm", "a.jpg": "a.png"}
    assert film_name("a.webm") == film_name("a.webm", None) == "a.mp4"


def ramp(image: BgrImage) -> NDArray[np.uint8]:
    """Return an image whose alpha rises from left to right, and which hides red where it is 0."""
    alpha = np.tile(
        np.linspace(-40, 300, image.shape[1]).clip(0, 255).astype(np.uint8), (image.shape[0], 1)
    )
    hidden = image.copy()
    hidden[alpha == 0] = (0, 0, 255)
    return np.dstack([hidden, alpha])


@pytest.mark.parametrize("source", ["clear.png", "clear.mov", "clear.webm"])
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"framing": FramingSettings(zoom=1.5)},
        {"people": Settings().people.replace(framing="calm")},
    ],
)
def test_the_alpha_of_the_source_multiplies_the_matte(source: str, changes: dict[str, Any]) -> None:
    frames = [ramp(frame) for frame in demo(*SIZE, range(2))]
    if source == "clear.png":
        cv2.imwrite(source, frames[0])
    else:
        with_alpha(source, frames)
    cut = "cut.png" if source == "clear.png" else "cut"
    assert differences(source, cut, **changes).max() <= 2
    if not changes:
        colours = frames[0][..., :3]
        opaque = (
            SoftEngine()
            .matte(StepRequest(colours, colours, EdgeSettings(), want_foreground=True))
            .alpha
        )
        wanted = opaque.astype(float) * frames[0][..., 3] / 255
        found = np.abs(images_of(cut)[0][..., 3] - wanted)
        assert np.percentile(found, 99) <= (6 if source == "clear.webm" else 1.5)


def test_the_alpha_of_the_source_is_in_matte_foreground_and_composite() -> None:
    frame = ramp(demo(*SIZE, [0])[0])
    cv2.imwrite("clear.png", frame)
    settings = Settings(background=BackgroundSettings(kind="colour", colour="#00ff00"))
    convert_clip(
        Path("clear.png"),
        Path("c.png"),
        settings=settings,
        alpha=Path("a.png"),
        foreground=Path("f.png"),
    )
    composite, alpha, foreground = (cv2.imread(name) for name in ("c.png", "a.png", "f.png"))
    clear = frame[..., 3] == 0

    assert composite is not None and alpha is not None and foreground is not None
    assert not alpha[clear].any() and not foreground[clear].any()
    assert (composite[clear] == (0, 255, 0)).all()


def test_no_network_runs_where_no_matte_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.offline.convert.build_engine", forbidden("an engine was built"))
    settings = Settings(background=BackgroundSettings(kind="none"))

    assert convert_clip(Path("photo.jpg"), Path("c.png"), settings=settings).frames == 1
    assert np.array_equal(images_of("c.png")[0], read_cut_out(Path("photo.jpg")))
    assert convert_clip(Path("film.mov"), Path("c.mp4"), settings=settings).frames == 3


def test_colours_are_continued_beside_the_person() -> None:
    image = np.zeros((40, 60, 4), np.uint8)
    image[10:30, 20:40] = 30, 60, 200, 255
    found = extended(image)

    assert np.array_equal(found[..., 3], image[..., 3])
    assert np.array_equal(found[10:30, 20:40], image[10:30, 20:40])
    assert np.abs(found[..., :3].astype(int) - (30, 60, 200)).max() <= 2
    assert not extended(np.zeros((5, 7, 4), np.uint8)).any()
