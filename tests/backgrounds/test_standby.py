"""The stand-by card: its picture, and its text in all languages."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.backgrounds.lettering import missing_letters
from app.backgrounds.standby import TextBlock, draw_card
from app.core.types import BgrImage
from tests.backgrounds.files import flat, write


def ink(text: str) -> BgrImage:
    """The text alone, white on black."""
    image = np.zeros((90, 700, 3), np.uint8)
    TextBlock(text, 700, 90, 40).draw(image, 350, 20, (255, 255, 255))
    return image


def test_the_card_shows_its_text_and_the_users_image(tmp_path: Path) -> None:
    image = draw_card("Back soon", None, 640, 360)
    assert image.shape == (360, 640, 3)
    assert not np.array_equal(image, draw_card("Gone fishing", None, 640, 360))
    assert (draw_card("", None, 640, 360) > 200).any(), (
        "without a text of the user's there is one of ours"
    )
    path = write(tmp_path / "a.png", flat((10, 100, 200), 100, 100))
    assert (draw_card("", path, 160, 90) == (10, 100, 200)).all()
    with_text = draw_card("Back soon", path, 640, 360)
    assert (with_text[:100] == (10, 100, 200)).all() and (with_text[-110:] > 210).any()


@pytest.mark.parametrize("letters", ["äöüßÄÖÜ", "ñáéíóú¿¡", "žščłő", "Привет", "Ελλάδα", "你好"])
def test_letters_of_other_languages_are_drawn(letters: str) -> None:
    unknown = ink("\U0010fffd")
    for letter in letters:
        assert ink(letter).any()
        assert not np.array_equal(ink(letter), unknown), f"{letter} is drawn as an unknown sign"
    assert not np.array_equal(ink("u"), ink("ü"))


def on_this_computer(*texts: str) -> list[str]:
    """Return the texts for whose letters this computer has fonts."""
    return [text for text in texts if missing_letters(text) is None]


@pytest.mark.parametrize("line", on_this_computer("שששייייי", "اااسسس", "שששי abיי"))
def test_a_line_from_right_to_left_begins_at_the_right(line: str) -> None:
    """Hebrew and Arabic were drawn backwards: the first letter, the one with most ink, was at the left."""
    columns = np.flatnonzero(ink(line).any((0, 2)))
    drawn = ink(line)[:, columns[0] : columns[-1] + 1].astype(int)

    quarter = drawn.shape[1] // 4

    assert drawn[:, -quarter:].sum() > drawn[:, :quarter].sum()


@pytest.mark.parametrize("line", on_this_computer("سسس", "مرحبا"))
def test_arabic_letters_are_joined(line: str) -> None:
    parts = {text: cv2.connectedComponents(ink(text).max(2) // 128)[0] for text in (line, *line)}

    assert parts[line] - 1 < sum(parts[letter] - 1 for letter in line)


@pytest.mark.parametrize("letters", on_this_computer("ब्रेक", "พักสักครู่", "☕"))
def test_letters_that_opencv_lacks_are_drawn_with_fonts_of_the_system(letters: str) -> None:
    assert ink(letters).any()
    assert not np.array_equal(ink(letters), ink("?" * len(letters)))


def test_letters_without_a_font_are_named_and_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")  # no fontconfig

    sentence = str(missing_letters("Pause ฃฅ ฃ"))

    assert "letters ฃ ฅ of" in sentence
    assert not ink("ฃฅ").any()
    assert np.array_equal(ink("Pauseฃ"), ink("Pause"))
    assert missing_letters("Back at noon – gleich zurück, 休憩") is None


def test_long_texts_wrap_and_shrink_into_their_box() -> None:
    text = "Ich bin gleich zurück, es dauert nur noch einen Augenblick. " * 3
    text += "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichen" * 2
    assert TextBlock("Lunch\n14:30", 400, 100, 20).lines == ["Lunch", "14:30"]
    block = TextBlock(text, 300, 120, 40)
    assert len(block.lines) > 3 and block.height <= 120 + block.size_px * 2
    image = np.zeros((200, 400, 3), np.uint8)
    block.draw(image, 200, 20, (255, 255, 255))
    columns = np.flatnonzero(image.any((0, 2)))
    assert columns[0] >= 48 and columns[-1] <= 352
    assert "".join(block.lines).replace(" ", "") == text.replace(" ", "")


@settings(max_examples=25, deadline=None)
@given(st.text(max_size=60), st.integers(2, 300), st.integers(2, 300))
@example("half a surrogate \ud800 and \0", 64, 48)
def test_any_text_at_any_size(text: str, width: int, height: int) -> None:
    assert draw_card(text, None, width, height).shape == (height, width, 3)
