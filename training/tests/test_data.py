"""Training samples: ranges, references, seeds; crops of photos; gaps between arm and body; where people are placed."""

from __future__ import annotations

import itertools
from pathlib import Path

import cv2
import numpy as np
import pytest

from app.core.errors import UsageError
from training import hard
from training.data import Mixture, SampleSource
from training.degrade import through_h264
from training.framing import placed
from training.gaps import gaps
from training.hard import Layers, lit_like
from training.limbs import limbs
from training.matte import corrected, judge
from training.motion import Placement
from training.objects import with_objects
from training.rows import gaps_shown, holes
from training.sources import WHOLE_BODY, Picture
from training.store import Entry, Pack, PackWriter, Pixels
from training.tests.samples import make_cache, person, room
from training.views import KEPT_SIZE, pack_views

SIZE = (64, 36)


@pytest.mark.parametrize("frames", [1, 3])
@pytest.mark.parametrize("mixture", [Mixture(1, 0, 0), Mixture(0, 1, 0), Mixture(0, 0, 1), Mixture(0, 0, 0)], ids=str)
def test_every_kind_of_sample_has_its_shapes(cache: Path, mixture: Mixture, frames: int) -> None:
    source = SampleSource(cache, SIZE, frames, mixture=mixture)
    for index in range(12):
        sample = source.draw(index)
        assert sample.src.shape == sample.fgr.shape == (frames, 36, 64, 3)
        assert sample.pha.shape == (frames, 36, 64, 1)
        assert {sample.src.dtype, sample.fgr.dtype, sample.pha.dtype} == {np.dtype(np.uint8)}
        assert mixture.empty < 1 or sample.pha.max() == 0


def test_a_seed_and_an_index_decide_a_sample(cache: Path) -> None:
    source = SampleSource(cache, SIZE, 2, seed=3)
    early = source.draw(5)
    for index in (1, 2, 3):
        source.draw(index)
    late, again = source.draw(5), SampleSource(cache, SIZE, 2, seed=3).draw(5)
    other = SampleSource(cache, SIZE, 2, seed=4).draw(5)
    for name in ("src", "fgr", "pha"):
        assert np.array_equal(getattr(early, name), getattr(late, name))
        assert np.array_equal(getattr(early, name), getattr(again, name))
    assert not np.array_equal(early.src, other.src)


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
def photos(tmp_path: Path) -> Path:
    with PackWriter(tmp_path / "people") as pack:
        pack.add(person(1), "portrait", "photos")
        pack.add(person(2, 200, 70), "street", min(WHOLE_BODY))
        pack.add(person(3), "kept out", "photos", validation=True)
        pack.add(person(4), "doubtful", "photos", usable=False)
    return tmp_path


def views(photos: Path) -> list[tuple[Entry, Pixels]]:
    pack = Pack(photos / "views")
    return [(entry, pack.pixels(entry).copy()) for entry in pack.entries]


def test_portraits_are_cut_twice_others_once_and_the_doubtful_never(photos: Path) -> None:
    pack_views(photos, [], ColourKey())
    found = views(photos)
    assert sorted(entry.name for entry, _ in found) == ["kept out", "portrait", "portrait", "street"]
    assert [entry.name for entry, _ in found if entry.validation] == ["kept out"]
    first, second = (layers for entry, layers in found if entry.name == "portrait")
    assert not np.array_equal(first, second)


def test_the_matte_is_that_of_the_very_cut(photos: Path) -> None:
    pack_views(photos, [], ColourKey())
    for _, layers in views(photos):
        assert layers.shape == (KEPT_SIZE[1], KEPT_SIZE[0], 7)
        seen = ColourKey().photo(np.ascontiguousarray(layers[..., :3]), 2)[1][..., 0]
        assert float((np.abs(seen.astype(int) - layers[..., 6]) > 127).mean()) < 0.03


def test_a_cut_in_which_the_teacher_sees_somebody_else_is_dropped(photos: Path) -> None:
    pack_views(photos, [], SomebodyElse())
    assert [entry.name for entry, _ in views(photos)] == ["kept out"]


