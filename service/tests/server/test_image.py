"""The files in `deploy/` name what exists: locks, options, ports, paths. No container is built."""

from __future__ import annotations

import re

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from app.cli.main import app
from tests.paths import ROOT

DEPLOY = ROOT / "deploy"
PORT = "8765"
DRAIN_S = 20


def text_of(name: str) -> str:
    return re.sub(r"#.*", "", (DEPLOY / name).read_text(encoding="utf-8"))


def test_the_image_installs_locks_with_hashes_and_copies_what_exists() -> None:
    text = text_of("Dockerfile").replace("\\\n", " ")
    for line in re.findall(r"^COPY (.+)$", text, re.MULTILINE):
        assert all((ROOT / name).exists() for name in line.split()[:-1]), line
    installs = re.findall(r"pip install ([^&\n]+)", text)
    assert len(installs) == 2
    assert all("--require-hashes" in line and "--no-deps" in line for line in installs)
    locks = {name for line in installs for name in re.findall(r"-r (\S+)", line)}
    assert locks == {f"requirements/{name}.lock" for name in ("torch-cpu", "base", "serve")}
    assert re.search(r"^USER \d+:\d+$", text, re.MULTILINE), "not as root"


def test_the_base_image_is_pinned_to_a_digest() -> None:
    (base,) = re.findall(r"^ARG BASE=(\S+)\nFROM \$\{BASE\}$", text_of("Dockerfile"), re.MULTILINE)
    name, digest = base.split("@")
    assert re.fullmatch(r"python:3\.\d+\.\d+-slim-bookworm", name)
    assert re.fullmatch(r"sha256:[0-9a-f]{64}", digest)


@pytest.mark.parametrize("name", ["compose.yaml", "kubernetes.yaml"])
def test_manifests_use_options_that_exist(name: str) -> None:
    group = get_command(app)
    assert isinstance(group, TyperGroup)
    command = group.commands["serve"]
    used = set(re.findall(r'"(--[a-z-]+)"', text_of(name)))
    assert used == {"--host", "--token-file", "--tls-cert", "--tls-key"}
    assert used <= {option for parameter in command.params for option in parameter.opts}
    assert str(next(parameter.default for parameter in command.params if parameter.name == "port")) == PORT


@pytest.mark.parametrize(
    ("name", "key"), [("compose.yaml", "stop_grace_period"), ("kubernetes.yaml", "terminationGracePeriodSeconds")]
)
def test_manifests_let_streams_drain(name: str, key: str) -> None:
    found = re.search(rf"{key}: (\d+)", text_of(name))
    assert found is not None and int(found[1]) > DRAIN_S


def test_kubernetes_asks_the_service_for_its_health() -> None:
    text = text_of("kubernetes.yaml")
    assert text.count("path: /healthz") == 3
    assert f"containerPort: {PORT}" in text
    volumes = set(re.findall(r"- (?:\{name|name): ([\w-]+)(?:,|\n *(?:secret|emptyDir))", text.split("volumes:")[1]))
    mounts = set(re.findall(r"\{name: (\w+), mountPath", text))
    assert mounts and mounts <= volumes
