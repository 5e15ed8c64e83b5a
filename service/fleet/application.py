"""The application that Ray Serve runs: `import_path: service.fleet.application:build`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ray import serve
from ray.serve.config import AutoscalingConfig, AutoscalingPolicy, RequestRouterConfig

from app.core.files import paths
from service.fleet.options import CLOSING_S, FleetOptions
from service.fleet.replica import StreamReplica

FIGURES_S = 1.0
"""Interval of the figures for routing."""
HEALTH_S = 5.0
NEGOTIATIONS = 16
"""Requests that a replica answers at a time; media are none."""


def build(args: FleetOptions | Mapping[str, Any]) -> Any:
    """Return the application. args: those of a Serve configuration file. Raises ValidationError for unknown ones.

    Serve passes the mapping itself, because it finds options of a class only in annotations that are no strings.
    """
    options = args if isinstance(args, FleetOptions) else FleetOptions(**args)
    policy = AutoscalingPolicy(
        policy_function=paths.module("service.fleet.scaling:StreamScaling"),
        policy_kwargs={"streams_per_replica": options.streams_per_replica, "occupancy": options.occupancy},
    )
    deployment = serve.deployment(
        name="matting",
        ray_actor_options={"num_cpus": options.cores, "num_gpus": options.gpus},
        logging_config={"enable_access_log": False},
        max_ongoing_requests=NEGOTIATIONS,
        max_queued_requests=4 * NEGOTIATIONS,
        autoscaling_config=AutoscalingConfig(
            min_replicas=options.min_replicas,
            max_replicas=max(options.min_replicas, options.max_replicas),
            upscale_delay_s=0.0,
            downscale_delay_s=options.downscale_delay_s,
            policy=policy,
        ),
        request_router_config=RequestRouterConfig(
            request_router_class=paths.module("service.fleet.routing:FullestFirst"),
            request_routing_stats_period_s=FIGURES_S,
        ),
        health_check_period_s=HEALTH_S,
        health_check_timeout_s=2 * HEALTH_S,
        graceful_shutdown_wait_loop_s=0.5,
        graceful_shutdown_timeout_s=options.drain_s + CLOSING_S,
    )(StreamReplica)
    return deployment.bind(options)
