"""What is held out of training, and the figures measured on it."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from models.mattecam.bundled import load_bundled, load_bundled_with_plate
from training.compare_plates import cutout_figures
from training.disputed import boxes, with_either_answer
from training.held_out import SIZE, cutouts, masked_photos, photos, rooms
from training.matte import decided
from training.metrics import Alpha
from training.packs import listed_pictures
from training.rows import agreement_row, frames_until_settled, ghost_share, mask_row, rim_error
from training.sources import HELD_OUT_SCENES, HELD_OUT_SOURCES, list_pictures


def disc(radius: int, size: tuple[int, int] = (120, 160)) -> Alpha:
    rows, columns = np.mgrid[: size[0], : size[1]]
    return np.asarray(np.hypot(rows - size[0] / 2, columns - size[1] / 2) < radius, np.float32)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two photos, one of a held-out source, a mask, a cut-out and two rooms, one of a held-out scene."""
    rng = np.random.default_rng(0)
    for kind in ("portraits", "masks", "cutouts", "backgrounds"):
        (tmp_path / kind).mkdir()
    person = np.dstack([rng.integers(0, 255, (200, 160, 3)), 255 * disc(60, (200, 160))]).astype(np.uint8)
    names = [f"name{i}" for i in range(40)]
    lines = ["name\tsource\tlicence\tkind"]
    for name in names:
        cv2.imwrite(str(tmp_path / "portraits" / f"{name}p.jpg"), person[..., :3])
        cv2.imwrite(str(tmp_path / "masks" / f"{name}p.png"), person[..., 3])
        cv2.imwrite(str(tmp_path / "cutouts" / f"{name}c.png"), person)
        lines += [f"{name}p\tsomebody/photos\tCC0\tmask", f"{name}c\tsomebody/cut\tCC0\tcutout, alpha"]
    cv2.imwrite(str(tmp_path / "portraits" / "stranger.jpg"), person[..., :3])
    cv2.imwrite(str(tmp_path / "backgrounds" / f"{HELD_OUT_SCENES[0]}_1.jpg"), person[..., :3])
    lines += [f"portraits/stranger.jpg\t{min(HELD_OUT_SOURCES)}\tCC0\tportrait"]
    lines += [f"backgrounds/{HELD_OUT_SCENES[0]}_1.jpg\tsomebody/rooms\tCC0\troom"]
    (tmp_path / "index.tsv").write_text("\n".join(lines), encoding="utf-8")
    return tmp_path


def test_whole_sources_and_scenes_are_held_out(folder: Path) -> None:
    listed = {picture.name: picture for picture in list_pictures(folder)}
    assert listed["stranger"].validation
    assert listed[f"{HELD_OUT_SCENES[0]}_1"].kind == "background"
    assert listed[f"{HELD_OUT_SCENES[0]}_1"].validation
    assert 0 < sum(picture.validation for picture in listed.values()) < len(listed) / 3


def test_pictures_with_a_stated_licence_can_be_listed_alone(folder: Path) -> None:
    every = listed_pictures([folder])
    assert listed_pictures([folder], clean=True) == []
    header, *rows = (folder / "index.tsv").read_text(encoding="utf-8").split("\n")
    rows = [f"{row}\ttier A2; a path" if "stranger" in row else row for row in rows]
    rows[0] = rows[0].replace("somebody/photos", "18F/18f.gsa.gov")
    (folder / "index.tsv").write_text("\n".join([f"{header}\tnote", *rows]), encoding="utf-8")
    assert {picture.name for picture in listed_pictures([folder], clean=True)} == {"stranger", "name0p"}
    assert len(listed_pictures([folder])) == len(every)


def test_every_held_out_scene_has_the_size_of_the_comparison(folder: Path) -> None:
    shape = (SIZE[1], SIZE[0])
    (stranger,) = photos([folder], lambda rgb: np.full(rgb.shape[:2], 255, np.uint8))
    assert stranger.frame.shape == (*shape, 3)
    masked = masked_photos([folder])
    assert masked
    assert all(scene.mask is not None and scene.mask.shape == shape for scene in masked)
    assert [room.frame.shape for room in rooms([folder])] == [(*shape, 3)]


def test_a_moving_cut_out_is_its_own_truth(folder: Path) -> None:
    scene = next(cutouts([folder]))
    place = rooms([folder])[0].frame
    assert len(scene.frames) == len(scene.alphas) == len(scene.foregrounds)
    inside, outside = scene.alphas[0] == 1, scene.alphas[0] == 0
    np.testing.assert_array_equal(scene.frames[0][inside], scene.foregrounds[0][inside])
    np.testing.assert_array_equal(scene.frames[0][outside], place[outside])


