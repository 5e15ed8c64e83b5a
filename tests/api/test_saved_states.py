"""Saved states of streams: they go on elsewhere, and what no stream saved is refused."""

from __future__ import annotations

import json
import pickle
import tracemalloc
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.api import EngineState, Matting, ModelError
from app.api.stream_background import CLOCK
from app.core.settings import EdgeSettings
from tests.compositing.files import write_video
from tests.matting.networks import frames

GIVEN = frames(160, 96, 6)


def test_a_saved_state_continues_in_another_object() -> None:
    with Matting("mattecam") as first, Matting("mattecam") as second:
        with pytest.raises(ModelError, match="first frame"):
            _ = first.state
        for frame in GIVEN[:3]:
            first.step(frame)
        second.load_state(pickle.loads(pickle.dumps(first.state)))
        for frame in GIVEN[3:]:
            np.testing.assert_array_equal(second.step(frame).alpha, first.step(frame).alpha)


def test_a_refused_state_leaves_the_stream_as_it_was() -> None:
    with Matting("mattecam") as matting, Matting("mattecam") as untouched, Matting("mattecam") as small:
        for frame in GIVEN[:3]:
            matting.step(frame)
            untouched.step(frame)
        small.step(GIVEN[0][:64, :96])
        own, other = matting.state, small.state
        last = list(own.arrays)[-1]
        wrong = [
            replace(other, precision="int3"),
            replace(other, arrays={}),
            replace(own, size=(0, 0)),
            replace(own, size=None),  # type: ignore[arg-type]
            replace(own, arrays=None),  # type: ignore[arg-type]
            *(
                replace(own, arrays={**own.arrays, last: array})  # type: ignore[dict-item]
                for array in (None, [1.0], np.full_like(own.arrays[last], np.nan), np.zeros(3, np.float32))
            ),
            replace(own, arrays={**own.arrays, "region.tracker": np.full(15, np.inf)}),
        ]
        with Matting("mattecam") as fresh:
            for state in wrong:
                for stream in (matting, fresh):
                    with pytest.raises(ModelError, match="was saved with"):
                        stream.load_state(state)
            assert fresh.info is None
        with pytest.raises(TypeError, match="EngineState"):
            matting.load_state(None)  # type: ignore[arg-type]
        for frame in GIVEN[3:]:
            np.testing.assert_array_equal(matting.step(frame).alpha, untouched.step(frame).alpha)


@pytest.mark.parametrize("executor", ["openvino", pytest.param("eager", marks=pytest.mark.torch)])
def test_a_state_that_would_hide_people_for_ever_is_refused(executor: str) -> None:
    """Its finite values kept the memory of the network out of reach of what it sees."""
    with Matting("mattecam", executor=executor, edges=EdgeSettings(strict="balanced")) as matting:
        matting.step(GIVEN[0])
        state = matting.state
        matting.load_state(state)
        changes = {"state1": np.full_like(state.arrays["state1"], -16)}
        if executor == "openvino":
            changes["strict.age"] = np.array(-(10**9))
        for name, array in changes.items():
            with pytest.raises(ModelError, match="was saved with"):
                matting.load_state(replace(state, arrays={**state.arrays, name: array}))


@pytest.mark.parametrize("saved_at", [2, 7, 11])
def test_a_video_goes_on_where_the_saved_stream_was(saved_at: int, tmp_path: Path) -> None:
    """It began anew: the following composites had other pictures behind the person."""
    video = write_video(tmp_path / "a.mp4", frames=6, fps=20)
    times_s = [5 + index / 20 for index in range(16)]
    with Matting("mattecam", background=video) as first, Matting("mattecam", background=video) as second:
        second.step(GIVEN[5], time_s=1.0)
        for at_s in times_s[:saved_at]:
            first.step(GIVEN[0], time_s=at_s)
        second.load_state(pickle.loads(pickle.dumps(first.state)))
        for at_s in times_s[saved_at:]:
            expected = first.step(GIVEN[1], time_s=at_s)
            np.testing.assert_array_equal(second.step(GIVEN[1], time_s=at_s).composite, expected.composite)


def test_a_refused_state_leaves_the_video_where_it_was(tmp_path: Path) -> None:
    video = write_video(tmp_path / "a.mp4", frames=6, fps=20)
    with Matting("mattecam", background=video) as matting, Matting("mattecam", background=video) as untouched:
        for index in range(3):
            for stream in (matting, untouched):
                stream.step(GIVEN[0], time_s=index / 20)
        state = matting.state
        for arrays in ({CLOCK: np.zeros(3)}, {"cut.last": np.zeros(1)}):
            with pytest.raises(ModelError, match="was saved with"):
                matting.load_state(replace(state, arrays={**state.arrays, **arrays}))
        expected = untouched.step(GIVEN[1], time_s=3 / 20)
        np.testing.assert_array_equal(matting.step(GIVEN[1], time_s=3 / 20).composite, expected.composite)


def test_a_state_may_be_a_file_of_arrays(tmp_path: Path) -> None:
    file = tmp_path / "a.npz"
    with Matting("mattecam") as first, Matting("mattecam") as second:
        first.step(GIVEN[0])
        np.savez_compressed(file, **dict[str, Any](first.state.arrays))
        names = ("model", "executor", "precision", "size", "downsample_ratio")
        fields = json.loads(json.dumps({name: getattr(first.state, name) for name in names}))
        with np.load(file) as arrays:
            second.load_state(EngineState(**fields, arrays=arrays))
        np.testing.assert_array_equal(second.step(GIVEN[1]).alpha, first.step(GIVEN[1]).alpha)


@pytest.mark.parametrize("damage", ["object", "cut"])
def test_a_file_that_no_stream_saved_is_refused(damage: str, tmp_path: Path) -> None:
    file = tmp_path / "a.npz"
    with Matting("mattecam") as matting:
        matting.step(GIVEN[0])
        state = matting.state
        other = np.array([{}], object) if damage == "object" else np.zeros(1)
        np.savez_compressed(file, **dict[str, Any](state.arrays), other=other)
        if damage == "cut":
            content = bytearray(file.read_bytes())
            content[200:400] = bytes(200)
            file.write_bytes(content)
        with np.load(file) as arrays, pytest.raises(ModelError, match="was saved with"):
            matting.load_state(replace(state, arrays=arrays))


def test_a_small_file_does_not_unpack_into_gigabytes(tmp_path: Path) -> None:
    file = tmp_path / "a.npz"
    unpacked = 1 << 26
    with Matting("mattecam") as matting:
        matting.step(GIVEN[0])
        state = matting.state
        np.savez_compressed(file, **dict[str, Any](state.arrays), other=np.zeros(unpacked, np.uint8))
        tracemalloc.start()
        try:
            with np.load(file) as arrays, pytest.raises(ModelError, match="was saved with"):
                matting.load_state(replace(state, arrays=arrays))
            assert tracemalloc.get_traced_memory()[1] < unpacked / 4
        finally:
            tracemalloc.stop()
