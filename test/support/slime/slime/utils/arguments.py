"""Stands in for slime's module: only its flags for trackers, with their types and defaults."""


def get_slime_extra_args_provider():
    def add_flags(parser):
        for name in ("use-wandb", "use-tensorboard", "wandb-always-use-train-step"):
            parser.add_argument(f"--{name}", action="store_true")
        for name in "dir key host team group project run-id".split():
            parser.add_argument(f"--wandb-{name}")
        parser.add_argument("--wandb-mode", choices=["online", "offline", "disabled"])
        parser.add_argument("--disable-wandb-random-suffix", action="store_false", dest="wandb_random_suffix")
        parser.add_argument("--tb-project-name")
        parser.add_argument("--tb-experiment-name")
        return parser

    return add_flags
