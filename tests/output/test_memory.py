"""The memory sink."""

from __future__ import annotations

import pytest

from app.core.types import Picture, PictureKind
from app.output.memory import MemorySink
from tests.output.pictures import picture


def test_it_keeps_the_newest_pictures_and_counts_all() -> None:
    sink = MemorySink(2)
    pictures = [picture(grey=k) for k in range(5)]
    for one in pictures:
        sink.send(one)
    assert sink.sent == 5 and sink.pictures == tuple(pictures[-2:])
    sink.close()
    assert sink.pictures == tuple(pictures[-2:])


def test_it_refuses_what_is_no_picture() -> None:
    with pytest.raises(ValueError, match="shape"):
        MemorySink().send(Picture(picture().image[:, :, :2], PictureKind.COMPOSITE))
