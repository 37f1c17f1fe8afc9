"""Stands in for slime's module: makes the same calls to W&B and TensorBoard, with the same requirements."""

import os

import wandb
from torch.utils.tensorboard import SummaryWriter

writers = []


def init_tracking(args, primary=True, role=None):
    if not args.use_wandb:
        args.wandb_run_id = None
        return
    mode = args.wandb_mode or os.environ.get("WANDB_MODE")
    shared = {} if mode == "offline" else {"x_primary": primary}
    options = {
        "entity": args.wandb_team,
        "project": args.wandb_project,
        "settings": wandb.Settings(mode="offline" if mode == "offline" else "shared", **shared),
    }
    if primary:
        group = name = args.wandb_group
        if args.wandb_random_suffix:
            group = group + "_" + wandb.util.generate_id()  # a missing group ends the job here
            name = f"{group}-RANK_{args.rank}"
        wandb.init(group=group, name=name, **options)
        args.wandb_run_id = wandb.run.id
    else:
        wandb.init(id=args.wandb_run_id, resume="allow", **options)


def log(args, metrics, step_key):
    if args.use_wandb:
        wandb.log(metrics)
    if not args.use_tensorboard:
        return
    if not writers:
        directory = os.environ.get("TENSORBOARD_DIR")
        if args.tb_project_name is None and not directory:
            raise ValueError("tb_project_name and tb_experiment_name, or TENSORBOARD_DIR are required")
        writers.append(SummaryWriter(directory or f"tensorboard_log/{args.tb_project_name}"))
    for key, value in metrics.items():
        if key != step_key:
            writers[0].add_scalar(key, value, metrics[step_key])


def finish_tracking(args):
    if args.use_wandb:
        wandb.finish()
