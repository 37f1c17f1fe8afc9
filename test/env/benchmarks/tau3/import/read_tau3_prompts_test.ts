import assert from "node:assert/strict";
import { PythonModules } from "../../../../../env/benchmarks/python_source/python_modules.ts";
import { importTau3Prompts } from "../../../../../env/benchmarks/tau3/import/read_tau3_prompts.ts";
import { tau3PromptsSchema } from "../../../../../env/benchmarks/tau3/tau3_prompts.ts";
import { DataError } from "../../../../../env/errors.ts";

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
def step(action):
    if action.requestor == "user":
        return f"Instruct the user to perform: {action.get_func_format()}."
    return f"User action: {action.name}." or f"Perform the following action: {action.get_func_format()}." or f"Assistant action: {action.name}."
`,
  "user/user_simulator.py": `
SYSTEM_PROMPT = "{global_user_sim_guidelines}\\n{instructions}"
TERSE = """
## MINIMAL VERBOSITY
Say little.
"""
`,
  "user/base.py":
    'STOP = "###STOP###"\nTRANSFER = "###T###"\nOUT_OF_SCOPE = "###O###"\n',
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
  return importTau3Prompts(modules, { python: "/src", read });
}

Deno.test("importTau3Prompts() reads every prompt out of the source, with placeholders", async () => {
  const prompts = await importFrom(FILES);
  assert.deepEqual(tau3PromptsSchema.parse(prompts), prompts);
  assert.equal(prompts.agent_instruction, "Serve {kindly}.");
  assert.equal(prompts.agent_system, "<i><<agent_instruction>></i><<policy>>");
  assert.equal(
    prompts.agent_gt_system,
    "<<agent_gt_instruction>> <<policy>> <<resolution_steps>>",
  );
  assert.equal(prompts.agent_solo_instruction, "Call `done`.");
  assert.equal(
    prompts.gt_step_user_with_args,
    "Instruct the user to perform: <<call>>.",
  );
  assert.equal(
    prompts.gt_step_agent_without_args,
    "Assistant action: <<name>>.",
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

Deno.test("importTau3Prompts() names the file that lacks a text", async () => {
  const file = "evaluator/evaluator_nl_assertions.py";
  await assert.rejects(
    importFrom({ ...FILES, [file]: "x = 1\n" }),
    (error) => error instanceof DataError && error.message.includes(file),
  );
});
