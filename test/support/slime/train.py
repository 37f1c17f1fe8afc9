"""Stands in for slime's train.py: accepts its flags, runs its loop on Ray with generate.py, logs and saves like it.

Nothing is trained. Written from slime's documented flags, log lines and checkpoint layout. Environment variables
control it: FAKE_FAIL_AT is the rollout that runs out of memory, FAKE_PAUSE_S the duration of a step, FAKE_HOLD is a
file with the number of a rollout: while the file exists, that rollout and later ones wait before they are trained on.
FAKE_ARGS has further attributes of the arguments, as JSON.
"""

import argparse
import asyncio
import json
import logging
import os
import time
from collections import Counter
from pathlib import Path

import ray
import yaml

logger = logging.getLogger("train")


def configure_logger():
    form = "[%(asctime)s] %(filename)s:%(lineno)d - %(message)s"
    logging.basicConfig(level=logging.INFO, format=form, datefmt="%Y-%m-%d %H:%M:%S", force=True)
    logging.getLogger("httpx").setLevel(logging.WARNING)


def parse_args():
    parser = argparse.ArgumentParser(allow_abbrev=False)
    numbers = (
        "actor-num-nodes actor-num-gpus-per-node num-rollout rollout-batch-size n-samples-per-prompt global-batch-size "
        "over-sampling-batch-size save-interval eval-interval n-samples-per-eval-prompt rollout-max-response-len "
        "rollout-max-context-len rollout-seed sglang-server-concurrency sglang-router-port rollout-num-gpus"
    )
    for name in numbers.split():
        parser.add_argument(f"--{name}", type=int)
    words = (
        "save load prompt-data input-key custom-config-path custom-generate-function-path advantage-estimator "
        "dynamic-sampling-filter-path custom-reward-post-process-path custom-eval-rollout-log-function-path "
        "custom-rollout-log-function-path rollout-function-path"
    )
    for name in words.split():
        parser.add_argument(f"--{name}")
    parser.add_argument("--eval-prompt-data", nargs="+", default=[])
    parser.add_argument("--colocate", action="store_true")
    args, _ = parser.parse_known_args()  # as slime does, which takes no notice of what it does not know
    assert args.input_key == "prompt"
    args.rewards_normalization, args.grpo_std_normalization = True, False
    args.sglang_router_ip = "127.0.0.1"
    args.workers = [f"http://127.0.0.1:{args.sglang_router_port}"]
    args.over_sampling_batch_size = args.over_sampling_batch_size or args.rollout_batch_size
    more = json.loads(os.environ.get("FAKE_ARGS", "{}"))
    for key, value in (yaml.safe_load(Path(args.custom_config_path).read_text()) | more).items():
        setattr(args, key, value)
    return args


@ray.remote(num_cpus=0)
class RolloutManager:
    def __init__(self, args, start):
        from slime.rollout import sglang_rollout

        configure_logger()
        self.args, self.slime = args, sglang_rollout
        self.loop = asyncio.new_event_loop()
        self.source = sglang_rollout.DataSource(args)
        self.source.samples = start * 10_000

    def play(self, rollout_id):
        """Returns the groups of a rollout, and metrics about their selection."""
        if self.args.rollout_function_path:
            play = self.slime.load_function(self.args.rollout_function_path)
            output = play(self.args, rollout_id, self.source, evaluation=False)
            return output.samples, output.metrics
        pair = self.slime.generate_rollout(self.args, self.source)
        kept, dropped, _, _ = self.loop.run_until_complete(pair)
        path = self.args.dynamic_sampling_filter_path
        reasons = Counter(self.slime.load_function(path)(self.args, group).reason for group in dropped if path)
        return kept, {f"rollout/dynamic_filter/drop_{why}": count for why, count in reasons.items() if why}

    def generate(self, rollout_id):
        from_s = time.time()
        groups, log = self.play(rollout_id)
        samples = [sample for group in groups for sample in group]
        raw, _ = self.slime.load_function(self.args.custom_reward_post_process_path)(self.args, samples)
        logged = self.slime.load_function(self.args.custom_rollout_log_function_path)
        assert not logged(rollout_id, self.args, samples, log, time.time() - from_s)
        log["rollout/response_len/mean"] = sum(sum(one.loss_mask) for one in samples) / len(samples)
        log["rollout/truncated_ratio"] = 0.0
        log["perf/rollout_time"] = time.time() - from_s
        logger.info(f"First rollout sample: {['perf 0: nothing of this is a metric']}, reward: {raw[0]}")
        logger.info(f"perf {rollout_id}: {log}")
        return raw, [len(sample.tokens) for sample in samples]

    def eval(self, rollout_id):
        names = self.args.eval_prompt_data[::2]
        log = {}
        for name, path in zip(names, self.args.eval_prompt_data[1::2]):
            data = self.loop.run_until_complete(self.slime.eval_rollout(self.args, name, path))
            for key, result in data.items():
                log[f"eval/{key}"] = sum(result["rewards"]) / len(result["rewards"])
                log[f"eval/{key}-truncated_ratio"] = 0.0
        logger.info(f"eval {rollout_id}: {log}")


