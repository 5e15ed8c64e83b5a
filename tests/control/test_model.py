"""`ctl model`, `ratio` and `server` against a running pipeline."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.core.errors import MattecamError, ModelError, UsageError
from tests.control.conftest import Program, fail
from tests.fakes.server import SERVER, Network, Place


def test_an_unknown_model_lists_the_models_without_terms_of_a_library(program: Program) -> None:
    with pytest.raises(UsageError, match=r"“gpt” is not possible: there is no model 'gpt'; the models are auto,"):
        program.run("model gpt")


def test_the_model_and_the_ratio(program: Program) -> None:
    assert program.run("model student") == "Model: student."
    assert program.controller.status()["model"] == "student"
    assert program.run("ratio 0.25") == "Downsample ratio: 0.25."
    assert program.controller.status()["downsample_ratio"] == 0.25
    assert program.run("ratio auto") == "Downsample ratio: automatic."
    with pytest.raises(UsageError, match="the models are auto, rvm-mobilenetv3"):
        program.run("model gpt")
    program.world.faults.put("build_engine", fail(ModelError("The weights are missing; download them.")))
    with pytest.raises(MattecamError, match="weights are missing"):
        program.run("model u2netp")
    assert program.settings.matting.model == "student"


def test_a_server_is_used_and_left(program: Program, tmp_path: Path) -> None:
    program.world.engine = Place
    network = Place.network = Network()
    with pytest.raises(UsageError, match=r"No server is known; the server is URL\|on\|off"):
        program.run("server on")
    with pytest.raises(UsageError, match="is not the address of a server"):
        program.run("server http://matting.example")
    assert program.run(f"server {SERVER}/") == f"Server: {SERVER}, round trip 27 ms."
    assert program.controller.status()["server_state"] == "connected"
    assert program.run("server off") == "Server: none; this computer computes the matte."
    with pytest.raises(UsageError, match="There is no file"):
        program.run(f"server token {tmp_path / 'token'}")
    (tmp_path / "token").write_text("x" * 20)
    program.run(f"server token {tmp_path / 'token'}")
    program.run(f"server ca {tmp_path / 'token'}")
    matting = program.settings.matting
    assert (matting.server_token_file, matting.server_ca_file) == (tmp_path / "token", tmp_path / "token")
    program.run("server token none")
    assert program.settings.matting.server_token_file is None
    network.up = False
    with pytest.raises(MattecamError, match="does not answer"):
        program.run("server on")
    assert program.settings.matting.location == "local", "what worked is kept"
