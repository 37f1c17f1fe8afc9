"""Hooks for slime that let an episode server (``deno task serve``) play each sample.

- ``--custom-generate-function-path generate.generate`` sends a sample to a server and fills it from the response.
- ``--dynamic-sampling-filter-path generate.keep_group``,
  ``--custom-reward-post-process-path generate.normalize_rewards`` and
  ``--custom-eval-rollout-log-function-path generate.leave_out_of_eval`` exclude samples whose episodes failed for
  infrastructure reasons.
- ``--custom-rollout-log-function-path generate.log_rollout`` counts these samples.

``leave_out_of_eval`` and ``log_rollout`` also call keep_checkpoints.py. Settings are attributes ``taulab_*`` of
``args``, read from ``--custom-config-path``; the token is the environment variable ``TAULAB_TOKEN``. Functions import
slime when they need it, so that this module can be imported without it.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
import uuid
from collections import defaultdict
from dataclasses import dataclass, field
from statistics import fmean, stdev
from typing import Any

import httpx
import keep_checkpoints

logger = logging.getLogger("taulab")

ABORT_POLL_S = 0.1
MAX_PAUSE_S = 2.0
FEWEST_OF_AN_OUTAGE = 32
SMALLEST_SPREAD = 1e-6
SCALED = ("grpo", "gspo", "cispo")
NORMALIZED = (*SCALED, "reinforce_plus_plus_baseline")


class GivenUp(Exception):
    """Raised when an episode failed; the message is the reason."""


class Aborted(GivenUp):
    """Raised when slime aborts an episode because it has enough samples."""


class SetUpError(RuntimeError):
    """Raised for errors that affect all samples. It ends the run early, which saves GPU hours."""


@dataclass
class Service:
    """An episode server, as seen from this process."""

    url: str
    in_flight: int = 0
    failures: int = 0
    paused_until: float = 0.0

    def fail(self) -> None:
        """Pauses the server, for longer after each consecutive failure, up to MAX_PAUSE_S.

        Failures during a pause are not counted: the requests in flight all fail together.
        """
        now = time.monotonic()
        if self.paused_until > now:
            return
        self.failures = min(self.failures + 1, 8)
        self.paused_until = now + min(MAX_PAUSE_S, 0.1 * 2**self.failures)


@dataclass
class Bridge:
    """The episode servers and running requests of one event loop."""

    args: Any
    client: httpx.AsyncClient
    services: list[Service]
    training: set[asyncio.Task] = field(default_factory=set)
    watcher: asyncio.Task | None = None
    accepted: set[tuple] = field(default_factory=set)
    turn: int = 0
    lost: int = 0
    failing_since: float = 0.0

    @classmethod
    def open(cls, args: Any) -> Bridge:
        urls = getattr(args, "taulab_services", None)
        if not urls:
            raise SetUpError("taulab_services is empty: list the episode servers in the file of --custom-config-path")
        if getattr(args, "use_rollout_routing_replay", False):
            raise SetUpError("--use-rollout-routing-replay needs routing data, which episodes lack: remove this flag")
        if getattr(args, "group_rm", False):
            raise SetUpError("--group-rm would replace the rewards of episodes: remove this flag")
        token = os.environ.get("TAULAB_TOKEN")
        # A server sends white space every second during an episode, so a silent server is dead.
        silence = getattr(args, "taulab_silence_s", 30)
        client = httpx.AsyncClient(
            headers={"Authorization": f"Bearer {token}"} if token else {},
            timeout=httpx.Timeout(silence, connect=10, pool=None),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=None),
            trust_env=False,  # calls inside the cluster must not use a proxy from the environment
        )
        return cls(args, client, [Service(url.rstrip("/")) for url in urls])

    async def play(self, request: dict[str, Any]) -> dict[str, Any]:
        """Sends a request to one server after another and returns the response.

        A server that cannot be reached does not count as an attempt; requests are retried for ``taulab_patience_s``.

        Raises: GivenUp if all attempts fail; SetUpError if servers refuse the first request of its kind, or the budget
        is spent.
        """
        attempts = 1 + getattr(self.args, "taulab_retries", 3)
        longest = getattr(self.args, "taulab_timeout_s", 1800)
        deadline = time.monotonic() + getattr(self.args, "taulab_patience_s", 120)
        while True:
            service = await self._free_service(deadline)
            service.in_flight += 1
            try:
                post = self.client.post(f"{service.url}/episodes", json=request)
                response = await asyncio.wait_for(post, longest)
                if response.status_code < 500:
                    return self._accept(service, response, kind_of(request))
                reason = f"{service.url} answered {response.status_code}: {response.text[:200]}"
                reached = response.status_code != 503
            except asyncio.TimeoutError:
                reason, reached = f"{service.url}: no answer within {longest} s", True
            except httpx.TransportError as error:
                reason = f"{service.url}: {type(error).__name__} {error}"
                reached = not isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout))
            finally:
                service.in_flight -= 1
            service.fail()
            attempts -= reached
            if attempts <= 0 or time.monotonic() >= deadline and not reached:
                raise GivenUp(reason)

    async def _free_service(self, deadline: float) -> Service:
        """Returns the least loaded server that is not paused; rotates among equally loaded ones."""
        self.turn += 1
        order = self.services[self.turn % len(self.services) :] + self.services[: self.turn % len(self.services)]
        while True:
            now = time.monotonic()
            awake = [service for service in order if service.paused_until <= now]
            if awake:
                return min(awake, key=lambda service: service.in_flight)
            if now >= deadline:
                raise GivenUp("no episode server can be reached")
            await asyncio.sleep(min(service.paused_until for service in order) - now)

    def _accept(self, service: Service, response: httpx.Response, kind: tuple) -> dict[str, Any]:
        if response.status_code == 200:
            self.accepted.add(kind)
            service.failures = 0
            try:
                return response.json()
            except ValueError as error:
                raise GivenUp(f"{service.url} did not answer with JSON: {error}") from error
        reason = f"{service.url} refused ({response.status_code}): {response.text[:500]}"
        if response.status_code == 402 or kind not in self.accepted:
            raise SetUpError(reason)
        raise GivenUp(reason)

    def count(self, failure: str | None) -> None:
        """Counts consecutive failures; a success resets the count.

        Raises: SetUpError if all episodes failed for ``taulab_outage_s``; slime itself would retry forever.
        """
        if failure is None:
            self.lost = 0
            return
        now = time.monotonic()
        self.lost += 1
        if self.lost == 1:
            self.failing_since = now
        outage = getattr(self.args, "taulab_outage_s", 1800)
        if self.lost >= FEWEST_OF_AN_OUTAGE and now - self.failing_since >= outage:
            raise SetUpError(f"all episodes failed for {outage} s, {self.lost} in total; the last error: {failure}")

    async def play_until_aborted(self, request: dict[str, Any]) -> dict[str, Any]:
        """Like ``play``, but stops when slime has enough samples; closing the connection ends the episode."""
        task = asyncio.ensure_future(self.play(request))
        self.training.add(task)
        if self.watcher is None or self.watcher.done():
            self.watcher = asyncio.ensure_future(self._watch())
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError:
            task.cancel()
            raise
        finally:
            self.training.discard(task)
        if task.cancelled():
            raise Aborted("slime aborted the rollout")
        return task.result()

    async def _watch(self) -> None:
        """Polls slime's abort flag once for all episodes, while any is in progress."""
        while self.training:
            if is_ending(self.args):
                for task in self.training:
                    task.cancel()
            await asyncio.sleep(ABORT_POLL_S)


