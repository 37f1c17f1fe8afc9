"""Drives an environment server with OpenEnv's client: JSON on stdin and stdout."""

import json
import sys

from openenv.core import GenericEnvClient


def play(episode):
    """Plays actions after a reset and returns the result of each."""
    with GenericEnvClient(base_url=episode["url"]).sync() as env:
        results = [env.reset(**episode["reset"])]
        for action in episode["actions"]:
            results.append(env.step(action))
        return {
            "results": [[r.observation, r.reward, r.done] for r in results],
            "state": env.state(),
        }


def refused(url):
    """Returns the error that a rejected client gets."""
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
