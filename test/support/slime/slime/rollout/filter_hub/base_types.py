"""Defines the result of a dynamic filter."""

from dataclasses import dataclass


@dataclass
class DynamicFilterOutput:
    keep: bool
    reason: str | None = None
    keep_when_insufficient: bool = False


def call_dynamic_filter(function, *rest):
    return DynamicFilterOutput(keep=True) if function is None else function(*rest)
