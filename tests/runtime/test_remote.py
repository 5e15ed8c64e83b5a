"""Matting on a server that fails and comes back: another offer, then this machine, then the server again."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.core.errors import MattecamError, ModelError, RemoteError
from app.core.framing import WHOLE
from app.core.settings import EngineSettings
from app.core.types import BgrImage, Matte
from app.runtime.engines.plan import EngineKey
from app.runtime.pipeline import Pipeline
from app.runtime.status import Phase, status_fields
from app.testing.parts import FakeEngine, Faults, StepInput, room_picture, shows_room
from tests.fakes.server import SERVER, Network, Place
from tests.fakes.world import FakeWorld
from tests.runtime.running import BASE, IMPATIENT, REMOTE, composites, running, shown
from tests.waiting import eventually


def device(pipeline: Pipeline) -> str:
    engine = pipeline.status().engine
    return "" if engine is None else engine.device


def server_state(pipeline: Pipeline) -> object:
    return status_fields(pipeline.status())["server_state"]


def test_a_server_that_fails_is_replaced_and_asked_again(world: FakeWorld) -> None:
    world.engine = Place
    network = Place.network = Network()
    network.answers.clear()
    with running(world, REMOTE, replace(IMPATIENT, remote_retry_s=0.3, remote_again_s=0.3)) as pipeline:
        eventually(lambda: device(pipeline) == "cpu" and pipeline.status().phase is Phase.RUNNING)
        assert server_state(pipeline) == "connecting", "this machine mattes until the server answers"
        network.answers.set()
        eventually(lambda: device(pipeline) == SERVER)
        assert server_state(pipeline) == "connected"
        network.sends = False
        eventually(lambda: network.offers >= 2)
        network.up = False
        eventually(lambda: device(pipeline) == "cpu")
        eventually(lambda: pipeline.status().phase is Phase.RUNNING)
        assert any("server" in problem.message for problem in pipeline.status().problems)
        offers = network.offers
        eventually(lambda: network.offers >= offers + 2)
        assert server_state(pipeline) == "local"
        assert device(pipeline) == "cpu", "matting goes on while the server is asked"
        network.up = network.sends = True
        eventually(lambda: device(pipeline) == SERVER)
        eventually(lambda: not pipeline.status().problems)
        assert server_state(pipeline) == "connected"
        pipeline.change(lambda now: now.replace(matting=now.matting.replace(location="local")))
        eventually(lambda: device(pipeline) == "cpu")
        assert server_state(pipeline) is None
    assert not any(shows_room(picture.image) for picture in world.pictures())


class OnlyAServer(Place):
    """Cannot matte here."""

    def __init__(self, settings: EngineSettings, width: int, height: int, faults: Faults) -> None:
        if settings.location == "local":
            raise ModelError("This machine has no network.")
        super().__init__(settings, width, height, faults)


@pytest.mark.parametrize("chosen", [{"location": "local"}, {"server": "https://other.example"}], ids=["off", "other"])
def test_a_server_that_is_left_gets_no_more_frames(chosen: dict[str, str], world: FakeWorld) -> None:
    """They were sent on until something else could matte: for ever where nothing else could."""
    world.engine = OnlyAServer
    network = Place.network = Network()
    with running(world, REMOTE, IMPATIENT) as pipeline:
        eventually(lambda: bool(network.levels) and server_state(pipeline) == "connected")
        network.answers.clear()
        pipeline.change(lambda now: now.replace(matting=now.matting.replace(**chosen)))
        eventually(lambda: any("no network" in problem.message for problem in pipeline.status().problems))
        network.levels.clear()
        before = pipeline.status().frames_in
        eventually(lambda: pipeline.status().frames_in > before + 20)
        assert not network.levels and device(pipeline) == ""
        network.answers.set()
    assert not any(shows_room(picture.image) for picture in world.pictures())


def test_the_status_of_an_ended_run_keeps_the_state_of_its_server(world: FakeWorld) -> None:
    world.engine = Place
    Place.network = Network()
    with running(world, REMOTE, IMPATIENT) as pipeline:
        eventually(lambda: server_state(pipeline) == "connected")
    assert pipeline.status().phase is Phase.STOPPED
    assert server_state(pipeline) == "connected"


def test_a_machine_that_cannot_matte_until_the_server_answers_shows_the_card(world: FakeWorld) -> None:
    world.engine = OnlyAServer
    network = Place.network = Network()
    network.answers.clear()
    with running(world, REMOTE, IMPATIENT) as pipeline:
        eventually(lambda: any("no network" in problem.message for problem in pipeline.status().problems))
        assert server_state(pipeline) == "connecting"
        assert pipeline.status().phase is Phase.STARTING
        network.answers.set()
        eventually(lambda: device(pipeline) == SERVER)
        eventually(lambda: not pipeline.status().problems)
    assert not any(shows_room(picture.image) for picture in world.pictures())


def test_strict_mode_cannot_be_off_while_a_server_mats(world: FakeWorld) -> None:
    world.engine = Place
    network = Place.network = Network()
    matting = REMOTE.matting.replace(edges=REMOTE.matting.edges.replace(strict="off"))
    with running(world, REMOTE.replace(matting=matting), IMPATIENT) as pipeline:
        eventually(lambda: (True, "balanced") in network.levels)
        pipeline.change(lambda now: now.replace(matting=now.matting.replace(location="local")))
        eventually(lambda: (False, "off") in network.levels)
    assert (True, "off") not in network.levels


@pytest.mark.parametrize("error", [RemoteError("The server sends no mattes."), ModelError("Not a matte.")])
def test_a_server_that_accepts_and_then_fails_is_left_alone_for_a_while(error: MattecamError, world: FakeWorld) -> None:
    world.engine = Place
    network = Place.network = Network()
    network.breaks = error
    with running(world, REMOTE, replace(IMPATIENT, remote_again_s=0.5)) as pipeline:
        eventually(
            lambda: (
                (server_state(pipeline), device(pipeline), pipeline.status().phase) == ("local", "cpu", Phase.RUNNING)
            )
        )
        started_s = time.monotonic()
        composites(pipeline, 60)
        assert network.offers <= 3 + (time.monotonic() - started_s) / 0.5
        network.breaks = None
        eventually(lambda: server_state(pipeline) == "connected")


def test_a_server_that_is_not_used_needs_no_other_engine() -> None:
    named = EngineSettings(server=SERVER, server_token_file=Path("token"), server_ca_file=Path("ca.pem"))
    assert EngineKey.of(named, (64, 48), WHOLE) == EngineKey.of(EngineSettings(), (64, 48), WHOLE)
    used = named.replace(location="remote")
    assert EngineKey.of(used, (64, 48), WHOLE).settings == used


class Late(FakeEngine):
    """Returns the matte of the frame before, as a server far away does."""

    last: BgrImage | None = None

    def matte(self, step: StepInput) -> Matte:
        earlier, self.last = self.last, step.frame
        if earlier is None:
            earlier = np.zeros_like(room_picture())
        matte = super().matte(replace(step, frame=earlier))
        return replace(matte, frame=earlier)


def test_a_late_matte_is_shown_with_its_own_frame(world: FakeWorld) -> None:
    world.engine = Late
    with running(world, BASE, IMPATIENT) as pipeline:
        eventually(lambda: pipeline.status().frames_out > 5)
        picture = shown(pipeline)
    assert picture.frame is not None
    person = picture.alpha == 255 if picture.alpha is not None else np.zeros(0, bool)
    assert (picture.image[person] == picture.frame.image[person]).all()
