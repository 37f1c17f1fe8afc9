"""Runs slime's examples/tau-bench as slime does, with many episodes on one event loop. Requests are lines of JSON.

Modules that the example imports and this machine lacks are replaced by stand-ins that do as little work as possible:
litellm is a blocking call to the users' endpoint, as in the original; SGLang's parser of Qwen's tool calls is a regular
expression; slime's rollout state is a tokenizer. tau_bench, transformers, httpx and pydantic must be installed.
"""

import asyncio
import importlib.util
import json
import logging
import os
import re
import resource
import sys
import urllib.request
from types import ModuleType, SimpleNamespace

stand_ins = []


def stand_in(name, **members):
    """Registers a stand-in for a module, and for its parent packages if they are missing."""
    parts = name.split(".")
    for at in range(1, len(parts)):
        package = ".".join(parts[:at])
        if package not in sys.modules and not is_there(package):
            sys.modules[package] = ModuleType(package)
            sys.modules[package].__path__ = []
    sys.modules[name] = ModuleType(name)
    vars(sys.modules[name]).update(members)
    stand_ins.append(name)


def is_there(name):
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return False


def litellm_completion(endpoint):
    def completion(model=None, messages=None, custom_llm_provider=None, **_):
        body = json.dumps({"model": model, "messages": messages}).encode()
        request = urllib.request.Request(f"{endpoint}/v1/chat/completions", body, {"content-type": "application/json"})
        with urllib.request.urlopen(request) as response:
            answer = json.load(response)
        said = answer["choices"][0]["message"]
        message = SimpleNamespace(role=said["role"], content=said["content"], tool_calls=None, model_dump=lambda: said)
        return SimpleNamespace(choices=[SimpleNamespace(message=message)], _hidden_params={"response_cost": 0.0})

    return completion


CALL = re.compile(r"<tool_call>\n(.*?)\n</tool_call>", re.DOTALL)


class FunctionCallParser:
    """Parses Qwen's tool calls: text before the first call, then one JSON object per call."""

    def __init__(self, tools, tool_call_parser):
        self.names = {tool.function.name for tool in tools}

    def parse_non_stream(self, text):
        calls = []
        for block in CALL.findall(text):
            given = json.loads(block)
            if given["name"] in self.names:
                parameters = json.dumps(given.get("arguments", {}), ensure_ascii=False)
                call = {"tool_index": -1, "name": given["name"], "parameters": parameters}
                calls.append(SimpleNamespace(**call, model_dump=lambda call=call: call))
        return (text.split("<tool_call>\n")[0].strip() if calls else text), calls


def stand_in_all(order):
    stand_in("litellm", completion=litellm_completion(order["engine"]))
    if not is_there("sglang"):
        stand_in("sglang.srt.function_call.function_call_parser", FunctionCallParser=FunctionCallParser)
        stand_in("sglang.srt.managers.io_struct", Function=SimpleNamespace, Tool=SimpleNamespace)
    if not is_there("torch"):
        stand_in("torch", Tensor=object)
    if not is_there("ray"):
        stand_in("ray")
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(order["tokenizer"])
    tokenizer.chat_template = order["template"]
    state = SimpleNamespace(tokenizer=tokenizer)
    stand_in("slime.rollout.sglang_rollout", GenerateState=lambda args: state)


class Example:
    def __init__(self, order):
        directory = os.path.abspath(order["directory"])
        sys.path[:0] = [directory, os.path.dirname(os.path.dirname(directory))]
        stand_in_all(order)
        logging.disable()
        import httpx
        from slime.utils import http_utils
        from slime.utils.types import Sample

        import generate_with_tau

        http_utils._http_client = httpx.AsyncClient(
            limits=httpx.Limits(max_connections=1024), timeout=httpx.Timeout(None), trust_env=False
        )
        host, port = order["engine"].removeprefix("http://").split(":")
        self.args = SimpleNamespace(partial_rollout=False, sglang_router_ip=host, sglang_router_port=port)
        self.generate, self.sample = generate_with_tau.generate, Sample

    async def play(self, order):
        async def place(keys):
            for key in keys:
                sample = self.sample(index=int(key), prompt=int(key) % order["tasks"])
                params = {"temperature": 1.0, "max_new_tokens": 256, "bench_key": key}
                done = await self.generate(self.args, sample, params)
                assert done.tokens and done.loss_mask, "an episode of the example failed"

        await asyncio.gather(*(place(keys) for keys in order["chains"]))
        return {}


def usage():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return {"cpuMs": 1000 * (used.ru_utime + used.ru_stime)}


async def main():
    example = None
    for line in sys.stdin:
        order = json.loads(line)
        if order["type"] == "open":
            example = Example(order)
            answer = {"standIns": sorted(set(stand_ins))}
        elif order["type"] == "play":
            answer = await example.play(order)
        else:
            answer = usage()
        print(json.dumps(answer), flush=True)


asyncio.run(main())
