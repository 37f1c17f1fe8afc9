"""Calls generate.py's hooks as slime does: a case as JSON on stdin, the samples as JSON on stdout."""

import asyncio
import json
import sys
from types import SimpleNamespace

import generate
from slime.rollout.sglang_rollout import GenerateState
from slime.utils.types import Sample


def dump(sample):
    return vars(sample) | {"status": sample.status.value, "prefix_cache_info": vars(sample.prefix_cache_info)}


async def play(case, args, samples):
    params, evaluation = case["sampling_params"], case.get("evaluation", False)
    before = json.dumps(params)
    first, rest = samples[:1], samples[1:]  # the first alone: a refusal of it is a bug of set-up
    done = [await generate.generate(args, sample, params, evaluation=evaluation) for sample in first]
    if case.get("abort_after"):
        asyncio.get_running_loop().call_later(case["abort_after"], setattr, GenerateState(args), "aborted", True)
    done += await asyncio.gather(*(generate.generate(args, sample, params, evaluation=evaluation) for sample in rest))
    assert json.dumps(params) == before, "the parameters are slime's own"
    assert all(a is b for a, b in zip(done, samples)), "the samples are slime's own"
    return done


def main():
    case = json.load(sys.stdin)
    args = SimpleNamespace(**case["args"])
    samples = [Sample(**sample) for sample in case["samples"]]
    if case["do"] == "play":
        out = [dump(sample) for sample in asyncio.run(play(case, args, samples))]
    elif case["do"] == "group":
        raw, normalized = generate.normalize_rewards(args, samples)
        out = {"raw": raw, "normalized": normalized, "keep": vars(generate.keep_group(args, samples))}
    elif case["do"] == "log":
        out = {"handled": generate.log_rollout(3, args, samples, metrics := {}, 1.0), "metrics": metrics}
        assert generate.log_rollout(3, args, samples, None, 1.0) is False
    else:
        data = {"dev": {"rewards": [s.reward for s in samples], "truncated": [False] * len(samples), "samples": samples}}
        handled = generate.leave_out_of_eval(4, args, data, None)
        out = {"handled": handled, "rewards": data["dev"]["rewards"], "samples": len(data["dev"]["samples"])}
    json.dump(out, sys.stdout)


main()
