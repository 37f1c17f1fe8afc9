"""Runs rollouts and evaluations on generate.py in slime's place: a case as JSON on stdin, a line of JSON per event."""

import asyncio
import json
import sys
import time
from types import SimpleNamespace

import generate
from slime.rollout import sglang_rollout as slime


def dump(sample):
    return vars(sample) | {"status": sample.status.value, "prefix_cache_info": vars(sample.prefix_cache_info)}


def say(event, **fields):
    print(json.dumps({"event": event} | fields), flush=True)


def dump_groups(groups):
    return [[dump(sample) for sample in group] for group in groups]


async def evaluate(args, case):
    for name, path in case.get("evals", {}).items():
        data = await slime.eval_rollout(args, name, path)
        for name, result in data.items():
            say("eval", name=name, rewards=result["rewards"], samples=[dump(sample) for sample in result["samples"]])


async def watch_loop(gaps):
    """Measures how long the event loop was blocked, which generate.py must never do."""
    while True:
        from_s = time.monotonic()
        await asyncio.sleep(0.01)
        gaps.append(time.monotonic() - from_s - 0.01)


async def main():
    case = json.load(sys.stdin)
    args = SimpleNamespace(**case["args"])
    gaps = []
    watcher = asyncio.create_task(watch_loop(gaps))
    source = slime.DataSource(args)
    await evaluate(args, case)
    for rollout in range(case["rollouts"]):
        say("begin", rollout=rollout)
        from_s = time.monotonic()
        kept, dropped, aborted, abort_s = await slime.generate_rollout(args, source)
        seconds = time.monotonic() - from_s
        samples = [sample for group in kept for sample in group]
        raw, normalized = generate.normalize_rewards(args, samples)
        generate.log_rollout(rollout, args, samples, {}, seconds)
        say(
            "rollout",
            rollout=rollout,
            seconds=seconds,
            abort_seconds=abort_s,
            kept=dump_groups(kept),
            dropped=dump_groups(dropped),
            aborted=dump_groups(aborted),
            raw=raw,
            normalized=normalized,
        )
    watcher.cancel()
    say("end", longest_gap=max(gaps))


asyncio.run(main())
