"""Tracks one step like slime's processes. Arguments: a job's command line. Prints the calls as JSON.

Uses slime's own modules if they come first on PYTHONPATH. W&B and TensorBoard are replaced by recorders that reject the
same calls as the real ones. slime's other imports are not needed here, and are replaced if they are missing.
"""

import argparse
import importlib.util
import json
import logging
import os
import sys
from types import ModuleType, SimpleNamespace
from unittest.mock import MagicMock

calls = []


class MadeUp:
    """Provides an empty module for an import of slime that is not installed."""

    ROOTS = ("sglang", "ray", "torch", "megatron", "transformers", "httpx", "omegaconf", "numpy", "yaml", "pydantic")

    def find_spec(self, name, path=None, target=None):
        root = name.split(".")[0]
        return importlib.util.spec_from_loader(name, self) if root in self.ROOTS else None

    def create_module(self, spec):
        module = MagicMock(name=spec.name)
        module.__path__ = []
        module.__spec__ = spec
        return module

    def exec_module(self, module):
        pass


def record(name):
    def call(*args, **kwargs):
        calls.append({"call": name, "args": list(args), **{key: plain(value) for key, value in kwargs.items()}})

    return call


def plain(value):
    return vars(value) if isinstance(value, SimpleNamespace) else value


def wandb_module():
    module = ModuleType("wandb")

    def init(group=None, project=None, name=None, settings=None, **kwargs):
        for value in (group, project, name):
            assert value is None or isinstance(value, str), value
        assert os.environ.get("WANDB_API_KEY") or settings.mode == "offline", "api_key not configured (no-tty)"
        kwargs.pop("config", None)
        record("init")(group=group, project=project, name=name, mode=settings.mode, **kwargs)
        module.run = SimpleNamespace(id=kwargs.get("id") or "run1")

    module.run = None
    module.init = init
    module.Settings = SimpleNamespace
    module.util = SimpleNamespace()  # as newer versions have it: without generate_id
    module.log, module.finish, module.login = record("log"), record("finish"), record("login")
    module.define_metric = lambda *args, **kwargs: None
    return module


class SummaryWriter:
    def __init__(self, directory):
        assert os.path.isabs(directory), directory
        calls.append({"call": "writer", "directory": directory})

    def add_scalar(self, key, value, step):
        calls.append({"call": "scalar", "key": key, "value": value, "step": step})


def main():
    logging.disable()
    # slime would create the directory, which is not wanted here.
    os.makedirs = record("makedirs")
    sys.meta_path.append(MadeUp())
    sys.modules["wandb"] = wandb_module()
    tensorboard = ModuleType("torch.utils.tensorboard")
    tensorboard.SummaryWriter = SummaryWriter
    sys.modules["torch.utils.tensorboard"] = tensorboard
    from slime.observability import logging_utils
    from slime.utils.arguments import get_slime_extra_args_provider

    parser = get_slime_extra_args_provider()(argparse.ArgumentParser(allow_abbrev=False))
    args, _ = parser.parse_known_args()
    args.rank = 0
    logging_utils.init_tracking(args)
    logging_utils.init_tracking(args, primary=False, role="actor")
    logging_utils.log(args, {"rollout/raw_reward": 0.5, "rollout/step": 3}, step_key="rollout/step")
    logging_utils.finish_tracking(args)
    json.dump({"calls": calls, "from": logging_utils.__file__}, sys.stdout)


main()
