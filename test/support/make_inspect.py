"""Writes a log with Inspect, of a task with a tool, two samples and two epochs. Argument: the directory."""

import json
import sys

from inspect_ai import Task, eval
from inspect_ai.dataset import Sample
from inspect_ai.model import ModelOutput, ModelUsage, get_model
from inspect_ai.scorer import includes
from inspect_ai.solver import generate, use_tools
from inspect_ai.tool import tool


@tool
def get_order():
    async def execute(order_id: str) -> str:
        """Looks an order up.

        Args:
            order_id: Its id.
        """
        return '{"status": "pending"}'

    return execute


def answer(messages, tools, tool_choice, config):
    if messages[-1].role == "tool":
        output = ModelOutput.from_content("mockllm/model", "Order #W1 is pending.")
    else:
        output = ModelOutput.for_tool_call("mockllm/model", "get_order", {"order_id": "#W1"})
    # Otherwise Inspect downloads a tokenizer to count tokens.
    output.usage = ModelUsage(input_tokens=5, output_tokens=2, total_tokens=7)
    return output


task = Task(
    name="desk",
    dataset=[
        Sample(id="first", input="Is order #W1 pending?", target="pending"),
        Sample(id="second", input="Was order #W1 sent?", target="delivered"),
    ],
    solver=[use_tools(get_order()), generate()],
    scorer=includes(),
    epochs=2,
)
[log] = eval(task, model=get_model("mockllm/model", custom_outputs=answer), log_dir=sys.argv[1], display="none")
print(json.dumps(log.error.message if log.error else log.status))
