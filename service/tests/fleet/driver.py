"""Starts Ray and a fleet on this machine; obeys lines on standard input: `deploy JSON`, `status`, `quit`."""

from __future__ import annotations

import json
import os
import secrets
import sys

os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex(32)
os.environ["RAY_SERVE_REPLICA_AUTOSCALING_METRIC_PUSH_INTERVAL_S"] = "1"

import ray
from ray import serve

from service.fleet.application import build
from service.fleet.options import FleetOptions
from tests.paths import ROOT

CORES = 8
"""Logical cores: old and new replicas fit beside each other."""


def states() -> dict[str, int]:
    """Return the number of replicas by state."""
    deployments = serve.status().applications["mattecam"].deployments
    return dict(deployments["matting"].replica_states)


def main(port: int) -> None:
    """Run until `quit`."""
    ray.init(
        num_cpus=CORES,
        include_dashboard=False,
        object_store_memory=100_000_000,
        log_to_driver=False,
        logging_level="error",
        runtime_env={"env_vars": {"PYTHONPATH": str(ROOT)}},
        _node_ip_address="127.0.0.1",
    )
    serve.start(http_options={"host": "127.0.0.1", "port": port})
    for line in sys.stdin:
        command, _, rest = line.strip().partition(" ")
        if command == "deploy":
            target = serve.RunTarget(build(FleetOptions(**json.loads(rest))), name="mattecam", route_prefix="/")
            serve.run_many([target], wait_for_applications_running=False)
        elif command == "quit":
            break
        print(json.dumps(states()), flush=True)  # noqa: T201 - the answer
    serve.shutdown()
    ray.shutdown()


if __name__ == "__main__":
    main(int(sys.argv[1]))
