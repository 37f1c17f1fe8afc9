"""Three parsers in sequence, like slime's parse_args(); written from its documented order."""

import argparse


def parse_args():
    first = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    first.add_argument("--train-backend", choices=["megatron"], default="megatron")
    first.parse_known_args()
    print("a line that is no answer")
    engines = argparse.ArgumentParser()
    engines.add_argument("--sglang-mem-fraction-static", type=float)
    engines.add_argument("--router-policy", choices=["random", "manual"])
    engines.parse_known_args()
    training = argparse.ArgumentParser(allow_abbrev=False)
    training.add_argument("--num-layers", type=int)
    training.add_argument("--rollout-batch-size", type=int, required=True)
    training.add_argument("--balance-data", action="store_true")
    training.add_argument("--eval-prompt-data", nargs="+")
    training.add_argument("-v", "--micro-batch-size", "--old-name", type=int, choices=[1, 2])
    args, _ = training.parse_known_args()
    raise ValueError(f"--rollout-batch-size is {args.rollout_batch_size}")
