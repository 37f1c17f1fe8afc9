"""slime's ``--rollout-function-path`` for ``algorithm.async: full``: episodes continue while the policy trains.

Groups run on slime's event loop across rollouts and weight updates, and each rollout takes the groups that are ready.
In addition to slime's own fully asynchronous rollout, this one

- applies ``--dynamic-sampling-filter-path``;
- bounds the age of groups (``taulab_max_staleness``, in rollouts): it starts only as many groups as can be trained on
  in time, and plays groups that are older than that again;
- plays samples again that an engine aborted for a weight update;
- ends the job with the error that a group raised, such as a configuration error or an outage.

Evaluations are slime's own; they run between rollouts on the same engines.

See slime ``slime/rollout/fully_async_rollout.py`` and ``train_async.py`` at 624b824.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, deque
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any

import generate as hooks

logger = logging.getLogger("taulab")

MAX_REPLAYS = 3


@dataclass
class Group:
    """The samples of one task, which are played together."""

    samples: list[Any]
    begun: int  # the rollout in which it started
    replays: int = 0


@dataclass
class Pool:
    """The running and finished groups of a process. All methods run on slime's event loop."""

    args: Any
    source: Any
    rollout: int = 0
    wanted: int = 0
    failure: BaseException | None = None
    running: dict[asyncio.Task, Group] = field(default_factory=dict)
    ready: deque[Group] = field(default_factory=deque)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def want(self, missing: int) -> None:
        """Starts ``missing`` groups for this rollout, and as many for later rollouts as can be trained on in time."""
        ahead = min(self.args.taulab_max_staleness, self.args.num_rollout - 1 - self.rollout)
        self.wanted = missing + max(0, ahead) * self.args.rollout_batch_size
        while len(self.running) + len(self.ready) < self.wanted and self.failure is None:
            groups = self.source.get_samples(1)
            if not groups:
                raise RuntimeError("slime's data source has no groups left")
            for samples in groups:
                self.play(Group(samples, self.rollout))

    def play(self, group: Group) -> None:
        from slime.rollout.sglang_rollout import GenerateState, generate_and_rm_group

        params = GenerateState(self.args).sampling_params.copy()
        played = generate_and_rm_group(self.args, group.samples, sampling_params=params, evaluation=False)
        task = asyncio.ensure_future(played)
        self.running[task] = group
        task.add_done_callback(self._end)

    def replay(self, group: Group, samples: list[Any]) -> None:
        """Plays the given samples of a group again. slime leaves the group's other samples unchanged."""
        for sample in samples:
            hooks.reset(sample)
            sample.session_id = None
        self.play(group)

    def _end(self, task: asyncio.Task) -> None:
        group = self.running.pop(task)
        if task.cancelled():
            return
        try:
            group.samples = task.result()
            aborted = [sample for sample in group.samples if sample.status is type(sample).Status.ABORTED]
            if aborted and group.replays < MAX_REPLAYS and self.failure is None:
                group.replays += 1
                self.replay(group, aborted)
            else:
                self.ready.append(group)
        except BaseException as error:  # noqa: BLE001: _take raises it
            self.failure = self.failure or error
        self.changed.set()

    def close(self) -> None:
        for task in self.running:
            task.cancel()


_pool: Pool | None = None


async def _collect(args: Any, rollout_id: int, source: Any) -> Any:
    global _pool
    if _pool is None:
        _pool = Pool(args, source)
    pool = _pool
    pool.rollout = rollout_id
    try:
        output = await _take(pool, rollout_id)
    except BaseException:
        pool.close()
        _pool = None
        raise
    if rollout_id == args.num_rollout - 1:
        pool.close()
    return output


async def _take(pool: Pool, rollout_id: int) -> Any:
    from slime.rollout.base_types import RolloutFnTrainOutput
    from slime.rollout.filter_hub.base_types import call_dynamic_filter
    from slime.utils.misc import load_function

    args = pool.args
    path = args.dynamic_sampling_filter_path
    keep_group = load_function(path) if path else None
    kept: list[Group] = []
    drops: Counter[str] = Counter()
    stale = 0
    while True:
        while pool.ready and len(kept) < args.rollout_batch_size:
            group = pool.ready.popleft()
            if rollout_id - group.begun > args.taulab_max_staleness:
                stale += 1
                pool.replay(Group(group.samples, rollout_id), group.samples)
                continue
            verdict = call_dynamic_filter(keep_group, args, group.samples)
            is_needed = args.rollout_batch_size - len(kept) > len(pool.ready)
            if verdict.keep or (verdict.keep_when_insufficient and is_needed):
                kept.append(group)
            else:
                drops[verdict.reason or "no_reason"] += 1
        pool.changed.clear()
        if pool.failure is not None:
            raise pool.failure
        pool.want(args.rollout_batch_size - len(kept))
        if len(kept) == args.rollout_batch_size:
            break
        await pool.changed.wait()
    kept.sort(key=lambda group: group.samples[0].index)
    samples = [group.samples for group in kept]
    if getattr(args, "rollout_sample_filter_path", None):
        load_function(args.rollout_sample_filter_path)(args, samples)
    metrics = {f"rollout/dynamic_filter/drop_{reason}": count for reason, count in drops.items()}
    metrics["taulab/staleness"] = fmean(rollout_id - group.begun for group in kept)
    metrics["taulab/stale_groups"] = stale
    logger.info("rollout %s: %s groups, %s in progress, %s ready", rollout_id, len(kept), len(pool.running), len(pool.ready))
    return RolloutFnTrainOutput(samples=samples, metrics=metrics)


def generate_rollout(args: Any, rollout_id: int, data_source: Any, evaluation: bool = False) -> Any:
    """slime's ``--rollout-function-path`` and, as its default, ``--eval-function-path``.

    Raises: the error that a group raised since the last rollout, such as generate.SetUpError.
    """
    from slime.rollout import sglang_rollout
    from slime.utils.async_utils import run

    if evaluation:
        return sglang_rollout.generate_rollout(args, rollout_id, data_source, evaluation=True)
    return run(_collect(args, rollout_id, data_source))
