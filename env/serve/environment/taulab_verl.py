"""taulab's environments as an agent loop of verl: a client of `deno task serve --env`.

Each rollout is a session of that server, which plays the user, runs the tools and computes the reward. Token ids are
those of verl's engine and of its own rendering of what is appended, so nothing is encoded twice.

    python taulab_verl.py train > train.jsonl    # the rows of a split, for data.train_files
"""

import contextlib
import json
import os
import sys
from uuid import uuid4

import httpx
from pydantic import ValidationError
from verl.experimental.agent_loop.agent_loop import AgentLoopBase, AgentLoopMetrics, AgentLoopOutput
from verl.experimental.agent_loop.tool_parser import ToolParser
from verl.tools.schemas import OpenAIFunctionToolSchema
from verl.utils.profiler import simple_timer

__all__ = ["TaulabAgentLoop", "rows"]

URL = "@URL@"
MAX_PARSE_ERRORS = 3
ATTEMPTS = 3


class TaulabAgentLoop(AgentLoopBase):
    """Plays one episode of a task. `extra_info` of the row has the task's split and number, and the seed.

    `url` is the URL of `deno task serve --env`. The server's token, if it has one, is read from TAULAB_TOKEN.
    """

    def __init__(self, *args, url: str = URL, tools=None, **kwargs):
        super().__init__(*args, **kwargs)
        self.url = url.rstrip("/")
        self.parser = ToolParser.get_tool_parser(self.rollout_config.multi_turn.format, self.tokenizer)

    async def run(self, sampling_params, **kwargs) -> AgentLoopOutput:
        """Plays the episode again if the server or its user fails.

        Raises the error if it persists, since verl cannot drop a rollout, and a failed one has no reward.
        """
        reset = {key: kwargs["extra_info"][key] for key in ("split", "task", "seed")}
        stop = [*(sampling_params.get("stop_token_ids") or []), *self.parser.stop_token_ids]
        if stop:
            sampling_params = {**sampling_params, "stop_token_ids": list(set(stop))}
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return await self._play(sampling_params, reset)
            except (ServerError, httpx.TransportError):
                if attempt == ATTEMPTS:
                    raise

    async def _play(self, sampling_params, reset):
        async with httpx.AsyncClient(base_url=self.url, headers=headers(), timeout=None) as server:
            opening = (await post(server, "/reset", reset))["observation"]
            episode = Episode(server, opening)
            try:
                return await self._converse(sampling_params, episode)
            finally:
                with contextlib.suppress(ServerError, httpx.TransportError):
                    await post(server, "/close", {"session_id": episode.session_id})

    async def _converse(self, sampling_params, episode):
        messages, tools = episode.messages, episode.tools
        schemas = schemas_of(tools)
        limit = self.rollout_config.response_length
        request_id, metrics, extra = uuid4().hex, {}, {}
        ids = await self.ct_build_initial_tokens(messages, tools=tools)
        prompt_ids, mask, logprobs, answers = list(ids), [], [], 0
        while True:
            with simple_timer("generate_sequences", metrics):
                answer = await self.server_manager.generate(
                    request_id=request_id, prompt_ids=ids, sampling_params=sampling_params
                )
            answers += 1
            metrics["num_preempted"] = metrics.get("num_preempted", 0) + (answer.num_preempted or 0)
            extra = {**answer.extra_fields, **extra, **newest(answer.extra_fields)}
            merged, mask, logprobs = await self.ct_merge_assistant_token(
                ids,
                answer.token_ids,
                mask,
                logprobs if logprobs or answer.log_probs else None,
                assistant_logprobs=answer.log_probs or None,
            )
            ids = merged.token_ids
            if len(mask) >= limit:
                episode.stop_reason = "response_length"
                break
            content, calls = await self.parser.extract_tool_calls(answer.token_ids, schemas)
            with simple_timer("tool_calls", metrics):
                appended = await episode.act(self._words(content), calls)
            if episode.stop_reason is not None:
                break
            before = [*messages, assistant_message(content, calls)]
            messages = [*before, *appended]
            merged, new_mask, new_logprobs = await self.ct_merge_context_msg(
                before, messages, ids, mask, logprobs or None, tools=tools
            )
            if len(new_mask) >= limit:
                episode.stop_reason = "response_length"
                break
            ids, mask, logprobs = merged.token_ids, new_mask, new_logprobs
        return AgentLoopOutput(
            prompt_ids=prompt_ids,
            response_ids=ids[len(ids) - len(mask) :][:limit],
            response_mask=mask[:limit],
            response_logprobs=logprobs[:limit] if logprobs else None,
            reward_score=episode.reward,
            num_turns=1 + answers + episode.steps,
            metrics=AgentLoopMetrics(**metrics),
            extra_fields={
                **extra,
                "turn_scores": [],
                "tool_rewards": [],
                "taulab_stop_reason": episode.stop_reason,
            },
        )

    def _words(self, content):
        """Returns the text that the user sees, without thoughts and special tokens."""
        words = content.rsplit("</think>", 1)[-1]
        for token in self.tokenizer.all_special_tokens:
            words = words.replace(token, "")
        return words.strip()


