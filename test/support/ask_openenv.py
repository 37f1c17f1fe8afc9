"""Drives an environment server by OpenEnv's client: JSON in, JSON out."""

import json
import sys

from openenv.core import GenericEnvClient


def play(episode):
    """Plays actions after a reset. Returns what came of each."""
    with GenericEnvClient(base_url=episode["url"]).sync() as env:
        results = [env.reset(**episode["reset"])]
        for action in episode["actions"]:
            results.append(env.step(action))
        return {
            "results": [[r.observation, r.reward, r.done] for r in results],
            "state": env.state(),
        }


def refused(url):
    """What is said to a client that may not connect."""
    try:
        with GenericEnvClient(base_url=url).sync():
            return None
    except ConnectionError as error:
        return str(error)


asked = json.load(sys.stdin)
json.dump(
    {
        "episodes": [play(one) for one in asked["episodes"]],
        "refused": [refused(url) for url in asked["refused"]],
    },
    sys.stdout,
)
