"""The contract of all sinks, for the PipeWire camera."""

from __future__ import annotations

import pytest

from app.output.pipewire import PipeWireCamera
from tests.output import test_contract
from tests.output.pictures import Make
from tests.pipewire_session import PrivateSession


@pytest.fixture(params=[False, True])
def make(pipewire: PrivateSession, request: pytest.FixtureRequest) -> Make:
    """The PipeWire camera, without and with alpha."""
    return lambda folder: PipeWireCamera(64, 48, 30, alpha=request.param)


test_frames_of_any_size_and_repeats_are_accepted = test_contract.test_frames_of_any_size_and_repeats_are_accepted
test_close_is_idempotent_and_sending_afterwards_fails = (
    test_contract.test_close_is_idempotent_and_sending_afterwards_fails
)
test_closing_without_a_frame = test_contract.test_closing_without_a_frame