class Episode:
    """The episode in progress in a session."""

    def __init__(self, server, opening):
        self.server = server
        self.session_id = opening["session_id"]
        self.messages, self.tools = list(opening["messages"]), opening["tools"]
        self.steps, self.parse_errors = 0, 0
        self.reward, self.stop_reason = 0.0, None

    async def act(self, words, calls):
        """Takes the actions of an answer, all calls in order. Returns the messages to append after it."""
        if not calls:
            said = await self._step({"type": "respond", "content": words})
            return [] if said is None else [{"role": "user", "content": said}]
        observations = []
        for at, call in enumerate(calls):
            action = {"type": "call_tool", "tool_name": call.name, "arguments": call.arguments or "{}"}
            try:
                content = await self._step(action | ({"content": words} if at == 0 and words else {}))
            except BadAction as error:
                content = f"Error: {error}"
                self.parse_errors += 1
                if self.parse_errors > MAX_PARSE_ERRORS:
                    self.stop_reason = "parse_errors"
            if self.stop_reason is not None:
                return []
            named = {} if call.tool_call_id is None else {"tool_call_id": call.tool_call_id}
            observations.append({"role": "tool", "content": content, **named})
        return observations

    async def _step(self, action):
        result = await post(self.server, "/step", {"session_id": self.session_id, "action": action})
        self.steps += 1
        if not result["done"]:
            return result["observation"]["content"]
        self.reward = float(result["reward"])
        self.stop_reason = result["observation"]["stop_reason"]
        return None


def assistant_message(content, calls):
    """Returns the answer as a message. Templates use it only as the history of the messages to append."""
    message = {"role": "assistant", "content": content}
    if not calls:
        return message
    return message | {"tool_calls": [call_message(call) for call in calls]}


def call_message(call):
    try:
        arguments = json.loads(call.arguments)
    except ValueError:
        arguments = call.arguments
    function = {"name": call.name, "arguments": arguments}
    named = {} if call.tool_call_id is None else {"id": call.tool_call_id}
    return {"type": "function", "function": function, **named}


def schemas_of(tools):
    """Returns the tools for verl's parsers, whose schema lacks parts of JSON Schema. Most parsers need no tools."""
    with contextlib.suppress(ValidationError):
        return [OpenAIFunctionToolSchema.model_validate(tool) for tool in tools]
    return []


def newest(fields):
    """Returns the newest version of the policy, which is that of the last answer. The first answer has the oldest."""
    return {key: fields[key] for key in ("max_global_steps",) if key in fields}


class BadAction(Exception):
    """Raised if the model's answer is not a valid action. The message says why."""


class ServerError(RuntimeError):
    """Raised if the server or its user failed, after the server's own retries."""


async def post(server, path, body):
    response = await server.post(path, json=body)
    if response.status_code == 400:
        raise BadAction(response.json()["error"]["message"])
    if response.is_error:
        raise ServerError(f"The server answered {path} with status {response.status_code}: {response.text[:2000]}")
    return response.json()


def headers():
    token = os.environ.get("TAULAB_TOKEN")
    return {"authorization": f"Bearer {token}"} if token else {}


def rows(split=None, seed=1, url=URL):
    """Yields a row of verl's datasets for each task of a split (default: the server's), with one seed."""
    response = httpx.get(f"{url.rstrip('/')}/tasks", headers=headers())
    response.raise_for_status()
    about = response.json()
    split = split or about["split"]
    for index in about["splits"][split]:
        name = f"{about['name']}/{split}/{index}"
        yield {
            # The policy, the tools and the user's first message come with the session.
            "prompt": [{"role": "user", "content": name}],
            "agent_name": "taulab",
            "data_source": f"taulab/{about['name']}",
            "reward_model": {"style": "rule", "ground_truth": ""},
            "extra_info": {"index": index, "split": split, "task": index, "seed": seed},
        }


if __name__ == "__main__":
    for row in rows(*sys.argv[1:2]):
        print(json.dumps(row))
