"""Loads functions by their path."""

from slime.rollout.sglang_rollout import load_function

__all__ = ["load_function"]
