"""The memory sink."""

from __future__ import annotations

import pytest

from app.core.types import Picture, PictureKind
from app.output.memory import MemorySink
from tests.output.pictures import picture


def test_the_newest_frames_are_kept_and_all_are_counted() -> None:
    sink = MemorySink(2)
    pictures = [picture(grey=k) for k in range(5)]
    for one in pictures:
        sink.send(one)
    assert sink.sent == 5 and sink.pictures == tuple(pictures[-2:])
    sink.close()
    assert sink.pictures == tuple(pictures[-2:])


def test_invalid_frames_are_rejected() -> None:
    with pytest.raises(ValueError, match="shape"):
        MemorySink().send(Picture(picture().image[:, :, :2], PictureKind.COMPOSITE))
