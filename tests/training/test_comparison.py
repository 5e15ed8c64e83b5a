"""The comparison of networks: scenes, methods, plots."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from tests.training.samples import person, room
from training.baselines import GrabCut, Mog2
from training.metrics import Alpha
from training.report import draw_panel, read
from training.validation import WARM_UP_FRAMES, Scene, alphas
from training.view import filling, head_in_view, shows_head_and_shoulders

Pixels = npt.NDArray[np.uint8]


class Counting:
    """Returns the number of frames since the last reset as alpha."""

    def __init__(self) -> None:
        self.seen = 100

    def reset(self) -> None:
        self.seen = 0

    def alpha(self, rgb: Pixels) -> Alpha:
        self.seen += 1
        return np.full(rgb.shape[:2], self.seen, np.float32)


def test_a_photo_is_shown_until_the_memory_has_settled() -> None:
    scene = Scene("photo", "shoulders", [room(1)], [])
    (last,) = alphas(Counting(), scene)
    assert last[0, 0] == WARM_UP_FRAMES + 1


def test_the_first_frames_of_a_clip_are_not_measured() -> None:
    scene = Scene("clip", "clip", [room(i) for i in range(7)], [])
    assert [a[0, 0] for a in alphas(Counting(), scene)] == [4, 5, 6, 7]


@pytest.mark.parametrize("size", [(256, 144), (144, 256), (96, 96)])
def test_a_picture_fills_the_frame(size: tuple[int, int]) -> None:
    image = filling(person(1)[..., :3], size)
    assert image.shape == (size[1], size[0], 3)


@pytest.mark.parametrize("size", [(256, 144), (144, 256), (96, 96)])
def test_the_head_is_in_view_where_the_photo_is_too_high(size: tuple[int, int]) -> None:
    layers = person(1, 480, 128)[..., [0, 1, 2, 6]]
    framed = head_in_view(layers, size)
    assert framed.shape == (size[1], size[0], 4)
    rows = np.flatnonzero((framed[..., 3] > 127).any(1))
    assert 0 < rows[0] <= 0.15 * size[1]


def test_head_and_shoulders_are_told_from_faces_groups_and_people_far_away() -> None:
    alpha = np.ascontiguousarray(person(1, 144, 256)[..., 6])
    assert shows_head_and_shoulders(alpha)
    assert not shows_head_and_shoulders(alpha[60:]), "the head is cut off"
    assert not shows_head_and_shoulders(alpha[:72]), "a face without shoulders"
    assert not shows_head_and_shoulders(np.pad(alpha[::4, ::4], ((108, 0), (0, 0)))), "far away"
    assert not shows_head_and_shoulders(np.hstack([alpha, alpha])), "two people"
    beside = np.maximum(alpha, np.roll(alpha, alpha.shape[1] // 4, 1))
    assert not shows_head_and_shoulders(beside), "two people, one piece"
    assert not shows_head_and_shoulders(np.zeros_like(alpha)), "nobody"


def test_grabcut_finds_a_bright_person_before_a_dark_wall() -> None:
    layers = person(1, 288, 512)
    true = layers[..., 6] > 0
    alpha = GrabCut().alpha(np.where(true[..., None], layers[..., :3], np.uint8(40)))
    assert ((alpha > 0.5) & true).sum() / ((alpha > 0.5) | true).sum() > 0.5


def test_mog2_finds_what_moves_and_forgets_on_reset() -> None:
    mog2 = Mog2()
    empty = np.ascontiguousarray(room(1001, 144, 256))
    occupied = np.ascontiguousarray(person(1, 144, 256)[..., :3])
    for _ in range(20):
        mog2.alpha(empty)
    true = person(1, 144, 256)[..., 6] > 0
    moving = mog2.alpha(occupied) > 0.5
    assert (moving & true).sum() / (moving | true).sum() > 0.6
    mog2.reset()
    for _ in range(20):
        mog2.alpha(occupied)
    assert mog2.alpha(occupied).mean() < 0.01


def test_curves_of_stretches_follow_each_other(tmp_path: Path) -> None:
    logs = []
    for stretch in range(2):
        path = tmp_path / f"{stretch}.jsonl"
        lines = [{"minutes": m, "check": {"empty": 0.1 * m + stretch}} for m in (1.0, 2.0)]
        path.write_text("\n".join(json.dumps(line) for line in lines), encoding="utf-8")
        logs.append(path)
    curves = read(logs, "check", ("empty",))
    assert curves == {"empty": [(1.0, 0.1), (2.0, 0.2), (3.0, 1.1), (4.0, 1.2)]}
    assert read(logs, "check", ("hints", "empty")) == curves, "a stretch without a loss"
    panel = draw_panel("empty rooms", curves)
    assert panel.dtype == np.uint8 and panel.min() < 100
    with pytest.raises(ValueError, match="nothing to draw"):
        draw_panel("empty rooms", {"empty": []})
