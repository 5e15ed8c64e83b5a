"""The public Python API: streams."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import app.api
from app.api import EdgeSettings, Matte, MattecamError, Matting, ModelError, step_many
from tests.matting.conftest import frames

GIVEN = frames(160, 96, 6)


def test_the_public_names_are_there() -> None:
    assert {"Matting", "convert", "step_many", "MattecamError"} <= set(app.api.__all__)
    assert all(hasattr(app.api, name) for name in app.api.__all__)


def test_a_stream_gives_matte_and_composite() -> None:
    with Matting("student", background="#ff0000") as matting:
        before = matting.info
        matte = matting.step(GIVEN[0], want_foreground=True)
        info = matting.info
    assert before is None
    assert info is not None
    assert info.model == "student"
    assert matte.alpha.shape == (96, 160)
    assert matte.foreground is not None
    nothing = matte.alpha == 0
    assert (matte.composite[nothing] == (0, 0, 255)).all()


def test_streams_never_share_their_state() -> None:
    other = frames(160, 96, 6, seed=9)
    with Matting("student") as alone, Matting("student") as first, Matting("student") as second:
        for mine, theirs in zip(GIVEN, other, strict=True):
            expected = alone.step(mine).alpha
            second.step(theirs)
            np.testing.assert_array_equal(first.step(mine).alpha, expected)


def test_a_saved_state_continues_in_another_object() -> None:
    with Matting("student") as first, Matting("student") as second:
        with pytest.raises(ModelError):
            _ = first.state
        for frame in GIVEN[:3]:
            first.step(frame)
        second.load_state(pickle.loads(pickle.dumps(first.state)))
        for frame in GIVEN[3:]:
            np.testing.assert_array_equal(second.step(frame).alpha, first.step(frame).alpha)


def test_reset_starts_the_stream_anew() -> None:
    with Matting("student") as matting:
        before = matting.step(GIVEN[0]).alpha
        matting.step(GIVEN[1])
        matting.reset()
        np.testing.assert_array_equal(matting.step(GIVEN[0]).alpha, before)


def test_many_streams_step_together() -> None:
    edges = EdgeSettings(contrast=0.5, strict=False)
    streams = [Matting("student"), Matting("student", edges=edges), Matting("student", background="blur")]
    alone = [Matting("student"), Matting("student", edges=edges), Matting("student", background="blur")]
    try:
        for first in range(3):
            given = GIVEN[first : first + 3]
            done = step_many(streams, given)
            for result, stream, frame in zip(done, alone, given, strict=True):
                assert isinstance(result, Matte)
                np.testing.assert_array_equal(result.composite, stream.step(frame).composite)
        with pytest.raises(ValueError, match="one frame"):
            step_many([streams[0], streams[0]], GIVEN[:2])
    finally:
        for stream in (*streams, *alone):
            stream.close()


@pytest.mark.parametrize(
    "wrong", [{"model": "none-such"}, {"background": "none"}, {"background": "#12"}, {"device": "tpu"}]
)
def test_a_wrong_choice_is_a_sentence(wrong: dict[str, str]) -> None:
    with pytest.raises(MattecamError) as failure:
        Matting(**wrong)  # type: ignore[arg-type]
    assert str(failure.value)
