"""Runs NeMo Gym's own rollout collection, agent and model server: JSON on stdin and stdout.

NeMo Gym's servers are created as by their `run_webserver`, but all run in this process instead of one process each.
"""

import asyncio
import json
import os
import socket
import sys
from pathlib import Path

asked = json.load(sys.stdin)
os.chdir(asked["dir"])  # where NeMo Gym writes

import uvicorn
from environment_servers.legacy_agent.app import LegacyAgentEnvironmentServer
from nemo_gym.global_config import (
    GlobalConfigDictParserConfig,
    get_first_server_config_dict,
    get_global_config_dict,
)
from nemo_gym.reward_profile import compute_aggregate_metrics
from nemo_gym.rollout_collection import RolloutCollectionConfig, RolloutCollectionHelper
from nemo_gym.server_utils import HeadServer, ServerClient
from omegaconf import OmegaConf
from responses_api_agents.gymnasium_agent.app import GymnasiumAgent
from responses_api_models.vllm_model.app import VLLMModel

CLASSES = {
    "responses_api_agents": GymnasiumAgent,
    "responses_api_models": VLLMModel,
    "environment_servers": LegacyAgentEnvironmentServer,
}


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def load_config():
    given = OmegaConf.merge(
        OmegaConf.create(asked["config"]),
        {"head_server": {"host": "127.0.0.1", "port": free_port()}},
    )
    return get_global_config_dict(
        GlobalConfigDictParserConfig(
            dotenv_path=None,
            initial_global_config_dict=given,
            skip_load_from_cli=True,
            skip_load_from_dotenv=True,
        )
    )


def web_servers(config):
    """Yields each server of NeMo Gym in the config, except resources servers: taulab's server is already running."""
    client = ServerClient(
        head_server_config=ServerClient.load_head_server_config(), global_config_dict=config
    )
    for name, block in config.items():
        kind = next((one for one in CLASSES if OmegaConf.is_dict(block) and one in block), None)
        if kind is None:
            continue
        os.environ["NEMO_GYM_CONFIG_PATH"] = name
        server_class = CLASSES[kind]
        server = server_class(
            config=server_class.load_config_from_global_config(), server_client=client
        )
        app = server.setup_webserver()
        server.setup_exception_middleware(app)
        server.setup_cancellation_middleware(app)
        address = get_first_server_config_dict(config, name)
        yield uvicorn.Server(
            uvicorn.Config(app, host=address.host, port=address.port, log_level="warning")
        )


async def collect(name, case):
    """Collects rollouts of a case's rows as `ng_collect_rollouts` does."""
    rows = Path(f"{name}.jsonl")
    rows.write_text("".join(f"{json.dumps(row)}\n" for row in case["rows"]))
    output = Path("out", f"{name}.jsonl")
    try:
        await RolloutCollectionHelper().run_from_config(
            RolloutCollectionConfig(
                input_jsonl_fpath=str(rows),
                output_jsonl_fpath=str(output),
                disable_health_check=True,
                **case["settings"],
            )
        )
        error = None
    except RuntimeError as raised:  # no rollout has a result
        error = str(raised)
    read = lambda path: [json.loads(line) for line in path.read_text().splitlines()]
    metrics = output.with_name(f"{name}_aggregate_metrics.json")
    return {
        "error": error,
        "rollouts": read(output),
        "failures": read(output.with_name(f"{name}_failures.jsonl")),
        "metrics": json.loads(metrics.read_text()) if metrics.exists() else None,
    }


async def main():
    config = load_config()
    head, thread, _ = HeadServer.run_webserver()
    servers = list(web_servers(config))
    serving = [asyncio.create_task(server.serve()) for server in servers]
    while not all(server.started for server in [head, *servers]):
        await asyncio.sleep(0.02)
    try:
        cases = {name: await collect(name, case) for name, case in asked["cases"].items()}
    finally:
        for server in [head, *servers]:
            server.should_exit = True
        await asyncio.gather(*serving)
        thread.join()
    aggregated = [
        compute_aggregate_metrics(
            one, get_key_metrics_fn=lambda all: {k: v for k, v in all.items() if k.startswith("mean/")}
        ).model_dump()
        for one in asked["aggregated"]
    ]
    return {"cases": cases, "aggregated": aggregated}


# NeMo Gym's classes print to stdout as they run, which must contain only JSON.
stdout, sys.stdout = sys.stdout, sys.stderr
result = asyncio.run(main())
json.dump(result, stdout)
