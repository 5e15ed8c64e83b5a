"""The compiled kernels of strict mode give the same bits as numpy."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import pytest

from app.matting.kernels import composite, numpy_composite
from app.matting.kernels.strict_limits import LIMITS
from app.matting.strict.compiled_cells import LIMITS as VALUES
from app.matting.strict.cpu_strict import StrictFilter
from tests.matting.strict.rooms import SCENES, Floats, Room

Frame = tuple[Floats, Floats]
FRAMES = 26


def scene_frames(scene: str, grid: int) -> Iterator[Frame]:
    """Yield a scene with changes of light and a cut."""
    for n in range(FRAMES):
        room = Room(seed=n, grid=grid)
        if n < 20:
            room.wall = Room(grid=grid).wall
        yield room.frame(*SCENES[scene](n), light=1 + 0.05 * float(np.sin(n)))


def random_frames(seed: int, height: int, width: int) -> Iterator[Frame]:
    """Yield frames and mattes of random soft shapes that drift and that partly stand still."""
    random = np.random.default_rng(seed)
    wall, shapes = (np.asarray(cv2.resize(random.random((9, 14, 4)), (width, height)), np.float32) for _ in range(2))
    for n in range(FRAMES):
        drift = np.array([[1, 0, n % 7], [0, 1, n % 3]], np.float32)
        alpha = np.clip(4 * cv2.warpAffine(shapes[..., 3], drift, (width, height)) - 1.6, 0, 1)
        image = wall[..., :3] + alpha[..., None] * (shapes[..., :3] - wall[..., :3]) * (n % 5 > 0)
        image += random.normal(0, 0.004, image.shape).astype(np.float32)
        yield np.ascontiguousarray(image.clip(0, 1).transpose(2, 0, 1)), np.asarray(alpha, np.float32)


def assert_same_bits(frames: Iterator[Frame]) -> float:
    """Run both implementations; return the share of the matte that was kept, so that a test can ask for both kinds."""
    filters = [StrictFilter(kernels) for kernels in (numpy_composite, composite)]
    kept = []
    for image, alpha in frames:
        one, other = (each.gain(image.copy(), alpha.copy()) for each in filters)
        np.testing.assert_array_equal(one, other)
        kept.append(float((one * alpha).sum() / max(float(alpha.sum()), 1.0)))
    states = [each.state() for each in filters]
    assert states[0].keys() == states[1].keys()
    for name, array in states[0].items():
        np.testing.assert_array_equal(array, states[1][name], err_msg=name)
        assert array.dtype == states[1][name].dtype
    return max(kept)


@pytest.mark.parametrize("grid", [1, 2, 3, 4])
@pytest.mark.parametrize("scene", SCENES)
def test_scenes(scene: str, grid: int) -> None:
    kept = assert_same_bits(scene_frames(scene, grid))

    assert (kept > 0.5) == (scene != "poster")


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("size", [(90, 160), (180, 320), (271, 483), (97, 40)])
def test_random_mattes(seed: int, size: tuple[int, int]) -> None:
    assert_same_bits(random_frames(seed, *size))


def test_a_state_of_one_continues_in_the_other() -> None:
    frames = list(scene_frames("still persons", 2))
    slow, fast = StrictFilter(numpy_composite), StrictFilter(composite)
    for frame in frames[:12]:
        slow.gain(*frame)
    fast.load_state(slow.state())

    for frame in frames[12:]:
        np.testing.assert_array_equal(slow.gain(*frame), fast.gain(*frame))


def test_each_limit_has_the_type_that_was_compiled() -> None:
    declared = [str(kind) for kind in LIMITS.types]

    assert declared == ["float32" if isinstance(value, np.float32) else "float64" for value in VALUES]