def test_a_mask_corrects_the_teacher_in_the_cut_too(photos: Path, tmp_path: Path) -> None:
    left = person(1)[..., 6].copy()
    left[:, : left.shape[1] // 2] = 0
    cv2.imwrite(str(tmp_path / "mask.png"), left)
    pack_views(photos, [], ColourKey())
    plain = [layers for entry, layers in views(photos) if entry.name == "portrait"]
    pack_views(photos, [Picture("portrait", "photos", "photo", tmp_path, tmp_path / "mask.png")], ColourKey())
    masked = [layers for entry, layers in views(photos) if entry.name == "portrait"]
    for before, after in zip(plain, masked, strict=True):
        assert 0.2 * before[..., 6].mean() < after[..., 6].mean() < 0.8 * before[..., 6].mean()


HEIGHT, WIDTH = 180, 320


def body() -> Pixels:
    """Return the alpha of a person seen from the front, whose arms hang close to the body."""
    alpha = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.circle(alpha, (160, 40), 25, 255, -1)
    alpha[60:, 130:190] = 255
    return alpha


def test_gaps_are_holes_and_narrow_bays_also_where_the_frame_cuts_them_off() -> None:
    hole, bay, cut, strands = (body() for _ in range(4))
    hole[100:140, 145:175] = 0
    found = gaps(hole)
    assert found[101:139, 146:174].all() and not found[:, :130].any()
    bay[60:150, 100:120] = bay[60:75, 120:130] = 255
    found = gaps(bay)
    assert found[80:140, 121:129].mean() > 0.9 and not found[:60].any() and not found[:, 200:].any()
    cut[100:, 112:118] = cut[100:110, 112:130] = 255
    assert gaps(cut)[120:, 119:129].all()
    strands[20:60, 140:180:3] = 0
    assert not gaps(strands)[20:60, 140:180].any()
    assert not gaps(body())[70:].any(), "a plain outline"
    assert not any(gaps(np.full((HEIGHT, WIDTH), fill, np.uint8)).any() for fill in (0, 255))


def test_the_share_counts_pixels_over_all_frames() -> None:
    holed = body().astype(np.float32) / np.float32(255)
    holed[100:140, 145:175] = 0
    half = holed.copy()
    half[100:120, 145:175] = 1
    assert gaps_shown([holed], [holed]) == 0
    assert gaps_shown([half, holed], [holed, holed]) == pytest.approx(25, abs=2)
    assert gaps_shown([half], [np.zeros_like(half)]) == 0


def test_only_what_a_matte_leaves_out_inside_of_people_is_a_hole() -> None:
    person = np.zeros((HEIGHT, WIDTH), np.float32)
    person[40:, 100:200] = 1
    pierced, cut, narrower = person.copy(), person.copy(), person.copy()
    pierced[100:110, 140:150] = 0
    cut[100:, 140:150] = 0
    narrower[:, 190:] = 0
    inside = (HEIGHT - 50) * 80
    assert holes([pierced], [person]) == pytest.approx(100 * 100 / inside, rel=0.03)
    assert holes([person], [person]) == holes([cut], [person]) == holes([narrower], [person]) == 0
    assert holes([pierced], [pierced]) == holes([person], [np.zeros_like(person)]) == 0


def waving(margin: int = 20) -> Pixels:
    """Return the alpha (100, 140) of somebody with a thin arm at either side, so far from the photo's lower edge."""
    alpha = np.zeros((100, 140), np.uint8)
    cv2.ellipse(alpha, (70, 22), (10, 12), 0, 0, 360, 255, -1)
    alpha[32 : 100 - margin, 50:90] = 255
    alpha[40:46, 20:120] = 255
    return alpha


def test_limbs_are_what_is_thin() -> None:
    found = limbs(waving())
    assert found[42:44, 22:45].all() and found[42:44, 95:118].all()
    assert not found[50:, :].any() and not found[:, 55:85].any()


@pytest.fixture
def everything(cache: Path, monkeypatch: pytest.MonkeyPatch) -> SampleSource:
    """A source of composites with each of them, before a flawless camera."""
    for share in ("_HANDS", "_BYSTANDERS", "_BORDERED"):
        monkeypatch.setattr(f"training.data.{share}", 1.0)
    monkeypatch.setattr("training.data._CROWDS", 0.0)
    return SampleSource(cache, (96, 54), 2, mixture=Mixture(composite=1, empty=0, clip=0), unspoilt=1)


def test_everybody_in_the_frame_and_nothing_else_is_in_the_truth(
    everything: SampleSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[int, float]] = []

    def noted(
        rng: np.random.Generator,
        frames: list[Pixels],
        before: list[Pixels],
        behind: list[Pixels],
        people: list[list[hard.Layer]],
    ) -> Layers:
        layers = hard.in_front(rng, frames, before, behind, people)
        for t, truth in enumerate(layers[1]):
            free = np.prod([1 - person[t][1] for person in people], 0)
            seen.append((len(people), float(np.abs(truth / 255 - (1 - free)).max())))
        return layers

    monkeypatch.setattr("training.data.in_front", noted)
    for index in range(12):
        sample = everything.draw(index)
        person = sample.pha[..., 0] == 255
        np.testing.assert_allclose(sample.clean[person].astype(int), sample.fgr[person], atol=2)
    assert max(count for count, _ in seen) >= 2
    assert max(error for _, error in seen) < 0.003


FRAME = 160, 90


def test_a_person_in_a_dark_room_gets_darker_with_the_same_alpha() -> None:
    colour, alpha = np.full((90, 160, 3), 180, np.float32), np.ones((90, 160, 1), np.float32)
    dark = np.full((90, 160, 3), 30, np.uint8)

    ((lit, opacity),) = lit_like(dark, [(colour, alpha)], np.random.default_rng(0))

    assert lit.mean() < 150
    assert opacity is alpha


Cuts = tuple[bool, bool, bool, bool]
"""Whether the photo ends at the left, right, above and below."""


def somebody(rng: np.random.Generator, cuts: Cuts) -> Pixels:
    """Return an ellipse or a rectangle that goes on beyond these sides of a photo."""
    height, width = (int(side) for side in rng.integers(60, 200, 2))
    left, right, above, below = (rng.uniform(-0.5, -0.3) if cut else rng.uniform(0.05, 0.2) for cut in cuts)
    first = int(left * width), int(above * height)
    last = int((1 - right) * width), int((1 - below) * height)
    alpha = np.zeros((height, width), np.uint8)
    if rng.random() < 0.5:
        cv2.rectangle(alpha, first, last, 255, -1)
    else:
        middle, half = np.add(first, last) // 2, np.subtract(last, first) // 2
        cv2.ellipse(alpha, middle.tolist(), half.tolist(), 0, 0, 360, 255, -1)
    return alpha


def ends_in_frame(alpha: Pixels, placement: Placement) -> bool:
    border = np.ones_like(alpha)
    border[1:-1, 1:-1] = 0
    rows, columns = np.nonzero(border & (alpha > 127))
    x, y = placement.matrix() @ np.stack([columns, rows, np.ones(len(rows))])
    return bool(((x > 0) & (x < FRAME[0] - 1) & (y > 0) & (y < FRAME[1] - 1)).any())


@pytest.mark.parametrize("cuts", list(itertools.product([False, True], repeat=4)))
def test_where_the_photo_ends_is_out_of_the_frame(cuts: Cuts, monkeypatch: pytest.MonkeyPatch) -> None:
    people = [somebody(np.random.default_rng([seed, *cuts]), cuts) for seed in range(30)]
    found = [placed(np.random.default_rng(seed), alpha, FRAME, seed % 4 == 0) for seed, alpha in enumerate(people)]
    monkeypatch.setattr("training.framing._filled", lambda usual, alpha, size: usual)
    usual = [placed(np.random.default_rng(seed), alpha, FRAME, seed % 4 == 0) for seed, alpha in enumerate(people)]

    assert not any(map(ends_in_frame, people, found))
    if any(cuts[:3]):
        assert any(map(ends_in_frame, people, usual)), "nobody had to be shifted"
    elif not cuts[3]:
        assert found == usual