_bridges: dict[asyncio.AbstractEventLoop, Bridge] = {}


@dataclass
class FilterCount:
    """The number of groups that ``keep_group`` has seen in this rollout."""

    seen: int = 0


_filtered = FilterCount()


def bridge_of(args: Any) -> Bridge:
    """Returns the bridge of the running event loop."""
    loop = asyncio.get_running_loop()
    if loop not in _bridges:
        _bridges[loop] = Bridge.open(args)
    return _bridges[loop]


def kind_of(request: dict[str, Any]) -> tuple:
    """Returns the kind of a request. A server refuses either all requests of a kind, or none of them."""
    return request["evaluation"], request["split"], request["domain"]


def task_of(prompt: Any) -> str:
    """Returns the task number from a row's prompt, which is a message if the model has a processor, otherwise text."""
    is_message = isinstance(prompt, list) and len(prompt) == 1 and isinstance(prompt[0], dict)
    return str(prompt[0].get("content") if is_message else prompt)


def request_of(args: Any, sample: Any, sampling_params: dict[str, Any], evaluation: bool) -> dict[str, Any]:
    """Returns the body of ``POST /episodes``. The row names the split, because slime does not pass it."""
    row = sample.metadata or {}
    split = row.get("split") or (getattr(args, "taulab_eval_split", None) if evaluation else "train")
    if not split:
        raise SetUpError("an evaluation row has no split: write rows with `deno task mock --rows-format split`")
    task = task_of(sample.prompt)
    if not task.isdecimal():
        raise SetUpError(f"a row's prompt is {task[:80]!r}, not a task number: set --input-key prompt")
    context = getattr(args, "rollout_max_context_len", None)
    request = {
        "task": int(task),
        "split": split,
        "domain": row.get("env"),
        "seed": getattr(args, "rollout_seed", 0) * 2**24 + (sample.index or 0),
        "evaluation": evaluation,
        "sampling_params": {key: value for key, value in sampling_params.items() if value is not None},
        "engine": f"http://{args.sglang_router_ip}:{args.sglang_router_port}",
        "session_id": sample.session_id or str(uuid.uuid4()),
        "max_context_tokens": getattr(args, "eval_max_context_len", context) if evaluation else context,
    }
    return request | ({"instruction": row["instruction"]} if row.get("instruction") else {})


