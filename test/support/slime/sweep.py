"""Simulates the saves, rollouts and evaluations of a job: events as JSON on stdin, the files after each on stdout."""

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import generate
import keep_checkpoints


def save(args, number):
    for path in (Path(args.save) / f"iter_{number:07d}", Path(args.save_hf.format(rollout_id=number))):
        path.mkdir(parents=True, exist_ok=True)
        (path / "weights").write_text("w")
    state = Path(args.save) / "rollout" / f"global_dataset_state_dict_{number}.pt"
    state.parent.mkdir(exist_ok=True)
    state.write_text("s")
    (Path(args.save) / "latest_checkpointed_iteration.txt").write_text(str(number))


def evaluate(args, number, reward):
    sample = SimpleNamespace(remove_sample=False)
    data = {"retail-dev": {"rewards": [reward, reward], "truncated": [False] * 2, "samples": [sample] * 2}}
    generate.leave_out_of_eval(number, args, data, None)


case = json.load(sys.stdin)
args = SimpleNamespace(**case["args"])
for kind, number, *rest in case["events"]:
    if kind == "save":
        save(args, number)
    elif kind == "eval":
        evaluate(args, number, *rest)
    else:
        generate.log_rollout(number, args, [], None)
        if keep_checkpoints._removal is not None:
            keep_checkpoints._removal.join()