def test_before_a_tripod_the_room_of_a_cut_out_stays(folder: Path) -> None:
    held_out = {scene.name for scene in cutouts([folder])}
    others = list(cutouts([folder], held_out=False, tripod=True))
    assert len(others) + len(held_out) == 40 and not held_out & {scene.name for scene in others}
    for scene in others[:4]:
        assert not np.array_equal(scene.frames[0], scene.room), "somebody is there"
        for frame, alpha in zip(scene.frames, scene.alphas, strict=True):
            np.testing.assert_array_equal(frame[alpha == 0], scene.room[alpha == 0])


def test_an_error_before_a_tripod_is_what_is_hidden_and_what_is_shown(folder: Path) -> None:
    scene = next(cutouts([folder], tripod=True))
    short = replace(scene, frames=scene.frames[:2], alphas=scene.alphas[:2])
    networks = {"bundled": load_bundled(), "exact plate": load_bundled_with_plate()}
    found = cutout_figures(networks, short, seed=0)
    for row in found.values():
        assert row["mad"] == pytest.approx(row["hidden"] + row["shown"], rel=1e-4)
        assert row["first"] > 0


def test_ghosts_are_undecided_pixels_far_from_the_outline() -> None:
    alpha = disc(20)
    assert ghost_share(alpha) == 0
    alpha[:10, :10] = 0.5
    assert ghost_share(alpha) == pytest.approx(100 * 100 / alpha.size)
    soft = np.clip(disc(20) + 0.5 * (disc(25) - disc(20)), 0, 1)
    assert ghost_share(soft) == 0


def test_a_failure_is_a_photo_with_a_large_error() -> None:
    true = disc(40)
    row = agreement_row([true, np.zeros_like(true)], [true, true])
    assert row["failures %"] == 50
    assert row["iou"] == 0.5
    assert row["p99"] > row["median"] > 0


def test_masks_are_not_compared_near_their_edge() -> None:
    row = mask_row([disc(35)], [disc(40) > 0])
    assert row["mask error"] == 0
    assert mask_row([np.zeros_like(disc(40))], [disc(40) > 0])["mask error"] > 50


def test_the_rim_of_the_truth_has_no_error_and_a_pale_fringe_has_one() -> None:
    alpha = disc(40)
    colour = np.full((*alpha.shape, 3), 40, np.uint8)
    assert rim_error(colour, alpha, colour, alpha) == 0
    pale = np.full_like(colour, 200)
    assert rim_error(pale, alpha, colour, alpha) > 50


@pytest.mark.parametrize(("errors", "fresh", "frames"), [([10, 10], 10, 0), ([50, 30, 12], 10, 2), ([50, 50], 10, 2)])
def test_settling_after_a_cut_is_counted_in_frames(errors: list[float], fresh: float, frames: int) -> None:
    assert frames_until_settled(errors, fresh) == frames


def test_far_from_the_outline_the_teacher_is_made_to_decide() -> None:
    alpha = (255 * disc(30)).astype(np.uint8)[..., None]
    alpha[:10, :10] = 90
    alpha[58:62, 78:82] = 140
    clear = decided(alpha)
    assert set(np.unique(clear)) == {0, 255}
    edge = alpha.copy()
    edge[60, 111] = 90
    assert decided(edge)[60, 111] == 90


def test_where_the_answer_is_open_either_counts_and_half_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.disputed.boxes", lambda: {"group": [(4, 0, 8, 8)]})
    true = np.zeros((8, 8), np.float32)
    true[4:] = 1
    for answer, error in ((0.0, 0.0), (1.0, 0.0), (0.5, 0.5), (0.9, 0.1)):
        pred = true.copy()
        pred[:4, 4:] = answer
        assert np.abs(pred - with_either_answer("group", pred, true)).max() == pytest.approx(error)
        assert (with_either_answer("another", pred, true) == true).all()
    pred = np.zeros_like(true)
    assert (np.abs(pred - with_either_answer("group", pred, true)) == true).all(), "where the reference is certain"


def test_open_places_lie_in_the_frame() -> None:
    for left, top, right, bottom in itertools.chain.from_iterable(boxes().values()):
        assert 0 <= left < right <= SIZE[0]
        assert 0 <= top < bottom <= SIZE[1]
