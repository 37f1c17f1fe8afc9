"""The part of slime's Sample that generate.py uses, written from its documented fields and checks."""

from dataclasses import dataclass, field
from enum import Enum


@dataclass
class Sample:
    class Status(Enum):
        PENDING = "pending"
        COMPLETED = "completed"
        TRUNCATED = "truncated"
        ABORTED = "aborted"
        FAILED = "failed"

    @dataclass
    class PrefixCacheInfo:
        cached_tokens: int = 0
        total_prompt_tokens: int = 0

    group_index: int | None = None
    index: int | None = None
    prompt: object = ""
    tokens: list = field(default_factory=list)
    response: str = ""
    response_length: int = 0
    reward: float | None = None
    loss_mask: list | None = None
    weight_versions: list = field(default_factory=list)
    rollout_log_probs: list | None = None
    rollout_top_p_token_ids: object = None
    rollout_top_p_token_offsets: object = None
    rollout_routed_experts: object = None
    remove_sample: bool = False
    status: Status = Status.PENDING
    metadata: dict = field(default_factory=dict)
    session_id: str | None = None
    non_generation_time: float = 0.0
    spec_info: dict = field(default_factory=dict)
    prefix_cache_info: "Sample.PrefixCacheInfo" = field(default_factory=lambda: Sample.PrefixCacheInfo())

    def get_reward_value(self, args):
        return self.reward

    def append_response_tokens(self, args=None, *, tokens, log_probs=None, trainable=True, meta_info=None, text=None):
        if trainable and tokens and log_probs is None:
            raise ValueError("trainable response tokens require rollout log probabilities.")
        if not trainable and log_probs is not None:
            raise ValueError("non-trainable response tokens should not pass rollout log probabilities.")
        if log_probs is not None and len(log_probs) != len(tokens):
            raise ValueError("log_probs length != tokens length")
        self.response += text or ""
        self.tokens += tokens
        self.loss_mask = (self.loss_mask or []) + [int(trainable)] * len(tokens)
        self.rollout_log_probs = (self.rollout_log_probs or []) + (log_probs or [0.0] * len(tokens))
        self.response_length += len(tokens)
        if meta_info and "finish_reason" in meta_info:
            self.weight_versions.append(meta_info["weight_version"])
            self.prefix_cache_info.cached_tokens += meta_info["cached_tokens"]
            self.prefix_cache_info.total_prompt_tokens += meta_info["prompt_tokens"]
            ends = {"stop": "completed", "length": "truncated", "abort": "aborted"}
            self.status = self.Status(ends[meta_info["finish_reason"]["type"]])
