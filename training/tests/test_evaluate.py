"""Evaluation: metrics of alpha sequences, what is held out, and the comparison of networks."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from unittest.mock import Mock

import cv2
import numpy as np
import pytest

from app.core.errors import SourceOpenError, UsageError
from tests.clips import write_clip
from tests.golden.fill import image
from tests.paths import GOLDEN
from training import metrics
from training.evaluate import evaluate_paths, read_alphas
from training.held_out import SIZE, cutouts, masked_photos, photos, rooms
from training.matte import decided
from training.metrics import Alpha
from training.packs import listed_pictures
from training.rows import agreement_row, mask_row, rim_error
from training.sources import HELD_OUT_SCENES, HELD_OUT_SOURCES, list_pictures
from training.tests.samples import room
from training.validation import WARM_UP_FRAMES, Scene, alphas


def disc(radius: int, size: tuple[int, int] = (120, 160), x: float | None = None) -> Alpha:
    """Return a disc in the middle of (height, width), or around column `x`."""
    rows, columns = np.mgrid[: size[0], : size[1]]
    return np.asarray(
        np.hypot(rows - size[0] / 2, columns - (size[1] / 2 if x is None else x)) < radius,
        np.float32,
    )


def _disc(x: int) -> Alpha:
    return disc(14, (48, 64), x)


def _folder(path: Path, alphas: list[Alpha]) -> Path:
    path.mkdir(parents=True)
    for index, alpha in enumerate(alphas):
        cv2.imwrite(str(path / f"{index:03}.png"), np.rint(alpha * 255).astype(np.uint8))
    return path


def _video(path: Path, alpha: Alpha) -> Path:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 30, (64, 48))
    writer.write(cv2.cvtColor(np.rint(alpha * 255).astype(np.uint8), cv2.COLOR_GRAY2BGR))
    writer.release()
    return path


def test_every_clip_is_measured_and_all_frames_together(tmp_path: Path) -> None:
    for name, shifts in {"still": [30, 30, 30], "moved": [30, 34]}.items():
        _folder(tmp_path / "pred" / name, [_disc(x) for x in shifts])
        _folder(tmp_path / "true" / name, [_disc(30) for _ in shifts])
    result = evaluate_paths(tmp_path / "pred", tmp_path / "true")
    assert set(result) == {"still", "moved", "all"}
    assert (
        result["still"]["mad"] == 0 and result["moved"]["mad"] > 0 and result["moved"]["dtssd"] > 0
    )
    # Of five frames in all, only the second of "moved" differs.
    assert result["all"]["mad"] == pytest.approx(result["moved"]["mad"] * 2 / 5)


def test_clips_of_like_names_are_told_apart_and_one_named_all_from_the_mean(tmp_path: Path) -> None:
    for root, x in (("pred", 24), ("true", 20)):
        for name in ("all", "take.1"):
            _folder(tmp_path / root / name, [_disc(20)])
        _folder(tmp_path / root / "take.2", [_disc(x)])
        _video(tmp_path / root / "take.avi", _disc(20))
        _video(tmp_path / root / "take.mkv", _disc(x))
    result = evaluate_paths(tmp_path / "pred", tmp_path / "true")
    assert list(result) == ["./all", "take.1", "take.2", "take.avi", "take.mkv", "all"]
    assert (
        0
        == result["./all"]["mad"]
        == result["take.1"]["mad"]
        < result["all"]["mad"]
        < result["take.2"]["mad"]
    )


def test_images_are_read_in_order_in_one_range_and_cut_outs_by_their_alpha(tmp_path: Path) -> None:
    folder = _folder(tmp_path / "numbers", [_disc(20), _disc(40)])
    (folder / "000.png").rename(folder / "9.png")
    (folder / "001.png").rename(folder / "10.png")
    for found, x in zip(read_alphas(folder), (20, 40), strict=True):
        np.testing.assert_array_equal(found, _disc(x))
    (video,) = read_alphas(_video(tmp_path / "video.avi", _disc(20)))
    assert np.abs(video - _disc(20)).mean() < 0.01, "the range of a video is widened"
    matte = np.rint(_disc(20) * 255).astype(np.uint8)
    colours = np.random.default_rng(0).integers(0, 255, (*matte.shape, 3), np.uint8)
    for name, pixels, expected in (
        ("deep.png", np.rint(_disc(20) * 65535).astype(np.uint16), _disc(20)),
        ("half.tif", _disc(20) / 2, _disc(20) / 2),
        ("cut-out.png", np.dstack([colours, matte]), _disc(20)),
        ("full.png", np.dstack([colours, np.full_like(matte, 255)]), np.ones_like(_disc(20))),
        ("grey.png", np.dstack([matte] * 3 + [np.full_like(matte, 255)]), _disc(20)),
    ):
        cv2.imwrite(str(tmp_path / name), pixels)
        (alpha,) = read_alphas(tmp_path / name)
        np.testing.assert_allclose(alpha, expected, atol=1e-6, err_msg=name)


def test_sequences_that_do_not_match_are_refused(tmp_path: Path) -> None:
    short = _folder(tmp_path / "short", [_disc(20)])
    long = _folder(tmp_path / "long", [_disc(20), _disc(20)])
    small = _folder(tmp_path / "small", [_disc(20)[:24]])
    mixed = _folder(tmp_path / "mixed", [_disc(20), _disc(20)[:24]])
    clips = _folder(tmp_path / "clips" / "x", [_disc(20)]).parent
    (tmp_path / "empty").mkdir()
    for pred, true, words in (
        (short, long, "ends after 1 frame,"),
        (small, short, "64x24"),
        (mixed, mixed, "Frame 1 of .*mixed is 64x24, the first is 64x48"),
        (tmp_path / "empty", short, "holds no images"),
        (clips, short, r"hold different clips \(short, x\)"),
    ):
        with pytest.raises(UsageError, match=words):
            evaluate_paths(pred, true)


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    """Frames after a gap of a damaged video would be compared with others."""
    path = write_clip(tmp_path / "clip.mkv", 40)
    assert len(list(read_alphas(path))) == 40
    data = bytearray(path.read_bytes())
    for at in range(len(data) // 3, len(data) - 200, 60):
        data[at] ^= 0x5A
    path.write_bytes(data)
    broken, folder = tmp_path / "broken.mp4", _folder(tmp_path / "folder", [_disc(20)])
    for file in (broken, folder / "001.png"):
        file.write_bytes(b"neither a video nor an image")
    for given, named in ((path, "clip.mkv"), (broken, "broken.mp4"), (folder, "001.png")):
        with pytest.raises(SourceOpenError, match=re.escape(named)):
            list(read_alphas(given))


def _alpha(seed: int, t: int) -> Alpha:
    level = np.clip((image(144, 256, seed, t)[0] - 0.35) * 3, 0, 1)
    alpha: Alpha = (np.round(level * 255) / 255).astype(np.float32)
    return alpha


def _pair(t: int) -> tuple[Alpha, Alpha]:
    true = _alpha(30, t)
    return np.clip(0.9 * true + 0.1 * _alpha(31, t), 0, 1).astype(np.float32), true


@pytest.mark.parametrize("t", [0, 1, 2])
def test_measures_match_the_golden_values(t: int) -> None:
    pred, true = _pair(t)
    with np.load(GOLDEN / "metrics.npz") as golden:
        for name in ("mad", "mse", "grad", "conn"):
            assert getattr(metrics, name)(pred, true) == pytest.approx(
                float(golden[name][t]), rel=1e-3
            ), name
        if t:
            pred_before, true_before = _pair(t - 1)
            changed = metrics.dtssd(pred, pred_before, true, true_before)
            assert changed == pytest.approx(float(golden["dtssd"][t]), rel=1e-4)


@pytest.mark.parametrize("level", [0.0, 0.4, 1.0])
def test_equal_alphas_differ_by_nothing_even_where_they_are_flat(level: float) -> None:
    flat = np.full((20, 30), level, np.float32)
    assert [getattr(metrics, name)(flat, flat) for name in ("mad", "mse", "grad", "conn")] == [
        0
    ] * 4


def test_nothing_is_measured_until_the_memory_has_settled() -> None:
    photo = Scene("photo", "shoulders", [room(1)], [])
    clip = Scene("clip", "clip", [room(i) for i in range(7)], [])
    for scene, measured in ((photo, [WARM_UP_FRAMES + 1]), (clip, [4, 5, 6, 7])):
        network = Mock()
        network.alpha.side_effect = itertools.count(1)
        assert alphas(network, scene) == measured
        assert [name for name, *_ in network.mock_calls] == ["reset", *["alpha"] * measured[-1]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two photos, one of a held-out source, a mask, a cut-out and two rooms, one of a held-out
    scene.
    """
    rng = np.random.default_rng(0)
    for kind in ("portraits", "masks", "cutouts", "backgrounds"):
        (tmp_path / kind).mkdir()
    person = np.dstack([rng.integers(0, 255, (200, 160, 3)), 255 * disc(60, (200, 160))]).astype(
        np.uint8
    )
    lines = ["name\tsource\tlicence\tkind"]
    for name in (f"name{i}" for i in range(40)):
        cv2.imwrite(str(tmp_path / "portraits" / f"{name}p.jpg"), person[..., :3])
        cv2.imwrite(str(tmp_path / "masks" / f"{name}p.png"), person[..., 3])
        cv2.imwrite(str(tmp_path / "cutouts" / f"{name}c.png"), person)
        lines += [
            f"{name}p\tsomebody/photos\tCC0\tmask",
            f"{name}c\tsomebody/cut\tCC0\tcutout, alpha",
        ]
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
    assert {picture.name for picture in listed_pictures([folder], clean=True)} == {
        "stranger",
        "name0p",
    }
    assert len(listed_pictures([folder])) == len(every)