def reset(sample: Any) -> None:
    """Clears the results of an earlier attempt at the sample."""
    blank = type(sample)()
    stale = (
        "tokens response response_length reward loss_mask weight_versions rollout_log_probs rollout_top_p_token_ids "
        "rollout_top_p_token_offsets rollout_routed_experts remove_sample status spec_info prefix_cache_info "
        "non_generation_time"
    )
    for name in stale.split():
        setattr(sample, name, getattr(blank, name))


def fill(args: Any, sample: Any, answer: dict[str, Any]) -> Any:
    """Fills a sample with slime's own helper, one span at a time.

    Raises: KeyError, TypeError or ValueError if the response is incomplete or inconsistent.
    """
    reset(sample)
    tokens, at = answer["tokens"], answer["prompt_length"]
    log_probs = answer["rollout_log_probs"]
    sample.tokens = list(tokens[:at])
    for span in answer["spans"]:
        end, trainable = at + span["length"], span["trainable"]
        begin = at - answer["prompt_length"]
        sample.append_response_tokens(
            args,
            tokens=tokens[at:end],
            log_probs=log_probs[begin : begin + span["length"]] if trainable else None,
            trainable=trainable,
            meta_info=span.get("meta_info"),
            text=span["text"],
        )
        at = end
    if sample.tokens != tokens or sample.loss_mask != answer["loss_mask"] or sample.response_length < 1:
        raise ValueError(f"the spans have {sample.response_length} response tokens, not {answer['response_length']}")
    sample.reward = float(answer["reward"])
    sample.status = type(sample).Status(answer["status"])
    sample.remove_sample = bool(answer["remove_sample"])
    sample.non_generation_time = answer["non_generation_time"]
    sample.metadata = (sample.metadata or {}) | answer["metadata"]
    return sample


def give_up(sample: Any, reason: str) -> Any:
    """Reduces a sample to a single masked token, which affects no loss, group or metric, but is still valid."""
    reset(sample)
    sample.tokens, sample.response_length = [0, 0], 1
    sample.loss_mask, sample.rollout_log_probs = [0], [0.0]
    sample.reward, sample.remove_sample = 0.0, True
    sample.status = type(sample).Status.ABORTED
    failure = {"kind": "bridge", "message": reason}
    sample.metadata = (sample.metadata or {}) | {"taulab": {"stop_reason": "failed", "failure": failure}}
    return sample


async def generate(args: Any, sample: Any, sampling_params: dict[str, Any], evaluation: bool = False) -> Any:
    """slime's ``--custom-generate-function-path``: plays the sample's episode and fills the sample.

    Raises: SetUpError, which ends the run, if servers refuse the first request of its kind, the budget is spent or all
    episodes have failed for ``taulab_outage_s``. Other errors do not propagate, except the cancellation of its task.
    """
    bridge = bridge_of(args)
    request = request_of(args, sample, sampling_params, evaluation)
    try:
        answer = await (bridge.play(request) if evaluation else bridge.play_until_aborted(request))
        fill(args, sample, answer)
        if sample.status is not type(sample).Status.ABORTED or not is_ending(args):
            bridge.count(failure_of(sample))
        return sample
    except Aborted as error:
        return give_up(sample, str(error))
    except GivenUp as error:
        reason = str(error)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        reason = f"the server's response is not an episode: {type(error).__name__}: {error}"
    logger.warning("sample %s is excluded: %s", sample.index, reason)
    bridge.count(reason)
    return give_up(sample, reason)


def is_ending(args: Any) -> bool:
    """Checks whether slime is aborting the rollout in progress."""
    from slime.rollout.sglang_rollout import GenerateState

    return GenerateState(args).aborted


def failure_of(sample: Any) -> str | None:
    """Returns why a sample was removed; None if it was not."""
    if not sample.remove_sample:
        return None
    about = sample.metadata.get("taulab") or {}
    return str((about.get("failure") or {}).get("message", "unknown reason"))


