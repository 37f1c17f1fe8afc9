"""Starts SGLang's router as slime does: with a policy, without health checks and circuit breakers."""

import sys

from sglang_router.launch_router import RouterArgs, launch_router

host, port, metrics_port, policy = sys.argv[1:5]
launch_router(
    RouterArgs(
        host=host,
        port=int(port),
        prometheus_port=int(metrics_port),
        policy=policy,
        disable_circuit_breaker=True,
        disable_health_check=True,
        log_level="info",
    )
)
