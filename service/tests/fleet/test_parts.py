"""Parts of the fleet without Ray: scaling, routing order, HTTP, health, draining."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import ValidationError

from app.core.errors import UsageError
from service.fleet.options import CLOSING_S, FleetOptions
from service.fleet.order import ranked
from service.fleet.replica import StreamReplica
from service.fleet.scaling import StreamScaling
from service.tests.fleet.token import TOKEN, token_file
from tests.fresh_python import printed_by


def figures(*streams: float) -> Any:
    series = {index: [SimpleNamespace(value=0.0), SimpleNamespace(value=count)] for index, count in enumerate(streams)}
    return SimpleNamespace(raw_metrics={"streams": series})


@pytest.mark.parametrize(
    ("streams", "replicas"),
    [((), 0), ((0, 0), 0), ((1,), 1), ((3,), 1), ((4,), 2), ((4, 2), 2), ((4, 4), 3), ((1, 1, 1), 3), ((4, 0, 0), 2)],
)
def test_replicas_follow_the_streams(streams: tuple[float, ...], replicas: int) -> None:
    """Four places each, three of which may be taken before a replica is added; busy ones are never given up."""
    assert StreamScaling(4, 0.75)(figures(*streams))[0] == replicas


def test_replicas_that_have_not_reported_count_nothing() -> None:
    assert StreamScaling(4, 0.75)(SimpleNamespace(raw_metrics={}))[0] == 0
    assert StreamScaling(4, 0.75)(SimpleNamespace(raw_metrics={"streams": {1: []}}))[0] == 0


@dataclass
class Rated:
    name: str
    routing_stats: Mapping[str, Any] = field(default_factory=dict)


def test_the_fullest_replica_with_a_free_place_comes_first() -> None:
    replicas = [
        Rated("new"),
        Rated("full", {"streams": 4, "limit": 4, "started_s": 1.0}),
        Rated("young", {"streams": 0, "limit": 4, "started_s": 9.0}),
        Rated("old", {"streams": 0, "limit": 4, "started_s": 2.0}),
        Rated("busy", {"streams": 3, "limit": 4, "started_s": 5.0}),
    ]
    assert [[each.name for each in rank] for rank in ranked(replicas)] == [
        ["busy"],
        ["old"],
        ["young"],
        ["new"],
        ["full"],
    ]


def test_options_are_checked(tmp_path: Path) -> None:
    options = FleetOptions(token_file=tmp_path, cores=4)
    assert options.streams_per_replica == 4
    assert (options.limits.streams, options.limits.drain_s) == (4, 300.0)
    assert options.limits.stalled_s == 30.0, "building an engine on a busy machine is no stall"
    assert FleetOptions(token_file=tmp_path, gpus=1, streams=11).streams_per_replica == 11
    for wrong in ({}, {"token_file": "t", "cores": 0}, {"token_file": "t", "tokens": 3}):
        with pytest.raises(ValidationError):
            FleetOptions(**wrong)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_serve_waits_longer_than_the_streams_may_go_on(tmp_path: Path) -> None:
    pytest.importorskip("ray", reason="service/requirements-fleet.txt is not installed")
    from service.fleet.application import build

    options = FleetOptions(token_file=tmp_path, cores=3, gpus=1, drain_s=40, min_replicas=3, max_replicas=2)
    deployment = build(options)._bound_deployment  # noqa: SLF001 - the deployment of an application has no public name
    assert deployment.ray_actor_options == {"num_cpus": 3.0, "num_gpus": 1.0}
    settings = deployment._deployment_config  # noqa: SLF001 - likewise
    assert settings.graceful_shutdown_timeout_s == 40 + CLOSING_S
    scaling = settings.autoscaling_config
    assert (scaling.min_replicas, scaling.max_replicas) == (3, 3)
    assert scaling.policy.get_policy()(**scaling.policy.policy_kwargs)(figures(3, 3))[0] == 3


@pytest.mark.parametrize(("mode", "says"), [(0o644, "chmod 600"), (None, "it does not exist")])
def test_a_replica_needs_a_private_token_file(tmp_path: Path, mode: int | None, says: str) -> None:
    file = tmp_path / "token"
    if mode is not None:
        file.write_text(TOKEN)
        file.chmod(mode)
    with pytest.raises(UsageError, match=says):
        StreamReplica(FleetOptions(token_file=file))


def http(method: str, path: str, body: bytes = b"", **headers: str) -> Any:
    """A request as Serve passes it."""
    requests = pytest.importorskip("starlette.requests", reason="service/requirements-fleet.txt is not installed")
    sent = [(name.replace("_", "-").lower().encode(), value.encode()) for name, value in headers.items()]

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "headers": sent,
        "client": ("192.0.2.9", 4),
        "query_string": b"",
    }
    return requests.Request(scope, receive)


@asynccontextmanager
async def replica_of(folder: Path, **options: Any) -> AsyncIterator[StreamReplica]:
    replica = StreamReplica(FleetOptions(token_file=token_file(folder), drain_s=0.0, **options))
    try:
        yield replica
    finally:
        await replica.drain()


def in_a_replica(folder: Path, check: Callable[[StreamReplica], Any]) -> None:
    async def run() -> None:
        async with replica_of(folder, streams=2) as replica:
            await check(replica)

    asyncio.run(run())


def test_a_replica_answers_what_the_service_answers(tmp_path: Path) -> None:
    async def check(replica: StreamReplica) -> None:
        health = await replica(http("GET", "/healthz"))
        assert health.status_code == 200 and b'"limit": 2' in health.body
        assert health.headers["content-type"] == "application/json"
        assert health.headers["content-security-policy"].startswith("default-src 'none'")
        page = await replica(http("GET", "/"))
        assert page.headers["content-type"].startswith("text/html") and b"<title>" in page.body
        assert (await replica(http("GET", "/elsewhere"))).status_code == 404
        assert (await replica(http("POST", "/healthz"))).status_code == 405
        assert (await replica(http("POST", "/offer", b"{}"))).status_code == 401
        known = {"Authorization": f"Bearer {TOKEN}", "Content_Type": "application/json"}
        assert (await replica(http("POST", "/offer", b"{}", **known))).status_code == 400
        assert (await replica(http("POST", "/offer", b"x" * 70_000, **known))).status_code == 413
        assert (await replica(http("POST", "/offer", b"{}", Origin="https://evil.example", **known))).status_code == 403
        assert await replica.record_autoscaling_stats() == {"streams": 0.0}
        assert (await replica.record_routing_stats())["limit"] == 2
        await replica.check_health()

    in_a_replica(tmp_path, check)


def test_a_stopped_replica_takes_no_more_offers(tmp_path: Path) -> None:
    async def check(replica: StreamReplica) -> None:
        await replica.drain()
        health = await replica(http("GET", "/healthz"))
        assert health.status_code == 503 and b"draining" in health.body

    in_a_replica(tmp_path, check)


PREPARED = """
import resource
_, hard = resource.getrlimit(resource.RLIMIT_CORE)
resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
from service.server import run
run.check_engine = lambda: None
run.prepare_process()
print(hard, resource.getrlimit(resource.RLIMIT_CORE)[0])
"""


def test_a_replica_leaves_no_core_dump() -> None:
    """Ray starts its process, without the command line, which forbids them: a crash wrote frames of callers to disk."""
    hard, soft = map(int, printed_by(PREPARED).split()[-2:])
    if hard == 0:
        pytest.skip("the system forbids core dumps already")
    assert soft == 0
