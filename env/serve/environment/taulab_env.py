"""taulab's environments as a verifiers taskset: a client of `deno task serve --env`.

Each rollout is a session of that server. The model is called through verifiers' own endpoint, so its traces contain
every call; the server plays the user, runs the tools and computes the reward.
"""

import os

import httpx
import openai
import verifiers.v1 as vf

__all__ = ["TaulabEnv", "TaulabHarness", "TaulabTaskset", "load_environment"]

MAX_PARSE_ERRORS = 3


class TaulabData(vf.TaskData):
    url: str
    reset: dict


class TaulabState(vf.State):
    reward: float = 0.0
    steps: int = 0
    parse_errors: int = 0


class TaulabTask(vf.Task[TaulabData, TaulabState]):
    @vf.reward
    async def taulab(self, trace) -> float:
        return trace.state.reward

    @vf.metric
    async def steps(self, trace) -> float:
        return float(trace.state.steps)


class TaulabConfig(vf.TasksetConfig):
    url: str = "@URL@"
    """The URL of `deno task serve --env`. The server's token, if it has one, is read from TAULAB_TOKEN."""
    split: str | None = None
    """The split to load. Default: the server's."""
    seed: int = 1
    """The seed of the episodes of all tasks."""


class TaulabTaskset(vf.Taskset[TaulabTask, TaulabConfig]):
    def load(self):
        url = self.config.url.rstrip("/")
        response = httpx.get(f"{url}/tasks", headers=headers())
        response.raise_for_status()
        about = response.json()
        split = self.config.split or about["split"]
        for index in about["splits"][split]:
            name = f"{about['name']}/{split}/{index}"
            reset = {"split": split, "task": index, "seed": self.config.seed}
            # The user speaks first, so the prompt comes with the reset.
            data = TaulabData(id=name, name=name, prompt=name, url=url, reset=reset)
            yield TaulabTask(data, self.config.task)


class TaulabHarness(vf.Harness[vf.HarnessConfig]):
    """Runs the conversation in this process: asks the model, and forwards its calls and messages to the session."""

    EXECUTES_CODE = False
    NEEDS_CONTAINER = False
    APPENDS_SYSTEM_PROMPT = True

    async def launch(self, ctx, trace, runtime, endpoint, secret, mcp_urls, data):
        model = openai.AsyncOpenAI(base_url=endpoint, api_key=secret, max_retries=0)
        server = httpx.AsyncClient(base_url=data.url, headers=headers(), timeout=None)
        async with model, server:
            opening = await post(server, "/reset", data.reset)
            observation = opening["observation"]
            try:
                await converse(model, server, ctx.model, trace, observation)
            except openai.APIStatusError:
                # verifiers rejects a call if a limit or a stop has ended the rollout.
                if trace.stop_condition is None:
                    raise
            finally:
                await post(server, "/close", {"session_id": observation["session_id"]})
        return vf.ProgramResult(exit_code=0, stdout="", stderr="")


async def converse(model, server, name, trace, opening):
    """Plays one episode to its end, and stores the reward in the state of the trace."""
    messages, tools = list(opening["messages"]), opening["tools"]
    state = trace.state

    async def step(action):
        body = {"session_id": opening["session_id"], "action": action}
        result = await post(server, "/step", body)
        state.steps += 1
        if result["done"]:
            state.reward = float(result["reward"])
            trace.info["taulab"] = {"stop_reason": result["observation"]["stop_reason"]}
        return result

    while True:
        completion = await model.chat.completions.create(
            model=name, messages=messages, tools=tools or openai.NOT_GIVEN
        )
        answer = completion.choices[0].message
        messages.append(answer.model_dump(exclude_none=True))
        if not answer.tool_calls:
            result = await step({"type": "respond", "content": answer.content or ""})
            if result["done"]:
                return
            messages.append({"role": "user", "content": result["observation"]["content"]})
            continue
        for at, call in enumerate(answer.tool_calls):
            try:
                result = await step(action_of(call, answer.content if at == 0 else None))
            except BadAction as error:
                state.parse_errors += 1
                if state.parse_errors > MAX_PARSE_ERRORS:
                    trace.info["taulab"] = {"stop_reason": "parse_errors"}
                    return
                content = f"Error: {error}"
            else:
                if result["done"]:
                    return
                content = result["observation"]["content"]
            messages.append({"role": "tool", "tool_call_id": call.id, "content": content})


def action_of(call, content):
    action = {
        "type": "call_tool",
        "tool_name": call.function.name,
        "arguments": call.function.arguments or "{}",
    }
    return action | {"content": content} if content else action


class BadAction(Exception):
    """Raised if the model's answer is not a valid action. The message says why."""


async def post(server, path, body):
    response = await server.post(path, json=body)
    if response.status_code == 400:
        raise BadAction(response.json()["error"]["message"])
    if response.is_error:
        raise RuntimeError(f"The server answered {path} with status {response.status_code}: {response.text[:2000]}")
    return response.json()


def headers():
    token = os.environ.get("TAULAB_TOKEN")
    return {"authorization": f"Bearer {token}"} if token else {}


class TaulabEnvConfig(vf.EnvConfig):
    # No code from the model runs here, so no sandbox is needed.
    agent: vf.AgentConfig = vf.AgentConfig(runtime=vf.SubprocessConfig())


class TaulabEnv(vf.Env[TaulabEnvConfig]):
    async def run(self, task, agents):
        await agents.agent.run(task)


def load_environment(**config) -> TaulabEnv:
    """Loads the environment for trainers: `load_environment(url=…, split="train", seed=1)`."""
    taskset = {"id": "taulab-env", **config}
    return vf.load_environment(vf.resolve_env_config({"taskset": taskset}))
