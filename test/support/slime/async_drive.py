"""Runs asynchronous rollouts in slime's place: a case as JSON on stdin, one line of JSON per rollout on stdout.

``fake: true`` plays episodes in this process. Each takes as many turns of the event loop as ``slow`` has for its task.
The first attempt at each task in ``aborted`` is aborted, as by an engine whose weights change.
"""

import asyncio
import json
import sys
import types
from types import SimpleNamespace

import async_rollout
from slime.rollout.sglang_rollout import DataSource
from slime.utils.async_utils import run

case = json.load(sys.stdin)
args = SimpleNamespace(**case["args"])
attempts = {}
gates = {}


async def fake(args, sample, sampling_params, evaluation=False):
    number = sample.prompt
    attempts[sample.index] = attempts.get(sample.index, 0) + 1
    if number in case.get("held", {}):
        gates.setdefault(number, asyncio.Event())
        await gates[number].wait()
    await asyncio.sleep(0)
    sample.tokens, sample.response_length, sample.loss_mask = [1, 2], 1, [1]
    sample.reward = float(case["rewards"][sample.index % args.n_samples_per_prompt])
    if number in case.get("aborted", []) and attempts[sample.index] == 1:
        sample.status, sample.remove_sample = type(sample).Status.ABORTED, True
    else:
        sample.status = type(sample).Status.COMPLETED
    return sample


async def open_gates(rollout):
    for number, until in case.get("held", {}).items():
        if until == rollout:
            gates.setdefault(int(number), asyncio.Event()).set()
    for _ in range(50):
        await asyncio.sleep(0)


if case.get("fake"):
    sys.modules["fake_episodes"] = types.ModuleType("fake_episodes")
    sys.modules["fake_episodes"].generate = fake
    case["held"] = {int(number): until for number, until in case.get("held", {}).items()}
source = DataSource(args)
for rollout in range(case["rollouts"]):
    if case.get("fake"):
        run(open_gates(rollout))
    output = async_rollout.generate_rollout(args, rollout, source)
    line = {
        "rollout": rollout,
        "groups": [[sample.prompt for sample in group] for group in output.samples],
        "indices": [sample.index for group in output.samples for sample in group],
        "attempts": [attempts.get(sample.index) for group in output.samples for sample in group],
        "removed": sum(sample.remove_sample for group in output.samples for sample in group),
        "metrics": output.metrics,
        "under_way": len(async_rollout._pool.running) + len(async_rollout._pool.ready),
    }
    print(json.dumps(line), flush=True)
    async_rollout.hooks.log_rollout(rollout, args, [sample for group in output.samples for sample in group], None)
