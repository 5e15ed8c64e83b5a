"""Metrics of alpha sequences on disk."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from app.core.errors import SourceOpenError, UsageError
from tests.clips import write_clip
from training.evaluate import evaluate_paths, read_alphas
from training.metrics import Alpha


def _disc(x: int) -> Alpha:
    rows, columns = np.mgrid[0:48, 0:64]
    disc: Alpha = (((columns - x) ** 2 + (rows - 24) ** 2) < 200).astype(np.float32)
    return disc


def _folder(path: Path, alphas: list[Alpha]) -> Path:
    path.mkdir(parents=True)
    for index, alpha in enumerate(alphas):
        cv2.imwrite(str(path / f"{index:03}.png"), np.rint(alpha * 255).astype(np.uint8))
    return path


def _video(path: Path, alphas: list[Alpha]) -> Path:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 30, (64, 48))
    for alpha in alphas:
        writer.write(cv2.cvtColor(np.rint(alpha * 255).astype(np.uint8), cv2.COLOR_GRAY2BGR))
    writer.release()
    return path


def test_equal_sequences_differ_by_nothing(tmp_path: Path) -> None:
    alphas = [_disc(x) for x in (20, 22, 24)]
    result = evaluate_paths(_folder(tmp_path / "a", alphas), _folder(tmp_path / "b", alphas))
    assert result == {name: dict.fromkeys(("mad", "mse", "grad", "conn", "dtssd"), 0.0) for name in ("b", "all")}


def test_every_clip_is_measured_and_all_frames_together(tmp_path: Path) -> None:
    for name, shifts in {"still": [30, 30, 30], "moved": [30, 34]}.items():
        _folder(tmp_path / "pred" / name, [_disc(x) for x in shifts])
        _folder(tmp_path / "true" / name, [_disc(30) for _ in shifts])
    result = evaluate_paths(tmp_path / "pred", tmp_path / "true")
    assert set(result) == {"still", "moved", "all"}
    assert result["still"]["mad"] == 0 and result["moved"]["mad"] > 0 and result["moved"]["dtssd"] > 0
    # Of five frames in all, only the second of "moved" differs.
    assert result["all"]["mad"] == pytest.approx(result["moved"]["mad"] * 2 / 5)


def test_a_clip_named_all_is_told_from_the_mean(tmp_path: Path) -> None:
    for root, x in (("pred", 24), ("true", 20)):
        _folder(tmp_path / root / "all", [_disc(20)])
        _folder(tmp_path / root / "b", [_disc(x)])
    result = evaluate_paths(tmp_path / "pred", tmp_path / "true")
    assert list(result) == ["./all", "b", "all"]
    assert 0 == result["./all"]["mad"] < result["all"]["mad"] < result["b"]["mad"]


def test_clips_whose_names_begin_alike_are_told_apart(tmp_path: Path) -> None:
    for root, x in (("pred", 24), ("true", 20)):
        _folder(tmp_path / root / "take.1", [_disc(20)])
        _folder(tmp_path / root / "take.2", [_disc(x)])
        _video(tmp_path / root / "take.avi", [_disc(20)])
        _video(tmp_path / root / "take.mkv", [_disc(x)])
    result = evaluate_paths(tmp_path / "pred", tmp_path / "true")
    assert list(result) == ["take.1", "take.2", "take.avi", "take.mkv", "all"]
    assert result["take.1"]["mad"] == 0 and result["take.2"]["mad"] > 0


def test_images_are_in_the_order_in_which_they_are_converted(tmp_path: Path) -> None:
    folder = _folder(tmp_path / "numbers", [_disc(20), _disc(40)])
    (folder / "000.png").rename(folder / "9.png")
    (folder / "001.png").rename(folder / "10.png")
    first, second = read_alphas(folder)
    np.testing.assert_array_equal(first, _disc(20))
    np.testing.assert_array_equal(second, _disc(40))


def test_a_video_is_read_in_full_range(tmp_path: Path) -> None:
    alphas = [_disc(x) for x in (20, 30)]
    result = evaluate_paths(_video(tmp_path / "pred.avi", alphas), _folder(tmp_path / "true", alphas))
    assert result["all"]["mad"] < 10


def test_images_of_sixteen_bits_are_in_the_same_range(tmp_path: Path) -> None:
    deep = tmp_path / "deep"
    deep.mkdir()
    cv2.imwrite(str(deep / "000.png"), np.rint(_disc(20) * 65535).astype(np.uint16))
    assert evaluate_paths(deep, _folder(tmp_path / "true", [_disc(20)]))["all"]["mad"] == 0


def test_images_of_fractions_are_in_the_same_range(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "half.tif"), _disc(20) / 2)
    (alpha,) = read_alphas(tmp_path / "half.tif")
    np.testing.assert_array_equal(alpha, _disc(20) / 2)


def test_the_matte_of_a_cut_out_image_is_its_alpha(tmp_path: Path) -> None:
    matte = np.rint(_disc(20) * 255).astype(np.uint8)
    opaque = np.full_like(matte, 255)
    colours = np.random.default_rng(0).integers(0, 255, (*matte.shape, 3), np.uint8)
    for name, image, alpha, expected in (
        ("cut-out", colours, matte, matte),
        ("full", colours, opaque, opaque),
        ("grey", np.dstack([matte] * 3), opaque, matte),
    ):
        cv2.imwrite(str(tmp_path / f"{name}.png"), np.dstack([image, alpha]))
        (read,) = read_alphas(tmp_path / f"{name}.png")
        np.testing.assert_array_equal(np.rint(read * 255), expected, name)


def test_two_images_are_compared(tmp_path: Path) -> None:
    folder = _folder(tmp_path / "images", [_disc(20), _disc(24)])
    assert evaluate_paths(folder / "000.png", folder / "001.png")["all"]["mad"] > 0


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
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"no video")
    with pytest.raises(SourceOpenError, match=r"broken\.mp4"):
        evaluate_paths(broken, broken)
    folder = _folder(tmp_path / "folder", [_disc(20)])
    (folder / "001.png").write_bytes(b"no image")
    with pytest.raises(SourceOpenError, match=r"001\.png"):
        evaluate_paths(folder, folder)


def test_a_damaged_video_is_refused(tmp_path: Path) -> None:
    """Frames after a gap would be compared with others."""
    path = write_clip(tmp_path / "clip.mkv", 40)
    assert len(list(read_alphas(path))) == 40
    data = bytearray(path.read_bytes())
    for at in range(len(data) // 3, len(data) - 200, 60):
        data[at] ^= 0x5A
    path.write_bytes(data)
    with pytest.raises(SourceOpenError, match=r"clip\.mkv"):
        list(read_alphas(path))
