"""Stands in for slime's train_async.py: samples the next rollout while the policy trains. See train.py."""

import ray
from train import RolloutManager, TrainActor, configure_logger, first_rollout, logger, parse_args


def main():
    configure_logger()
    args = parse_args()
    assert not args.colocate, "Colocation is not supported for async training."
    start = first_rollout(args)
    gpus = args.actor_num_nodes * args.actor_num_gpus_per_node
    logger.info(f"Creating placement group with {gpus + args.rollout_num_gpus} GPUs...")
    actor = TrainActor.options(num_gpus=gpus).remote(args)
    manager = RolloutManager.options(num_gpus=args.rollout_num_gpus).remote(args, start)
    sampled = manager.generate.remote(start)
    for rollout_id in range(start, args.num_rollout):
        raw, lengths = ray.get(sampled)
        if rollout_id + 1 < args.num_rollout:
            sampled = manager.generate.remote(rollout_id + 1)
        ray.get(actor.train.remote(rollout_id, raw, lengths))
        if (rollout_id + 1) % args.save_interval == 0 or rollout_id == args.num_rollout - 1:
            ray.get(actor.save_model.remote(rollout_id))
        ray.wait([sampled])  # the weights are updated between rollouts
        if args.eval_interval and (rollout_id + 1) % args.eval_interval == 0:
            ray.get(manager.eval.remote(rollout_id))


if __name__ == "__main__":
    main()