def test_held_out_scenes_have_the_size_of_the_comparison_and_a_moving_cut_out_is_its_own_truth(
    folder: Path,
) -> None:
    shape = (SIZE[1], SIZE[0])
    (stranger,) = photos([folder], lambda rgb: np.full(rgb.shape[:2], 255, np.uint8))
    (place,) = rooms([folder])
    assert stranger.frame.shape == place.frame.shape == (*shape, 3)
    assert {scene.mask.shape for scene in masked_photos([folder]) if scene.mask is not None} == {
        shape
    }
    scene = next(cutouts([folder]))
    assert len(scene.frames) == len(scene.alphas) == len(scene.foregrounds)
    inside, outside = scene.alphas[0] == 1, scene.alphas[0] == 0
    np.testing.assert_array_equal(scene.frames[0][inside], scene.foregrounds[0][inside])
    np.testing.assert_array_equal(scene.frames[0][outside], place.frame[outside])


def test_rows_of_the_comparison() -> None:
    """A failure is a photo with a large error; masks are not compared near their edge; a pale
    fringe is an error.
    """
    true = disc(40)
    row = agreement_row([true, np.zeros_like(true)], [true, true])
    assert row["failures %"] == 50 and row["iou"] == 0.5 and row["p99"] > row["median"] > 0
    assert mask_row([disc(35)], [true > 0])["mask error"] == 0
    assert mask_row([np.zeros_like(true)], [true > 0])["mask error"] > 50
    colour, pale = (np.full((*true.shape, 3), level, np.uint8) for level in (40, 200))
    assert rim_error(colour, true, colour, true) == 0 and rim_error(pale, true, colour, true) > 50


def test_far_from_the_outline_the_teacher_is_made_to_decide() -> None:
    alpha = (255 * disc(30)).astype(np.uint8)[..., None]
    alpha[:10, :10] = 90
    alpha[58:62, 78:82] = 140
    clear = decided(alpha)
    assert set(np.unique(clear)) == {0, 255}
    edge = alpha.copy()
    edge[60, 111] = 90
    assert decided(edge)[60, 111] == 90
