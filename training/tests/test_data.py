"""Training samples: ranges, references, seeds; views of photos; gaps between arm and body; the
truth of composites.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from unittest.mock import Mock

import cv2
import numpy as np
import pytest

from app.core.errors import UsageError
from training import hard
from training.data import Mixture, SampleSource
from training.degrade import through_h264
from training.gaps import gaps
from training.hard import Layers
from training.matte import corrected, judge
from training.objects import with_objects
from training.sources import WHOLE_BODY
from training.store import Pack, PackWriter, Pixels
from training.tests.samples import make_cache, person, room
from training.views import pack_views

SIZE = (64, 36)


@pytest.mark.parametrize("frames", [1, 3])
@pytest.mark.parametrize(
    "mixture", [Mixture(1, 0, 0), Mixture(0, 1, 0), Mixture(0, 0, 1), Mixture(0, 0, 0)], ids=str
)
def test_every_kind_of_sample_has_its_shapes(cache: Path, mixture: Mixture, frames: int) -> None:
    source = SampleSource(cache, SIZE, frames, mixture=mixture)
    for index in range(12):
        sample = source.draw(index)
        assert sample.src.shape == sample.fgr.shape == (frames, 36, 64, 3)
        assert sample.pha.shape == (frames, 36, 64, 1)
        assert {sample.src.dtype, sample.fgr.dtype, sample.pha.dtype} == {np.dtype(np.uint8)}
        assert mixture.empty < 1 or sample.pha.max() == 0


def test_a_seed_and_an_index_decide_a_sample(cache: Path) -> None:
    source, same, other = (SampleSource(cache, SIZE, 2, seed=seed) for seed in (3, 3, 4))
    early, _ = source.draw(5), source.draw(1)
    for again in (source.draw(5), same.draw(5)):
        for name in ("src", "fgr", "pha"):
            assert np.array_equal(getattr(early, name), getattr(again, name))
    assert not np.array_equal(early.src, other.draw(5).src)


def test_people_for_validation_are_not_learnt_from(tmp_path: Path) -> None:
    folder = make_cache(tmp_path, people=1)
    with pytest.raises(UsageError, match="no people"):
        SampleSource(folder, SIZE)


def test_objects_stand_in_a_copy_of_the_room() -> None:
    before = room(1, 120, 200)
    for seed in range(8):
        after = with_objects(before, np.random.default_rng(seed))
        assert after.shape == before.shape and after.dtype == np.uint8
        changed = float((after != before).any(2).mean())
        assert 0.01 < changed < 1
    assert np.array_equal(before, room(1, 120, 200))


def test_video_compression_keeps_frames_and_spoils_them() -> None:
    frames = [np.ascontiguousarray(np.roll(person(1)[..., :3], 2 * t, 1)) for t in range(3)]
    spoilt = through_h264(frames, 38)
    assert len(spoilt) == 3
    for before, after in zip(frames, spoilt, strict=True):
        assert after.shape == before.shape
        assert 0.5 < float(np.abs(after.astype(int) - before).mean()) < 20


def test_a_pack_gives_back_what_was_put_in_and_halves_it(tmp_path: Path) -> None:
    images = [person(1), person(2, 50, 71)]
    with PackWriter(tmp_path / "pack") as writer:
        for index, image in enumerate(images):
            writer.add(image, str(index), "group")
    whole, halved = Pack(tmp_path / "pack"), Pack(tmp_path / "pack", halved=True)
    for entry, image in zip(whole.entries, images, strict=True):
        assert np.array_equal(whole.pixels(entry), image)
        half = halved.pixels(entry)
        assert half.shape == (image.shape[0] // 2, image.shape[1] // 2, 7)
        assert abs(float(half.mean()) - float(image.mean())) < 2


def test_a_mask_corrects_the_teacher_only_where_they_disagree_grossly() -> None:
    alpha = person(1)[..., 6]
    kept, agreement = corrected(alpha, alpha)
    assert agreement == 1 and np.array_equal(kept[..., 0], alpha)
    wrong = alpha.copy()
    wrong[:, 100:] = 255
    mended, agreement = corrected(wrong, alpha)
    assert agreement < 0.85 and mended[:, 110:].max() == 0
    assert abs(float(mended.mean()) - float(alpha.mean())) < 8


def test_doubtful_and_scattered_mattes_are_not_learnt_from() -> None:
    clear = person(1)[..., 6]
    assert judge(clear) == (True, True)
    assert judge(np.zeros_like(clear)) == (False, False)
    assert judge(np.where(clear > 0, np.uint8(150), np.uint8(0))) == (False, False)
    scattered = np.zeros_like(clear)
    scattered[::12, ::12] = scattered[1::12, ::12] = scattered[2::12, ::12] = 255
    assert judge(scattered) == (False, False)


def test_portraits_are_cut_twice_others_once_and_doubtful_cuts_never(tmp_path: Path) -> None:
    with PackWriter(tmp_path / "people") as people:
        people.add(person(1), "portrait", "photos")
        people.add(person(2, 200, 70), "street", min(WHOLE_BODY))
        people.add(person(3), "kept out", "photos", validation=True)
        people.add(person(4), "doubtful", "photos", usable=False)
    skin, others = person(0)[0, 0, 3:6], False

    def photo(rgb: Pixels, passes: int) -> tuple[Pixels, Pixels]:
        """Detect the colour of the drawn people, or everything else."""
        assert passes > 1
        found = (np.abs(rgb.astype(int) - skin).max(2) < 40) != others
        return rgb, found[..., None].astype(np.uint8) * 255

    teacher = Mock(photo=photo)
    pack_views(tmp_path, [], teacher)
    views = Pack(tmp_path / "views")
    assert sorted(entry.name for entry in views.entries) == [
        "kept out",
        "portrait",
        "portrait",
        "street",
    ]
    assert [entry.name for entry in views.entries if entry.validation] == ["kept out"]
    first, second = (views.pixels(entry) for entry in views.entries if entry.name == "portrait")
    assert not np.array_equal(first, second)
    others = True
    pack_views(tmp_path, [], teacher)
    assert [entry.name for entry in Pack(tmp_path / "views").entries] == ["kept out"]


def test_gaps_are_holes_and_narrow_bays_also_where_the_frame_cuts_them_off() -> None:
    body = np.zeros((180, 320), np.uint8)  # seen from the front; the arms hang close to it
    cv2.circle(body, (160, 40), 25, 255, -1)
    body[60:, 130:190] = 255
    hole, bay, cut, strands = (body.copy() for _ in range(4))
    hole[100:140, 145:175] = 0
    found = gaps(hole)
    assert found[101:139, 146:174].all() and not found[:, :130].any()
    bay[60:150, 100:120] = bay[60:75, 120:130] = 255
    found = gaps(bay)
    assert found[80:140, 121:129].mean() > 0.9 and not found[:60].any() and not found[:, 200:].any()
    cut[100:, 112:118] = cut[100:110, 112:130] = 255
    assert gaps(cut)[120:, 119:129].all()
    strands[20:60, 140:180:3] = strands[63:66, 150:153] = 0
    assert not gaps(strands)[20:70, 140:180].any()
    above_the_border = np.vstack([body[:-5], np.zeros_like(body[:5])])
    assert not any(gaps(outline)[70:].any() for outline in (body, above_the_border)), (
        "a plain outline"
    )
    assert not any(gaps(np.full_like(cut, fill)).any() for fill in (0, 255))


def test_everybody_in_the_frame_and_nothing_else_is_in_the_truth(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[int, float]] = []

    def noted(*given: Any) -> Layers:
        layers, people = hard.in_front(*given), given[-1]
        for t, truth in enumerate(layers[1]):
            free = np.prod([1 - person[t][1] for person in people], 0)
            seen.append((len(people), float(np.abs(truth / 255 - (1 - free)).max())))
        return layers

    values = {
        "in_front": noted,
        "_HANDS": 1.0,
        "_BYSTANDERS": 1.0,
        "_BORDERED": 1.0,
        "_CROWDS": 0.0,
    }
    for name, value in values.items():
        monkeypatch.setattr(f"training.data.{name}", value)
    source = SampleSource(
        cache, (96, 54), 2, mixture=Mixture(composite=1, empty=0, clip=0), unspoilt=1
    )
    for index in range(12):
        sample = source.draw(index)
        person = sample.pha[..., 0] == 255
        np.testing.assert_allclose(sample.clean[person].astype(int), sample.fgr[person], atol=2)
    assert max(count for count, _ in seen) >= 2
    assert max(error for _, error in seen) < 0.003
