"""Crops of photos, stored with the teacher's output."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.training.samples import person
from training.framing import Pixels
from training.sources import WHOLE_BODY, Picture
from training.store import Entry, Pack, PackWriter
from training.views import KEPT_SIZE, pack_views

SKIN = person(0)[0, 0, 3:6]


class ColourKey:
    """A teacher that detects the colour of the drawn people."""

    def photo(self, rgb: Pixels, passes: int) -> tuple[Pixels, Pixels]:
        assert passes > 1
        alpha = (np.abs(rgb.astype(int) - SKIN).max(2) < 40).astype(np.uint8) * 255
        return rgb, alpha[..., None]


class SomebodyElse(ColourKey):
    """A teacher that detects everything else."""

    def photo(self, rgb: Pixels, passes: int) -> tuple[Pixels, Pixels]:
        foreground, alpha = super().photo(rgb, passes)
        return foreground, 255 - alpha


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    with PackWriter(tmp_path / "people") as pack:
        pack.add(person(1), "portrait", "photos")
        pack.add(person(2, 200, 70), "street", min(WHOLE_BODY))
        pack.add(person(3), "kept out", "photos", validation=True)
        pack.add(person(4), "doubtful", "photos", usable=False)
    return tmp_path


def views(cache: Path) -> list[tuple[Entry, Pixels]]:
    pack = Pack(cache / "views")
    return [(entry, pack.pixels(entry).copy()) for entry in pack.entries]


def test_portraits_are_cut_twice_others_once_and_the_doubtful_never(cache: Path) -> None:
    pack_views(cache, [], ColourKey())
    found = views(cache)
    assert sorted(entry.name for entry, _ in found) == ["kept out", "portrait", "portrait", "street"]
    assert [entry.name for entry, _ in found if entry.validation] == ["kept out"]
    first, second = (layers for entry, layers in found if entry.name == "portrait")
    assert not np.array_equal(first, second)


def test_the_matte_is_that_of_the_very_cut(cache: Path) -> None:
    pack_views(cache, [], ColourKey())
    for _, layers in views(cache):
        assert layers.shape == (KEPT_SIZE[1], KEPT_SIZE[0], 7)
        seen = ColourKey().photo(np.ascontiguousarray(layers[..., :3]), 2)[1][..., 0]
        assert float((np.abs(seen.astype(int) - layers[..., 6]) > 127).mean()) < 0.03


def test_a_cut_in_which_the_teacher_sees_somebody_else_is_dropped(cache: Path) -> None:
    pack_views(cache, [], SomebodyElse())
    assert [entry.name for entry, _ in views(cache)] == ["kept out"]


def test_a_mask_corrects_the_teacher_in_the_cut_too(cache: Path, tmp_path: Path) -> None:
    left = person(1)[..., 6].copy()
    left[:, : left.shape[1] // 2] = 0
    cv2.imwrite(str(tmp_path / "mask.png"), left)
    pack_views(cache, [], ColourKey())
    plain = [layers for entry, layers in views(cache) if entry.name == "portrait"]
    pack_views(cache, [Picture("portrait", "photos", "photo", tmp_path, tmp_path / "mask.png")], ColourKey())
    masked = [layers for entry, layers in views(cache) if entry.name == "portrait"]
    for before, after in zip(plain, masked, strict=True):
        assert 0.2 * before[..., 6].mean() < after[..., 6].mean() < 0.8 * before[..., 6].mean()