@ray.remote(num_cpus=0)
class TrainActor:
    def __init__(self, args):
        configure_logger()
        self.args = args

    def train(self, rollout_id, raw, lengths):
        if rollout_id == int(os.environ.get("FAKE_FAIL_AT", -1)):
            raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has 79 GiB in all")
        from_s = time.time()
        mean = {"rollout/raw_reward": sum(raw) / len(raw), "rollout/total_lengths": sum(lengths) / len(lengths)}
        logger.info(f"rollout {rollout_id}: {mean}")
        time.sleep(float(os.environ.get("FAKE_PAUSE_S", 0)))
        while is_held(rollout_id):
            time.sleep(0.2)
        steps = len(raw) // self.args.global_batch_size
        for at in range(steps):
            step = rollout_id * steps + at
            losses = {"loss": 0.5 / (step + 1), "pg_clipfrac": 0.0, "ppo_kl": 0.0, "entropy_loss": 0.7}
            log = {f"train/{key}": value for key, value in losses.items()}
            logger.info(f"step {step}: {log | {'train/grad_norm': 1.5, 'train/lr-pg_0': 1e-06, 'train/step': step}}")
        train_s = time.time() - from_s
        logger.info(f"perf {rollout_id}: {dict([('perf/train_time', train_s), ('perf/step_time', train_s + 0.1)])}")

    def save_model(self, rollout_id):
        root = Path(self.args.save)
        (root / f"iter_{rollout_id:07d}").mkdir(parents=True)
        partial = root / "latest.partial"
        partial.write_text(str(rollout_id))
        partial.rename(root / "latest_checkpointed_iteration.txt")


def is_held(rollout_id):
    try:
        return rollout_id >= int(Path(os.environ["FAKE_HOLD"]).read_text())
    except (KeyError, FileNotFoundError):
        return False


def first_rollout(args):
    latest = Path(args.load or args.save) / "latest_checkpointed_iteration.txt"
    return int(latest.read_text()) + 1 if latest.exists() else 0


def main():
    configure_logger()
    args = parse_args()
    start = first_rollout(args)
    gpus = args.actor_num_nodes * args.actor_num_gpus_per_node
    logger.info(f"Creating placement group with {gpus} GPUs...")
    actor = TrainActor.options(num_gpus=gpus).remote(args)
    manager = RolloutManager.remote(args, start)
    for rollout_id in range(start, args.num_rollout):
        if args.eval_interval and rollout_id == 0:
            ray.get(manager.eval.remote(rollout_id))
        raw, lengths = ray.get(manager.generate.remote(rollout_id))
        ray.get(actor.train.remote(rollout_id, raw, lengths))
        if (rollout_id + 1) % args.save_interval == 0 or rollout_id == args.num_rollout - 1:
            ray.get(actor.save_model.remote(rollout_id))
        if args.eval_interval and (rollout_id + 1) % args.eval_interval == 0:
            ray.get(manager.eval.remote(rollout_id))


if __name__ == "__main__":
    main()
