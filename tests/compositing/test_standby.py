"""The stand-by card."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.compositing.standby import StandbyCard, TextBlock
from app.core.types import BgrImage
from tests.compositing.files import flat, write


def ink(text: str) -> BgrImage:
    """The text alone, white on black."""
    image = np.zeros((90, 700, 3), np.uint8)
    TextBlock(text, 700, 90, 40).draw(image, 350, 20, (255, 255, 255))
    return image


def test_the_card_shows_its_text_and_is_cached() -> None:
    card = StandbyCard("Back soon")
    image = card.image(640, 360)
    assert image.shape == (360, 640, 3) and card.image(640, 360) is image
    assert not np.array_equal(image, StandbyCard("Gone fishing").image(640, 360))
    assert (StandbyCard().image(640, 360) > 200).any(), "without a text of the user's there is one of ours"


@pytest.mark.parametrize("letters", ["äöüßÄÖÜ", "ñáéíóú¿¡", "žščłő", "Привет", "Ελλάδα", "你好"])
def test_letters_of_other_languages_are_drawn(letters: str) -> None:
    unknown = ink("\U0010fffd")
    for letter in letters:
        assert ink(letter).any()
        assert not np.array_equal(ink(letter), unknown), f"{letter} is drawn as an unknown sign"
    assert not np.array_equal(ink("u"), ink("ü"))


def test_long_texts_wrap_and_shrink_into_their_box() -> None:
    text = "Ich bin gleich zurück, es dauert nur noch einen Augenblick. " * 3
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


def test_line_breaks_are_kept() -> None:
    assert TextBlock("Lunch\n14:30", 400, 100, 20).lines == ["Lunch", "14:30"]


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=60), st.integers(2, 300), st.integers(2, 300))
def test_any_text_at_any_size(text: str, width: int, height: int) -> None:
    assert StandbyCard(text).image(width, height).shape == (height, width, 3)


def test_half_a_surrogate_does_not_break_the_card() -> None:
    assert StandbyCard("a\ud800b\0c").image(64, 48).shape == (48, 64, 3)


def test_the_users_image_fills_the_card(tmp_path: Path) -> None:
    path = write(tmp_path / "a.png", flat((10, 100, 200), 100, 100))
    assert (StandbyCard("", path).image(160, 90) == (10, 100, 200)).all()
    with_text = StandbyCard("Back soon", path).image(640, 360)
    assert (with_text[:100] == (10, 100, 200)).all() and (with_text[-110:] > 210).any()
