"""Stands in for slime's rollout, with everything that affects generate.py: one event loop, groups of samples, a
semaphore, a filter, an evaluation, and the abort of running samples once there are enough. Written from its documented behavior.
"""

import asyncio
import copy
import importlib
import json
import time
import uuid

import httpx
from slime.utils.types import Sample


class GenerateState:
    """A singleton, whatever the arguments."""

    _only = None

    def __new__(cls, args):
        if cls._only is None:
            cls._only = super().__new__(cls)
            cls._only.semaphore = asyncio.Semaphore(getattr(args, "sglang_server_concurrency", 64))
            cls._only.aborted = False
            cls._only.sampling_params = params_of(args, False)
        return cls._only


def load_function(path):
    module, _, name = path.rpartition(".")
    return getattr(importlib.import_module(module), name)


def read_rows(path):
    with open(path) as file:
        rows = [json.loads(line) for line in file if line.strip()]
    return [Sample(prompt=row["prompt"], metadata=row.get("metadata") or {}) for row in rows]


class DataSource:
    """Yields numbered groups of copies of rows, endlessly."""

    def __init__(self, args):
        self.args, self.rows = args, read_rows(args.prompt_data)
        self.offset = self.groups = self.samples = 0

    def get_samples(self, count):
        groups = []
        for _ in range(count):
            row = self.rows[self.offset % len(self.rows)]
            self.offset += 1
            group = []
            for _ in range(self.args.n_samples_per_prompt):
                sample = copy.deepcopy(row)
                sample.group_index, sample.index = self.groups, self.samples
                self.samples += 1
                group.append(sample)
            self.groups += 1
            groups.append(group)
        return groups


async def generate_and_rm(args, sample, sampling_params, evaluation):
    if sample.status in (Sample.Status.COMPLETED, Sample.Status.TRUNCATED):
        return sample
    state = GenerateState(args)
    async with state.semaphore:
        if state.aborted:
            sample.status = Sample.Status.ABORTED
            return sample
        generate = load_function(args.custom_generate_function_path)
        sample = await generate(args, sample, sampling_params, evaluation=evaluation)
    assert sample.status is Sample.Status.ABORTED or sample.reward is not None
    return sample


async def generate_group(args, group, sampling_params):
    if GenerateState(args).aborted:
        return group
    for sample in group:
        sample.session_id = sample.session_id or str(uuid.uuid4())
    return await asyncio.gather(
        *(generate_and_rm(args, sample, sampling_params.copy(), evaluation=False) for sample in group)
    )


async def generate_and_rm_group(args, group, sampling_params, evaluation=False):
    assert not evaluation
    return await generate_group(args, group, sampling_params)


def params_of(args, evaluation):
    return {
        "temperature": 0.0 if evaluation else 1.0,
        "top_p": 1.0,
        "top_k": 1 if evaluation else -1,
        "max_new_tokens": args.rollout_max_response_len,
        "stop": None,
        "stop_token_ids": None,
        "skip_special_tokens": False,
        "no_stop_trim": True,
        "spaces_between_special_tokens": False,
    }


async def abort(args, pending):
    """Aborts all requests of the engines, then waits until every sample has returned."""
    state = GenerateState(args)
    state.aborted = True
    router = f"http://{args.sglang_router_ip}:{args.sglang_router_port}"
    async with httpx.AsyncClient(trust_env=False) as client:
        urls = getattr(args, "workers", None)  # an engine without a router before it
        if not urls:
            urls = [worker["url"] for worker in (await client.get(f"{router}/workers")).json()["workers"]]
        for url in urls:
            for _ in range(20):
                await client.post(f"{url}/abort_request", json={"abort_all": True})
                loads = (await client.get(f"{url}/v1/loads?include=core")).json()
                if sum(load["num_total_reqs"] for load in loads["loads"]) == 0:
                    break
                await asyncio.sleep(0.1)
    rest = await asyncio.gather(*pending)
    state.aborted = False
    return rest


async def generate_rollout(args, source):
    """Returns the kept, dropped and aborted groups, and how long the abort took."""
    keep_group = args.dynamic_sampling_filter_path and load_function(args.dynamic_sampling_filter_path)
    pending, kept, dropped, wanted = set(), [], [], 0
    while len(kept) < args.rollout_batch_size:
        while wanted < args.rollout_batch_size:
            for group in source.get_samples(args.over_sampling_batch_size):
                pending.add(asyncio.create_task(generate_group(args, group, params_of(args, False))))
                wanted += 1
        done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            group = task.result()
            assert len(group) == args.n_samples_per_prompt
            verdict = keep_group and keep_group(args, group)
            is_needed = wanted <= args.rollout_batch_size
            if verdict and not verdict.keep and not (verdict.keep_when_insufficient and is_needed):
                wanted -= 1
                dropped.append(group)
            elif len(kept) < args.rollout_batch_size:
                kept.append(group)
            else:
                dropped.append(group)
    from_s = time.monotonic()
    aborted = await abort(args, pending)
    return kept, dropped, aborted, time.monotonic() - from_s


async def eval_rollout(args, name, path):
    """Runs an evaluation and returns the data for the log function. All samples share one dictionary of parameters."""
    params, samples = params_of(args, True), []
    for row in read_rows(path):
        for _ in range(args.n_samples_per_eval_prompt):
            sample = copy.deepcopy(row)
            sample.index = len(samples)
            samples.append(sample)
    before = dict(params)
    samples = await asyncio.gather(*(generate_and_rm(args, sample, params, evaluation=True) for sample in samples))
    assert params == before, "the parameters are shared"
    data = {
        name: {
            "rewards": [sample.reward for sample in samples],
            "truncated": [sample.status is Sample.Status.TRUNCATED for sample in samples],
            "samples": samples,
        }
    }
    if args.custom_eval_rollout_log_function_path:
        assert not load_function(args.custom_eval_rollout_log_function_path)(0, args, data, None)
    return data
