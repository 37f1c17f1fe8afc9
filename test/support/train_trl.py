"""Makes one step of TRL's GRPO in environments of a server, with OpenEnv's client: JSON on stdin and stdout.

The model is hand-made: whatever the prompt, its answer is one tool call, token by token.
"""

import contextlib
import json
import sys

import torch
import transformers
import trl
from datasets import Dataset
from openenv.core import GenericEnvClient
from trl.chat_template_utils import qwen3_chat_template

CALL = '<tool_call>{"name":"say","arguments":{"content": "hi"}}</tool_call><|im_end|>'

asked = json.load(sys.stdin)


class TaulabEnv:
    def __init__(self):
        self._client = GenericEnvClient(base_url=asked["url"]).sync()
        self._client.connect()

    def reset(self, task, **row):
        self._result = self._client.reset(task=task, seed=1)
        return self._result.observation["content"]

    def _step(self, action):
        self._result = self._client.step(action)
        return self._result.observation["content"]

    def say(self, content: str) -> str:
        """Says something to the user.

        Args:
            content: What is said.

        Returns:
            The user's answer.
        """
        return self._step({"type": "respond", "content": content})

    def call(self, tool_name: str, arguments: str) -> str:
        """Calls a tool of the store.

        Args:
            tool_name: The tool.
            arguments: Its arguments, a JSON object.

        Returns:
            The tool's answer.
        """
        call = {"type": "call_tool", "tool_name": tool_name, "arguments": arguments}
        return self._step(call)

    def get_reward(self):
        return float(self._result.reward or 0)


def tokenizer_of(directory):
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_file=f"{directory}/tokenizer.json",
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        padding_side="left",
    )
    tokenizer.chat_template = qwen3_chat_template
    return tokenizer


def model_that_says(ids, starts, vocabulary):
    """Creates a model whose next token depends only on the last one: along `ids`, from any of `starts`."""
    config = transformers.Qwen3Config(
        vocab_size=vocabulary,
        hidden_size=64,
        intermediate_size=64,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=2,
        head_dim=32,
        tie_word_embeddings=False,
    )
    model = transformers.Qwen3ForCausalLM(config)
    assert len(set(ids)) == len(ids) <= 64, ids
    with torch.no_grad():
        layer = model.model.layers[0]
        for weight in [
            layer.self_attn.o_proj.weight,
            layer.mlp.down_proj.weight,
            model.model.embed_tokens.weight,
            model.lm_head.weight,
        ]:
            weight.zero_()
        for at, following in enumerate(ids):
            for last in starts if at == 0 else [ids[at - 1]]:
                model.model.embed_tokens.weight[last, at] = 1
            model.lm_head.weight[following, at] = 10
    return model


tokenizer = tokenizer_of(asked["tokenizer"])
ids = tokenizer.encode(CALL, add_special_tokens=False)
starts = [tokenizer.encode(text, add_special_tokens=False)[0] for text in ["\n", "\n\n"]]
rows = [{"prompt": [{"role": "user", "content": "Serve: "}], "task": t} for t in range(2)]
with contextlib.redirect_stdout(sys.stderr):
    trainer = trl.GRPOTrainer(
        model=model_that_says(ids, starts, len(tokenizer)),
        args=trl.GRPOConfig(
            output_dir=asked["output"],
            max_steps=1,
            per_device_train_batch_size=2,
            num_generations=2,
            max_completion_length=256,
            max_tool_calling_iterations=2,
            use_cpu=True,
            bf16=False,
            report_to="none",
            logging_steps=1,
            save_strategy="no",
        ),
        train_dataset=Dataset.from_list(rows),
        processing_class=tokenizer,
        environment_factory=TaulabEnv,
    )
    trainer.train()
json.dump(
    {"steps": trainer.state.global_step, "log": trainer.state.log_history[0]},
    sys.stdout,
)
