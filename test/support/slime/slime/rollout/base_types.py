"""The result of a rollout function."""

from dataclasses import dataclass


@dataclass
class RolloutFnTrainOutput:
    samples: list
    metrics: dict | None = None
