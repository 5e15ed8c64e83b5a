"""Slides as background: PDF files and folders of images."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from app.compositing import open_background
from app.compositing.slides import SlidesBackground
from app.compositing.still import ImageBackground
from app.config.parsing import parse_background
from app.core.errors import BackgroundError
from app.core.settings import BackgroundSettings
from app.core.types import BgrImage
from app.media import slides as slides_module
from app.media.slides import PdfPages
from tests.waiting import eventually

COLOURS = ((255, 0, 0), (0, 160, 0), (0, 0, 255))
"""Red, green, blue of the pages."""


def folder_of_slides(folder: Path) -> Path:
    """Write images whose natural order is not that of their names as text."""
    slides = folder / "talk"
    slides.mkdir()
    for name, colour in zip(("slide 2.png", "slide 9.png", "slide 10.png"), COLOURS, strict=True):
        Image.new("RGB", (160, 90), colour).save(slides / name)
    (slides / "notes.txt").write_text("not a slide")
    return slides


def pdf(folder: Path) -> Path:
    first, *others = (Image.new("RGB", (400, 300), colour) for colour in COLOURS)
    path = folder / "talk.pdf"
    first.save(path, save_all=True, append_images=others)
    return path


MAKERS = [folder_of_slides, pdf]


@contextmanager
def opened(path: Path, *, realtime: bool = True, **changes: object) -> Iterator[SlidesBackground]:
    settings = BackgroundSettings(kind="slides", path=path, fit="fit").replace(**changes)
    with closing(open_background(settings, realtime=realtime)) as background:
        assert isinstance(background, SlidesBackground)
        yield background


def colour(image: BgrImage) -> tuple[int, ...]:
    """Return red, green, blue of the middle."""
    return tuple(int(value) for value in image[image.shape[0] // 2, image.shape[1] // 2, ::-1])


def is_slide(image: BgrImage, number: int) -> bool:
    return bool(np.allclose(colour(image), COLOURS[number - 1], atol=12))


@pytest.mark.parametrize("make", MAKERS)
def test_slides_are_shown_one_by_one(make: object, tmp_path: Path) -> None:
    threads = threading.active_count()
    path = make(tmp_path)  # type: ignore[operator]
    settings = BackgroundSettings(kind="slides", path=path, fit="fit")
    with opened(path) as background:
        assert background.slides == 3
        image = background.backdrop(320, 180, 0.0)
        assert image.shape == (180, 320, 3)
        assert is_slide(image, 1)
        assert background.backdrop(320, 180, 1.0) is image, "the same picture must be the same object"
        for number in (2, 3, 1, 99):
            background.follow(settings.replace(slide=number))
            eventually(lambda number=number: is_slide(background.backdrop(320, 180, 0.0), min(number, 3)))  # type: ignore[misc]
    background.close()
    assert threading.active_count() == threads


def test_a_saved_slide_past_the_end_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = MAKERS[0](tmp_path)
    with opened(path, slide=9) as background:
        background.follow(BackgroundSettings(kind="slides", slide=9))
    assert caplog.messages == [f"{path} has no slide 9, so its last one, 3, is shown."]


@pytest.mark.parametrize("make", MAKERS)
def test_a_conversion_waits_for_the_slide(make: object, tmp_path: Path) -> None:
    with opened(make(tmp_path), realtime=False, slide=3) as background:  # type: ignore[operator]
        assert is_slide(background.backdrop(64, 48, 0.0), 3)
        background.follow(BackgroundSettings(kind="slides", slide=1))
        assert is_slide(background.backdrop(64, 48, 0.0), 1)


def test_a_page_keeps_its_shape_on_white(tmp_path: Path) -> None:
    image = PdfPages(pdf(tmp_path), (640, 640)).read(1)
    assert image.shape == (480, 640, 3)
    assert is_slide(image, 2)


def test_text_pages_are_white(tmp_path: Path) -> None:
    """A page without paper colour is transparent in the file."""
    path = tmp_path / "blank.pdf"
    path.write_bytes(
        b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
        b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 100]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
    )
    with opened(path) as background:
        assert colour(background.backdrop(200, 100, 0.0)) == (255, 255, 255)


def test_a_slide_that_cannot_be_read_is_named_and_the_others_work(tmp_path: Path) -> None:
    slides = folder_of_slides(tmp_path)
    (slides / "slide 9.png").write_bytes(b"\x89PNG\r\n\x1a\n damaged")
    with opened(slides, realtime=False) as background:
        background.follow(BackgroundSettings(kind="slides", slide=2))
        with pytest.raises(BackgroundError, match="slide 9"):
            background.backdrop(64, 48, 0.0)
        background.follow(BackgroundSettings(kind="slides", slide=3))
        assert is_slide(background.backdrop(64, 48, 0.0), 3)


def test_an_unexpected_error_ends_no_slides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def without_the_third(image: BgrImage) -> ImageBackground:
        if colour(image) == COLOURS[2]:
            raise cv2.error("no memory")
        return ImageBackground(image)

    monkeypatch.setattr("app.compositing.slides.ImageBackground", without_the_third)
    with opened(folder_of_slides(tmp_path), realtime=False) as background:
        background.follow(BackgroundSettings(kind="slides", slide=3))
        with pytest.raises(BackgroundError, match="internal error"):
            background.backdrop(64, 48, 0.0)
        background.follow(BackgroundSettings(kind="slides", slide=2))
        assert is_slide(background.backdrop(64, 48, 0.0), 2)


def test_files_that_are_no_slides_are_refused_in_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    threads = threading.active_count()
    empty = tmp_path / "empty"
    empty.mkdir()
    text = tmp_path / "text.pdf"
    text.write_text("no PDF at all")
    cut = tmp_path / "cut.pdf"
    cut.write_bytes(b"%PDF-1.7\n" + b"0" * 200)
    for path, why in (
        (empty, "no images"),
        (text, "damaged"),
        (cut, "damaged"),
        (tmp_path / "absent.pdf", "no file"),
        (tmp_path / f"{300 * 'x'}.pdf", "too long"),
    ):
        with pytest.raises(BackgroundError, match=why), opened(path):
            pass
    monkeypatch.setattr(slides_module, "MAX_BYTES", 100)
    with pytest.raises(BackgroundError, match="too large"), opened(pdf(tmp_path)):
        pass
    with pytest.raises(BackgroundError, match="choose a PDF file"):
        open_background(BackgroundSettings(kind="slides"))
    assert threading.active_count() == threads


def test_a_renderer_that_does_not_answer_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.media.image_file.TIMEOUT_S", 0.0)
    with pytest.raises(BackgroundError, match="damaged"):
        PdfPages(pdf(tmp_path), (640, 640))


def test_a_pdf_and_a_folder_are_slides_on_the_command_line(tmp_path: Path) -> None:
    for path in (pdf(tmp_path), folder_of_slides(tmp_path)):
        assert parse_background(str(path)) == BackgroundSettings(kind="slides", path=path)
    before = BackgroundSettings(kind="slides", path=tmp_path / "talk.pdf", slide=7, zoom=2)
    assert parse_background(str(tmp_path / "talk.pdf"), before) == before, "the same slides stay where they are"
    image = tmp_path / "a.png"
    cv2.imwrite(str(image), np.zeros((4, 4, 3), np.uint8))
    assert parse_background(str(image), before).slide == 1
