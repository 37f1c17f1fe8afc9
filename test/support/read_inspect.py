"""Lists, opens and rescores the only log of a directory with Inspect, and writes it again.

Arguments: the directory, and the path to write to.
"""

import asyncio
import json
import sys

from inspect_ai.log import list_eval_logs, read_eval_log, read_eval_log_sample_summaries, write_eval_log
from inspect_ai.model import ChatMessageAssistant
from inspect_ai.scorer import Score, accuracy, scorer
from inspect_ai import score


@scorer(metrics=[accuracy()])
def calls():
    """Scores 1 if the agent called at least one tool."""

    async def calls_of(state, target):
        made = [call for message in state.messages if isinstance(message, ChatMessageAssistant) for call in message.tool_calls or []]
        return Score(value=1 if made else 0, explanation=f"{len(made)} calls")

    return calls_of


directory, copy = sys.argv[1:]
[listed] = list_eval_logs(directory)
log = read_eval_log(listed)
scored = score(log, calls(), model="mockllm/model", action="append", display="none")
write_eval_log(scored, copy)
samples = [
    {
        "id": sample.id,
        "epoch": sample.epoch,
        "reward": sample.scores["reward"].as_float() if sample.scores else None,
        "explanation": sample.scores["reward"].explanation if sample.scores else None,
        "messages": len(sample.messages),
        "calls": sum(len(getattr(message, "tool_calls", None) or []) for message in sample.messages),
        "metadata": {key: value for key, value in sample.metadata.items() if key != "taulab"},
        "tokens": {role: usage.total_tokens for role, usage in sample.role_usage.items()},
        "error": sample.error.message if sample.error else None,
        "rescored": sample.scores["calls"].value if sample.scores else None,
    }
    for sample in scored.samples
]
print(json.dumps({
    "task": listed.task,
    "status": log.status,
    "model": log.eval.model,
    "epochs": log.eval.config.epochs,
    "scores": {one.name: {name: metric.value for name, metric in one.metrics.items()} for one in scored.results.scores},
    "summaries": len(read_eval_log_sample_summaries(listed)),
    "samples": samples,
}))
