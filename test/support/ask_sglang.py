"""Runs SGLang's tool-call parsers: cases as JSON on stdin, results as JSON on stdout.

Only the parsers' own modules are loaded. Their imports from the rest of SGLang, which needs PyTorch, are replaced.
"""

import importlib
import json
import logging
import sys
import types
from pathlib import Path

from pydantic import BaseModel

DETECTORS = {
    "deepseekv3": ("deepseekv3_detector", "DeepSeekV3Detector"),
    "glm45": ("glm4_moe_detector", "Glm4MoeDetector"),
    "gpt-oss": ("gpt_oss_detector", "GptOssDetector"),
    "hermes": ("hermes_detector", "HermesDetector"),
    "pythonic": ("pythonic_detector", "PythonicDetector"),
    "qwen25": ("qwen25_detector", "Qwen25Detector"),
    "qwen3_coder": ("qwen3_coder_detector", "Qwen3CoderDetector"),
}


class Function(BaseModel):
    name: str
    description: str | None = None
    parameters: dict | None = None


class Tool(BaseModel):
    type: str = "function"
    function: Function


class Unset:
    """Stands for any environment variable that a parser reads; none is set."""

    def __getattr__(self, name):
        return types.SimpleNamespace(get=lambda: False)


def stand_in():
    # Installed next to this Python's packages, which must not contain all of SGLang: see .ci/test-python.
    root = Path(sys.prefix) / "parsers" / "sglang"

    def module(name, **members):
        sys.modules[name] = types.ModuleType(name)
        sys.modules[name].__dict__.update(members)

    module("sglang", __path__=[str(root)])
    module("sglang.srt", __path__=[str(root / "srt")])
    module("sglang.srt.environ", envs=Unset())
    module("sglang.srt.entrypoints", __path__=[])
    module("sglang.srt.entrypoints.openai", __path__=[])
    module("sglang.srt.entrypoints.openai.protocol", Tool=Tool, ToolChoice=type("ToolChoice", (), {}))


def detector(parser):
    name, member = DETECTORS[parser]
    return getattr(importlib.import_module(f"sglang.srt.function_call.{name}"), member)()


def answer(parser, text, tools):
    one = detector(parser)
    marker = one.has_tool_call(text)
    try:
        result = one.detect_and_parse(text, tools)
    except Exception as error:
        return {"marker": marker, "normal": None, "calls": [], "error": type(error).__name__}
    calls = [[call.name, call.parameters] for call in result.calls]
    return {"marker": marker, "normal": result.normal_text, "calls": calls, "error": None}


def main():
    logging.disable(logging.CRITICAL)
    stand_in()
    asked = json.load(sys.stdin)
    tools = [Tool(**tool) for tool in asked["tools"]]
    answers = [answer(case["parser"], case["text"], tools) for case in asked["cases"]]
    sys.stdout.write(json.dumps(answers))


main()
