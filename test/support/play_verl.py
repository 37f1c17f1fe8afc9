"""Runs rollouts of verl's AgentLoopWorker with the agent loop that `serve --write-verl` writes: JSON in, JSON out.

The engine is scripted: it answers a session with the texts for the user's first message in it.
"""

import asyncio
import json
import sys

import numpy as np
from omegaconf import OmegaConf
from transformers import AutoTokenizer
from verl.experimental.agent_loop import agent_loop as verl_loop
from verl.protocol import DataProto
from verl.utils.dataset.rl_dataset import RLHFDataset
from verl.workers.rollout.replica import TokenOutput

asked = json.load(sys.stdin)
sys.path.insert(0, asked["package"])
taulab_verl = __import__("taulab_verl")

tokenizer = AutoTokenizer.from_pretrained(asked["tokenizer"])
END = tokenizer.convert_tokens_to_ids("<|im_end|>")


class Engine:
    """Stands in for LLMServerClient."""

    def __init__(self):
        self.answered = {}

    async def generate(self, request_id, *, prompt_ids, sampling_params, **_):
        prompt = tokenizer.decode(prompt_ids)
        texts = next(one["texts"] for one in asked["scripts"] if one["opening"] in prompt)
        at = self.answered.get(request_id, 0)
        self.answered[request_id] = at + 1
        ids = [*tokenizer.encode(texts[at], add_special_tokens=False), END]
        return TokenOutput(
            token_ids=ids,
            log_probs=[-0.25] * len(ids),
            extra_fields={"min_global_steps": at, "max_global_steps": at},
        )


class Worker(verl_loop.AgentLoopWorker):
    """Is verl's worker, but without a model directory, which only an engine needs."""

    def __init__(self, config):
        self.config = config
        self.rollout_config = config.actor_rollout_ref.rollout
        self.llm_client = Engine()
        self.reward_loop_worker_handles = None
        self.dataset_cls = RLHFDataset
        self.tokenizer, self.processor = tokenizer, None
        self.hf_model_type = "qwen3"
        self.mm_processor_kwargs = {}
        self.distillation_enabled = False
        self.tools = []
        path = config.actor_rollout_ref.rollout.agent.agent_loop_config_path
        for one in OmegaConf.load(path):
            verl_loop._agent_loop_registry[one.name] = one


async def main():
    config = OmegaConf.create(
        {
            "actor_rollout_ref": {
                "rollout": {
                    "prompt_length": asked["prompt_length"],
                    "response_length": asked["response_length"],
                    "temperature": 1.0,
                    "top_p": 1.0,
                    "top_k": -1,
                    "calculate_log_probs": True,
                    "multi_turn": {"format": "hermes"},
                    "agent": {"agent_loop_config_path": f"{asked['package']}/agent_loop.yaml"},
                }
            },
            "data": {"apply_chat_template_kwargs": {}},
        }
    )
    rows = list(taulab_verl.rows("train", seed=asked["seed"]))
    columns = ["agent_name", "extra_info", "data_source"]
    batch = {key: np.array([row[key] for row in rows], dtype=object) for key in columns}
    batch["raw_prompt"] = np.empty(len(rows), dtype=object)
    batch["raw_prompt"][:] = [row["prompt"] for row in rows]
    batch["index"] = np.array([row["extra_info"]["index"] for row in rows])
    try:
        output = await Worker(config).generate_sequences(DataProto.from_dict(non_tensors=batch))
    except Exception as error:  # what the test looks into
        return {"error": f"{type(error).__name__}: {error}"}
    return {"rollouts": [rollout(output, i) for i in range(len(rows))], "rows": rows}


def rollout(output, i):
    """Returns a rollout's response as pieces of equal mask, each with its text."""
    prompt_length = output.batch["prompts"].shape[1]
    length = int(output.batch["attention_mask"][i, prompt_length:].sum())
    ids, mask = (output.batch[key][i, :length].tolist() for key in ("responses", "response_mask"))
    logprobs = output.batch["rollout_log_probs"][i, :length].tolist()
    pieces, start = [], 0
    for at in range(1, length + 1):
        if at == length or mask[at] != mask[start]:
            text = tokenizer.decode(ids[start:at])
            pieces.append({"mask": mask[start], "text": text, "logprobs": sorted(set(logprobs[start:at]))})
            start = at
    return {
        "prompt": tokenizer.decode(output.batch["prompts"][i].tolist(), skip_special_tokens=False),
        "pieces": pieces,
        "scores": output.batch["rm_scores"][i].nonzero().flatten().tolist(),
        "score": float(output.batch["rm_scores"][i].sum()),
        "last": length - 1,
        "stop_reason": output.non_tensor_batch["taulab_stop_reason"][i],
        "steps": [output.non_tensor_batch[f"{end}_global_steps"][i] for end in ("min", "max")],
        "turns": int(output.non_tensor_batch["__num_turns__"][i]),
    }


# verl's classes print to stdout as they load and run, which must contain only JSON.
stdout, sys.stdout = sys.stdout, sys.stderr
result = asyncio.run(main())
json.dump(result, stdout)
