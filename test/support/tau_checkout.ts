/** Provides the files of a small checkout in τ-bench's layout, written for tests. Tests may change the files. */

const TOOL = (name: string, className: string) =>
  `from typing import Any, Dict
from tau_bench.envs.tool import Tool


class ${className}(Tool):
    @staticmethod
    def invoke(data: Dict[str, Any], thing: str) -> str:
        return data[thing]

    @staticmethod
    def get_info() -> Dict[str, Any]:
        return {
            "type": "function",
            "function": {
                "name": "${name}",
                "description": "Does ${name}, "
                "and no more.",  # continued
                "parameters": {"type": "object", "properties": {"n": {"type": "number", "minimum": -1.5}}, "required": []},
            },
        }
`;

const ENV = `from tau_bench.envs.base import Env


class MockEnv(Env):
    def __init__(self, task_split: str = "test"):
        super().__init__()
        self.terminate_tools = ["hand_over"]
`;

const TASKS = (name: string) =>
  `from tau_bench.types import Action, Task

${name}: list = [
    Task(
        annotator="a",
        user_id="u_1",
        instruction="Don't \\"shout\\", "
        'please\\t\\u00fc.',
        actions=[Action(name="pay", kwargs={"amount": 10.0, "n": 1_000, "ids": ["1", None, True], "deep": {"x": (1,)}})],
        outputs=["10"],
    ),
    Task(user_id="u_2", instruction="""Two
lines""", actions=[]),
]
`;

const USER = `STOPPED = "###STOP###"


class LLMUserSimulationEnv:
    def build_system_prompt(self, instruction):
        instruction_display = ("\\n\\nYou want: " + instruction + "\\n") if instruction is not None else ""
        return f"""You play.{instruction_display}
Braces: {{}}"""

    def reset(self, instruction=None):
        self.messages = [
            {"role": "system", "content": self.build_system_prompt(instruction=instruction)},
            {"role": "user", "content": "Hello there!"},
        ]


class ReactUserSimulationEnv(LLMUserSimulationEnv):
    def build_system_prompt(self, instruction):
        instruction_display = "x"
        return f"""Think.{instruction_display}"""


class VerifyUserSimulationEnv(LLMUserSimulationEnv):
    def __init__(self, model: str, max_attempts: int = 4) -> None:
        pass


class ReflectionUserSimulationEnv(LLMUserSimulationEnv):
    def __init__(self, model: str, max_attempts: int = 5) -> None:
        pass


def map_role_label(role: str) -> str:
    if role == "user":
        return "Buyer"
    elif role == "assistant":
        return "Clerk"
    else:
        return role.capitalize()


def verify(response, messages):
    transcript = ""
    prompt = f"""Fit?
{transcript}
{response}"""
    return prompt


def reflect(response, messages):
    prompt = f"""Better!
{transcript}
{response}"""
    return prompt
`;

const REACT = `class ChatReActAgent:
    def __init__(self, tools_info, wiki, use_reasoning=True):
        instruction = REACT_INSTRUCTION if use_reasoning else ACT_INSTRUCTION
        self.prompt = wiki + "\\nTools:\\n" + json.dumps(tools_info) + instruction

    def generate_next_step(self, messages):
        action_str = message.content.split("Do:")[-1].strip()

    def solve(self, env, task_index=None, max_num_steps: int = 12):
        obs = response.observation
        if action.name != "respond":
            obs = "It says: " + obs


REACT_INSTRUCTION = f"""
Think, then {{"name": "x"}}"""
ACT_INSTRUCTION = "Act: " + 'now'
`;

/** Returns the texts of the checkout's files, keyed by path. */
export function checkoutFiles(): Map<string, string> {
  const files = new Map<string, string>([
    ["LICENSE", "Do as you like.\n"],
    ["tau_bench/envs/user.py", USER],
    [
      "tau_bench/envs/base.py",
      'def step(o):\n    return "###STOP###" in o\n',
    ],
    ["tau_bench/agents/chat_react_agent.py", REACT],
    [
      "tau_bench/agents/tool_calling_agent.py",
      'class ToolCallingAgent:\n    def solve(self):\n        messages = [{"role": "system", "content": self.wiki}]\n',
    ],
    [
      "tau_bench/agents/few_shot_agent.py",
      'class FewShotToolCallingAgent:\n    def __init__(self, wiki, num_few_shots: int = 3):\n        pass\n\n    def solve(self):\n        messages = [{"role": "system", "content": f"{self.wiki}\\n\\n{few_shots}"}]\n',
    ],
    [
      "few_shot_data/MockRetailDomainEnv-few_shot.jsonl",
      '{"messages_display": "user: hi"}\n',
    ],
  ]);
  for (const domain of ["retail", "airline"]) {
    const dir = `tau_bench/envs/${domain}`;
    files.set(`${dir}/env.py`, ENV);
    files.set(`${dir}/wiki.md`, `# ${domain}\n`);
    files.set(`${dir}/rules.py`, 'RULES = ["One.", "Two" + "."]\n');
    files.set(`${dir}/tasks_test.py`, TASKS("TASKS"));
    files.set(`${dir}/tools/second.py`, TOOL("hand_over", "HandOver"));
    files.set(`${dir}/tools/first.py`, TOOL("pay", "Pay"));
    files.set(
      `${dir}/tools/__init__.py`,
      "from .second import HandOver\nfrom .first import (\n    Pay as P,\n)\n\nALL_TOOLS = [\n    P,\n    HandOver,\n]\n",
    );
    const tables = domain === "retail"
      ? ["orders", "products"]
      : ["flights", "reservations"];
    for (const table of [...tables, "users"]) {
      files.set(`${dir}/data/${table}.json`, '{"1": {}, "0": {}}');
    }
  }
  files.set("tau_bench/envs/retail/tasks_dev.py", TASKS("TASKS_DEV"));
  return files;
}