def keep_group(args: Any, samples: list[Any], **_: Any) -> Any:
    """slime's ``--dynamic-sampling-filter-path``: keeps a group whose counted rewards differ.

    After ``taulab_filter_rounds`` batches of groups in one rollout, groups with equal rewards are kept too (slime's
    ``keep_when_insufficient``), so that sampling ends even if the policy solves no task, or all of them. A group whose
    episodes failed is never kept, because the failures are not the policy's; ``taulab_outage_s`` limits outages.
    """
    from slime.rollout.filter_hub.base_types import DynamicFilterOutput

    _filtered.seen += 1
    rewards = [sample.get_reward_value(args) for sample in samples if not sample.remove_sample]
    if len(rewards) < 2:
        return DynamicFilterOutput(keep=False, reason="too_few_succeeded")
    if max(rewards) - min(rewards) > SMALLEST_SPREAD:
        return DynamicFilterOutput(keep=True)
    rounds = getattr(args, "taulab_filter_rounds", None)
    is_enough = rounds is not None and _filtered.seen > rounds * args.rollout_batch_size
    # Older versions of slime do not have this field, so it is only passed when needed.
    fallback = {"keep_when_insufficient": True} if is_enough else {}
    return DynamicFilterOutput(keep=False, reason=f"zero_std_{round(rewards[0], 1)}", **fallback)


def normalize_rewards(args: Any, samples: list[Any]) -> tuple[list[float], list[float]]:
    """slime's ``--custom-reward-post-process-path``: group normalization as in slime, over the samples that succeeded.

    Returns raw and normalized rewards. The raw reward of a removed sample is the mean of its group (or of the batch, if
    the whole group was removed), which does not change the logged means; its normalized reward is 0.
    """
    groups: dict[Any, list[float]] = defaultdict(list)
    for sample in samples:
        if not sample.remove_sample:
            groups[sample.group_index].append(sample.get_reward_value(args))
    means = {group: fmean(rewards) for group, rewards in groups.items()}
    batch_mean = fmean([reward for rewards in groups.values() for reward in rewards]) if groups else 0.0
    raw = [
        means.get(sample.group_index, batch_mean) if sample.remove_sample else sample.get_reward_value(args)
        for sample in samples
    ]
    if not (args.rewards_normalization and args.advantage_estimator in NORMALIZED):
        return raw, raw
    by_std = args.advantage_estimator in SCALED and args.grpo_std_normalization
    scales = {
        group: (stdev(rewards) if len(rewards) > 1 else 0.0) + 1e-6 if by_std else 1.0
        for group, rewards in groups.items()
    }
    normalized = [
        0.0 if sample.remove_sample else (reward - means[sample.group_index]) / scales[sample.group_index]
        for sample, reward in zip(samples, raw)
    ]
    return raw, normalized


def log_rollout(rollout_id: int, args: Any, samples: list[Any], metrics: dict[str, Any] | None, *_: Any) -> bool:
    """slime's ``--custom-rollout-log-function-path``: adds metrics of the episodes to the metrics that slime logs."""
    _filtered.seen = 0
    keep_checkpoints.sweep(rollout_id, args)
    if metrics is None:
        return False
    abouts = [(sample.metadata or {}).get("taulab") or {} for sample in samples]
    counted = [about for sample, about in zip(samples, abouts) if not sample.remove_sample]
    for sample, about in zip(samples, abouts):
        if sample.remove_sample:
            key = f"taulab/failures/{(about.get('failure') or {}).get('kind', 'unknown')}"
        else:
            key = f"taulab/stop_reasons/{about.get('stop_reason', 'unknown')}"
        metrics[key] = metrics.get(key, 0) + 1
    if counted:
        metrics["taulab/turns"] = fmean(about.get("turns", 0) for about in counted)
        metrics["taulab/parse_errors"] = sum(about.get("parse_errors", 0) for about in counted)
    return False


def leave_out_of_eval(rollout_id: int, args: Any, data: dict[str, Any], *_: Any) -> bool:
    """slime's ``--custom-eval-rollout-log-function-path``: removes failures from the data that slime logs.

    All samples of a failed task are removed, because slime's pass rates need the same number of samples per task.
    """
    size = getattr(args, "n_samples_per_eval_prompt", 1)
    for name, result in list(data.items()):
        failed = {at // size for at, sample in enumerate(result["samples"]) if sample.remove_sample}
        if not failed:
            continue
        kept = [at for at in range(len(result["samples"])) if at // size not in failed]
        logger.warning("eval %s at rollout %s: %s tasks failed and are excluded", name, rollout_id, len(failed))
        if not kept:
            del data[name]
            continue
        for part in ("rewards", "truncated", "samples"):
            result[part] = [result[part][at] for at in kept]
    keep_checkpoints.note_score(rollout_id, args, data)
    return False
